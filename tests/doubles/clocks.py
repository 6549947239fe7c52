"""Clocks of tests that tell both kinds of time, each of which goes only as the test says."""

from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from hargassner.clock import IClock, Offset


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
