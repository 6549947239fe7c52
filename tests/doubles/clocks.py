"""Clocks of tests, each of which goes only as the test says; most tell both kinds of time."""

from bisect import insort
from collections.abc import Callable
from operator import attrgetter

from twisted.internet.base import DelayedCall
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from hargassner.clock import IClock, Offset

_TIME = attrgetter("time")


class EventClock(Clock):
    """A ``Clock`` that keeps its calls in order instead of sorting all of them for each.

    It is for those who let thousands of calls happen, each at its time.
    """

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002 - as IReactorTime has it.
        *args: object,
        **kw: object,
    ) -> DelayedCall:
        """Have something called; calls of the same time are made in the order of their making."""
        call = DelayedCall(
            self.seconds() + delay, callable, args, kw, self.calls.remove, self._moved, self.seconds
        )
        insort(self.calls, call, key=_TIME)
        return call

    def advance(self, amount: float) -> None:
        """Let time pass at once."""
        self.rightNow += amount
        while (call := self._due(self.rightNow)) is not None:
            self._make(call)

    def pass_each(self, seconds: float) -> None:
        """Let time pass, each call at its time; one that was due before is made now."""
        end = self.rightNow + seconds
        while (call := self._due(end)) is not None:
            self.rightNow = max(call.time, self.rightNow)
            self._make(call)
        self.rightNow = end

    def _make(self, call: DelayedCall) -> None:
        call.called = 1
        call.func(*call.args, **call.kw)

    def _due(self, end: float) -> DelayedCall | None:
        """The first call that is due then; one that was put off meanwhile finds its place."""
        while self.calls and self.calls[0].time <= end:
            call = self.calls.pop(0)
            if not call.delayed_time:
                return call
            call.activate_delay()
            insort(self.calls, call, key=_TIME)
        return None

    def _moved(self, _call: DelayedCall) -> None:
        self.calls.sort(key=_TIME)


@implementer(IClock)
class _WithWallClock(Clock):
    """Both clocks show the same until the wall clock is set, or put to another date before."""

    ahead = 0.0
    _offset: Offset | None = None

    def wall(self) -> float:
        """The date now."""
        return self.seconds() + self.ahead

    def date(self, moment: float) -> float:
        """The date of a moment, as the wall clock is set now."""
        if self._offset is None:
            self._offset = Offset(self.seconds, self.wall)
        return moment + self._offset.measured()

    def step(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self.ahead += seconds


class TwoClocks(_WithWallClock):
    """A ``Clock`` beside which there is a wall clock that can be set."""


class TwoClockReactor(MemoryReactorClock, _WithWallClock):
    """A ``MemoryReactorClock`` beside which there is a wall clock that can be set."""
