"""What the bridge adds to the wire, beside every other way to relay a connection.

    python benchmarks/bench_wire.py [--rounds 3] [--minutes 1] [--sessions 500] [CONTENDER ...]

Contenders: direct, relay (the barest relay in Python), portforward (Twisted's), socat and haproxy
where they are installed, proxy (the bridge's without observers), bridge (``twist hargassner`` with
neither broker nor page nor recording), everything (with all of them, the page's history included).

Each is a process of its own, and so is the boiler. As root on Linux they are between networks of
their own, with the real ports; else on loopback. The contenders are measured in turn, some rounds;
printed are the median of each figure, and its ratio to portforward's.
"""

import argparse
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, cast

from wire_boiler import LINES
from wire_contenders import KINDS, Broker, Contender, available
from wire_networks import Networks, end_when_told, networks

ROUND_TRIPS = 2_000
SETTLING = 1.5
PACED = 300
PACE = 0.005
"""Seconds between two round trips that are paced; a gateway leaves more between two requests."""
TELEMETRY_LINES = 10_000
KEEP_ALIVE = 5.0
"""Seconds between two requests of a gateway's."""
REQUESTS = (b"$setkomm", b"$erract", b'$par get changed "2023-11-12 18:21:37"', b"$rtc get")

Row = dict[str, float]


