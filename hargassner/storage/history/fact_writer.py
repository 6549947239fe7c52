"""Writes what days came to, and what happened, as minutes tell it; blocks as the disk does."""

import json
from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING

from hargassner.storage.history.deliveries import Delivery
from hargassner.storage.history.facts import (
    DELIVERED,
    PELLETS,
    STOCK,
    Carry,
    burnt_by_day,
    tally_of_json,
    with_more,
)
from hargassner.storage.history.rollup import day_of
from hargassner.storage.history.samples import Dated, Tally

if TYPE_CHECKING:
    import sqlite3

MOST_EVENTS = 5000
MERGED = 3600.0
"""Seconds within which the stock's rising again belongs to the same delivery."""


class FactWriter:
    """What the days came to and what happened, within a transaction.

    Args:
        cursor: of the transaction.
        carry: what the first minute is compared with; ``carry`` is what the next one is, then.
    """

    def __init__(self, cursor: "sqlite3.Cursor", carry: Carry) -> None:
        self.carry = carry
        self._cursor = cursor
        self._days: dict[int, Tally] = {}

    def put(self, dated: Dated) -> None:
        """Take a minute in."""
        sample, date = dated.sample, dated.date
        self._add(day_of(date), sample.tally)
        if sample.burnt is not None:
            self._read_counter(sample.burnt, date)
        if sample.stock is not None:
            self._read_stock(sample.stock, date)
        self._follow_faults(dated)
        self.carry = replace(self.carry, at=date)

    def _read_counter(self, kilograms: float, date: float) -> None:
        # It is told that something is known of the day, even if nothing is burnt.
        for day, burnt in [(day_of(date), 0.0), *burnt_by_day(self.carry, kilograms, date)]:
            self._add(day, {PELLETS: burnt})
        self.carry = replace(self.carry, burnt=kilograms)

    def _read_stock(self, kilograms: float, date: float) -> None:
        self._add(day_of(date), {STOCK: kilograms})
        stock, deliveries = self.carry.stock.read(kilograms, date)
        self.carry = replace(self.carry, stock=stock)
        for each in deliveries:
            self._add(day_of(each.ended), {DELIVERED: each.kilograms})
            self._deliver(each)

    def _add(self, day: int, more: Mapping[str, float]) -> None:
        if day not in self._days:
            self._days[day] = self._load(day)
        self._days[day] = with_more(self._days[day], more)

    def _load(self, day: int) -> Tally:
        query = "SELECT tally FROM facts WHERE day = ?"
        found = self._cursor.execute(query, (day,)).fetchone()
        return tally_of_json(found[0]) if found else {}

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
        for fault in before.keys() - now:
            query = "UPDATE events SET ended = max(began, ?) WHERE id = ?"
            self._cursor.execute(query, (dated.date, before[fault]))
        faults = {each: before[each] for each in before.keys() & now}
        for each in sorted(now - before.keys(), key=attrgetter("number", "text")):
            faults[each] = self._event("fault", dated.date, None, each.number, each.text, 0.0)
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
        """Write what the days came to, and delete the oldest events."""
        self._cursor.executemany(
            "INSERT INTO facts VALUES (?, ?)"
            " ON CONFLICT (day) DO UPDATE SET tally = excluded.tally",
            [(day, _json(tally)) for day, tally in sorted(self._days.items())],
        )
        self._cursor.execute(
            "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (MOST_EVENTS,)
        )


def _json(tally: Tally) -> str:
    return json.dumps({key: round(each, 4) for key, each in tally.items()}, separators=(",", ":"))
