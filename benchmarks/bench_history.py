"""What ten years of history cost: room, wear, time, memory; and what power cuts take.

    python benchmarks/bench_history.py [--years 10] [--cuts 200]

Twenty channels and the boiler's state.  A file of many years has every quarter of an hour and every
day; the minutes that made them are gone after 14 days anyway, so that only the last month is
written minute by minute, and before that one minute of each quarter.
"""

import argparse
import math
import multiprocessing
import os
import random
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.internet.utils import getProcessOutput

sys.path.insert(0, str(Path(__file__).parents[1]))

from hargassner.boiler.model import Boiler
from hargassner.clock import ReactorClock, run_evenly
from hargassner.storage.directory import StateDirectory
from hargassner.storage.history import opening
from hargassner.storage.history.csv_text import csv_pieces
from hargassner.storage.history.query import Query, select
from hargassner.storage.history.reader import kept
from hargassner.storage.history.samples import Dated, Recorded, Sample
from hargassner.storage.history.service import History
from hargassner.storage.history.store import Store
from hargassner.storage.history.writer import write_live
from hargassner.web.connections import PageSite
from hargassner.web.history import HistoryResource
from hargassner.web.history_forms import json_pieces
from hargassner.web.history_labels import labels_of
from tests.storage.history import writing_process
from tests.storage.history.power_cuts import left_in

NAMES = (
    ["TK", "TRL", "Leistung", "TRG", "TPo", "TPm", "TPu", "Puff Füllgrad", "Taus"]
    + [f"TB{tank}" for tank in "A123B"]
    + [f"TVL_{circuit}" for circuit in "A12345"]
)
CHANNELS = [Recorded(f"c{at}", name, "°C") for at, name in enumerate(NAMES)]
STATE = Recorded("zk", "ZK", "", is_state=True)
DAY = 86_400
# The last minute that is written is the last one that has passed.
END = int(time.time()) // 60
STATES = (1, 3, 4, 5, 6, 7, 7, 7, 7, 8, 9, 10)


