"""The history as text, in pieces. Runs in the history's thread."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from hargassner.boiler.roles import charted
from hargassner.storage.history import reader
from hargassner.storage.history.csv_text import Piece
from hargassner.storage.history.query import STEPS, Query, Selection, begin_of, select
from hargassner.storage.history.samples import Recorded
from hargassner.web.document import Json
from hargassner.web.history_days import days, events
from hargassner.web.history_labels import Labels
from hargassner.web.json_text import commas, fixed, json_numbers, json_text
from hargassner.web.texts import text

if TYPE_CHECKING:
    import sqlite3

DAYS = 50
"""Days of a piece."""
_COLUMNS = (b"values", b"low", b"high")
_NOTHING_KEPT: dict[str, Json] = dict.fromkeys(STEPS)


def nothing(query: Query) -> bytes:
    """The answer where no history is kept."""
    empty = {
        "enabled": False,
        "grain": query.grain or "minute",
        "step": 60,
        "from": query.begin,
        "to": query.end,
        "kept": _NOTHING_KEPT,
        "newest": None,
        "times": [],
        "charts": [],
        "state": None,
        "days": [],
        "events": [],
    }
    return json_text(empty)


def json_pieces(query: Query, labels: Labels, cursor: "sqlite3.Cursor") -> Iterator[Piece]:
    """The pieces of the answer as JSON."""
    selection = select(query, reader.kept(cursor))
    yield fixed(json_text(_head(selection))[:-1])
    yield partial(_times, selection)
    yield fixed(b',"charts":[')
    yield from _charts(selection, labels)
    yield fixed(b'],"state":')
    yield partial(_state, selection, labels)
    yield fixed(b',"days":[')
    yield from _days(selection, labels)
    yield fixed(b'],"events":')
    yield lambda cursor: json_text(events(query, labels, cursor)) + b"}\n"


def _head(selection: Selection) -> dict[str, Json]:
    oldest = {grain: begin_of(grain, each.first) for grain, each in selection.kept.extents.items()}
    return {
        "enabled": True,
        "grain": selection.grain,
        "step": selection.step,
        "from": selection.query.begin,
        "to": selection.query.end,
        "kept": {**_NOTHING_KEPT, **oldest},
    }


def _times(selection: Selection, _: "sqlite3.Cursor") -> bytes:
    times = selection.times
    newest = json_text(times[-1] if times else None)
    return b',"newest":%s,"times":%s' % (newest, json_numbers("%d,", times))


def _charts(selection: Selection, labels: Labels) -> Iterator[Piece]:
    """Each chart that has lines, and a piece a line."""
    charts = _charted(selection, labels)
    for comma, (chart, lines) in zip(commas(), charts.items(), strict=False):
        begin = {"chart": chart, "title": text(f"page.chart.{chart}", labels.language)}
        yield fixed(comma + json_text(begin)[:-1] + b',"lines":[')
        for before, channel in zip(commas(), lines, strict=False):
            yield partial(_line, selection, labels, channel, before)
        yield fixed(b"]}")


def _charted(selection: Selection, labels: Labels) -> Mapping[str, Sequence[Recorded]]:
    """The lines of each chart that has some."""
    if not selection.extent.slots:
        return {}
    return charted(labels.by_role(selection.channels))


def _line(
    selection: Selection,
    labels: Labels,
    channel: Recorded,
    before: bytes,
    cursor: "sqlite3.Cursor",
) -> bytes:
    numbers = reader.line(cursor, selection.grain, channel.object, selection.extent)
    line: dict[str, Json] = {
        "object": channel.object,
        "label": labels.of_channel(channel),
        "unit": channel.unit,
        "role": labels.role(channel),
    }
    arrays = b"".join(
        b',"%s":%s' % (name, json_numbers("%.2f,", each))
        for name, each in zip(_COLUMNS, numbers.columns, strict=False)
    )
    return before + json_text(line)[:-1] + arrays + b"}"


def _state(selection: Selection, labels: Labels, cursor: "sqlite3.Cursor") -> bytes:
    state, grain = selection.kept.state, selection.grain
    if not selection.extent.slots or state not in selection.channels:
        return b"null"
    told = json_text(
        {"object": state.object, "label": labels.of_channel(state), **labels.codes(state)}
    )
    if grain == "day":
        return told
    codes = reader.line(cursor, grain, state.object, selection.extent).mean
    return told[:-1] + b',"values":%s}' % json_numbers("%.0f,", codes)


def _days(selection: Selection, labels: Labels) -> Iterator[Piece]:
    """What each day came to, where days are asked for."""
    parts = selection.extent.parts(DAYS) if selection.grain == "day" else []
    for comma, part in zip(commas(), parts, strict=False):
        yield partial(_some_days, replace(selection, extent=part), labels, comma)


def _some_days(
    selection: Selection, labels: Labels, comma: bytes, cursor: "sqlite3.Cursor"
) -> bytes:
    return comma + json_text(days(selection, labels, cursor))[1:-1]
