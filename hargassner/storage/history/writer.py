"""Writes minutes into the file: their values, and the quarters and days made of them.

Each function runs within one transaction, and blocks for as long as the disk takes. What is there
already is never overwritten: a minute, or a day whose minutes are gone, is filled once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hargassner.storage.history.consumed import Consumed, json_of
from hargassner.storage.history.fact_writer import FactWriter
from hargassner.storage.history.facts import Carry
from hargassner.storage.history.rollup import (
    MINUTES_A_QUARTER,
    QUARTER,
    Cell,
    cell_of,
    cells_of,
    combined,
    day_of,
    midnight,
)
from hargassner.storage.history.rows import DAYS, MINUTES, QUARTERS, Rows, channels, meta, set_meta
from hargassner.storage.history.samples import Dated, Recorded

if TYPE_CHECKING:
    import sqlite3

COVERAGE = 0
"""The channel whose minutes tell of which ones something is known."""
MOST_CHANNELS = 256
"""Channels that are ever kept, whatever boilers describe."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many minutes were new, and what the next one is to be compared with."""

    new: int
    carry: Carry


def write_live(cursor: "sqlite3.Cursor", samples: Sequence[Dated]) -> None:
    """Write minutes that were just sampled; they go on where the last ones ended."""
    written = write(cursor, samples, Carry.of_json(meta(cursor, "carry", Carry().json())))
    set_meta(cursor, "carry", written.carry.json())


def keep_consumed(cursor: "sqlite3.Cursor", consumed: Consumed | None) -> None:
    """Keep what was burnt today."""
    set_meta(cursor, "consumed", json_of(consumed))


def write(cursor: "sqlite3.Cursor", samples: Sequence[Dated], carry: Carry) -> Written:
    """Write minutes.

    Args:
        cursor: of the transaction.
        samples: the minutes, in the order in which they passed.
        carry: what the first one is compared with.

    Returns:
        how many of them were new, and what the next one is to be compared with.
    """
    values = _Values(cursor)
    facts = FactWriter(cursor, carry)
    fresh = list(values.fresh(samples))
    for each in fresh:
        values.put(each)
        facts.put(each)
    values.save()
    facts.save()
    return Written(len(fresh), facts.carry)


def end_faults(cursor: "sqlite3.Cursor", carry: Carry) -> Carry:
    """End the faults that go on with the last minute, since nothing comes after it."""
    for event in carry.faults.values():
        cursor.execute("UPDATE events SET ended = ? WHERE id = ?", (carry.at, event))
    return replace(carry, faults={})


class _Values:
    """The grains, within a transaction."""

    def __init__(self, cursor: "sqlite3.Cursor") -> None:
        self._cursor = cursor
        self._minutes = Rows(cursor, MINUTES)
        self._quarters = Rows(cursor, QUARTERS)
        self._days = Rows(cursor, DAYS)
        self._channels = Channels(cursor)
        # What is too old for minutes, by channel and quarter.
        self._past: dict[tuple[int, int], list[float]] = {}
        self._touched: set[tuple[int, int]] = set()

    def fresh(self, samples: Iterable[Dated]) -> Iterator[Dated]:
        """Those of which nothing is known yet, each once."""
        seen: set[int] = set()
        for each in samples:
            if each.minute not in seen and not self._is_known(each.minute):
                yield each
            seen.add(each.minute)

    def _is_known(self, minute: int) -> bool:
        if minute >= self._minutes.begins:
            return self._minutes.get(COVERAGE, minute) == (1.0,)
        # Quarters and days are put when all minutes are, so that a quarter's are all taken or none.
        quarter = minute // MINUTES_A_QUARTER
        day = day_of(quarter * QUARTER)
        # A day can be made anew only while all its quarters are there.
        if midnight(day) // QUARTER >= self._quarters.begins:
            return self._quarters.get(COVERAGE, quarter)[0] > 0
        return self._days.get(COVERAGE, day)[0] > 0

    def put(self, dated: Dated) -> None:
        self._put(COVERAGE, dated.minute, 1.0)
        for recorded, value in dated.sample.values.items():
            channel = self._channels.number(recorded)
            if channel is not None:
                self._put(channel, dated.minute, value)

    def _put(self, channel: int, minute: int, value: float) -> None:
        quarter = minute // MINUTES_A_QUARTER
        self._touched.add((channel, quarter))
        if minute >= self._minutes.begins:
            self._minutes.put(channel, minute, value)
        else:
            self._past.setdefault((channel, quarter), []).append(value)

    def save(self) -> None:
        """Make the quarters and days, and write everything."""
        for channel, quarter in self._touched:
            cell = self._quarter(channel, quarter)
            self._quarters.put(channel, quarter, *cell)
        days = {(channel, day_of(quarter * QUARTER)) for channel, quarter in self._touched}
        for channel, day in days:
            self._days.put(channel, day, *self._day(channel, day))
        self._minutes.save()
        self._quarters.save()
        self._days.save()

    def _quarter(self, channel: int, quarter: int) -> Cell:
        past = self._past.get((channel, quarter), [])
        first = quarter * MINUTES_A_QUARTER
        minutes = self._minutes.slots(channel, first, first + MINUTES_A_QUARTER)
        return cell_of([*minutes, *past], self._channels.is_state(channel))

    def _day(self, channel: int, day: int) -> Cell:
        first, end = midnight(day) // QUARTER, midnight(day + 1) // QUARTER
        cells = cells_of(self._quarters.slots(channel, first, end))
        return combined(cells, self._channels.is_state(channel))


class Channels:
    """The channels' numbers, within a transaction."""

    def __init__(self, cursor: "sqlite3.Cursor") -> None:
        self._cursor = cursor
        known = channels(cursor)
        self._known = {each.object: (number, each) for number, each in known.items()}
        self._states = {number for number, each in known.items() if each.is_state}

    def is_state(self, channel: int) -> bool:
        """Whether the values of the channel with this number are codes."""
        return channel in self._states

    def number(self, recorded: Recorded) -> int | None:
        """A channel's number, given to it if need be; None where there are too many."""
        number, known = self._known.get(recorded.object, (0, None))
        if known == recorded:
            return number
        if known is None and len(self._known) >= MOST_CHANNELS:
            return None
        return self._save(recorded)

    def _save(self, recorded: Recorded) -> int:
        self._cursor.execute(
            "INSERT INTO channels (object, name, unit, is_state) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (object) DO UPDATE SET name = excluded.name, unit = excluded.unit",
            (recorded.object, recorded.name, recorded.unit, recorded.is_state),
        )
        query = "SELECT id, is_state FROM channels WHERE object = ?"
        number, is_state = self._cursor.execute(query, (recorded.object,)).fetchone()
        self._known[recorded.object] = number, recorded
        if is_state:
            self._states.add(number)
        return int(number)
