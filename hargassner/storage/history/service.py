"""Keeps the history: looks at the model, and writes what it saw every ten minutes."""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from hargassner.boiler.model import Boiler, BoilerObserver, Fault
from hargassner.clock import IClock, dates
from hargassner.services import Service
from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.consumed import Consumed, consumed_by
from hargassner.storage.history.looks import fault_seen, look_at
from hargassner.storage.history.plausible import Plausibility
from hargassner.storage.history.samples import (
    MINUTE,
    Dated,
    FaultSeen,
    Look,
    Recorded,
    Sample,
    Sampler,
)
from hargassner.storage.history.schema import NewerSchemaError
from hargassner.storage.history.start import Start, begin
from hargassner.storage.history.store import Store
from hargassner.storage.history.writer import keep_consumed, write_live

log = Logger()

T = TypeVar("T")

LOOK_EVERY = 10.0
"""Seconds."""
WRITE_EVERY = 600.0
"""Seconds between two transactions: what a power cut can lose, against how an SD card wears."""
MOST_HELD = 24 * 60
"""Minutes that are held back at most; then the oldest are given up."""


class History(Service, BoilerObserver):
    """Samples the model every minute, and keeps the minutes for years.

    Args:
        boiler: the model.
        directory: where a history of an earlier version may be.
        store: the file.
        clock: time.
        is_set: whether another clock has set this machine's, as far as it tells.
    """

    name = "history"

    def __init__(
        self,
        boiler: Boiler,
        directory: StateDirectory,
        store: Store,
        clock: IClock,
        is_set: Callable[[], bool] = lambda: True,
    ) -> None:
        self.consumed: Consumed | None = None
        self._boiler = boiler
        self._directory = directory
        self._store = store
        self._clock = clock
        self._is_set = is_set
        self._sampler = Sampler()
        self._pending: deque[Sample] = deque(maxlen=MOST_HELD)
        self._faults: frozenset[FaultSeen] = frozenset()
        self._plausibility = Plausibility()
        self._start: Start | None = None
        self._newest = 0.0
        self._failing = ""
        self._stop_observing: Callable[[], None] = lambda: None
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock
        self._next_save = 0.0
        self._saved: Deferred[None] = succeed(None)

    def startService(self) -> None:
        """Open the file, and sample from now on."""
        super().startService()
        self._stop_observing = self._boiler.observe(self)
        self._save()
        self._looking.start(LOOK_EVERY, now=True)

    def stopService(self) -> "Deferred[None]":
        """Sample no more; the result comes when everything is written."""
        super().stopService()
        self._stop_observing()
        self._looking.stop()
        self._take(self._sampler.close())
        return Deferred.fromCoroutine(self._finish())

    async def _finish(self) -> None:
        await self._saved
        await self._try_to_save()
        self._store.close()

    # Looks.

    def faults_changed(self, faults: Sequence[Fault]) -> None:
        """A fault that goes at once is not missed."""
        self._faults |= set(map(fault_seen, faults))

    def _look(self) -> None:
        moment = self._clock.seconds()
        date = self._clock.date(moment)
        look = self._seen(date)
        sample = self._sampler.look(moment, date, look)
        self._take(sample)
        # When a minute has ended, so that what a power cut takes is not a minute more.
        if moment >= self._next_save and (sample is not None or look is None):
            self._save()

    def _seen(self, date: float) -> Look | None:
        """What the model shows, with the faults that there were since the last look."""
        faults, self._faults = self._faults, frozenset()
        look = look_at(self._boiler)
        if look is None:
            return None
        self._consume(look.burnt, date)
        return replace(look, faults=look.faults | faults)

    def _consume(self, counter: float | None, now: float) -> None:
        if counter is not None:
            today = datetime.fromtimestamp(now).date()
            self.consumed = consumed_by(self.consumed, counter, now, today)

    def _take(self, sample: Sample | None) -> None:
        if sample is not None:
            self._pending.append(sample)

    # The file.

    def read(self, work: Callable[[sqlite3.Cursor], T]) -> "Deferred[T]":
        """Read the file, as it would be if everything until now were in it.

        The result fails with ``sqlite3.Error``, ``OSError`` or ``NewerSchemaError`` where there is
        no history to be had.
        """
        now = self._sampler.open
        held = self._dated([*self._pending, *([now] if now else [])])

        def peek(cursor: sqlite3.Cursor) -> T:
            try:
                write_live(cursor, held)
                return work(cursor)
            finally:
                # The whole transaction: of a savepoint, SQLite would write the pages all the same.
                cursor.execute("ROLLBACK")

        return self._store.run(peek if held else work)

    def _dated(self, samples: Sequence[Sample]) -> list[Dated]:
        """Samples with their dates; none while the clock is not believed."""
        moment = self._clock.seconds()
        date = dates(self._clock)
        if not self._plausibility.believed(moment, date(moment), self._newest, self._is_set()):
            return []
        return [Dated(int(date(each.moment) // MINUTE), each) for each in samples]

    def _save(self) -> None:
        self._next_save = self._clock.seconds() + WRITE_EVERY - LOOK_EVERY / 2
        if self._saved.called:
            self._saved = Deferred.fromCoroutine(self._try_to_save())
            self._saved.addErrback(lambda why: log.failure("keeping the history failed", why))

    async def _try_to_save(self) -> None:
        try:
            if self._start is None:
                await self._begin()
            await self._write()
        except (sqlite3.Error, OSError, NewerSchemaError) as wrong:
            self._failed(wrong)
        else:
            self._recovered()

    async def _begin(self) -> None:
        names = {
            each.object: Recorded(each.object, each.name, each.unit)
            for each in self._boiler.channels.values()
        }
        start = await self._store.run(lambda cursor: begin(cursor, names, self._directory))
        self._start = start
        self._newest = start.newest
        seen, self.consumed = self.consumed, start.consumed
        if seen is not None:
            self._consume(seen.last, self._clock.date(self._clock.seconds()))

    async def _write(self) -> None:
        held = self._dated(list(self._pending))
        if not held:
            return
        consumed = self.consumed

        def write(cursor: sqlite3.Cursor) -> None:
            write_live(cursor, held)
            keep_consumed(cursor, consumed)

        await self._store.run(write)
        self._newest = max(self._newest, held[-1].date)
        written = held[-1].sample.moment
        while self._pending and self._pending[0].moment <= written:
            self._pending.popleft()

    def _failed(self, wrong: Exception) -> None:
        reason = str(wrong)
        if reason != self._failing:
            log.warn(
                "the history in {directory} cannot be written, the last day is held in memory: "
                "{reason}",
                directory=str(self._directory.path),
                reason=reason,
            )
        self._failing = reason

    def _recovered(self) -> None:
        if self._failing:
            log.info("the history is written again")
        self._failing = ""
