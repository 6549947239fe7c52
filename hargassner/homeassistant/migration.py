"""Entities that move from one way to announce them to another."""

from collections.abc import Callable, Container, Iterable

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.homeassistant.entities import compact
from hargassner.mqtt.interfaces import IBroker, LinkState

log = Logger()

MIGRATION_PAUSE = 2.0
"""Seconds that Home Assistant gets to let entities go before they are announced anew."""

MIGRATION_TIMEOUT = 10.0
"""Seconds after which the old announcement is cleared."""

MIGRATE = compact({"migrate_discovery": True})
"""Makes Home Assistant let an announcement's entities go, and keep what their owner made of them,
for the announcement that follows on another topic."""


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
        self._clearing.addErrback(log_unless_cancelled)

    async def released(self) -> None:
        """Wait until Home Assistant has let the entities go."""
        await self._online(MIGRATION_PAUSE)

    def stop(self) -> None:
        """Leave the clearing to another life."""
        self._clearing.cancel()

    async def _clear(self) -> None:
        await self._online(MIGRATION_TIMEOUT)
        for topic in self.topics:
            self._broker.clear(topic)
        cleared, self.topics = self.topics, []
        self._cleared(cleared)

    async def _online(self, seconds: float) -> None:
        """Wait until the broker has been there for so long, or what comes next overtakes."""
        while True:
            await deferLater(self._clock, seconds)
            if self._online_for() >= seconds:
                return

    def _online_for(self) -> float:
        """Seconds for which the broker has been there."""
        link = self._broker.status
        online = link.state is LinkState.ONLINE
        return self._clock.seconds() - link.since if online else 0.0


def without(topics: Iterable[str], others: Container[str]) -> list[str]:
    """The topics that are not among the others."""
    return [each for each in topics if each not in others]


def log_unless_cancelled(why: Failure) -> None:
    """Log why an announcement was not finished, if nobody ended it."""
    if why.check(CancelledError) is None:
        log.failure("announcing to Home Assistant failed", why)
