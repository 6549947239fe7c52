"""Makes Home Assistant know of the boiler what is known of it here."""

from collections.abc import Callable
from dataclasses import replace

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from hargassner.boiler.model import Boiler, Channel
from hargassner.config import Config
from hargassner.homeassistant.announcements import Announcements
from hargassner.homeassistant.announcer_life import Announcing, new_life
from hargassner.homeassistant.discovery import awaited, components, device, messages
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.rereading import Rereading
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.mqtt.interfaces import IBroker, LinkStatus

log = Logger()


class Announcer:
    """Announces the boiler to Home Assistant.

    What an earlier life announced is taken back where it does not hold any more: entities that
    are gone, another node or prefix, another way to announce.

    Args:
        boiler: the model.
        config: the configuration.
        broker: takes the announcements.
        clock: time.
        retained: what earlier lives announced; kept up to date here.
        url: the status page, empty where there is none.
        repeat: has the state of a topic published again, if it has one.
    """

    def __init__(
        self,
        boiler: Boiler,
        config: Config,
        broker: IBroker,
        clock: IReactorTime,
        retained: RetainedSnapshot,
        url: str,
        repeat: Callable[[str], object],
    ) -> None:
        self._boiler = boiler
        self._config = config
        self._broker = broker
        self._retained = retained
        self._url = url
        self._connected: dict[str, bool] = {}
        self._platforms: dict[str, str] = {}
        self._announcements = Announcements(broker, clock, retained)
        self._rereading = Rereading(clock, repeat)
        self._life = new_life(Announcing(clock, self._announce))

    def start(self) -> None:
        """Begin; what is retained at the broker has been read."""
        self._broker.on_status(self._look_at_broker)
        if self._config.homeassistant.discovery == "off":
            self._announcements.withdraw()
        else:
            self._life.start()
            self._life.changed()

    def stop(self) -> None:
        """Announce nothing any more."""
        self._life.stop()
        self._announcements.stop()
        self._rereading.stop()

    def soon(self) -> None:
        """Take in that something has changed on which announcements depend."""
        self._life.changed()

    def heard(self, channel: Channel) -> None:
        """Take in that a channel shows something else, or was connected or disconnected."""
        if self._connected.get(channel.object) is not channel.connected:
            self._life.changed()

    def again(self) -> None:
        """Publish everything again: Home Assistant has started."""
        self._announcements.again()
        self._life.again()

    def _look_at_broker(self, status: LinkStatus) -> None:
        """Announce each entity on its own where the broker does not take all in one message."""
        in_one = self._config.homeassistant.discovery == "device"
        if not in_one or not status.limit or not self._announcements.reaches(status.limit):
            return
        log.warn(
            "Home Assistant is told of each entity in a message of its own: the broker does not "
            "take one message for all"
        )
        home = replace(self._config.homeassistant, discovery="entity")
        self._config = replace(self._config, homeassistant=home)
        self.soon()

    def _announce(self) -> None:
        """Announce what is known now, if it is enough."""
        now = components(self._boiler, self._config)
        # With none of them known, whatever a channel shows is a reason to try again.
        self._connected = {}
        if self._is_enough(now):
            channels = self._boiler.channels.values()
            self._connected = {channel.object: channel.connected for channel in channels}
            awaiting = awaited(self._boiler, self._config, self._retained.known.components)
            self._replace({**awaiting, **now})

    def _replace(self, now: dict[str, Json]) -> None:
        """Announce these components, and note that they are retained."""
        known = self._retained.known
        before = known.components, known.announcements
        self._publish(now)
        self._rereading.announced(known.components, now)
        known.components = now
        if (known.components, known.announcements) != before:
            self._retained.changed()

    def _publish(self, now: dict[str, Json]) -> None:
        for key, component in self._retained.known.components.items():
            self._platforms[key] = component["platform"]
        boiler = device(self._boiler, self._config, self._url)
        self._announcements.publish(
            self._config.homeassistant.discovery,
            messages(self._config, boiler, now, self._platforms),
        )

    def _is_enough(self, now: dict[str, Json]) -> bool:
        """Whether enough is known to announce these components."""
        channels = self._boiler.channels
        # Before a descriptor comes, an earlier life knew more.
        if not channels and self._retained.known.components.keys() - now.keys():
            return False
        # Which inputs are connected is only known from telemetry.
        return all(channel.text is not None for channel in channels.values())
