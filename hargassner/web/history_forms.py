"""The history as text, in pieces. Runs in the history's thread."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING

from hargassner.boiler.roles import CHARTS
from hargassner.storage.history import reader
from hargassner.storage.history.number_text import repeated
from hargassner.storage.history.query import STEPS, Query, Selection, begin_of, select
from hargassner.storage.history.reader import Extent
from hargassner.storage.history.samples import Recorded
from hargassner.web.document import Json
from hargassner.web.history_days import days, events
from hargassner.web.history_labels import Labels
from hargassner.web.texts import text

if TYPE_CHECKING:
    import sqlite3

Piece = Callable[["sqlite3.Cursor"], bytes]
"""Reads a part of the answer, as text."""
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
    return _text(empty)


def _text(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _fixed(text: bytes) -> Piece:
    """A piece that needs no reading."""
    return lambda _: text


def _commas() -> Iterator[bytes]:
    """What is before each of the things in a list."""
    return chain([b""], repeat(b","))


def json_pieces(query: Query, labels: Labels, cursor: "sqlite3.Cursor") -> Iterator[Piece]:
    """The pieces of the answer as JSON."""
    selection = select(query, reader.kept(cursor))
    yield _fixed(_text(_head(selection))[:-1])
    yield partial(_times, selection)
    yield _fixed(b',"charts":[')
    yield from _charts(selection, labels)
    yield _fixed(b'],"state":')
    yield partial(_state, selection, labels)
    yield _fixed(b',"days":[')
    yield from _days(selection, labels)
    yield _fixed(b'],"events":')
    yield lambda cursor: _text(events(query, labels, cursor)) + b"}\n"


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
    newest = _text(times[-1] if times else None)
    return b',"newest":%s,"times":%s' % (newest, _numbers("%d,", times))


def _charts(selection: Selection, labels: Labels) -> Iterator[Piece]:
    """Each chart that has lines, and a piece a line."""
    charts = _charted(selection, labels)
    for comma, (chart, lines) in zip(_commas(), charts.items(), strict=False):
        begin = {"chart": chart, "title": text(f"page.chart.{chart}", labels.language)}
        yield _fixed(comma + _text(begin)[:-1] + b',"lines":[')
        for before, channel in zip(_commas(), lines, strict=False):
            yield partial(_line, selection, labels, channel, before)
        yield _fixed(b"]}")


def _charted(selection: Selection, labels: Labels) -> Mapping[str, Sequence[Recorded]]:
    """The lines of each chart that has some."""
    if not selection.extent.slots:
        return {}
    channels = labels.by_role(selection.channels)
    charts = {
        chart: [*chain.from_iterable(channels.get(role, ()) for role in roles)]
        for chart, roles in CHARTS.items()
    }
    return {chart: lines for chart, lines in charts.items() if lines}


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
        b',"%s":%s' % (name, _numbers("%.2f,", each))
        for name, each in zip(_COLUMNS, numbers.columns, strict=False)
    )
    return before + _text(line)[:-1] + arrays + b"}"


def _numbers(form: str, numbers: Sequence[float]) -> bytes:
    """Numbers in a ``%`` format that ends with a comma, as JSON; null for what is not known."""
    written = repeated(form, numbers).replace("nan", "null").replace(".00,", ",")
    return f"[{written[:-1]}]".encode()


def _state(selection: Selection, labels: Labels, cursor: "sqlite3.Cursor") -> bytes:
    state, grain = selection.kept.state, selection.grain
    if not selection.extent.slots or state not in selection.channels:
        return b"null"
    told = _text({"object": state.object, "label": labels.of_channel(state), **labels.codes(state)})
    if grain == "day":
        return told
    codes = reader.line(cursor, grain, state.object, selection.extent).mean
    return told[:-1] + b',"values":%s}' % _numbers("%.0f,", codes)


def _days(selection: Selection, labels: Labels) -> Iterator[Piece]:
    """What each day came to, where days are asked for."""
    slots = selection.extent.slots if selection.grain == "day" else range(0)
    parts = [Extent.of(slots[at : at + DAYS]) for at in range(0, len(slots), DAYS)]
    for comma, part in zip(_commas(), parts, strict=False):
        yield partial(_some_days, replace(selection, extent=part), labels, comma)


def _some_days(
    selection: Selection, labels: Labels, comma: bytes, cursor: "sqlite3.Cursor"
) -> bytes:
    return comma + _text(days(selection, labels, cursor))[1:-1]
