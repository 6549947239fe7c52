"""The energy that was counted, in the state directory.

It is written when the boiler's counter has changed, which is once for each kg, and at most every
ten minutes. After a power cut nothing is missing: the file has what the boiler's counter showed,
and what that has risen by since then is counted with the factors of then.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from twisted.internet.defer import Deferred

from hargassner.boiler.energy import Factors, Sums
from hargassner.boiler.model import Boiler, BoilerObserver, Counters
from hargassner.clock import IClock
from hargassner.services import Service
from hargassner.storage.directory import StateDirectory
from hargassner.storage.file import SnapshotFile, json_bytes

FILE = "energy.json"

SAVE_EVERY = 600.0
"""Seconds between two writings at least: each makes the disk write 12 kB, as it counts for."""


class EnergySnapshot(Service, BoilerObserver):
    """Loads at the start what was counted, and saves what is.

    Args:
        directory: where the file is.
        boiler: the model, which counts.
        clock: time.
        in_thread: runs what blocks off the reactor's thread.
    """

    name = "energy"

    def __init__(
        self,
        directory: StateDirectory,
        boiler: Boiler,
        clock: IClock,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> None:
        self._boiler = boiler
        self._clock = clock
        self._file = SnapshotFile(directory, FILE, self._content, clock, in_thread, SAVE_EVERY)
        self._saved: Sums | None = None
        self._stop_observing: Callable[[], None] = lambda: None

    def startService(self) -> None:
        """Load; it blocks for a moment, and nothing waits yet."""
        super().startService()
        loaded = self._file.load(sums_of_json, None)
        if loaded is not None:
            self._saved, date = loaded
            rested = self._clock.wall() - date
            self._boiler.meter.recall(self._saved, self._clock.seconds(), rested)
        self._stop_observing = self._boiler.observe(self)

    def stopService(self) -> "Deferred[None]":
        """Save what is not written yet; the result comes when it is."""
        super().stopService()
        self._stop_observing()
        return self._file.close()

    def counters_changed(self, counters: Counters) -> None:
        """Save what was counted, if it is something else than before."""
        if self._boiler.meter.sums != self._saved:
            self._saved = self._boiler.meter.sums
            self._file.changed()

    def _content(self) -> bytes:
        sums = self._boiler.meter.sums
        return json_bytes({} if sums is None else sums_json(sums, self._clock.wall()))


def sums_json(sums: Sums, date: float) -> dict[str, str | float]:
    """What a file says of the sums as they are at this date."""
    return {
        "counter_kg": str(sums.counter),
        "fuel_kwh": str(sums.fuel),
        "heat_kwh": str(sums.heat),
        "kwh_per_kg": str(sums.factors.kwh_per_kg),
        "efficiency": str(sums.factors.efficiency),
        "date": date,
    }


def sums_of_json(known: Any) -> tuple[Sums, float]:
    """What a file says, and when it was written.

    Raises:
        ValueError, KeyError, TypeError: it is damaged.
    """
    factors = Factors(_number(known["kwh_per_kg"]), _number(known["efficiency"]))
    sums = Sums(
        _number(known["counter_kg"]),
        factors,
        _number(known["fuel_kwh"]),
        _number(known["heat_kwh"]),
    )
    return sums, float(known["date"])


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
        is_sum = 0 <= number < Decimal("Infinity")
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not is_sum:
        raise ValueError(f"{text} is not 0 or above")
    return number
