"""What a day came to, and what happened: consumption, deliveries, faults. No I/O and no clock."""

import json
import math
from collections.abc import Iterable, Mapping
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

    ``burnt`` in kg, and ``at``, the date of the last minute, NaN while they are not known;
    ``stock``, what is believed of it; ``faults`` those that go on, each with the number of its
    event.
    """

    burnt: float = math.nan
    at: float = math.nan
    stock: Stock = NOTHING
    faults: Mapping[FaultSeen, int] = field(default_factory=dict)

    def json(self) -> str:
        """As it is kept."""
        faults = [[each.number, each.text, event] for each, event in self.faults.items()]
        stock = [self.stock.at, *astuple(self.stock.run)]
        return json.dumps([self.burnt, self.stock.kilograms, self.at, faults, *stock])

    @classmethod
    def of_json(cls, text: str) -> "Carry":
        """As it was kept."""
        burnt, kilograms, at, faults, *more = json.loads(text)
        # There was nothing more while each reading of the stock was believed.
        read, *run = more or (at,)
        known = {FaultSeen(number, words): event for number, words, event in faults}
        stock = Stock(_number(kilograms), _number(read), Run(*run))
        return cls(_number(burnt), _number(at), stock, known)


def _number(kept: float | None) -> float:
    # Null was kept before NaN was.
    return math.nan if kept is None else kept


def burnt_by_day(carry: Carry, counter: float, date: float) -> list[tuple[int, float]]:
    """What the boiler's counter has risen by, as days with kg.

    It is spread over the time since it was last read. A counter that was set, back or faster than
    anything burns, begins anew.
    """
    rise = counter - carry.burnt
    hours = max(1.0, (date - carry.at) / 3600)
    if not 0 < rise <= FASTEST * hours:
        return []
    return [(day, rise * part) for day, part in days_between(carry.at, date) if part]


def with_more(before: Mapping[str, float], more: Mapping[str, float]) -> Tally:
    """A day's tally with more in it, as long as there is room for what is new."""
    keys = list({**before, **more})[: max(MOST_KEYS, len(before))]
    tally = added(before, {key: more[key] for key in filter(more.__contains__, keys)})
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


def of_days(facts: Mapping[int, DayFacts], days: Iterable[int]) -> list[DayFacts]:
    """What days came to, those of which something is known."""
    return [facts[day] for day in days if day in facts]


def told(days: Iterable[DayFacts], name: str) -> list[float]:
    """A quantity (the name of an attribute) of each day of which it is known."""
    return [value for each in days if (value := getattr(each, name)) is not None]
