"""How long the bridge holds up what passes, measured where it costs next to nothing.

A byte that was read is sent on at once. But one that arrives while the reactor is busy is read
late: by a turn in which what passed before is understood, recorded and shown, or by whatever else
the reactor does. So such a turn is measured from when the observers begin, and the reactor's
lateness at a timer that is due every second.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import inf
from typing import cast

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from hargassner.delayed import Delayed
from hargassner.proxy.observers import ISessionObserver
from hargassner.services import Service

TURN_BUCKETS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1)
LATENESS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
SAMPLE_EVERY = 0.01
"""Seconds from the beginning of a turn that is measured to that of the next one."""
PERIOD = 1.0
"""Seconds between two looks at the reactor's lateness."""


class Histogram:
    """How many of the durations that were observed are how long.

    Args:
        limits: in seconds, ascending: the longest duration of each bucket but the last one.
    """

    def __init__(self, limits: Sequence[float]) -> None:
        self.sum = 0.0
        """All durations together, in seconds."""
        self._limits = limits
        self._counts = [0] * (len(limits) + 1)

    def observe(self, duration: float) -> None:
        """Count a duration, in seconds."""
        self.sum += duration
        self._counts[bisect_left(self._limits, duration)] += 1

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """The limit of each bucket, "+Inf" for the last, and how many durations are within."""
        names = [*(str(float(each)) for each in self._limits), "+Inf"]
        return list(zip(names, map(float, accumulate(self._counts)), strict=True))


class Timing(Service):
    """Measures turns and lateness while it runs, and counts lines.

    Args:
        clock: the reactor.
        stopwatch: a time in seconds that runs evenly.
    """

    name = "timing"

    def __init__(
        self,
        clock: IReactorTime,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.lines_from_gateway = 0
        self.lines_from_boiler = 0
        self.turn = Histogram(TURN_BUCKETS)
        """How long the reactor is busy once observers get what has passed (sampled)."""
        self.lateness = Histogram(LATENESS_BUCKETS)
        """How late a timer of the reactor's was served."""
        self._stopwatch = stopwatch
        # A delayed call of no delay comes right before the reactor looks at its sockets again.
        self._turning = Delayed(clock, 0, self._turned)
        self._began = -inf
        self._waiting = Delayed(clock, PERIOD, self._served)
        self._due = 0.0

    def startService(self) -> None:
        """Measure from now on."""
        super().startService()
        self._wait()

    def stopService(self) -> None:
        """Measure no more."""
        super().stopService()
        self._waiting.cancel()
        self._turning.cancel()

    def observer(self) -> ISessionObserver:
        """An observer for a session; it has to be the first one that is notified."""
        return cast("ISessionObserver", _Stopwatch(self))

    def passed(self) -> None:
        """Bytes have passed: the rest of this turn is measured, one at a time."""
        now = self._stopwatch()
        is_due = now - self._began >= SAMPLE_EVERY
        if is_due and self.running and not self._turning.is_waiting:
            self._began = now
            self._turning.start()

    def _turned(self) -> None:
        self.turn.observe(self._stopwatch() - self._began)

    def _wait(self) -> None:
        self._due = self._stopwatch() + PERIOD
        self._waiting.start()

    def _served(self) -> None:
        self.lateness.observe(max(0.0, self._stopwatch() - self._due))
        self._wait()


@implementer(ISessionObserver)
class _Stopwatch:
    """Counts and times what passes in one session."""

    __slots__ = ("_timing",)

    def __init__(self, timing: Timing) -> None:
        self._timing = timing

    def gateway_sent(self, data: bytes) -> None:
        self._timing.lines_from_gateway += data.count(b"\n")
        self._timing.passed()

    def boiler_sent(self, data: bytes) -> None:
        self._timing.lines_from_boiler += data.count(b"\n")
        self._timing.passed()

    def over(self, reason: str) -> None:
        """There is nothing more to count."""
