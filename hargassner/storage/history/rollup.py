"""Quarters of an hour made of minutes, and days made of quarters. No I/O and no clock.

A cell is what is known of a while: how many minutes, their lowest, mean and highest value. Cells
add up: a day's, made of its quarters, is the same as if it were made of its minutes.
"""

import math
from array import array
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from itertools import filterfalse
from operator import mul
from typing import NamedTuple

MINUTES_A_QUARTER = 15
QUARTER = 60 * MINUTES_A_QUARTER
"""Seconds."""


class Cell(NamedTuple):
    """What is known of a while; of a state's codes, ``mean`` is the one that was there longest."""

    minutes: float
    low: float
    mean: float
    high: float


EMPTY = Cell(0.0, math.nan, math.nan, math.nan)


def cell_of(minutes: Iterable[float], is_state: bool = False) -> Cell:
    """What minutes come to; NaN is one of which nothing is known."""
    known = filterfalse(math.isnan, minutes)
    return combined([Cell(1.0, each, each, each) for each in known], is_state)


def combined(cells: Iterable[Cell], is_state: bool = False) -> Cell:
    """What cells come to together."""
    known = [each for each in cells if each.minutes]
    if not known:
        return EMPTY
    minutes, lows, means, highs = zip(*known, strict=True)
    return Cell(math.fsum(minutes), min(lows), _MEANS[is_state](means, minutes), max(highs))


def _mean(means: Sequence[float], minutes: Sequence[float]) -> float:
    return math.fsum(map(mul, means, minutes)) / math.fsum(minutes)


def _longest(codes: Sequence[float], minutes: Sequence[float]) -> float:
    """The code of a state that the most minutes had."""
    weights: dict[float, float] = {}
    for code, of_code in zip(codes, minutes, strict=True):
        weights[code] = weights.get(code, 0.0) + of_code
    return max(weights, key=lambda each: (weights[each], each))


_MEANS = {False: _mean, True: _longest}
"""What stands for values, and for codes of states."""


# Rows of the file hold many slots of one grain as 32 bit floats.


def blank(slots: int) -> "array[float]":
    """Slots of which nothing is known."""
    return array("f", [math.nan]) * slots


def cells_of(numbers: "array[float]") -> list[Cell]:
    """The cells of slots of four numbers each, those of which something is known."""
    return [Cell(*numbers[at : at + 4]) for at in range(0, len(numbers), 4) if numbers[at] > 0]


# Local days.


def day_of(date_: float) -> int:
    """The local day of a date, as an ordinal."""
    return datetime.fromtimestamp(date_).toordinal()


def midnight(day: int) -> int:
    """The date at which a local day begins, in seconds since the epoch.

    It is at a full quarter of an hour; a day has 23 or 25 hours when the clocks are changed.
    """
    begins = datetime.combine(date.fromordinal(day), time()).timestamp()
    return int(begins // QUARTER) * QUARTER


def days_between(first: float, last: float) -> list[tuple[int, float]]:
    """The local days from one date to a later one, each with the part of the time that it has."""
    if last <= first:
        return [(day_of(last), 1.0)]
    days = []
    for day in range(day_of(first), day_of(last) + 1):
        begins, ends = max(first, midnight(day)), min(last, midnight(day + 1))
        days.append((day, max(0.0, ends - begins) / (last - first)))
    return days


def iso(day: int) -> str:
    """A day's date, ``2026-11-26``."""
    return date.fromordinal(day).isoformat()
