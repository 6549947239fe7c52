"""Writes minutes into the file: their values, the quarters and days made of them, the facts.

Each function runs within one transaction, and blocks for as long as the disk takes. What is there
already is never overwritten: a minute, or a day whose minutes are gone, is filled once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hargassner.storage.history.consumed import Consumed, json_of
from hargassner.storage.history.facts import (
    DELIVERED,
    PELLETS,
    STOCK,
    Carry,
    Delivery,
    burnt_by_day,
    delivered,
    tally_of_json,
    with_more,
)
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
from hargassner.storage.history.rows import DAYS, MINUTES, QUARTERS, Rows, meta, set_meta
from hargassner.storage.history.samples import MINUTE, Recorded, Sample, Tally

if TYPE_CHECKING:
    import sqlite3

COVERAGE = 0
"""The channel whose minutes tell of which ones something is known."""
MOST_CHANNELS = 256
"""Channels that are ever kept, whatever boilers describe."""
MOST_EVENTS = 5000
MERGED = 3600.0
"""Seconds within which the stock's rising again belongs to the same delivery."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A minute with its date: ``minute`` is counted from the epoch."""

    minute: int
    sample: Sample

    @property
    def date(self) -> float:
        """Its date, in seconds since the epoch."""
        return float(self.minute * MINUTE)


@dataclass(frozen=True, slots=True)
class Written:
    """How many minutes were new, and what the next one is to be compared with."""

    new: int
    carry: Carry


def write_live(cursor: "sqlite3.Cursor", samples: Sequence[Dated]) -> None:
    """Write minutes that were just sampled; they go on where the last ones ended."""
    written = write(cursor, samples, Carry.of_json(meta(cursor, "carry")))
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
    facts = _Facts(cursor, carry)
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
        rows = cursor.execute("SELECT id, object, name, unit, is_state FROM channels").fetchall()
        self._known = {
            object_: (number, Recorded(object_, name, unit, bool(is_state)))
            for number, object_, name, unit, is_state in rows
        }
        self._states = {number for number, recorded in self._known.values() if recorded.is_state}

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


class _Facts:
    """What the days came to and what happened, within a transaction."""

    def __init__(self, cursor: "sqlite3.Cursor", carry: Carry) -> None:
        self.carry = carry
        self._cursor = cursor
        self._days: dict[int, Tally] = {}

    def put(self, dated: Dated) -> None:
        sample, date = dated.sample, dated.date
        day = day_of(date)
        self._add(day, _tally(sample))
        for other, kilograms in burnt_by_day(self.carry, sample.burnt, date):
            self._add(other, {PELLETS: kilograms})
        delivery = delivered(self.carry, sample.stock, date)
        if delivery is not None:
            self._add(day, {DELIVERED: delivery.kilograms})
            self._deliver(delivery)
        self._follow_faults(dated)
        self.carry = self.carry.after(sample.burnt, sample.stock, date)

    def _add(self, day: int, more: Tally) -> None:
        if day not in self._days:
            query = "SELECT tally FROM facts WHERE day = ?"
            found = self._cursor.execute(query, (day,)).fetchone()
            self._days[day] = tally_of_json(found[0]) if found else {}
        self._days[day] = with_more(self._days[day], more)

    def _deliver(self, delivery: Delivery) -> None:
        last = self._cursor.execute(
            "SELECT id, ended FROM events WHERE kind = 'delivery' ORDER BY ended DESC LIMIT 1"
        ).fetchone()
        if last is not None and 0 <= delivery.ended - last[1] <= MERGED:
            self._cursor.execute(
                "UPDATE events SET ended = ?, amount = amount + ? WHERE id = ?",
                (delivery.ended, delivery.kilograms, last[0]),
            )
        else:
            amount = delivery.kilograms
            self._event("delivery", delivery.began, delivery.ended, 0, "", amount)

    def _follow_faults(self, dated: Dated) -> None:
        before, now = self.carry.faults, dated.sample.faults
        if now == set(before):
            return
        for fault, event in before.items():
            if fault not in now:
                query = "UPDATE events SET ended = max(began, ?) WHERE id = ?"
                self._cursor.execute(query, (dated.date, event))
        faults = {
            each: before[each]
            if each in before
            else self._event("fault", dated.date, None, each.number, each.text, 0.0)
            for each in sorted(now, key=lambda each: (each.number, each.text))
        }
        self.carry = replace(self.carry, faults=faults)

    def _event(
        self, kind: str, began: float, ended: float | None, number: int, text: str, amount: float
    ) -> int:
        self._cursor.execute(
            "INSERT INTO events (kind, began, ended, number, text, amount)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (kind, began, ended, number, text[:200], amount),
        )
        return int(self._cursor.lastrowid or 0)

    def save(self) -> None:
        self._cursor.executemany(
            "INSERT INTO facts VALUES (?, ?)"
            " ON CONFLICT (day) DO UPDATE SET tally = excluded.tally",
            [(day, _json(tally)) for day, tally in sorted(self._days.items())],
        )
        self._cursor.execute(
            "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (MOST_EVENTS,)
        )


def _tally(sample: Sample) -> Tally:
    """What a minute adds to its day without a look at the one before."""
    tally = dict(sample.tally)
    if sample.burnt is not None:
        tally[PELLETS] = 0.0
    if sample.stock is not None:
        tally[STOCK] = sample.stock
    return tally


def _json(tally: Tally) -> str:
    return json.dumps({key: round(each, 4) for key, each in tally.items()}, separators=(",", ":"))
