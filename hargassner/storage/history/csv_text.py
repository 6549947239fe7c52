"""The history as CSV, in pieces of text. Everything here blocks.

With minutes and quarters a row has the local time and the seconds since the epoch, then the values
of each channel. With days it has the date and what the day came to, then the values. ``comma`` has
decimal commas, and semicolons between cells, as spreadsheets in German and French expect them.
"""

import csv
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.number_text import table
from hargassner.storage.history.query import Selection
from hargassner.storage.history.reader import Extent, facts, line
from hargassner.storage.history.samples import Recorded

if TYPE_CHECKING:
    import sqlite3

Piece = Callable[["sqlite3.Cursor"], bytes]

ROWS = 2000
"""Rows of a piece."""
COVERAGE = Recorded("", "", "")

_DAY: Mapping[str, Callable[[DayFacts, float], float | None]] = {
    "hours": lambda day, _: day.hours,
    "pellets_kg": lambda day, _: day.pellets,
    "heat_kwh": lambda day, kwh_per_kg: day.heat(kwh_per_kg),
    "full_load_hours": lambda day, _: day.full_load_hours,
    "ignitions": lambda day, _: day.ignitions,
    "ash_removals": lambda day, _: day.ash_removals,
    "degree_days": lambda day, _: day.degree_days,
    "stock_kg": lambda day, _: day.stock,
    "delivered_kg": lambda day, _: day.delivered,
}


def csv_pieces(selection: Selection, kwh_per_kg: float, comma: bool) -> Iterator[Piece]:
    """The pieces of the table.

    Args:
        selection: what is in it.
        kwh_per_kg: the heat that is made of the fuel.
        comma: whether decimals have a comma.
    """
    if selection.grain == "day":
        yield partial(_day_table, selection, kwh_per_kg, comma)
        return
    yield lambda _: _separated([_header(selection)], comma)
    slots = selection.extent.slots
    for at in range(0, len(slots), ROWS):
        piece = Extent.of(slots[at : at + ROWS])
        yield partial(_slot_rows, replace(selection, extent=piece), comma)


def _header(selection: Selection) -> list[str]:
    columns = ["time", "epoch"]
    if selection.grain == "quarter":
        columns.append("minutes")
    return columns + [name for each in selection.channels for name in _names(selection, each)]


def _names(selection: Selection, channel: Recorded) -> list[str]:
    name = channel.object
    return [name] if selection.grain == "minute" else [name, f"{name}_min", f"{name}_max"]


def _slot_rows(selection: Selection, comma: bool, cursor: "sqlite3.Cursor") -> bytes:
    extent, times = selection.extent, selection.times
    forms = ["%s", "%d"]
    columns: list[Sequence[object]] = [[*map(_local, times)], times]
    if selection.grain == "quarter":
        forms.append("%.0f")
        columns.append(line(cursor, "quarter", "", extent).count)
    for channel in selection.channels:
        known = line(cursor, selection.grain, channel.object, extent).columns
        forms += ["%.0f" if channel.is_state else "%.2f"] * len(known)
        columns += known
    text = table(forms, columns, ";" if comma else ",").replace("nan", "")
    return (text.replace(".", ",") if comma else text).encode()


def _local(date: int) -> str:
    return datetime.fromtimestamp(date).isoformat(" ")


class _Column(NamedTuple):
    """A column of the table of days, with a cell for each of them."""

    name: str
    cells: Sequence[float | None]

    def text(self, comma: bool) -> list[str]:
        """Its name, and its cells."""
        return [self.name, *(_cell(each, comma) for each in self.cells)]


def _day_table(
    selection: Selection, kwh_per_kg: float, comma: bool, cursor: "sqlite3.Cursor"
) -> bytes:
    days = list(facts(cursor, selection.extent).values())
    columns = [
        *_fact_columns(days, kwh_per_kg),
        *_hour_columns("state_{}_hours", [day.states for day in days]),
        *_hour_columns("{}_hours", [day.pumps for day in days]),
        *_channel_columns(selection, [day.day for day in days], cursor),
    ]
    written = [["date", *(day.date for day in days)], *(each.text(comma) for each in columns)]
    return _separated([*zip(*written, strict=True)], comma)


def _fact_columns(days: Sequence[DayFacts], kwh_per_kg: float) -> Iterator[_Column]:
    """What the days came to."""
    for name, get in _DAY.items():
        yield _Column(name, [get(day, kwh_per_kg) for day in days])


def _hour_columns(name: str, days: Sequence[Mapping[Any, float]]) -> Iterator[_Column]:
    """The hours of each state or pump that any of the days has."""
    for key in sorted(set().union(*days)):
        yield _Column(name.format(key), [hours.get(key, 0.0) for hours in days])


def _channel_columns(
    selection: Selection, days: Sequence[int], cursor: "sqlite3.Cursor"
) -> Iterator[_Column]:
    extent = selection.extent
    for channel in selection.channels:
        if not channel.is_state:
            numbers = line(cursor, "day", channel.object, extent)
            for name, each in zip(_names(selection, channel), numbers.columns, strict=True):
                yield _Column(name, [_known(each[day - extent.first]) for day in days])


def _known(number: float) -> float | None:
    return None if math.isnan(number) else round(number, 2)


def _cell(value: float | None, comma: bool) -> str:
    text = "" if value is None else str(value)
    return text.replace(".", ",") if comma else text


def _separated(rows: Sequence[Sequence[object]], comma: bool) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";" if comma else ",").writerows(rows)
    return text.getvalue().encode()
