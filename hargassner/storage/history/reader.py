"""Reads the file: values by grain, what days came to, events.

Each function runs within one transaction, and blocks for as long as the disk takes.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hargassner.storage.history.facts import DayFacts, day_facts, tally_of_json
from hargassner.storage.history.rollup import blank, day_of, midnight
from hargassner.storage.history.rows import DAYS, MINUTES, QUARTERS, Grain, channels, unpacked
from hargassner.storage.history.samples import Recorded

if TYPE_CHECKING:
    import sqlite3

_NO_STATE = Recorded("", "", "", is_state=True)
GRAINS = {"minute": MINUTES, "quarter": QUARTERS, "day": DAYS}


@dataclass(frozen=True, slots=True)
class Extent:
    """The oldest and the newest slot (minute, quarter, local day) of which something is known."""

    first: int
    last: int

    @property
    def slots(self) -> range:
        """All its slots, from the oldest on."""
        return range(self.first, self.last + 1)

    def parts(self, size: int) -> "list[Extent]":
        """It in parts of at most so many slots."""
        firsts = self.slots[::size]
        return [Extent(first, min(first + size - 1, self.last)) for first in firsts]


NOTHING = Extent(0, -1)
"""The extent without a slot."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What there is: the extent of each grain, None without any, and the channels."""

    minutes: Extent | None
    quarters: Extent | None
    days: Extent | None
    channels: tuple[Recorded, ...]

    @property
    def extents(self) -> dict[str, Extent]:
        """Those that there are, by their grains from the finest on."""
        grains = {"minute": self.minutes, "quarter": self.quarters, "day": self.days}
        return {grain: extent for grain, extent in grains.items() if extent is not None}

    @property
    def state(self) -> Recorded:
        """The boiler's state; one without a name where there is none."""
        return next((each for each in self.channels if each.is_state), _NO_STATE)


@dataclass(frozen=True, slots=True)
class Line:
    """A channel's numbers for each of some slots, NaN where nothing is known.

    ``columns`` are the values of minutes, or means, lowest and highest ones of what is longer;
    ``count`` is then how many minutes each has, and empty otherwise.
    """

    columns: "tuple[array[float], ...]"
    count: "array[float]"

    @property
    def mean(self) -> "array[float]":
        """The values of minutes, else the means."""
        return self.columns[0]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a ``fault`` or a ``delivery`` (``amount`` in kg).

    ``ended`` is None while it goes on.
    """

    kind: str
    began: float
    ended: float | None
    number: int
    text: str
    amount: float


def kept(cursor: "sqlite3.Cursor") -> Kept:
    """What there is."""
    _coverage, *recorded = channels(cursor).values()
    return Kept(
        minutes=_extent(cursor, MINUTES),
        quarters=_extent(cursor, QUARTERS),
        days=_extent(cursor, DAYS),
        channels=tuple(recorded),
    )


def _extent(cursor: "sqlite3.Cursor", grain: Grain) -> Extent | None:
    """From the first to the last slot that is covered."""
    rows = cursor.execute(
        f"SELECT min(row), max(row) FROM {grain.table} WHERE channel = 0"  # noqa: S608
    ).fetchone()
    if rows[0] is None:
        return None
    return Extent(_covered(cursor, grain, rows[0])[0], _covered(cursor, grain, rows[1])[-1])


def _covered(cursor: "sqlite3.Cursor", grain: Grain, row: int) -> Sequence[int]:
    """The slots of a row that are covered; its first one, should it be damaged."""
    (blob,) = cursor.execute(
        f"SELECT slots FROM {grain.table} WHERE channel = 0 AND row = ?",  # noqa: S608
        (row,),
    ).fetchone()
    minutes = unpacked(grain, blob)[:: grain.floats]
    begins = row * grain.slots
    return [begins + at for at, each in enumerate(minutes) if each > 0] or [begins]


def slots(cursor: "sqlite3.Cursor", grain: Grain, object_: str, extent: Extent) -> Line:
    """A channel's slots of a grain; an empty name is that of the coverage."""
    first_row, last_row = extent.first // grain.slots, extent.last // grain.slots
    size = grain.slots * grain.floats
    numbers = blank((last_row - first_row + 1) * size)
    rows = cursor.execute(
        f"SELECT row, slots FROM {grain.table} WHERE row BETWEEN ? AND ?"  # noqa: S608
        " AND channel = (SELECT id FROM channels WHERE object = ?) ORDER BY row",
        (first_row, last_row, object_),
    )
    for row, blob in rows:
        at = (row - first_row) * size
        numbers[at : at + size] = unpacked(grain, blob)
    begins = (extent.first - first_row * grain.slots) * grain.floats
    numbers = numbers[begins : begins + (extent.last - extent.first + 1) * grain.floats]
    if grain.floats == 1:
        return Line((numbers,), array("f"))
    return Line((numbers[2::4], numbers[1::4], numbers[3::4]), numbers[0::4])


def line(cursor: "sqlite3.Cursor", grain: str, object_: str, extent: Extent) -> Line:
    """A channel's slots of any grain (``minute``, ``quarter``, ``day``)."""
    return slots(cursor, GRAINS[grain], object_, extent)


def facts(cursor: "sqlite3.Cursor", extent: Extent) -> dict[int, DayFacts]:
    """What each local day came to of which something is known, by its ordinal."""
    rows = cursor.execute(
        "SELECT day, tally FROM facts WHERE day BETWEEN ? AND ? ORDER BY day",
        (extent.first, extent.last),
    )
    return {day: day_facts(day, tally_of_json(tally)) for day, tally in rows}


def events(cursor: "sqlite3.Cursor", begin: float, end: float) -> list[Event]:
    """What overlaps the time from one date to another, oldest first."""
    rows = cursor.execute(
        "SELECT kind, began, ended, number, text, amount FROM events"
        " WHERE began <= ? AND (ended IS NULL OR ended >= ?) ORDER BY began, id",
        (end, begin),
    )
    return [Event(*row) for row in rows]


def days_of(begin: float, end: float) -> Extent:
    """The local days that a time touches."""
    first, last = day_of(begin), day_of(end)
    ends_before = last > first and midnight(last) == end
    return Extent(first, last - ends_before)
