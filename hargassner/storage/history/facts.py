"""What a day came to, and what happened: consumption, deliveries, faults. No I/O and no clock."""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

from hargassner.storage.history.deliveries import FASTEST, NOTHING, Run, Stock
from hargassner.storage.history.rollup import days_between, iso
from hargassner.storage.history.samples import (
    ASH_REMOVALS,
    FULL_LOAD,
    IGNITIONS,
    OUTDOOR,
    OUTDOOR_SECONDS,
    PUMP,
    SECONDS,
    STATE,
    FaultSeen,
    Tally,
    added,
)

PELLETS = "pellets"
"""kg burnt."""
STOCK = "stock"
"""kg at the end; the only one that does not add up."""
DELIVERED = "delivered"
"""kg that the stock rose by."""

MOST_KEYS = 96
"""Facts of a day at most: a code that nobody knows takes one of them."""
ROOM = 20.0
"""°C to which degree days count."""
LIMIT = 15.0
"""°C, a day's mean outdoor temperature from which on nothing is heated."""


@dataclass(frozen=True, slots=True)
class Carry:
    """What the next minute is compared with.

    ``burnt`` in kg, and ``at``, the date when it was read; ``stock``, what is believed of it;
    ``faults`` those that go on, each with the number of its event.
    """

    burnt: float | None = None
    at: float | None = None
    stock: Stock = NOTHING
    faults: Mapping[FaultSeen, int] = field(default_factory=dict)

    def json(self) -> str:
        """As it is kept."""
        faults = [[each.number, each.text, event] for each, event in self.faults.items()]
        stock = [self.stock.at, *astuple(self.stock.run)]
        return json.dumps([self.burnt, self.stock.kilograms, self.at, faults, *stock])

    @classmethod
    def of_json(cls, text: str) -> "Carry":
        """As it was kept; nothing is known where the text is empty."""
        if not text:
            return cls()
        burnt, kilograms, at, faults, *more = json.loads(text)
        # There was nothing more while each reading of the stock was believed.
        read, *run = more or (at,)
        stock = NOTHING if kilograms is None else Stock(kilograms, read, Run(*run))
        known = {FaultSeen(number, words): event for number, words, event in faults}
        return cls(burnt, at, stock, known)


def burnt_by_day(carry: Carry, counter: float | None, date: float) -> list[tuple[int, float]]:
    """What the boiler's counter has risen by, as days with kg.

    It is spread over the time since it was last read. A counter that was set, back or faster than
    anything burns, begins anew.
    """
    if counter is None or carry.burnt is None or carry.at is None:
        return []
    rise = counter - carry.burnt
    hours = max(1.0, (date - carry.at) / 3600)
    if not 0 < rise <= FASTEST * hours:
        return []
    return [(day, rise * part) for day, part in days_between(carry.at, date) if part]


def with_more(before: Mapping[str, float], more: Mapping[str, float]) -> Tally:
    """A day's tally with more in it, as long as there is room for what is new."""
    keys = list({**before, **more})[: max(MOST_KEYS, len(before))]
    tally = added(before, {key: more[key] for key in keys if key in more})
    if STOCK in tally:
        tally[STOCK] = more.get(STOCK, tally[STOCK])
    return tally


def _rounded(value: float | None, places: int = 3) -> float | None:
    return None if value is None else round(value, places)


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 3)


def _after(tally: Mapping[str, float], prefix: str) -> dict[str, float]:
    """Hours of each key that begins so."""
    return {
        key.removeprefix(prefix): _hours(seconds)
        for key, seconds in sorted(tally.items())
        if key.startswith(prefix)
    }


def degree_days(tally: Mapping[str, float]) -> float | None:
    """Heating degree days of a day (G20/15), None where nothing is known of the outdoors."""
    seconds = tally.get(OUTDOOR_SECONDS)
    if not seconds:
        return None
    mean = tally[OUTDOOR] / seconds
    return ROOM - mean if mean < LIMIT else 0.0


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What a day came to; None where the boiler has not told. Hours, kg, °C days."""

    day: int
    hours: float
    pellets: float | None
    full_load_hours: float | None
    ignitions: int
    ash_removals: int
    degree_days: float | None
    stock: float | None
    delivered: float
    states: Mapping[int, float]
    pumps: Mapping[str, float]

    @property
    def date(self) -> str:
        """The local date, ``2026-11-26``."""
        return iso(self.day)

    def heat(self, kwh_per_kg: float) -> float | None:
        """kWh of what was burnt."""
        return None if self.pellets is None else round(self.pellets * kwh_per_kg, 3)


def day_facts(day: int, tally: Mapping[str, float]) -> DayFacts:
    """What a tally means."""
    load = tally.get(FULL_LOAD)
    return DayFacts(
        day=day,
        hours=_hours(tally.get(SECONDS, 0.0)),
        pellets=_rounded(tally.get(PELLETS)),
        full_load_hours=None if load is None else _hours(load),
        ignitions=int(tally.get(IGNITIONS, 0)),
        ash_removals=int(tally.get(ASH_REMOVALS, 0)),
        degree_days=_rounded(degree_days(tally), 2),
        stock=_rounded(tally.get(STOCK)),
        delivered=round(tally.get(DELIVERED, 0.0), 3),
        states={int(code): hours for code, hours in _after(tally, STATE).items()},
        pumps=_after(tally, PUMP),
    )


def tally_of_json(text: str) -> Tally:
    """A day's tally as it was kept."""
    tally: Tally = json.loads(text)
    return tally
