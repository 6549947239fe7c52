"""Days, months and heating seasons, each beside the one a year before. No I/O and no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from hargassner.storage.history.facts import DayFacts, of_days, told

SEASON_BEGINS = 7
"""The month in which a heating season begins: nobody heats in July."""
SHOWN = {"day": 31, "month": 12, "season": 15}
"""The kinds of period, and how many of each are looked at."""


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to the day before another one."""

    first: date
    end: date

    @property
    def a_year_before(self) -> "Period":
        """The same one in the year before."""
        return Period(one_year_before(self.first), one_year_before(self.end))

    def until(self, day: date) -> "Period":
        """What of it lies before a day."""
        return Period(self.first, max(self.first, min(self.end, day)))


@dataclass(frozen=True, slots=True)
class Totals:
    """What the days of a period came to; None where none of them has told.

    ``days`` is of how many something is known.
    """

    days: int
    pellets: float | None
    full_load_hours: float | None
    ignitions: int
    degree_days: float | None


def one_year_before(day: date) -> date:
    """The same day in the year before."""
    # The 29th of February has the 1st of March before it.
    return date(day.year - 1, day.month, 1) + timedelta(day.day - 1)


def _days(today: date, place: int) -> date:
    return today - timedelta(place)


def _months(today: date, place: int) -> date:
    months = today.year * 12 + today.month - 1 - place
    return date(months // 12, months % 12 + 1, 1)


def _seasons(today: date, place: int) -> date:
    begun = today.year if today.month >= SEASON_BEGINS else today.year - 1
    return date(begun - place, SEASON_BEGINS, 1)


_BEGINS = {"day": _days, "month": _months, "season": _seasons}


def periods(kind: str, today: date) -> list[Period]:
    """The last periods of a kind, oldest first; the last one has ``today`` in it."""
    begins = _BEGINS[kind]
    places = range(SHOWN[kind] - 1, -1, -1)
    return [Period(begins(today, place), begins(today, place - 1)) for place in places]


def totals(facts: Mapping[int, DayFacts], period: Period) -> Totals | None:
    """What a period came to; None where nothing is known of it."""
    known = of_days(facts, range(period.first.toordinal(), period.end.toordinal()))
    if not known:
        return None
    return Totals(
        days=len(known),
        pellets=_sum(known, "pellets"),
        full_load_hours=_sum(known, "full_load_hours"),
        ignitions=sum(each.ignitions for each in known),
        degree_days=_sum(known, "degree_days"),
    )


def _sum(days: Iterable[DayFacts], name: str) -> float | None:
    known = told(days, name)
    return round(sum(known), 2) if known else None
