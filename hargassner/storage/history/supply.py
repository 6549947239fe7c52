"""How long the pellets last, by what the last days burnt and how cold they were. No I/O, no clock.

A day's consumption is taken for what is burnt whatever the weather (hot water) and a part that
grows with the degree days. Both follow from the last two weeks. How cold the coming days are is
taken from the same days of the year before, where the history has them, else from the last two
weeks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import fsum

from hargassner.storage.history.facts import DayFacts, of_days, told
from hargassner.storage.history.periods import one_year_before

LOOKED_BACK = 14
"""Days that the pace follows from."""
FEWEST = 3
"""Days with known consumption from which on there is a pace."""
FARTHEST = 400
"""Days: beyond that nobody orders pellets, and the figure would be a guess."""
AROUND = 3
"""Days before and after a day of the year before that count for it: one day's weather is chance."""
LEAST_PACE = 0.05
"""kg a day, below which a boiler is off."""
LEAST_COLD = 0.001
"""Degree days a day, below which nothing is burnt for them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What is burnt: ``base`` kg a day, and ``slope`` kg a degree day.

    ``degree_days`` is the mean of the days that this follows from, ``kilograms`` what they burnt.
    """

    base: float
    slope: float
    degree_days: float
    kilograms: float

    def burns(self, degree_days: float) -> float:
        """kg on a day that is as cold as this."""
        return self.base + self.slope * degree_days


@dataclass(frozen=True, slots=True)
class Supply:
    """How many days the stock lasts, and kg a day of the last two weeks.

    ``days`` is None where that is more than ``FARTHEST``.
    """

    days: int | None
    pace: float


def pace_of(days: Iterable[DayFacts]) -> Pace | None:
    """The pace of some days; None where too few are known, or nothing was burnt."""
    known = [each for each in days if each.pellets is not None]
    burnt, cold = told(known, "pellets"), told(known, "degree_days")
    if len(burnt) < FEWEST or _mean(burnt) < LEAST_PACE:
        return None
    return _fitted(cold, burnt)


def _fitted(cold: Sequence[float], burnt: Sequence[float]) -> Pace:
    """The line through the days (least squares); neither of its parts is below zero."""
    y = _mean(burnt)
    # Without an outdoor sensor, or with gaps in what it told, the mean is all there is.
    if len(cold) < len(burnt) or _mean(cold) < LEAST_COLD:
        return Pace(y, 0.0, 0.0, y)
    x = _mean(cold)
    # A line that would begin below nothing begins at nothing.
    slope = min(max(0.0, _slope(cold, burnt)), y / x)
    return Pace(max(0.0, y - slope * x), slope, x, y)


def _slope(cold: Sequence[float], burnt: Sequence[float]) -> float:
    """kg a degree day; of days that were all alike, as if all were burnt for warmth."""
    x, y = _mean(cold), _mean(burnt)
    spread = fsum((each - x) ** 2 for each in cold)
    if spread <= len(cold):
        return y / x
    return fsum((c - x) * (b - y) for c, b in zip(cold, burnt, strict=True)) / spread


def expected(facts: Mapping[int, DayFacts], day: int, otherwise: float) -> float:
    """The degree days to be expected of a day: those around it in the year before."""
    middle = one_year_before(date.fromordinal(day)).toordinal()
    around = range(middle - AROUND, middle + AROUND + 1)
    known = told(of_days(facts, around), "degree_days")
    return _mean(known) if known else otherwise


def supply(facts: Mapping[int, DayFacts], today: int, stock: float) -> Supply | None:
    """How long a stock lasts; None where the pace is not known.

    Args:
        facts: what each day came to, as far as it is known: the last weeks, and the year before.
        today: the day that it is, as an ordinal.
        stock: kg.
    """
    pace = pace_of(of_days(facts, range(today - LOOKED_BACK, today)))
    if pace is None:
        return None
    left = stock
    for ahead in range(FARTHEST):
        left -= pace.burns(expected(facts, today + ahead, pace.degree_days))
        if left < 0:
            return Supply(ahead, pace.kilograms)
    return Supply(None, pace.kilograms)


def _mean(values: Sequence[float]) -> float:
    # The library's fmean would bring fractions and decimals along.
    return fsum(values) / len(values)