def sample(minute: int, weight: float) -> Dated:
    """A minute of an invented boiler, which stands for ``weight`` of them."""
    season = math.cos(2 * math.pi * minute / (365 * 1440))
    values = {
        each: round(50 + 10 * season + 20 * math.sin(minute / (7 + at) + at), 1)
        for at, each in enumerate(CHANNELS)
    }
    code = STATES[minute // 20 % len(STATES)]
    values[STATE] = float(code)
    seconds = 60.0 * weight
    tally = {
        "seconds": seconds,
        f"state/{code}": seconds,
        "pump/hkp1": seconds,
        "pump/hkp2": seconds / 2,
        "pump/bp1": seconds / 3,
        "full_load": seconds * 0.4,
        "outdoor": seconds * (8 - 12 * season),
        "outdoor_seconds": seconds,
        "ignitions": float(minute % 240 == 0),
        "ash_removals": float(minute % 720 == 0),
    }
    burnt = round(minute * 0.015, 1)
    return Dated(minute, Sample(0.0, values, tally, burnt, 3000 - burnt % 3000, frozenset()))


def batches(years: float) -> Iterator[list[Dated]]:
    """All minutes, a day at a time, and the last day ten minutes at a time."""
    first, dense = END - int(years * 365.25 * 1440), END - 30 * 1440
    for begin in range(first, dense, 1440):
        yield [sample(each, 15.0) for each in range(begin, min(begin + 1440, dense), 15)]
    for begin in range(dense, END - 1440, 1440):
        yield [sample(each, 1.0) for each in range(begin, begin + 1440)]


def written() -> tuple[int, int]:
    """Bytes that this process has handed to the system to write, and has had it write."""
    lines = Path("/proc/self/io").read_text().splitlines()
    found = dict(line.split(": ") for line in lines)
    return int(found["wchar"]), int(found["write_bytes"])


def size(path: Path) -> float:
    """Megabytes of the file and what belongs to it."""
    return sum(each.stat().st_size for each in path.glob(f"{opening.FILE}*")) / 1e6


def fill(directory: StateDirectory, years: float) -> None:
    """Write the years, then a day as it is written while the bridge runs."""
    connection = opening.connect(directory)
    began = time.perf_counter()
    for number, batch in enumerate(batches(years)):
        with connection:
            write_live(connection.execute("BEGIN IMMEDIATE"), batch)
        if number % 730 == 729:
            print(f"  {number / 365.25:4.1f} years: {size(directory.path):6.1f} MB")
    print(f"  {years:4.1f} years: {size(directory.path):6.1f} MB", end="")
    print(f", written in {time.perf_counter() - began:.0f} s")
    before, took = written(), []
    for begin in range(END - 1440, END, 10):
        batch = [sample(each, 1.0) for each in range(begin, begin + 10)]
        started = time.perf_counter()
        with connection:
            write_live(connection.execute("BEGIN IMMEDIATE"), batch)
        took.append(time.perf_counter() - started)
    after = written()
    given, done = ((new - old) / 24e6 for old, new in zip(before, after, strict=True))
    print(f"  a day, ten minutes a transaction: {given:.2f} MB an hour written ", end="")
    print(f"({done:.2f} MB as whole blocks)")
    print(f"  a transaction: {figures(took)}")
    connection.close()


def figures(took: list[float]) -> str:
    """Median, 99th percentile and maximum, in milliseconds."""
    ordered = sorted(took)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    middle = statistics.median(ordered)
    return f"p50 {middle * 1e3:.1f} ms, p99 {last * 1e3:.1f} ms, max {ordered[-1] * 1e3:.1f} ms"


RANGES: dict[str, tuple[float, str, int]] = {
    "day, minutes": (1, "minute", 100),
    "week, quarters": (7, "quarter", 100),
    "month, quarters": (31, "quarter", 100),
    "year, days": (366, "day", 100),
    "ten years, days": (3660, "day", 100),
    "year, quarters": (366, "quarter", 20),
}


def query_times(directory: StateDirectory) -> None:
    """How long each range takes, all channels, as text."""
    connection = opening.connect(directory)
    labels = labels_of(Boiler(), 4.3, "en")
    for name, (days, grain, rounds) in RANGES.items():
        query = Query(END * 60.0 - days * DAY, END * 60.0, grain)
        for form in ("json", "csv"):
            took, length = [], 0
            for _ in range(rounds):
                started = time.perf_counter()
                cursor = connection.execute("BEGIN")
                pieces = (
                    json_pieces(query, labels, cursor)
                    if form == "json"
                    else csv_pieces(select(query, kept(cursor)), 4.3, False)
                )
                length = sum(len(piece(cursor)) for piece in [*pieces])
                connection.rollback()
                took.append(time.perf_counter() - started)
            print(f"  {name:16} {form:4} {length / 1e6:6.2f} MB  {figures(took)}")
    connection.close()


CLIENT = """
import sys, time, urllib.request
began = time.perf_counter()
request = urllib.request.Request(sys.argv[1], headers={"accept-encoding": sys.argv[2]})
with urllib.request.urlopen(request) as answer:
    length = len(answer.read())
print(f"{length / 1e6:6.2f} MB in {time.perf_counter() - began:.2f} s", end="")
"""
EXPORTS = (("json", "identity"), ("csv", "identity"), ("csv", "gzip"))


class Turns:
    """The CPU time of the reactor's thread in each of its turns, whatever else the machine does."""

    def __init__(self) -> None:
        self.longest = 0.0
        for name in ("runUntilCurrent", "doIteration"):
            setattr(reactor, name, partial(self._measured, getattr(reactor, name)))

    def _measured(self, work: Callable[..., None], *arguments: Any) -> None:
        began = time.thread_time()
        work(*arguments)
        self.longest = max(self.longest, time.thread_time() - began)


class Running:
    """The history in a reactor, with a page's questions, and a timer that tells how late it is."""

    def __init__(self, directory: StateDirectory) -> None:
        self.late: list[float] = []
        self._turns = Turns()
        self._store = Store(directory, reactor)
        self._history = History(Boiler(), directory, self._store, ReactorClock(reactor))
        self._due = 0.0
        self._timer = LoopingCall(self._tick)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.late.append(max(0.0, now - self._due))
        self._due = now + 0.002

    async def run(self) -> None:
        """Write and read for a while."""
        labels = labels_of(Boiler(), 4.3, "en")
        await self._store.run(kept)
        before = memory()
        self._due = time.perf_counter() + 0.002
        self._timer.start(0.002, now=False)
        await self._idle(2.0)
        print(f"  idle:           reactor late {figures(self.late)}")
        self.late.clear()
        for begin in range(END, END + 200, 10):
            batch = [sample(each, 1.0) for each in range(begin, begin + 10)]
            await self._store.run(partial(write_live, samples=batch))
        print(f"  20 transactions: reactor late {figures(self.late)}")
        for name, (days, grain, _) in RANGES.items():
            self.late.clear()
            query = Query(END * 60.0 - days * DAY, END * 60.0, grain)
            for _ in range(5):
                form: Callable[..., Any] = lambda cursor, query=query: [  # noqa: E731
                    *json_pieces(query, labels, cursor)
                ]
                for piece in await self._history.read(form):
                    await self._history.read(piece)
            print(f"  {name:16} reactor late {figures(self.late)}")
        await self._export()
        self._timer.stop()
        print(f"  memory: {before:.1f} MB when opened, {memory():.1f} MB at most", end="")
        print(f" ({peak():.1f} MB at the peak)")
        self._store.close()

    async def _export(self) -> None:
        """A year of quarters of an hour as a client gets it that is a process of its own."""
        labels = labels_of(Boiler(), 4.3, "en")
        clock = ReactorClock(reactor)
        history = HistoryResource(self._history, lambda _: labels, lambda _: "en", clock)
        site = PageSite(history.answer, clock)
        port = reactor.listenTCP(0, site, interface="127.0.0.1")
        url = f"http://127.0.0.1:{port.getHost().port}/?grain=quarter"
        url += f"&from={END * 60 - 366 * DAY}&to={END * 60}&format="
        for form, encoding in EXPORTS * 3:
            self.late.clear()
            self._turns.longest = 0.0
            before = time.process_time()
            command = ["-c", CLIENT, url + form, encoding]
            told = await getProcessOutput(sys.executable, command, errortoo=True)
            cpu = time.process_time() - before
            print(f"  year, quarters, {form} ({encoding}): {told.decode()}, {cpu:.2f} s of CPU, ")
            print(f"    longest turn {self._turns.longest * 1e3:.1f} ms", end="")
            print(f", reactor late {figures(self.late)}")
        await port.stopListening()

    async def _idle(self, seconds: float) -> None:
        waited: Deferred[None] = Deferred()
        reactor.callLater(seconds, waited.callback, None)
        await waited


def memory() -> float:
    """Megabytes that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak() -> float:
    """Megabytes that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def in_reactor(directory: StateDirectory) -> None:
    """Write and read in a running reactor."""
    run_evenly(reactor)

    def begin() -> None:
        running = Deferred.fromCoroutine(Running(directory).run())
        running.addErrback(lambda why: why.printTraceback())
        running.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()


def power_cuts(path: Path, count: int) -> None:
    """Kill a process that keeps a history, again and again."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.storage.history.writing_process"])
    chance, left = random.Random(), []
    for number in range(count):
        directory, (notes, told) = path / str(number), processes.Pipe(duplex=False)
        process = processes.Process(target=keep_history, args=(str(directory), told))
        process.start()
        told.close()
        first = last = notes.recv()
        time.sleep(chance.uniform(0, 1.0))
        process.kill()
        with suppress(EOFError):
            while True:
                last = notes.recv()
        process.join()
        left.append(left_in(directory / opening.FILE, first - 1, last))
    lost = Counter(each.lost for each in left)
    damaged = [each for each in left if each.damage or each.holes]
    print(f"  {count} kills: {len(damaged)} files damaged or with holes")
    written_ = sorted(each.minutes for each in left)
    print(f"  minutes in a file: {written_[0]} to {written_[-1]}")
    print(f"  minutes lost: {max(lost, default=0)} at most; ", end="")
    print(", ".join(f"{minutes}: {times}" for minutes, times in sorted(lost.items())))


def keep_history(path: str, told: Any) -> None:
    """What each process does until it is killed."""
    writing_process.main(path, told.send)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=float, default=10.0)
    parser.add_argument("--cuts", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hargassner-history-") as name:
        directory = StateDirectory(Path(name) / "state")
        if options.cuts:
            print("power cuts")
            power_cuts(Path(name), options.cuts)
        print(f"{len(CHANNELS)} channels and the boiler's state")
        fill(directory, options.years)
        print("queries, all channels")
        query_times(directory)
        print("in a running reactor")
        in_reactor(directory)


if __name__ == "__main__":
    main()
