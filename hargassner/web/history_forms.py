"""The history as text, in pieces. Runs in the history's thread."""

import json
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from hargassner.boiler.roles import CHARTS
from hargassner.catalogue.activities import OTHER
from hargassner.storage.history import reader
from hargassner.storage.history.csv_text import numbers_text
from hargassner.storage.history.query import Query, Selection, begin_of, select
from hargassner.storage.history.samples import Recorded
from hargassner.web.document import Json
from hargassner.web.history_days import days, events
from hargassner.web.history_labels import Labels
from hargassner.web.texts import text

if TYPE_CHECKING:
    import sqlite3

Piece = Callable[["sqlite3.Cursor"], bytes]
"""Reads a part of the answer, as text."""


def nothing(query: Query) -> bytes:
    """The answer where no history is kept."""
    empty = {
        "enabled": False,
        "grain": query.grain or "minute",
        "step": 60,
        "from": query.begin,
        "to": query.end,
        "kept": {"minute": None, "quarter": None, "day": None},
        "newest": None,
        "times": [],
        "charts": [],
        "state": None,
        "days": [],
        "events": [],
    }
    return _text(empty)


def _text(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def json_pieces(query: Query, labels: Labels, cursor: "sqlite3.Cursor") -> Iterator[Piece]:
    """The pieces of the answer as JSON."""
    selection = select(query, reader.kept(cursor))
    state = next((each for each in selection.kept.channels if each.is_state), None)
    yield lambda _: _text(_head(selection))[:-1] + b',"charts":['
    yield from _charts(selection, labels)
    yield lambda _: b'],"state":'
    if not selection.extent.slots or state not in selection.channels:
        yield lambda _: b"null"
    else:
        yield partial(_state, selection, labels, state)
    yield lambda _: b',"days":'
    yield lambda cursor: _text(days(selection, labels, state, cursor))
    yield lambda _: b',"events":'
    yield lambda cursor: _text(events(query, labels, cursor))
    yield lambda _: b"}\n"


def _head(selection: Selection) -> dict[str, Json]:
    kept, times = selection.kept, selection.times
    extents = {"minute": kept.minutes, "quarter": kept.quarters, "day": kept.days}
    return {
        "enabled": True,
        "grain": selection.grain,
        "step": selection.step,
        "from": selection.query.begin,
        "to": selection.query.end,
        "kept": {
            grain: None if extent is None else begin_of(grain, extent.first)
            for grain, extent in extents.items()
        },
        "newest": times[-1] if times else None,
        "times": times,
    }


def _charts(selection: Selection, labels: Labels) -> Iterator[Piece]:
    """Each chart that has lines, and a piece a line."""
    separator = b""
    for chart, lines in _charted(selection, labels).items():
        begin = {"chart": chart, "title": text(f"page.chart.{chart}", labels.language)}
        opening = separator + _text(begin)[:-1] + b',"lines":['
        for role, channel in lines:
            yield partial(_line, selection, labels, role, channel, opening)
            opening = b","
        yield lambda _: b"]}"
        separator = b","


def _charted(selection: Selection, labels: Labels) -> Mapping[str, Sequence[tuple[str, Recorded]]]:
    """The lines of each chart that has some, each with its role."""
    if not selection.extent.slots:
        return {}
    roles: defaultdict[str, list[Recorded]] = defaultdict(list)
    for each in selection.channels:
        roles[labels.role(each)].append(each)
    charts = {
        chart: [(role, each) for role in of_chart for each in roles[role]]
        for chart, of_chart in CHARTS.items()
    }
    return {chart: lines for chart, lines in charts.items() if lines}


def _line(
    selection: Selection,
    labels: Labels,
    role: str,
    channel: Recorded,
    before: bytes,
    cursor: "sqlite3.Cursor",
) -> bytes:
    numbers = reader.line(cursor, selection.grain, channel.object, selection.extent)
    line: dict[str, Json] = {
        "object": channel.object,
        "label": labels.of_channel(channel),
        "unit": channel.unit,
        "role": role,
    }
    told = {"values": numbers.mean, "low": numbers.low, "high": numbers.high}
    arrays = b"".join(
        b',"%s":%s' % (name.encode(), json_numbers(each)) for name, each in told.items() if each
    )
    return before + _text(line)[:-1] + arrays + b"}"


def json_numbers(numbers: "array[float]") -> bytes:
    """Numbers with two decimals as JSON, null for what is not known."""
    text = f"{','.join(numbers_text(numbers))},".replace("nan", "null").replace(".00,", ",")
    return f"[{text[:-1]}]".encode()


def _state(
    selection: Selection, labels: Labels, state: Recorded, cursor: "sqlite3.Cursor"
) -> bytes:
    told: dict[str, Json] = {"object": state.object, "label": labels.of_channel(state)}
    states = labels.catalogue.states(state.name, labels.family)
    known = labels.activities(state)
    told["texts"] = {str(code): labels.of_state(state, code) for code in states}
    told["activities"] = {str(code): known.get(code, OTHER) for code in states}
    if selection.grain != "day":
        numbers = reader.line(cursor, selection.grain, state.object, selection.extent)
        told["values"] = [None if each != each else int(each) for each in numbers.mean]
    return _text(told)
