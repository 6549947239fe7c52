"""The rows of slots of one grain, read and written within one transaction."""

import sys
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hargassner.storage.history.rollup import blank
from hargassner.storage.history.samples import Recorded

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class Grain:
    """A table of rows.

    Args:
        table: its name.
        slots: how many a row has.
        floats: how many numbers a slot has.
        rows: how many are kept of each channel, 0 for all.
    """

    table: str
    slots: int
    floats: int
    rows: int


MINUTES = Grain("minutes", 240, 1, 14 * 6 + 1)
QUARTERS = Grain("quarters", 48, 4, 2 * 731 + 1)
DAYS = Grain("days", 32, 4, 0)


def packed(slots: "array[float]") -> bytes:
    """Slots as the file has them."""
    if sys.byteorder == "big":
        slots = slots[:]
        slots.byteswap()
    return slots.tobytes()


def unpacked(grain: Grain, blob: bytes) -> "array[float]":
    """Slots as the file has them, made whole where they are not."""
    size = grain.slots * grain.floats
    slots = array("f")
    slots.frombytes(blob[: size * 4 - len(blob) % 4])
    if sys.byteorder == "big":
        slots.byteswap()
    return (slots + blank(size))[:size]


class Rows:
    """The rows of one grain. What is changed is written by ``save``."""

    def __init__(self, cursor: "sqlite3.Cursor", grain: Grain) -> None:
        self.grain = grain
        self._cursor = cursor
        self._rows: dict[tuple[int, int], array[float]] = {}
        self._changed: set[tuple[int, int]] = set()
        self._horizon = horizon(cursor, grain)

    @property
    def begins(self) -> int:
        """The first slot that can be kept: what is older has been given up already."""
        return self._horizon * self.grain.slots

    def row(self, channel: int, row: int) -> "array[float]":
        """A row, blank where there is none; not to be changed."""
        key = channel, row
        if key not in self._rows:
            self._rows[key] = self._load(channel, row)
        return self._rows[key]

    def _load(self, channel: int, row: int) -> "array[float]":
        grain = self.grain
        found = self._cursor.execute(
            f"SELECT slots FROM {grain.table} WHERE channel = ? AND row = ?",  # noqa: S608
            (channel, row),
        ).fetchone()
        return unpacked(grain, found[0] if found else b"")

    def get(self, channel: int, slot: int) -> tuple[float, ...]:
        """The numbers of a slot."""
        return tuple(self.slots(channel, slot, slot + 1))

    def put(self, channel: int, slot: int, *numbers: float) -> None:
        """Set the numbers of a slot."""
        row, place = divmod(slot, self.grain.slots)
        size = self.grain.floats
        self.row(channel, row)[place * size : (place + 1) * size] = array("f", numbers)
        self._changed.add((channel, row))

    def slots(self, channel: int, first: int, end: int) -> "array[float]":
        """The numbers of all slots from ``first`` to before ``end``, one after the other."""
        slots, size = self.grain.slots, self.grain.floats
        begin, last = first // slots, (end - 1) // slots
        numbers = array("f")
        for row in range(begin, last + 1):
            numbers += self.row(channel, row)
        skipped = first - begin * slots
        return numbers[skipped * size : (skipped + end - first) * size]

    def save(self) -> None:
        """Write what was changed, and delete what is too old."""
        table = self.grain.table
        self._cursor.executemany(
            f"INSERT INTO {table} (channel, row, slots) VALUES (?, ?, ?)"  # noqa: S608
            " ON CONFLICT (channel, row) DO UPDATE SET slots = excluded.slots",
            [(*key, packed(self._rows[key])) for key in sorted(self._changed)],
        )
        self._changed.clear()
        if self.grain.rows:
            self._give_up()

    def _give_up(self) -> None:
        """Delete the oldest rows, where there are too many."""
        table = self.grain.table
        # By their number, not by their age: a clock that is wrong by years deletes nothing.
        oldest = self._cursor.execute(
            f"SELECT row FROM {table} WHERE channel = 0 ORDER BY row DESC LIMIT 1 OFFSET ?",  # noqa: S608
            (self.grain.rows - 1,),
        ).fetchone()
        if oldest is not None and oldest[0] > self._horizon:
            self._horizon = oldest[0]
            self._cursor.execute(f"DELETE FROM {table} WHERE row < ?", oldest)  # noqa: S608
            set_meta(self._cursor, f"horizon/{table}", str(oldest[0]))


def channels(cursor: "sqlite3.Cursor") -> dict[int, Recorded]:
    """The channels by their numbers; number 0 is that of the coverage."""
    rows = cursor.execute("SELECT id, object, name, unit, is_state FROM channels ORDER BY id")
    return {
        number: Recorded(object_, name, unit, bool(is_state))
        for number, object_, name, unit, is_state in rows
    }


def horizon(cursor: "sqlite3.Cursor", grain: Grain) -> int:
    """The first row of a grain that was not given up."""
    return int(meta(cursor, f"horizon/{grain.table}", "0"))


def meta(cursor: "sqlite3.Cursor", key: str, otherwise: str = "") -> str:
    """Something that is kept once, else what is given."""
    found = cursor.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(found[0]) if found else otherwise


def set_meta(cursor: "sqlite3.Cursor", key: str, value: str) -> None:
    """Keep something."""
    cursor.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
