"""The last 24 hours of the main values, and what was burnt today.

One sample a minute, at most so many lines for so many hours: it does not grow. Kept in the state
directory, so that a restart leaves a gap of a minute and no more. It goes by the wall clock, since
an owner looks for a time of day; a clock that is set changes nothing of what is there.
"""

import json
import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import chain
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.boiler.model import Boiler
from hargassner.clock import IClock
from hargassner.services import Service
from hargassner.storage.directory import StateDirectory
from hargassner.web.dashboard import charted

log = Logger()

STEP = 60
"""Seconds from one sample to the next."""
KEPT = 24 * 60
"""Samples of each line."""
LINES = 32
"""Lines at most; a boiler has about twenty."""
SAVE_EVERY = 600.0
"""Seconds between two writings: what a power cut can lose, against how an SD card wears."""


class History:
    """The samples, by their dates. A sample that is missing is a gap."""

    def __init__(self) -> None:
        self._lines: dict[str, array[float]] = {}
        self._newest: int | None = None
        self._other: tuple[dict[str, array[float]], int | None] = ({}, None)

    @property
    def newest(self) -> float | None:
        """When the last sample was taken, in seconds since the epoch."""
        return None if self._newest is None else float(self._newest * STEP)

    def record(self, now: float, values: Mapping[str, float]) -> None:
        """Take a sample; of several in the same minute the first one stays.

        While a clock that was set back shows dates that it has shown before, nothing is taken. One
        that is set by a day or more begins anew, and goes on where it was if it is set back.
        """
        slot = int(now // STEP)
        self._turn_to(slot)
        if self._newest is not None and slot <= self._newest:
            return
        self._advance(slot)
        for name, value in values.items():
            self._put(name, slot, value)
        for name in [each for each, line in self._lines.items() if _is_empty(line)]:
            del self._lines[name]

    def _put(self, name: str, slot: int, value: float) -> None:
        if name not in self._lines and len(self._lines) < LINES:
            self._lines[name] = _empty()
        if name in self._lines:
            self._lines[name][slot % KEPT] = value

    def skip(self, now: float) -> None:
        """Let the minutes before this one be gaps, as far as they were not sampled."""
        slot = int(now // STEP) - 1
        self._turn_to(slot)
        if self._newest is not None and slot > self._newest:
            self._advance(slot)

    def _turn_to(self, slot: int) -> None:
        """Have the samples of another day ready, if it is another day by now."""
        if self._is_of(slot):
            return
        other, self._other = self._other, (self._lines, self._newest)
        self._lines, self._newest = other
        if not self._is_of(slot):
            self._lines, self._newest = {}, None

    def _is_of(self, slot: int) -> bool:
        return self._newest is None or abs(slot - self._newest) < KEPT

    def _advance(self, slot: int) -> None:
        newest = slot if self._newest is None else self._newest
        for each in range(newest + 1, slot + 1):
            for line in self._lines.values():
                line[each % KEPT] = math.nan
        self._newest = slot

    def lines(self) -> dict[str, list[float | None]]:
        """The samples of every line, oldest first, None for a gap.

        Each list ends with the newest sample and begins where any line does.
        """
        if self._newest is None:
            return {}
        oldest = (self._newest + 1) % KEPT
        known = {name: _unrolled(line, oldest) for name, line in self._lines.items()}
        begins = min(map(_first_known, known.values()), default=0)
        return {name: line[begins:] for name, line in known.items()}

    def recall(self, newest: float, lines: Mapping[str, Sequence[float | None]]) -> None:
        """Take over the samples of another history.

        Raises:
            ValueError: it is no history.
        """
        slot = int(newest // STEP)
        recalled: dict[str, array[float]] = {}
        for name, values in list(lines.items())[:LINES]:
            line = _empty()
            for age, value in enumerate(reversed(values[-KEPT:])):
                if value is not None:
                    line[(slot - age) % KEPT] = float(value)
            recalled[str(name)] = line
        self._lines, self._newest = recalled, slot


def _unrolled(ring: "array[float]", oldest: int) -> list[float | None]:
    """A line's samples from the oldest on, None for a gap."""
    return [None if math.isnan(value) else value for value in ring[oldest:] + ring[:oldest]]


def _first_known(line: Sequence[float | None]) -> int:
    """Where the first sample of a line is that is known, its length where none is."""
    return next((at for at, value in enumerate(line) if value is not None), len(line))


def _rounded(line: Iterable[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 2) for value in line]


def _is_empty(line: "array[float]") -> bool:
    return all(map(math.isnan, line))


def _empty() -> "array[float]":
    return array("f", [math.nan]) * KEPT


@dataclass(frozen=True, slots=True)
class Consumed:
    """What was burnt on one day.

    ``day`` is its date. ``before`` is what the boiler's counter showed when the day began, or when
    it was first read on that day; ``since`` is then the date of that, and None otherwise. ``last``
    is what it showed last. All in kg, dates in seconds since the epoch.
    """

    day: str
    before: float
    last: float
    since: float | None

    @property
    def kilograms(self) -> float:
        """How much that is."""
        return round(self.last - self.before, 3)


def consumed_by(before: Consumed | None, counter: float, now: float, today: date) -> Consumed:
    """What was burnt today, now that the boiler's counter shows ``counter``.

    A counter that was reset begins anew. A clock that was set back over midnight does not end the
    day that had begun.
    """
    day = today.isoformat()
    if before is None or counter < before.last:
        return Consumed(day, counter, counter, now)
    days = today.toordinal() - date.fromisoformat(before.day).toordinal()
    if days in (0, -1):
        return Consumed(before.day, before.before, counter, before.since)
    if days == 1:
        return Consumed(day, before.last, counter, None)
    return Consumed(day, counter, counter, now)


class HistoryService(Service):
    """Samples the model every minute, and keeps the samples over a restart.

    Args:
        boiler: the model.
        directory: where they are kept.
        clock: time.
        in_thread: runs what blocks off the reactor's thread.
    """

    name = "history"

    FILE = "history.json"

    def __init__(
        self,
        boiler: Boiler,
        directory: StateDirectory,
        clock: IClock,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> None:
        self.history = History()
        self.consumed: Consumed | None = None
        self._boiler = boiler
        self._directory = directory
        self._clock = clock
        self._in_thread = in_thread
        self._unsaved = False
        self._sampling = LoopingCall(self._sample)
        self._saving = LoopingCall(self._save)
        self._sampling.clock = self._saving.clock = clock

    def startService(self) -> None:
        """Recall, and sample from now on; it blocks for a moment, and nothing waits yet."""
        super().startService()
        data = self._directory.load(self.FILE)
        if data is not None:
            try:
                self._recall(json.loads(data))
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as wrong:
                self._directory.set_aside(self.FILE, f"{type(wrong).__name__}: {wrong}")
        # Several looks a minute: the first telemetry is sampled soon, and no minute is missed.
        self._sampling.start(STEP / 6, now=True)
        self._saving.start(SAVE_EVERY, now=False)

    def stopService(self) -> "Deferred[None]":
        """Sample no more; the result comes when everything is written."""
        super().stopService()
        self._sampling.stop()
        self._saving.stop()
        return self._save()

    def _sample(self) -> None:
        now = self._clock.date(self._clock.seconds())
        if not self._boiler.availability.telemetry:
            self.history.skip(now)
            return
        self.history.record(now, self._values())
        self._unsaved = True
        counter = self._boiler.counters.consumption
        if counter is not None:
            today = datetime.fromtimestamp(now).date()
            self.consumed = consumed_by(self.consumed, counter, now, today)

    def _values(self) -> dict[str, float]:
        channels = chain.from_iterable(charted(self._boiler).values())
        return {each.object: float(each.value) for each in channels if each.value is not None}

    def _save(self) -> "Deferred[None]":
        if not self._unsaved:
            return succeed(None)
        self._unsaved = False
        saving = self._in_thread(self._write, self._snapshot())
        saving.addErrback(_failed)
        return saving

    def _snapshot(self) -> dict[str, object]:
        lines = self.history.lines()
        return {
            "newest": self.history.newest,
            "lines": {name: _rounded(line) for name, line in lines.items()},
            "consumed": asdict(self.consumed) if self.consumed else None,
        }

    def _write(self, known: dict[str, object]) -> None:
        self._directory.save(self.FILE, json.dumps(known, separators=(",", ":")).encode())

    def _recall(self, known: Any) -> None:
        newest, consumed = known["newest"], known["consumed"]
        if consumed is not None:
            date.fromisoformat(consumed["day"])
            since = consumed["since"]
            self.consumed = Consumed(
                consumed["day"],
                float(consumed["before"]),
                float(consumed["last"]),
                None if since is None else float(since),
            )
        if newest is not None:
            self.history.recall(newest, known["lines"])


def _failed(why: Failure) -> None:
    log.failure("keeping the history failed", why)
