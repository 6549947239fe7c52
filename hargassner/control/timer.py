"""A call at a later time."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timer:
    """Makes one call at a later time, and never waits for two at once.

    Args:
        clock: time.
        call: what is called, when the timer does not run any more.
    """

    __slots__ = ("_call", "_clock", "_delayed")

    def __init__(self, clock: IReactorTime, call: Callable[[], object]) -> None:
        self._clock = clock
        self._call = call
        self._delayed: IDelayedCall | None = None

    @property
    def is_running(self) -> bool:
        """Whether the call is still to come."""
        return self._delayed is not None and self._delayed.active() != 0

    def start(self, seconds: float) -> None:
        """Make the call so many seconds from now, and at no other time."""
        self.stop()
        self._delayed = self._clock.callLater(seconds, self._call)

    def start_if_stopped(self, seconds: float) -> None:
        """Make the call so many seconds from now, unless it is still to come anyway."""
        if not self.is_running:
            self.start(seconds)

    def stop(self) -> None:
        """Do not make the call."""
        if self._delayed is not None and self._delayed.active():
            self._delayed.cancel()
