"""Pellet deliveries: the stock has risen, and stays so. No I/O and no clock.

A reading that differs from the stock by more than what can be burnt meanwhile may be misread, or
said while the boiler starts. So it is believed when some readings after it are about the same.
"""

import math
from dataclasses import dataclass, replace

HOLDS = 3
"""Readings, one a minute, for which another stock has to stay before it is believed."""
RISE = 10.0
"""kg by which the stock rises at least when pellets come: more than what it may fall meanwhile if
it is misread, less than a sack."""
SLACK = 3.0
"""kg by which it may fall at once, besides what can be burnt meanwhile."""
ABOUT = 0.02
"""The part of the stock by which readings of it may differ, besides that: scales tremble."""
FASTEST = 100.0
"""kg an hour: no boiler burns more."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The stock rose, by so many kg, some time between two dates."""

    began: float
    ended: float
    kilograms: float


@dataclass(frozen=True, slots=True)
class Run:
    """Readings that are all about the first one, which was at this date."""

    kilograms: float = math.nan
    began: float = 0.0
    readings: int = 0

    def go_on(self, kilograms: float, date: float) -> "Run":
        """With another reading, which begins a run of its own if it is another stock."""
        if abs(kilograms - self.kilograms) <= SLACK + ABOUT * self.kilograms:
            return replace(self, readings=self.readings + 1)
        return Run(kilograms, date, 1)


_NO_RUN = Run()


@dataclass(frozen=True, slots=True)
class Stock:
    """What is believed of the stock.

    ``kilograms`` were read at the date ``at``; NaN while nothing is believed yet. ``run`` is what
    has been read otherwise since.
    """

    kilograms: float = math.nan
    at: float = 0.0
    run: Run = _NO_RUN

    def read(self, kilograms: float, date: float) -> "tuple[Stock, tuple[Delivery, ...]]":
        """What is believed after another reading, and the delivery that it proves, if it does."""
        burnt = FASTEST * max(0.0, date - self.at) / 3600
        if -RISE < self.kilograms - kilograms <= SLACK + burnt:
            return Stock(kilograms, date), ()
        run = self.run.go_on(kilograms, date)
        if run.readings < HOLDS:
            return replace(self, run=run), ()
        return Stock(kilograms, date), self._deliveries(run)

    def _deliveries(self, run: Run) -> tuple[Delivery, ...]:
        rise = round(run.kilograms - self.kilograms, 3)
        # Where nothing was believed before, nothing is known to have come.
        return (Delivery(min(self.at, run.began), run.began, rise),) if rise > 0 else ()


NOTHING = Stock()
"""Before the first reading."""
