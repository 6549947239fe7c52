"""Something that is done a little later, once."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Delayed:
    """An action after a delay: started again while it waits, it is still done once.

    Args:
        clock: time.
        delay: seconds, unless ``start`` is given others.
        action: what is done.
    """

    __slots__ = ("_action", "_clock", "_delay", "_timer")

    def __init__(self, clock: IReactorTime, delay: float, action: Callable[[], object]) -> None:
        self._clock = clock
        self._delay = delay
        self._action = action
        self._timer: IDelayedCall | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the action is still to come."""
        return self._timer is not None

    def start(self, delay: float | None = None) -> None:
        """Let the delay begin, unless it has."""
        if self._timer is None:
            seconds = self._delay if delay is None else delay
            self._timer = self._clock.callLater(seconds, self._due)

    def cancel(self) -> None:
        """Do nothing any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _due(self) -> None:
        self._timer = None
        self._action()
