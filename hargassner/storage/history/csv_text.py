"""The history as CSV, in pieces of text. Everything here blocks.

With minutes and quarters a row has the local time and the seconds since the epoch, then the values
of each channel. With days it has the date and what the day came to, then the values. ``comma`` has
decimal commas, and semicolons between cells, as spreadsheets in German and French expect them.
"""

import csv
import io
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.query import Selection
from hargassner.storage.history.reader import Extent, Line, facts, line
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
    extent = selection.extent or Extent(0, -1)
    for first in range(extent.first, extent.last + 1, ROWS):
        piece = Extent(first, min(first + ROWS - 1, extent.last))
        yield partial(_slot_rows, replace(selection, extent=piece), comma)


def numbers_text(numbers: "array[float]", places: int = 2) -> list[str]:
    """Numbers as text, ``nan`` for what is not known."""
    return list(map(f"%.{places}f".__mod__, numbers))


def _header(selection: Selection) -> list[str]:
    columns = ["time", "epoch"]
    if selection.grain == "quarter":
        columns.append("minutes")
    return columns + [name for each in selection.channels for name in _names(selection, each)]


def _names(selection: Selection, channel: Recorded) -> list[str]:
    name = channel.object
    return [name] if selection.grain == "minute" else [name, f"{name}_min", f"{name}_max"]


def _columns(selection: Selection, channel: Recorded, numbers: Line) -> list[list[str]]:
    places = 0 if channel.is_state else 2
    mean = numbers_text(numbers.mean, places)
    if selection.grain == "minute":
        return [mean]
    return [mean, numbers_text(numbers.low, places), numbers_text(numbers.high, places)]


def _slot_rows(selection: Selection, comma: bool, cursor: "sqlite3.Cursor") -> bytes:
    extent = selection.extent or Extent(0, -1)
    times = selection.times
    columns = [
        [datetime.fromtimestamp(each).isoformat(" ") for each in times],
        [str(each) for each in times],
    ]
    if selection.grain == "quarter":
        columns.append(numbers_text(line(cursor, "quarter", "", extent).count, 0))
    for channel in selection.channels:
        numbers = line(cursor, selection.grain, channel.object, extent)
        columns += _columns(selection, channel, numbers)
    separator = ";" if comma else ","
    rows = "\r\n".join(map(separator.join, zip(*columns, strict=True)))
    # None of these cells holds anything but digits and signs.
    text = rows.replace("nan", "").replace(".", "," if comma else ".")
    return f"{text}\r\n".encode() if times else b""


def _day_table(
    selection: Selection, kwh_per_kg: float, comma: bool, cursor: "sqlite3.Cursor"
) -> bytes:
    extent = selection.extent or Extent(0, -1)
    days = [day for _, day in sorted(facts(cursor, extent).items())]
    states = sorted({code for day in days for code in day.states})
    pumps = sorted({pump for day in days for pump in day.pumps})
    header = ["date", *_DAY]
    header += [f"state_{code}_hours" for code in states] + [f"{pump}_hours" for pump in pumps]
    channels = [each for each in selection.channels if not each.is_state]
    header += [name for each in channels for name in _names(selection, each)]
    lines = [line(cursor, "day", each.object, extent) for each in channels]
    rows: list[Sequence[object]] = [header]
    for day in days:
        values: list[float | None] = [get(day, kwh_per_kg) for get in _DAY.values()]
        values += [day.states.get(code, 0.0) for code in states]
        values += [day.pumps.get(pump, 0.0) for pump in pumps]
        at = day.day - extent.first
        values += [each for numbers in lines for each in _of_day(numbers, at)]
        rows.append([day.date, *(_cell(each, comma) for each in values)])
    return _separated(rows, comma)


def _of_day(numbers: Line, at: int) -> list[float | None]:
    found = (numbers.mean[at], numbers.low[at], numbers.high[at])
    return [None if each != each else round(each, 2) for each in found]


def _cell(value: float | None, comma: bool) -> str:
    text = "" if value is None else str(value)
    return text.replace(".", ",") if comma else text


def _separated(rows: Sequence[Sequence[object]], comma: bool) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";" if comma else ",").writerows(rows)
    return text.getvalue().encode()
