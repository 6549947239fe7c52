"""Services that are imported, built and started once the bridge listens."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from hargassner.delayed import Delayed
from hargassner.services import MultiService

log = Logger()


class Later(MultiService):
    """Runs services that nobody on the wire waits for.

    They are built when the reactor runs, one step a turn, so that what has come meanwhile passes
    in between. A step that fails is logged, and the next one follows.

    Args:
        clock: the reactor.
        steps: each imports what it needs, and makes services; they run in this order.
    """

    name = "views"

    def __init__(
        self, clock: IReactorTime, steps: Iterable[Callable[[], Iterable[IService]]]
    ) -> None:
        super().__init__()
        self._steps = deque(steps)
        self._next = Delayed(clock, 0, self._build)

    def startService(self) -> None:
        """Start what is built, and build the rest."""
        super().startService()
        self._schedule()

    def stopService(self) -> "Deferred[Any]":
        """Build no more, and stop what was built."""
        self._next.cancel()
        return super().stopService()

    def _schedule(self) -> None:
        if self._steps:
            self._next.start()

    def _build(self) -> None:
        step = self._steps.popleft()
        with log.failuresHandled("a part of the bridge could not be started"):
            self.add(step())
        self._schedule()
