"""The days and the events of the history, as values for JSON. Runs in the history's thread."""

from typing import TYPE_CHECKING

from hargassner.catalogue.activities import OTHER
from hargassner.storage.history import reader
from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.query import Query, Selection
from hargassner.storage.history.reader import Event
from hargassner.storage.history.samples import Recorded
from hargassner.web.document import Json
from hargassner.web.history_labels import Labels

if TYPE_CHECKING:
    import sqlite3


def days(selection: Selection, labels: Labels, cursor: "sqlite3.Cursor") -> list[Json]:
    """What each day came to; None for one without a record."""
    known = reader.facts(cursor, selection.extent)
    each_day = map(known.get, selection.extent.slots)
    state = selection.kept.state
    return [None if facts is None else _day(facts, labels, state) for facts in each_day]


def _day(facts: DayFacts, labels: Labels, state: Recorded) -> Json:
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
        "states": _states(facts, labels, state),
        "pumps": [
            {"object": each, "label": labels.of_pump(each), "hours": hours}
            for each, hours in facts.pumps.items()
        ],
    }


def _states(facts: DayFacts, labels: Labels, state: Recorded) -> list[Json]:
    known = labels.activities(state)
    return [
        {
            "code": code,
            "text": labels.of_state(state, code),
            "activity": known.get(code, OTHER),
            "hours": hours,
        }
        for code, hours in facts.states.items()
    ]


def events(query: Query, labels: Labels, cursor: "sqlite3.Cursor") -> list[Json]:
    """What happened from the query's begin to its end, oldest first."""
    return [_event(each, labels) for each in reader.events(cursor, query.begin, query.end)]


def _event(event: Event, labels: Labels) -> Json:
    when: dict[str, Json] = {"kind": event.kind, "from": event.began, "to": event.ended}
    if event.kind == "delivery":
        return {**when, "kilograms": event.amount}
    return {**when, "number": event.number or None, "text": _words(event, labels)}


def _words(fault: Event, labels: Labels) -> str:
    """The catalogue's words for a fault, else the boiler's."""
    known = labels.catalogue.fault(fault.number)
    return known.to(labels.language) if known else fault.text
