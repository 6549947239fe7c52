"""The history as text, in pieces. All but ``labels_of`` runs in the history's thread."""

import json
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hargassner.boiler.model import Boiler
from hargassner.boiler.roles import CHARTS
from hargassner.catalogue import AnalogEntry, Catalogue, Family
from hargassner.catalogue.activities import OTHER, activities
from hargassner.storage.history import reader
from hargassner.storage.history.csv_text import numbers_text
from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.query import Query, Selection, begin_of, select
from hargassner.storage.history.reader import Event, Extent
from hargassner.storage.history.samples import Recorded
from hargassner.web.document import Json
from hargassner.web.texts import text

if TYPE_CHECKING:
    import sqlite3

Piece = Callable[["sqlite3.Cursor"], bytes]
"""Reads a part of the answer, as text."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What things are called, as it was known when the answer began."""

    catalogue: Catalogue
    family: Family
    language: str
    names: Mapping[str, str]
    kwh_per_kg: float

    def entry(self, recorded: Recorded) -> AnalogEntry | None:
        """What the catalogue knows of a channel."""
        return self.catalogue.analog(recorded.name, recorded.unit)

    def of_channel(self, recorded: Recorded) -> str:
        """What a channel is called."""
        entry = self.entry(recorded)
        return entry.text.to(self.language) if entry else recorded.name

    def of_pump(self, object_: str) -> str:
        """What a pump is called."""
        name = self.names.get(object_, object_)
        entry = self.catalogue.digital(name)
        return entry.text.to(self.language) if entry else name

    def of_state(self, state: Recorded, code: int) -> str:
        """What a code of the boiler's state means."""
        words = self.catalogue.state_text(state.name, code, self.family, self.language)
        return words or str(code)

    def activities(self, state: Recorded) -> Mapping[int, str]:
        """What the boiler does in each state."""
        return activities(self.catalogue, state.name, self.family)


def labels_of(boiler: Boiler, kwh_per_kg: float, language: str) -> Labels:
    """What things are called now."""
    names = {each.object: each.name for each in boiler.channels.values()}
    return Labels(boiler.catalogue, boiler.family, language, names, kwh_per_kg)


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
    extent = selection.extent
    yield lambda _: _text(_head(selection))[:-1] + b',"charts":['
    yield from _charts(selection, labels)
    yield lambda _: b'],"state":'
    if extent is None or state not in selection.channels:
        yield lambda _: b"null"
    else:
        yield partial(_state, selection, labels, state)
    yield lambda _: b',"days":'
    yield partial(_days, selection, labels, state)
    yield lambda _: b',"events":'
    yield partial(_events, query, labels)
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
    roles: dict[str, list[Recorded]] = {}
    for each in selection.channels:
        entry = labels.entry(each)
        roles.setdefault(entry.role if entry else "", []).append(each)
    separator = b""
    for chart, of_chart in CHARTS.items():
        lines = [(role, each) for role in of_chart for each in roles.get(role, ())]
        if not lines or selection.extent is None:
            continue
        begin = {"chart": chart, "title": text(f"page.chart.{chart}", labels.language)}
        opening = separator + _text(begin)[:-1] + b',"lines":['
        for role, channel in lines:
            yield partial(_line, selection, labels, role, channel, opening)
            opening = b","
        yield lambda _: b"]}"
        separator = b","


def _line(
    selection: Selection,
    labels: Labels,
    role: str,
    channel: Recorded,
    before: bytes,
    cursor: "sqlite3.Cursor",
) -> bytes:
    numbers = reader.line(cursor, selection.grain, channel.object, _extent(selection))
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


def _extent(selection: Selection) -> Extent:
    return selection.extent or Extent(0, -1)


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
        numbers = reader.line(cursor, selection.grain, state.object, _extent(selection))
        told["values"] = [None if each != each else int(each) for each in numbers.mean]
    return _text(told)


def _days(
    selection: Selection, labels: Labels, state: Recorded | None, cursor: "sqlite3.Cursor"
) -> bytes:
    extent = selection.extent
    if selection.grain != "day" or extent is None:
        return b"[]"
    known = reader.facts(cursor, extent)
    days = (known.get(day) for day in range(extent.first, extent.last + 1))
    return _text([None if each is None else day_picture(each, labels, state) for each in days])


def day_picture(facts: DayFacts, labels: Labels, state: Recorded | None) -> Json:
    """What a day came to."""
    known = labels.activities(state) if state else {}
    return {
        "date": facts.date,
        "hours": facts.hours,
        "pellets": facts.pellets,
        "heat": facts.heat(labels.kwh_per_kg),
        "full_load_hours": facts.full_load_hours,
        "ignitions": facts.ignitions,
        "ash_removals": facts.ash_removals,
        "degree_days": facts.degree_days,
        "stock": facts.stock,
        "delivered": facts.delivered,
        "states": [
            {
                "code": code,
                "text": labels.of_state(state, code) if state else str(code),
                "activity": known.get(code, OTHER),
                "hours": hours,
            }
            for code, hours in facts.states.items()
        ],
        "pumps": [
            {"object": each, "label": labels.of_pump(each), "hours": hours}
            for each, hours in facts.pumps.items()
        ],
    }


def _events(query: Query, labels: Labels, cursor: "sqlite3.Cursor") -> bytes:
    events = reader.events(cursor, query.begin, query.end)
    return _text([_event(each, labels) for each in events])


def _event(event: Event, labels: Labels) -> Json:
    when: dict[str, Json] = {"kind": event.kind, "from": event.began, "to": event.ended}
    if event.kind == "delivery":
        return {**when, "kilograms": event.amount}
    known = labels.catalogue.fault(event.number) if event.number else None
    words = known.to(labels.language) if known else event.text
    return {**when, "number": event.number or None, "text": words}
