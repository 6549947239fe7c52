"""A history of more than a year of an invented house, for whoever looks at the page."""

import math
from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hargassner.storage.directory import StateDirectory
from hargassner.storage.history import opening
from hargassner.storage.history.samples import Dated, Recorded, Sample
from hargassner.storage.history.writer import write_live

DAY = 1440
"""Minutes."""
COARSE = 720
"""Minutes that one of them stands for, of the time before the last day."""
QUARTER = 15
YEAR_BEFORE = range(364, 369)
"""Days ago."""
TEMPERATURES = {
    "TK": 70.0,
    "TRL": 55.0,
    "TRG": 140.0,
    "TPo": 68.0,
    "TPm": 58.0,
    "TPu": 42.0,
    "TB1": 52.0,
    "TVL_1": 38.0,
    "Taus": 0.0,
}
CHANNELS = {name: Recorded(name.lower(), name, "°C") for name in TEMPERATURES}
STATE = Recorded("zk", "ZK", "", is_state=True)
# What the boiler does in a cycle of 24 quarters of an hour, while it is cold.
CYCLE = (1, 1, 1, 1, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 8, 9, 10, 12, 1, 1, 1, 1, 1)
HEATS = 16.0
"""°C, the outdoor temperature from which on nothing is heated."""
CYCLE_MINUTES, FIRE, BURNS = 15 * len(CYCLE), 75, 150
"""Minutes of a cycle, until the fire in it, and of the fire."""


def _outdoor(minute: int) -> float:
    year = 2 * math.pi * (minute / DAY - 20) / 365.25
    weather = 3.5 * math.sin(minute / DAY / 2.3) + 2.0 * math.sin(minute / DAY / 0.9)
    return 9.5 - 11 * math.cos(year) + weather - 3 * math.cos(2 * math.pi * minute / DAY)


def _warmth(minute: int) -> float:
    """What part of its highest temperature everything has in a cycle."""
    since_fire = (minute - FIRE) % CYCLE_MINUTES
    heated = 1.0 - 0.35 * math.exp(-min(since_fire, BURNS) / 40)
    cooled = max(0, since_fire - BURNS)
    return 0.6 + (heated - 0.6) * math.exp(-cooled / 150)


class House:
    """Minutes of an invented house, one after another."""

    def __init__(self) -> None:
        self._burnt = 20_000.0
        self._stock = 3_800.0

    def minute(self, minute: int, weight: int) -> Dated:
        """A minute that stands for ``weight`` of them."""
        outdoor = _outdoor(minute)
        needs = max(1.6, 1.25 * (19 - outdoor)) / DAY * weight
        code = CYCLE[minute // 15 % len(CYCLE)] if outdoor < HEATS else 1
        burns = code in (5, 6, 7)
        self._burnt += needs
        self._stock = self._stock - needs if self._stock > 500 else 5_000.0
        warm = _warmth(minute) if outdoor < HEATS else 0.55
        values = {CHANNELS[name]: round(at * warm, 1) for name, at in TEMPERATURES.items()}
        values[CHANNELS["Taus"]] = round(outdoor, 1)
        values[STATE] = float(code)
        seconds = 60.0 * weight
        tally = {
            "seconds": seconds,
            f"state/{code}": seconds,
            "full_load": seconds * (0.8 if burns else 0.0),
            "outdoor": seconds * outdoor,
            "outdoor_seconds": seconds,
            "ignitions": float(code == 4 and minute % 15 < weight),
        }
        sample = Sample(0.0, values, tally, self._burnt, round(self._stock), frozenset())
        return Dated(minute, sample)


def _batches(house: House, end: int, days: int) -> Iterator[list[Dated]]:
    """All minutes of the last day; of those before, one of each twelve hours.

    Of the days around the same one of the year before, with which what is newest is compared, one
    of each quarter of an hour.
    """
    for day in range(days, 1, -1):
        begin, step = end - day * DAY, QUARTER if day in YEAR_BEFORE else COARSE
        yield [house.minute(each, step) for each in range(begin, begin + DAY, step)]
    # An hour of which nothing is known is a gap.
    begin = end - DAY
    yield [house.minute(at, 1) for at in range(begin, end) if not 600 <= at - begin < 660]


def fill(state: Path, days: int) -> None:
    """Write the days before now into the history of a state directory."""
    content, house, end = _filled(days)
    (state / opening.FILE).write_bytes(content)
    house = copy(house)
    _write(state, [[house.minute(at, 1) for at in range(end, _this_minute())]])


@cache
def _filled(days: int) -> tuple[bytes, House, int]:
    """A file of the days before now, the house as it then is, and the minute.

    To write it takes a second, and so it is made once and goes on from there.
    """
    house, end = House(), _this_minute()
    with TemporaryDirectory() as directory:
        _write(Path(directory), _batches(house, end, days))
        return Path(directory, opening.FILE).read_bytes(), house, end


def _this_minute() -> int:
    return int(datetime.now().timestamp()) // 60


def _write(state: Path, batches: Iterable[list[Dated]]) -> None:
    connection = opening.connect(StateDirectory(state))
    with connection:
        cursor = connection.execute("BEGIN IMMEDIATE")
        for batch in batches:
            write_live(cursor, batch)
    connection.close()
