"""What other sessions' floods do to one session.

    python benchmarks/bench_flood.py [--sessions 100] [--bytes 65536] [--floods 5] [CONTENDER ...]

The boiler sends so many bytes of telemetry at once in each of the sessions, while a gateway asks in
another one. Printed are that one's round trips without a flood, while the flooded clients receive
theirs, and while the contender is busy with what it makes of that; how long both take; and memory.
"""

import argparse
import select
import socket
import time
from collections.abc import Iterable

from bench_wire import Boiler, ask, log_in
from wire_contenders import Broker, Contender, available
from wire_networks import networks

PAUSE = 0.001
BUSY_UNTIL = 0.05
"""Seconds without CPU time of the contender's after which it is done."""


def percentiles(times: list[float]) -> str:
    """Median, 99th percentile and the longest, in µs."""
    times.sort()
    if not times:
        return f"{'-':>26}"
    return f"{times[len(times) // 2]:8.0f} {times[len(times) * 99 // 100]:8.0f} {times[-1]:8.0f}"


def asked(connection: socket.socket) -> float:
    """One round trip, in µs."""
    began = time.perf_counter()
    ask(connection, b"$uptime")
    return (time.perf_counter() - began) * 1e6


def received(connections: Iterable[socket.socket]) -> int:
    """How many bytes are there, of all of them."""
    ready, _, _ = select.select(list(connections), [], [], 0)
    return sum(len(each.recv(1 << 20)) for each in ready)


class Flooded:
    """A contender, a session that asks, and those that are flooded."""

    def __init__(self, contender: Contender, boiler: Boiler, sessions: int) -> None:
        self._contender = contender
        self._boiler = boiler
        # What the boiler describes is known from now on. No request of the bridge's own is in the
        # way of a session that has not logged in.
        log_in(contender).close()
        self._asking = contender.connect()
        ask(self._asking, b"$uptime")
        boiler.tell("forget")
        self._others = [contender.connect(number) for number in range(1, sessions + 1)]
        for each in self._others:
            ask(each, b"$uptime")
        self.quiet: list[float] = []
        self.passing: list[float] = []
        self.after: list[float] = []
        self.passed_in = 0.0
        self.done_in = 0.0

    def wait(self) -> None:
        """Round trips without a flood."""
        for _ in range(200):
            self.quiet.append(asked(self._asking))
            time.sleep(PAUSE)

    def flood(self, size: int) -> None:
        """Round trips while there is one."""
        # The last line that would not be whole is left out.
        wanted = (size - 4096) * len(self._others)
        began = time.perf_counter()
        self._boiler.tell(f"flood {size}")
        while wanted > 0:
            self.passing.append(asked(self._asking))
            wanted -= received(self._others)
        self.passed_in = time.perf_counter() - began
        self._follow(began)

    def _follow(self, began: float) -> None:
        busy = time.perf_counter()
        used = self._contender.cpu_seconds()
        while time.perf_counter() - busy < BUSY_UNTIL:
            self.after.append(asked(self._asking))
            received(self._others)
            time.sleep(PAUSE)
            now = self._contender.cpu_seconds()
            if now - used > PAUSE / 2:
                busy = time.perf_counter()
            used = now
        self.done_in = busy - began

    def close(self) -> None:
        """Hang up."""
        for each in (self._asking, *self._others):
            each.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=100, help="that are flooded")
    parser.add_argument("--bytes", type=int, default=65536, help="in each of them")
    parser.add_argument("--floods", type=int, default=5, help="one after the other")
    parser.add_argument("contenders", nargs="*", default=["portforward", "bridge", "everything"])
    options = parser.parse_args()
    where = networks("")
    boiler = Boiler(where)
    head = f"{'p50':>8} {'p99':>8} {'longest':>8}"
    print(f"{'':12} {'quiet, µs':>26}  {'while they receive':>26}  {'afterwards':>26}")
    print(f"{'':12} {head}  {head}  {head}   passed   done    MB, then")
    with Broker(where):
        for kind in filter(available, options.contenders):
            with Contender(kind, where, 0) as contender:
                time.sleep(3)
                flooded = Flooded(contender, boiler, options.sessions)
                flooded.wait()
                before = contender.megabytes()
                for _ in range(options.floods):
                    flooded.flood(options.bytes)
                print(
                    f"{kind:12} {percentiles(flooded.quiet)}  {percentiles(flooded.passing)}  "
                    f"{percentiles(flooded.after)} "
                    f"{flooded.passed_in:6.3f} s {flooded.done_in:6.3f} s "
                    f"{before:5.1f} {contender.megabytes():5.1f}",
                    flush=True,
                )
                flooded.close()
    boiler.stop()
    where.close()


if __name__ == "__main__":
    main()
