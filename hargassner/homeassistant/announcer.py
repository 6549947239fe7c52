"""Makes Home Assistant know of the boiler what is known of it here."""

from dataclasses import replace

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from hargassner.delayed import Delayed
from hargassner.homeassistant.announcements import Announcements, Surroundings
from hargassner.homeassistant.discovery import Discovery
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.info import has_told
from hargassner.homeassistant.migration import log_unless_cancelled
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.mqtt.interfaces import IBroker, LinkStatus

log = Logger()

SETTLE = 3.0
"""Seconds between a change and the announcement that has it: changes come in crowds."""


class Announcer:
    """Announces the boiler to Home Assistant.

    What an earlier life announced is taken back where it does not hold any more: entities that
    are gone, another node or prefix, another way to announce.

    Args:
        discovery: what there is to announce.
        broker: takes the announcements.
        clock: time.
        retained: what earlier lives announced; kept up to date here.
        surroundings: what has to be done around an announcement.
    """

    def __init__(
        self,
        discovery: Discovery,
        broker: IBroker,
        clock: IReactorTime,
        retained: RetainedSnapshot,
        surroundings: Surroundings,
    ) -> None:
        self._discovery = discovery
        self._broker = broker
        self._retained = retained
        self._platforms: dict[str, str] = {}
        self._lacks_telemetry = False
        self._announcements = Announcements(broker, clock, retained, surroundings)
        self._one_at_a_time = DeferredLock()
        self._announcing: set[Deferred[None]] = set()
        self._settling = Delayed(clock, SETTLE, self._announce)
        self._announces = False

    def start(self) -> None:
        """Begin; what is retained at the broker has been read."""
        self._broker.on_status(self._look_at_broker)
        self._tell_of_entities()
        if self._discovery.config.homeassistant.discovery == "off":
            self._announcements.withdraw()
        else:
            self._announces = True
            self.soon()

    def stop(self) -> None:
        """Announce nothing any more."""
        self._announces = False
        self._settling.cancel()
        for each in tuple(self._announcing):
            each.cancel()
        self._announcements.stop()

    def withdraw(self) -> None:
        """Take everything back that an earlier life announced."""
        self._announcements.withdraw()

    def soon(self) -> None:
        """Take in that something has changed on which announcements depend."""
        if self._announces:
            self._settling.start()

    def heard(self) -> None:
        """Take in that a channel shows something else: it may have been the last one missing."""
        if self._lacks_telemetry:
            self.soon()

    def again(self) -> None:
        """Publish everything again: Home Assistant has started."""
        self._announcements.again()
        if self._announces:
            self._announce()

    def _tell_of_entities(self) -> None:
        """Log what another choice of entities comes to; Home Assistant decides at first sight."""
        known, wanted = self._retained.known, self._discovery.config.homeassistant.entities
        if known.entities == wanted:
            return
        if known.components:
            log.info(
                "homeassistant.entities is {wanted} now: new entities follow; what Home Assistant"
                " knows stays enabled or disabled as it is, until its device is deleted there and"
                " the bridge is started again",
                wanted=wanted,
            )
        known.entities = wanted
        self._retained.changed()

    def _look_at_broker(self, status: LinkStatus) -> None:
        """Announce each entity on its own where the broker does not take all in one message."""
        config = self._discovery.config
        in_one = config.homeassistant.discovery == "device"
        if not in_one or not status.limit or not self._announcements.reaches(status.limit):
            return
        log.warn(
            "Home Assistant is told of each entity in a message of its own: the broker does not "
            "take one message for all"
        )
        home = replace(config.homeassistant, discovery="entity")
        self._discovery = replace(self._discovery, config=replace(config, homeassistant=home))
        self.soon()

    def _announce(self) -> None:
        """Announce what is known, after what is being announced; it knows what comes meanwhile."""
        if self._one_at_a_time.waiting:
            return
        announcing = self._one_at_a_time.run(lambda: Deferred.fromCoroutine(self._announce_now()))
        self._announcing.add(announcing)
        announcing.addErrback(log_unless_cancelled)
        announcing.addCallback(lambda _: self._announcing.discard(announcing))

    async def _announce_now(self) -> None:
        """Announce what is known now, if it is enough."""
        now = self._discovery.components()
        if self._is_enough(now):
            awaiting = self._discovery.awaited(self._retained.known.components)
            await self._publish({**awaiting, **now})

    async def _publish(self, now: dict[str, Json]) -> None:
        for key, component in self._retained.known.components.items():
            self._platforms[key] = component["platform"]
        await self._announcements.publish(
            self._discovery.config.homeassistant.discovery,
            self._discovery.messages(now, self._platforms),
            now,
        )

    def _is_enough(self, now: dict[str, Json]) -> bool:
        """Whether enough is known to announce these components."""
        channels = self._discovery.boiler.channels
        # Before a descriptor comes, an earlier life may know more.
        has_all = now.keys() >= self._retained.known.components.keys()
        # Which inputs are connected is only known from telemetry.
        self._lacks_telemetry = not all(map(has_told, channels.values()))
        return not self._lacks_telemetry and (bool(channels) or has_all)
