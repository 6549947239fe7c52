"""What the page tells of the pellets: what was burnt today, and how long the stock lasts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from hargassner.parts import Parts
from hargassner.services import Service
from hargassner.storage.history.consumed import Consumed
from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.reader import Extent, facts
from hargassner.storage.history.rollup import day_of
from hargassner.storage.history.supply import AROUND, FARTHEST, LOOKED_BACK, Supply, supply

if TYPE_CHECKING:
    from hargassner.storage.history.service import History

log = Logger()

READ_EVERY = 1800.0
"""Seconds between two looks into the history: the pace follows from whole days."""
_A_YEAR = 366


@dataclass(frozen=True, slots=True)
class Pellets:
    """What was burnt today, and how long the stock lasts; None for what is not known."""

    consumed: Consumed | None = None
    supply: Supply | None = None


class PelletsNow(Service):
    """Tells how long the stock lasts, by days that it reads now and then.

    Args:
        parts: have the boiler, which knows the stock, and the history, which knows the days.
    """

    name = "pellets"

    def __init__(self, parts: Parts) -> None:
        self._boiler = parts.boiler
        self._history = parts.history
        self._clock = parts.clock
        self._days: Mapping[int, DayFacts] = {}
        self._today = 0
        self._computed: tuple[float, Supply | None] = (-1.0, None)
        self._reading = LoopingCall(self._read)
        self._reading.clock = parts.clock

    def startService(self) -> None:
        """Read now, and then every half hour."""
        super().startService()
        self._reading.start(READ_EVERY)

    def stopService(self) -> None:
        """Read no more."""
        super().stopService()
        self._reading.stop()

    def now(self) -> Pellets:
        """What is known now."""
        consumed = None if self._history is None else self._history.consumed
        stock = self._boiler.counters.stock
        return Pellets(consumed, None if stock is None else self._lasts(stock))

    def _lasts(self, stock: float) -> Supply | None:
        # It is asked for once a second by every language; the stock changes once an hour.
        if self._computed[0] != stock:
            self._computed = (stock, supply(self._days, self._today, stock))
        return self._computed[1]

    def _read(self) -> None:
        if self._history is not None:
            reading = Deferred.fromCoroutine(self._look_back(self._history))
            reading.addErrback(
                lambda why: log.warn("the pace of the pellets cannot be read: {why}", why=why.value)
            )

    async def _look_back(self, history: "History") -> None:
        today = day_of(self._clock.date(self._clock.seconds()))
        # The last weeks, and the days a year before those that are to come.
        oldest, newest = today - _A_YEAR - AROUND, today - _A_YEAR + FARTHEST + AROUND
        extent = Extent(min(oldest, today - LOOKED_BACK), newest)
        self._days = await history.read(lambda cursor: facts(cursor, extent))
        self._today = today
        self._computed = (-1.0, None)
