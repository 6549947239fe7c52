"""Two kinds of time: a clock for timers and durations, and dates for people and other programs.

``seconds()`` runs evenly, whatever becomes of the wall clock. What it gives is a *moment*: good for
timers, and for telling how long something took. A *date* is seconds since the epoch by the wall
clock, which may be set at any time. So moments are kept, and a date is made of one only where it
is shown, stored or published.
"""

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

STEP = 1.0
"""Seconds that the wall clock must be off for dates to follow it: less is how exactly two clocks
can be compared on a busy machine, and no reason for a date to change."""


class IClock(IReactorTime):
    """Tells both kinds of time. ``seconds()`` and ``callLater`` go by a clock that runs evenly."""

    def wall() -> float:
        """The date now, in seconds since the epoch."""

    def date(moment: float) -> float:
        """The date of a moment of ``seconds()``, as the wall clock is set now."""


@implementer(IClock)
class ReactorClock:
    """The clock of a reactor whose ``seconds()`` is monotonic, and the wall clock.

    Args:
        reactor: runs the timers.
        wall: tells the date now.
    """

    def __init__(self, reactor: IReactorTime, wall: Callable[[], float] = time.time) -> None:
        self._reactor = reactor
        self._offset = Offset(reactor.seconds, wall)
        self.wall = wall

    def seconds(self) -> float:
        """The moment now."""
        return self._reactor.seconds()

    def callLater(
        self, delay: float, callable: Callable[..., Any], *args: object, **kwargs: object
    ) -> IDelayedCall:
        """Have something called after so many seconds."""
        return self._reactor.callLater(delay, callable, *args, **kwargs)

    def getDelayedCalls(self) -> Any:
        """The timers that run."""
        return self._reactor.getDelayedCalls()

    def date(self, moment: float) -> float:
        """The date of a moment of ``seconds()``, as the wall clock is set now."""
        return moment + self._offset.measured()


class Offset:
    """How many seconds the wall clock is ahead of the moments.

    It stays the same until the wall clock is set: dates that were made of the same moment before
    and after are then equal, and not off by what two measurements differ.

    Args:
        seconds: the moment now.
        wall: the date now.
    """

    def __init__(self, seconds: Callable[[], float], wall: Callable[[], float]) -> None:
        self._seconds = seconds
        self._wall = wall
        self._last = wall() - seconds()

    def measured(self) -> float:
        """The offset now."""
        offset = self._wall() - self._seconds()
        if abs(offset - self._last) > STEP:
            self._last = offset
        return self._last


def dates(clock: IClock) -> Callable[[float], float]:
    """What makes dates of moments, all by the same setting of the wall clock.

    Dates that are shown together are to be made by one of these, so that the durations between
    them are right even if the clock is set meanwhile.
    """
    zero = clock.date(0.0)
    return lambda moment: moment + zero


class _Monotonic:
    """Seconds that begin with the date now, and then run by the monotonic clock."""

    def __init__(self) -> None:
        self._zero = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self._zero + time.monotonic()


def run_evenly(reactor: object) -> None:
    """Have a reactor's timers go by the monotonic clock; to be called before it runs.

    Twisted's reactors go by the wall clock: set back, it holds all timers up, and set forward it
    makes all due at once. What is scheduled already stays sound, since the seconds go on from the
    date now. Once is enough, twice does no harm, and a reactor of another kind, such as one of
    tests that has its own clock, is left alone.
    """
    if isinstance(reactor, ReactorBase) and not isinstance(reactor.seconds, _Monotonic):
        reactor.seconds = _Monotonic()