class Boiler:
    """The process at the boiler's end."""

    def __init__(self, where: Networks) -> None:
        address, port = where.boiler
        script = str(Path(__file__).with_name("wire_boiler.py"))
        self._process = subprocess.Popen(
            where.beside("boiler", [sys.executable, script, address, str(port)]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listen()

    def _listen(self) -> None:
        cast("IO[str]", self._process.stdout).readline()

    def tell(self, command: str) -> None:
        """Have it do something, and wait until it is done."""
        stdin = cast("IO[str]", self._process.stdin)
        stdin.write(command + "\n")
        stdin.flush()
        self._listen()

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def ask(connection: socket.socket, request: bytes, end: bytes = b"\r\n") -> bytes:
    """A request, and what comes until ``end``."""
    connection.sendall(request + b"\r\n")
    received = b""
    while not received.endswith(end):
        received += connection.recv(65_536)
    return received


def log_in(contender: Contender) -> socket.socket:
    """A session that has begun as a gateway's begins."""
    connection = contender.connect()
    ask(connection, b"$login token")
    ask(connection, b"$login key " + b"13" * 17)
    ask(connection, b"$daq desc", b">>\r\n")
    return connection


def round_trips(contender: Contender, number: int, pause: float) -> tuple[float, float]:
    """Median and 99th percentile of ``$uptime`` and its whole reply, in µs."""
    times = []
    with log_in(contender) as connection:
        # What the boiler's description brings about, such as topics, is no part of it.
        time.sleep(SETTLING)
        for _ in range(number):
            time.sleep(pause)
            began = time.perf_counter()
            ask(connection, b"$uptime")
            times.append((time.perf_counter() - began) * 1e6)
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]


def line_cpu(contender: Contender, boiler: Boiler) -> float:
    """CPU seconds for 10,000 telemetry lines, each in two segments."""
    size = sum(len(LINES[turn % len(LINES)]) for turn in range(TELEMETRY_LINES))
    with log_in(contender) as connection:
        before = contender.cpu_seconds()
        speaking = threading.Thread(target=boiler.tell, args=(f"lines {TELEMETRY_LINES}",))
        speaking.start()
        while size > 0:
            size -= len(connection.recv(262_144))
        speaking.join()
        return contender.cpu_seconds() - before


def memory_of(contender: Contender, sessions: int) -> float:
    """MB of the contender with so many sessions open."""
    connections = []
    # The bridge ends a gateway's old session when it connects anew: each has its own address.
    for number in range(1, sessions + 1):
        connections.append(contender.connect(number))
        ask(connections[-1], b"$uptime")
    used = contender.megabytes()
    for each in connections:
        each.close()
    return used


def measure(contender: Contender, boiler: Boiler, sessions: int) -> Row:
    """Everything that is measured of one contender at a time."""
    row: Row = {"start: CPU s": contender.start_cpu, "start: MB": contender.megabytes()}
    for segments in (1, 2):
        boiler.tell(f"segments {segments}")
        for name, number, pause in (("segment", ROUND_TRIPS, 0), ("paced", PACED, PACE)):
            p50, p99 = round_trips(contender, number, pause)
            row[f"{segments} {name}: p50 µs"], row[f"{segments} {name}: p99 µs"] = p50, p99
    boiler.tell("segments 1")
    row["CPU s for 10,000 lines"] = line_cpu(contender, boiler)
    row["MB after that"] = contender.megabytes()
    row[f"MB with {sessions} sessions"] = memory_of(contender, sessions)
    return row


def added(row: Row, direct: Row) -> Row:
    """Round trips without what the way takes by itself."""
    return {key: value - direct.get(key, 0) if "µs" in key else value for key, value in row.items()}


class Gateways:
    """Gateways that ask in these sessions as often as a real one does, and read what comes."""

    def __init__(self, connections: Iterable[socket.socket]) -> None:
        self._over = threading.Event()
        self._connections = list(connections)
        self._threads = [threading.Thread(target=self._ask, args=(each,)) for each in connections]

    def __enter__(self) -> None:
        for each in self._threads:
            each.start()

    def __exit__(self, *_what: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        for connection in self._connections:
            connection.close()

    def _ask(self, connection: socket.socket) -> None:
        turn = 0
        connection.settimeout(0.5)
        due = time.monotonic()
        while not self._over.is_set():
            if time.monotonic() >= due:
                due += KEEP_ALIVE
                connection.sendall(REQUESTS[turn % len(REQUESTS)] + b"\r\n")
                turn += 1
            try:
                connection.recv(65_536)
            except TimeoutError:
                continue


def real_sessions(
    contenders: Iterable[Contender], boiler: Boiler, minutes: float
) -> dict[str, float]:
    """CPU seconds an hour of a session at the real pace: all at once, each idles nearly always.

    A line a second in two segments, a request of the gateway's every five seconds.
    """
    running = [(each, log_in(each)) for each in contenders]
    boiler.tell("segments 2")
    boiler.tell("pace 1")
    with Gateways([connection for _, connection in running]):
        time.sleep(5)
        before = [each.cpu_seconds() for each, _ in running]
        time.sleep(minutes * 60)
        after = [each.cpu_seconds() for each, _ in running]
        boiler.tell("pace 0")
    return {
        contender.kind: (late - early) * 60 / minutes
        for (contender, _), early, late in zip(running, before, after, strict=True)
    }


def table(figures: dict[str, dict[str, float]], reference: str) -> str:
    """The figures, with their ratios to those of the reference."""
    keys = list(next(iter(figures.values())))
    lines = [" " * 24 + "".join(f"{name:>19}" for name in figures)]
    for key in keys:
        base = figures.get(reference, {}).get(key, 0)
        cells = []
        for name, row in figures.items():
            ratio = f"{row[key] / base:6.2f} ×" if base and name != "direct" else " " * 8
            cells.append(f"{row[key]:10.2f} {ratio}")
        lines.append(f"{key:24}" + "".join(cells))
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--minutes", type=float, default=1, help="of the real session; 0: none")
    parser.add_argument("--sessions", type=int, default=500, help="at once, for the memory")
    parser.add_argument("--loopback", action="store_true", help="use no network namespaces")
    parser.add_argument("contenders", nargs="*", default=["direct", *KINDS])
    return parser.parse_args()


def _median_of(rounds: list[Row]) -> Row:
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def _in_turn(options: argparse.Namespace, where: Networks, boiler: Boiler) -> dict[str, Row]:
    kinds = [each for each in options.contenders if each == "direct" or available(each)]
    rounds: dict[str, list[Row]] = {kind: [] for kind in kinds}
    for _ in range(options.rounds):
        direct: Row = {}
        for number, kind in enumerate(kinds):
            with Contender(kind, where, number) as contender:
                row = measure(contender, boiler, options.sessions)
            boiler.tell("forget")
            rounds[kind].append(added(row, direct))
            direct = row if kind == "direct" else direct
    return {kind: _median_of(each) for kind, each in rounds.items()}


def _at_real_pace(
    options: argparse.Namespace, where: Networks, boiler: Boiler, figures: dict[str, Row]
) -> None:
    contenders = [
        Contender(kind, where, number) for number, kind in enumerate(figures) if kind != "direct"
    ]
    boiler.tell("forget")
    try:
        hours = real_sessions(contenders, boiler, options.minutes)
    finally:
        for each in contenders:
            each.__exit__()
    for kind, row in figures.items():
        row["CPU s, a real hour"] = hours.get(kind, 0.0)


def _more_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))


def main() -> None:
    """Measure and print."""
    options = _arguments()
    end_when_told()
    _more_descriptors()
    where = networks("loopback" if options.loopback else "")
    closing: list[Callable[[], object]] = [where.close]
    try:
        boiler = Boiler(where)
        closing.append(boiler.stop)
        with Broker(where):
            figures = _in_turn(options, where, boiler)
            if options.minutes:
                _at_real_pace(options, where, boiler, figures)
    finally:
        for each in reversed(closing):
            each()
    print(f"over {where.name}, median of {options.rounds}; round trips: what is added to direct")
    print(table(figures, "portforward"))


if __name__ == "__main__":
    main()
