"""Telling a model what a dialogue gives, as the interpreter does, without a session or a clock."""

from weakref import WeakKeyDictionary

from hargassner.boiler.model import Boiler
from hargassner.dialogue.events import BoilerDescribed, Described, Event, ModelEvent, TelemetryLine
from hargassner.monitor.readings import LineReader

_readers: WeakKeyDictionary[Boiler, LineReader] = WeakKeyDictionary()


def tell(
    boiler: Boiler, event: Event | ModelEvent, now: float = 0.0, session: int | None = None
) -> None:
    """Have a model take in an event, of a telemetry line or a document what they mean."""
    match event:
        case TelemetryLine():
            reader = _readers.setdefault(boiler, LineReader())
            boiler.apply(reader.read(event.line, boiler.descriptor), now, session)
        case BoilerDescribed():
            boiler.apply(Described(event.descriptor), now, session)
        case _:
            boiler.apply(event, now, session)
