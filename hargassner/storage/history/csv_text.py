"""The history as CSV, in pieces of text. Everything here blocks.

With minutes and quarters a row has the local time and the seconds since the epoch, then the values
of each channel. With days it has the date and what the day came to, then the values. ``comma`` has
decimal commas, and semicolons between cells, as spreadsheets in German and French expect them.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain, filterfalse
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.number_text import table
from hargassner.storage.history.query import Selection
from hargassner.storage.history.reader import facts, line
from hargassner.storage.history.samples import Recorded

if TYPE_CHECKING:
    import sqlite3

Piece = Callable[["sqlite3.Cursor"], bytes]
"""Reads a part of an answer, as text."""

ROWS = 2000
"""Rows of a piece."""

_Cell = str | float | None
_DAY: Mapping[str, Callable[[DayFacts, float], _Cell]] = {
    "date": lambda day, _: day.date,
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


class _Style(NamedTuple):
    """What is between cells, and in decimals."""

    separator: str
    decimal: str

    def separated(self, rows: Iterable[Sequence[object]]) -> bytes:
        """Rows of any cells."""
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator).writerows(rows)
        return text.getvalue().encode()


_STYLES = {False: _Style(",", "."), True: _Style(";", ",")}
"""By whether decimals have a comma."""
_SUFFIXES = {"minute": ("",), "quarter": ("", "_min", "_max"), "day": ("", "_min", "_max")}
"""What is behind a channel's name in the header, by grain."""
_FORMS = {True: "%.0f", False: "%.2f"}
"""How codes of states, and other values, are written."""


def csv_pieces(selection: Selection, kwh_per_kg: float, comma: bool) -> Iterator[Piece]:
    """The pieces of the table.

    Args:
        selection: what is in it.
        kwh_per_kg: the heat that is made of the fuel.
        comma: whether decimals have a comma.
    """
    style = _STYLES[comma]
    if selection.grain == "day":
        yield partial(_day_table, selection, kwh_per_kg, style)
        return
    yield lambda _: style.separated([_header(selection)])
    for piece in selection.extent.parts(ROWS):
        yield partial(_slot_rows, replace(selection, extent=piece), style)


def _header(selection: Selection) -> list[str]:
    columns = ["time", "epoch"]
    if selection.grain == "quarter":
        columns.append("minutes")
    names = map(partial(_names, selection.grain), selection.channels)
    return [*columns, *chain.from_iterable(names)]


def _names(grain: str, channel: Recorded) -> list[str]:
    return [f"{channel.object}{suffix}" for suffix in _SUFFIXES[grain]]


def _slot_rows(selection: Selection, style: _Style, cursor: "sqlite3.Cursor") -> bytes:
    extent, times = selection.extent, selection.times
    forms = ["%s", "%d"]
    columns: list[Sequence[object]] = [[*map(_local, times)], times]
    if selection.grain == "quarter":
        forms.append("%.0f")
        columns.append(line(cursor, "quarter", "", extent).count)
    for channel in selection.channels:
        known = line(cursor, selection.grain, channel.object, extent).columns
        forms += [_FORMS[channel.is_state]] * len(known)
        columns += known
    text = table(forms, columns, style.separator)
    return text.replace("nan", "").replace(".", style.decimal).encode()


def _local(date: int) -> str:
    return datetime.fromtimestamp(date).isoformat(" ")


_Column = tuple[str, Iterable[_Cell]]
"""A column of the table of days: its name, and a cell for each of them."""


def _day_table(
    selection: Selection, kwh_per_kg: float, style: _Style, cursor: "sqlite3.Cursor"
) -> bytes:
    days = list(facts(cursor, selection.extent).values())
    columns: list[_Column] = [
        *((name, [get(day, kwh_per_kg) for day in days]) for name, get in _DAY.items()),
        *_hour_columns("state_{}_hours", [*map(attrgetter("states"), days)]),
        *_hour_columns("{}_hours", [*map(attrgetter("pumps"), days)]),
        *_channel_columns(selection, days, cursor),
    ]
    cell = partial(_cell, style)
    written = [[name, *map(cell, cells)] for name, cells in columns]
    return style.separated(zip(*written, strict=True))


def _hour_columns(name: str, days: Sequence[Mapping[Any, float]]) -> Iterator[_Column]:
    """The hours of each state or pump that any of the days has."""
    for key in sorted(set().union(*days)):
        yield name.format(key), [hours.get(key, 0.0) for hours in days]


def _channel_columns(
    selection: Selection, days: Sequence[DayFacts], cursor: "sqlite3.Cursor"
) -> Iterator[_Column]:
    extent = selection.extent
    places = [each.day - extent.first for each in days]
    for channel in filterfalse(attrgetter("is_state"), selection.channels):
        numbers = line(cursor, "day", channel.object, extent).columns
        for name, each in zip(_names("day", channel), numbers, strict=True):
            yield name, map(_known, map(each.__getitem__, places))


def _known(number: float) -> float | None:
    return None if math.isnan(number) else round(number, 2)


def _cell(style: _Style, value: _Cell) -> str:
    return "" if value is None else str(value).replace(".", style.decimal)
