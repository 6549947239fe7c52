"""Keeps what Home Assistant is told of the boiler in step with what is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from hargassner.boiler.model import Boiler, Channel
from hargassner.config import Config
from hargassner.homeassistant.discovery import awaited, components, device, messages
from hargassner.homeassistant.entities import Json, compact
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.mqtt.interfaces import IBroker, LinkState, LinkStatus

log = Logger()

SETTLE = 3.0
"""Seconds between a change and the announcement that has it: changes come in crowds."""

MIGRATION_PATIENCE = 10.0
"""Seconds that Home Assistant gets to let entities go before their old announcement is cleared."""

REREAD = 1.0
"""Seconds that Home Assistant gets to take in what an entity has become, before its state comes."""

MIGRATE = compact({"migrate_discovery": True})
"""Makes Home Assistant let an announcement's entities go, and keep what their owner made of them,
for the announcement that follows on another topic."""


class Announcer:
    """Announces the boiler to Home Assistant.

    What an earlier life announced is taken back where it does not hold any more: entities that
    are gone, another node or prefix, another way to announce.

    Args:
        boiler: the model.
        config: the configuration.
        broker: takes the announcements.
        clock: time.
        memory: what earlier lives announced; kept up to date here.
        url: the status page, empty where there is none.
        repeat: has the state of a topic published again, if it has one.
    """

    def __init__(
        self,
        boiler: Boiler,
        config: Config,
        broker: IBroker,
        clock: IReactorTime,
        memory: RetainedSnapshot,
        url: str,
        repeat: Callable[[str], object],
    ) -> None:
        self._boiler = boiler
        self._config = config
        self._broker = broker
        self._clock = clock
        self._memory = memory
        self._url = url
        self._repeat = repeat
        self._wanted = config.homeassistant.discovery != "off"
        self._due = False
        self._connected: dict[str, bool] = {}
        self._said: dict[str, str] = {}
        self._platforms: dict[str, str] = {}
        self._leaving: list[str] = []
        self._timer: IDelayedCall | None = None
        self._farewell: IDelayedCall | None = None
        self._unread: set[str] = set()
        self._reread: IDelayedCall | None = None

    def start(self) -> None:
        """Begin; the memory has recalled what it can."""
        known = self._memory.known
        self._broker.on_status(self._look_at_broker)
        if self._wanted:
            self.soon()
        elif known.announcements:
            for topic in known.announcements:
                self._broker.clear(topic)
            known.discovery, known.announcements, known.components = "off", [], {}
            self._memory.changed()

    def stop(self) -> None:
        """Announce nothing any more."""
        self._said.clear()
        for timer in (self._timer, self._farewell, self._reread):
            if timer is not None:
                timer.cancel()
        self._timer = self._farewell = self._reread = None

    def soon(self) -> None:
        """Take in that something has changed on which announcements depend."""
        if self._wanted and self._timer is None:
            self._timer = self._clock.callLater(SETTLE, self._settled)

    def heard(self, channel: Channel) -> None:
        """Take in that a channel shows something else, or was connected or disconnected."""
        if self._due or self._connected.get(channel.object) is not channel.connected:
            self.soon()

    def again(self) -> None:
        """Say everything again: Home Assistant has started."""
        self._said.clear()
        if self._wanted:
            self._announce()

    def _look_at_broker(self, status: LinkStatus) -> None:
        """Announce each entity on its own where the broker does not take all in one message."""
        in_one = self._config.homeassistant.discovery == "device"
        too_large = [each for each in self._said.values() if len(each.encode()) >= status.limit > 0]
        if not in_one or not too_large:
            return
        log.warn(
            "Home Assistant is told of each entity in a message of its own: the broker does not "
            "take one message for all"
        )
        home = replace(self._config.homeassistant, discovery="entity")
        self._config = replace(self._config, homeassistant=home)
        self.soon()

    def _settled(self) -> None:
        self._timer = None
        self._announce()

    def _announce(self) -> None:
        known = self._memory.known
        channels = self._boiler.channels
        told = components(self._boiler, self._config)
        # Which inputs are connected, telemetry tells; and before a descriptor comes, an earlier
        # life knew more.
        unheard = any(channel.text is None for channel in channels.values())
        self._due = unheard or bool(not channels and known.components.keys() - told.keys())
        if self._due:
            return
        self._connected = {channel.object: channel.connected for channel in channels.values()}
        told = {**awaited(self._boiler, self._config, known.components), **told}
        for key, component in known.components.items():
            self._platforms[key] = component["platform"]
        told_device = device(self._boiler, self._config, self._url)
        before = known.components, known.announcements
        self._publish(messages(self._config, told_device, told, self._platforms))
        self._have_reread(known.components, told)
        known.components = told
        if (known.components, known.announcements) != before:
            self._memory.changed()

    def _publish(self, told: dict[str, Json]) -> None:
        known = self._memory.known
        old = [each for each in known.announcements if each not in told]
        if known.components and known.discovery != self._config.homeassistant.discovery:
            log.info("announcing to Home Assistant in another way than before")
            self._leaving = old
            if self._farewell is not None:
                self._farewell.cancel()
            for topic in old:
                self._broker.publish(topic, MIGRATE)
            self._farewell = self._clock.callLater(MIGRATION_PATIENCE, self._say_farewell)
        for topic, message in told.items():
            payload = compact(message)
            if self._said.get(topic) != payload:
                self._said[topic] = payload
                self._broker.publish(topic, payload)
        for topic in old:
            if topic not in self._leaving:
                self._said.pop(topic, None)
                self._broker.clear(topic)
        known.discovery = self._config.homeassistant.discovery
        known.announcements = [*told, *self._leaving]

    def _have_reread(self, before: Mapping[str, Json], told: Mapping[str, Json]) -> None:
        """Have the states of entities said again that are read in another way now.

        Home Assistant asks the broker only for the topics of a new entity; one that has other
        options or another template keeps showing what it made of its state before.
        """
        self._unread |= {
            topic
            for key, component in told.items()
            if before.get(key, component) != component
            for name, topic in component.items()
            if name.endswith("_topic")
        }
        if self._unread and self._reread is None:
            self._reread = self._clock.callLater(REREAD, self._say_states)

    def _say_states(self) -> None:
        self._reread = None
        topics, self._unread = self._unread, set()
        for topic in sorted(topics):
            self._repeat(topic)

    def _say_farewell(self) -> None:
        self._farewell = None
        link = self._broker.status
        online = self._clock.seconds() - link.since if link.state is LinkState.ONLINE else 0.0
        if online < MIGRATION_PATIENCE:
            # Or only the clearing would reach the broker.
            self._farewell = self._clock.callLater(MIGRATION_PATIENCE, self._say_farewell)
            return
        for topic in self._leaving:
            self._broker.clear(topic)
        known = self._memory.known
        known.announcements = [each for each in known.announcements if each not in self._leaving]
        self._leaving = []
        self._memory.changed()
