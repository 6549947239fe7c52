"""What is asked of the history, and what of it there is. No I/O and no clock."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hargassner.storage.history.reader import NOTHING, Extent, Kept, days_of
from hargassner.storage.history.rollup import QUARTER, midnight
from hargassner.storage.history.samples import MINUTE, Recorded

DAY = 86_400
STEPS = {"minute": MINUTE, "quarter": QUARTER, "day": DAY}
"""The grains, with their seconds."""
LONGEST = {"minute": 26 * 3600, "quarter": 100 * DAY}
"""Seconds up to which a range is shown in that grain if none is named."""
ALL = "all"
MOST_SLOTS = 100_000
"""Slots of an answer at most, the last ones: a clock that was wrong by years leaves a long gap."""

_number = re.compile(r"[0-9]{1,11}(\.[0-9]{1,6})?").fullmatch
_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


class QueryError(ValueError):
    """The query cannot be understood; the text is the line that the user reads."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked.

    ``begin`` and ``end`` are dates in seconds since the epoch; ``begin`` is 0 for everything.
    ``grain`` is empty for the one that suits. ``channels`` is None for all.
    """

    begin: float
    end: float
    grain: str = ""
    channels: frozenset[str] | None = None

    def asks_for(self, channel: Recorded) -> bool:
        """Whether a channel is among those that are asked for."""
        return self.channels is None or channel.object in self.channels


def parse_query(given: Mapping[str, str], now: float) -> Query:
    """The query that parameters by their names say.

    Args:
        given: ``from``, ``to``, ``grain``, ``channels``; others are not looked at.
        now: the date.

    Raises:
        QueryError: one of them cannot be understood.
    """
    begin, end = _range(given, now)
    grain = given.get("grain", "")
    if grain not in ("", *STEPS):
        raise QueryError(f"grain must be one of {', '.join(STEPS)}")
    channels = given.get("channels")
    named = None if channels is None else frozenset(filter(None, channels.split(",")))
    return Query(begin, end, grain, named)


def _range(given: Mapping[str, str], now: float) -> tuple[float, float]:
    # What it is now counts, even if it has just begun.
    end = _moment(given, "to", now + 1.0, timedelta(days=1))
    begin = 0.0 if given.get("from") == ALL else _moment(given, "from", end - DAY)
    if begin >= end:
        raise QueryError("from must be before to")
    return begin, end


def _moment(
    given: Mapping[str, str], name: str, default: float, into_day: timedelta = timedelta()
) -> float:
    text = given.get(name, "")
    if not text:
        return default
    if _number(text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text)
        return (moment + into_day if _date(text) else moment).timestamp()
    except (ValueError, OverflowError, OSError):
        allowed = "seconds since 1970, or a date or time such as 2026-11-26 or 2026-11-26T14:30"
        raise QueryError(f"{name} must be {allowed}") from None


@dataclass(frozen=True, slots=True)
class Selection:
    """What there is of what was asked.

    ``extent`` has the slots of the grain (minutes and quarters counted from the epoch, days as
    ordinals); it is ``NOTHING`` where there are none.
    """

    query: Query
    grain: str
    extent: Extent
    channels: tuple[Recorded, ...]
    kept: Kept

    @property
    def step(self) -> int:
        """Seconds of a slot."""
        return STEPS[self.grain]

    @property
    def times(self) -> list[int]:
        """The date of each slot."""
        slots, step = self.extent.slots, self.step
        if self.grain == "day":
            return [*map(midnight, slots)]
        return [*range(slots.start * step, slots.stop * step, step)]


def begin_of(grain: str, slot: int) -> int:
    """The date at which a slot begins."""
    return midnight(slot) if grain == "day" else slot * STEPS[grain]


def select(query: Query, kept: Kept) -> Selection:
    """What there is of what is asked."""
    grain = query.grain or _suitable(query, kept)
    known = kept.extents.get(grain)
    extent = NOTHING if known is None else _clipped(known, _asked(query, grain, known))
    return Selection(query, grain, extent, tuple(filter(query.asks_for, kept.channels)), kept)


def _asked(query: Query, grain: str, known: Extent) -> Extent:
    begin = max(query.begin, begin_of(grain, known.first))
    end = min(query.end, begin_of(grain, known.last + 1))
    if grain == "day":
        return days_of(begin, end)
    step = STEPS[grain]
    return Extent(int(begin // step), math.ceil(end / step) - 1)


def _clipped(known: Extent, asked: Extent) -> Extent:
    last = min(known.last, asked.last)
    first = max(known.first, asked.first, last - MOST_SLOTS + 1)
    return Extent(first, last) if first <= last else NOTHING


def _suitable(query: Query, kept: Kept) -> str:
    """The finest grain in which a range is neither too long nor cut short."""
    extents = kept.extents
    if len(extents) < len(STEPS):
        return "minute"
    for grain, coarser in pairwise(STEPS):
        if _suits(query, grain, extents[grain], coarser, extents[coarser]):
            return grain
    return "day"


def _suits(query: Query, grain: str, extent: Extent, coarser: str, of_coarser: Extent) -> bool:
    """Whether a range is neither too long for a grain nor cut short by what is kept in it."""
    # What lies before all that is kept cuts nothing short.
    since = max(query.begin, float(begin_of(coarser, of_coarser.first)))
    is_short = query.end - since <= LONGEST[grain]
    # It goes back to the range's begin, or to the same slot of the coarser grain.
    return is_short and begin_of(grain, extent.first) - STEPS[coarser] < since
