"""The topics of one boiler: names that users, their scripts and their home depend on."""

from dataclasses import dataclass

from hargassner.boiler.model import Channel
from hargassner.config import MqttConfig

ENERGIES = frozenset({"heat", "fuel_energy"})
"""What is counted, unless that is switched off."""

OWN_OBJECTS = ENERGIES | frozenset(
    {
        "status",
        "session",
        "telemetry",
        "info",
        "fault",
        "fault_text",
        "fault_event",
        "faults",
        "session_start",
        "gateway_software",
        "bridge",
        "bridge_version",
        "bridge_start",
        "last_error",
        "last_command",
        "restart",
    }
)
"""What the bridge publishes itself, and no channel of a boiler's may be called."""


def own_objects(*, with_energies: bool) -> frozenset[str]:
    """What the bridge publishes itself.

    Args:
        with_energies: whether the energy of what is burnt is counted.
    """
    return OWN_OBJECTS if with_energies else OWN_OBJECTS - ENERGIES


def channel_object(channel: Channel) -> str:
    """The identifier of a channel in topics and unique ids: its own, where that is free."""
    taken = channel.object in OWN_OBJECTS or channel.object.startswith("par_")
    return f"channel_{channel.object}" if taken else channel.object


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below ``base``, by default ``hargassner/boiler``."""

    base: str

    @staticmethod
    def of(config: MqttConfig) -> "Topics":
        """The topics as configured."""
        return Topics(f"{config.topic_prefix}/{config.node}")

    @property
    def status(self) -> str:
        """Whether the bridge is online; the link to the broker publishes it."""
        return self.state("status")

    @property
    def session(self) -> str:
        """Whether settings can be changed."""
        return self.state("session")

    @property
    def telemetry(self) -> str:
        """Whether telemetry arrives."""
        return self.state("telemetry")

    @property
    def info(self) -> str:
        """Who the boiler and the gateway are, as JSON."""
        return self.state("info")

    @property
    def bridge(self) -> str:
        """How the bridge is, as JSON."""
        return self.state("bridge")

    @property
    def last_command(self) -> str:
        """What became of the last command, as JSON."""
        return self.state("last_command")

    @property
    def commands(self) -> tuple[str, str]:
        """The filters for every command: those for parameters, and those for parts."""
        return self.command("+"), self.command("+/+")

    def state(self, object_: str) -> str:
        """Where the state of a channel or a parameter is published."""
        return f"{self.base}/{object_}"

    def channel(self, channel: Channel) -> str:
        """Where a channel's state is published."""
        return self.state(channel_object(channel))

    def part(self, object_: str, part: str) -> str:
        """Where a part of a thermostat or a water heater is published."""
        return self.state(f"{object_}/{part}")

    def text(self, object_: str) -> str:
        """Where the state of a channel or a parameter is published in the owner's words."""
        return f"{self.state(object_)}/text"

    def command(self, object_: str) -> str:
        """Where commands for a parameter are sent."""
        return f"{self.base}/{object_}/set"

    def result(self, object_: str) -> str:
        """Where the outcome of a command is published."""
        return f"{self.base}/{object_}/result"

    def commanded(self, topic: str) -> str:
        """What a command on this topic is for: a parameter, or an identifier and a part of it."""
        return topic.removeprefix(f"{self.base}/").removesuffix("/set")

    def object_of(self, topic: str) -> str:
        """The identifier in a topic of these: the level below ``base``."""
        return topic.removeprefix(f"{self.base}/").partition("/")[0]
