"""The discovery messages at the broker: published, moved to other topics, and cleared."""

from collections.abc import Callable, Iterable, Mapping

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.homeassistant.entities import Json, compact
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.mqtt.interfaces import IBroker, LinkState

log = Logger()

MIGRATION_TIMEOUT = 10.0
"""Seconds that Home Assistant gets to let entities go before their old announcement is cleared."""

MIGRATE = compact({"migrate_discovery": True})
"""Makes Home Assistant let an announcement's entities go, and keep what their owner made of them,
for the announcement that follows on another topic."""


class Announcements:
    """The discovery messages of this life of the bridge, and what earlier ones left.

    Args:
        broker: takes them.
        clock: time.
        retained: what earlier lives left; kept up to date here.
    """

    def __init__(self, broker: IBroker, clock: IReactorTime, retained: RetainedSnapshot) -> None:
        self._broker = broker
        self._retained = retained
        self._published: dict[str, str] = {}
        self._migration = Migration(broker, clock, self._forget)

    def publish(self, discovery: str, messages: Mapping[str, Json]) -> None:
        """Publish what has changed, and take back what is not among the messages any more.

        Args:
            discovery: how entities are announced, as the configuration calls it.
            messages: the messages by their topics.
        """
        known = self._retained.known
        old = [each for each in known.announcements if each not in messages]
        if known.components and known.discovery != discovery:
            log.info("announcing to Home Assistant in another way than before")
            self._migration.begin(old)
        self._publish_changed(messages)
        self._clear(self._migration.without(old))
        known.discovery = discovery
        known.announcements = [*messages, *self._migration.topics]

    def withdraw(self) -> None:
        """Take everything back."""
        known = self._retained.known
        if known.announcements:
            self._clear(known.announcements)
            known.discovery, known.announcements, known.components = "off", [], {}
            self._retained.changed()

    def again(self) -> None:
        """Let everything be published again next time."""
        self._published.clear()

    def reaches(self, size: int) -> bool:
        """Whether a message has so many bytes, or more."""
        return any(len(each.encode()) >= size for each in self._published.values())

    def stop(self) -> None:
        """Publish nothing any more."""
        self._published.clear()
        self._migration.stop()

    def _publish_changed(self, messages: Mapping[str, Json]) -> None:
        for topic, message in messages.items():
            payload = compact(message)
            if self._published.get(topic) != payload:
                self._published[topic] = payload
                self._broker.publish(topic, payload)

    def _clear(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._published.pop(topic, None)
            self._broker.clear(topic)

    def _forget(self, cleared: list[str]) -> None:
        """The broker has nothing of these topics any more."""
        known = self._retained.known
        known.announcements = [each for each in known.announcements if each not in cleared]
        self._retained.changed()


class Migration:
    """The old announcements of entities that are announced on other topics now.

    ``topics`` are those that are not cleared yet.

    Args:
        broker: has them.
        clock: time.
        cleared: called with the topics when they are cleared.
    """

    def __init__(
        self, broker: IBroker, clock: IReactorTime, cleared: Callable[[list[str]], None]
    ) -> None:
        self.topics: list[str] = []
        self._broker = broker
        self._clock = clock
        self._cleared = cleared
        self._clearing: Deferred[None] = succeed(None)

    def begin(self, topics: list[str]) -> None:
        """Ask Home Assistant to let the entities of these topics go, and clear them later."""
        self._clearing.cancel()
        self.topics = topics
        for topic in topics:
            self._broker.publish(topic, MIGRATE)
        self._clearing = Deferred.fromCoroutine(self._clear())
        self._clearing.addErrback(_log_unless_cancelled)

    def without(self, topics: Iterable[str]) -> list[str]:
        """Those of the topics that are not to be cleared later."""
        return [each for each in topics if each not in self.topics]

    def stop(self) -> None:
        """Leave the clearing to another life."""
        self._clearing.cancel()

    async def _clear(self) -> None:
        while True:
            await deferLater(self._clock, MIGRATION_TIMEOUT)
            # Or only the clearing would reach the broker.
            if self._online_for() >= MIGRATION_TIMEOUT:
                break
        for topic in self.topics:
            self._broker.clear(topic)
        cleared, self.topics = self.topics, []
        self._cleared(cleared)

    def _online_for(self) -> float:
        """Seconds for which the broker has been there."""
        link = self._broker.status
        online = link.state is LinkState.ONLINE
        return self._clock.seconds() - link.since if online else 0.0


def _log_unless_cancelled(why: Failure) -> None:
    if why.check(CancelledError) is None:
        log.failure("clearing old announcements failed", why)
