"""What the bridge's proxy costs, beside a direct connection and twisted.protocols.portforward.

    python benchmarks/bench_proxy.py

Each contender is a process of its own, and so is the boiler; they are measured in turn, several
times, and the median of each figure is printed.
"""

import argparse
import multiprocessing
import os
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import invented
from invented import GAP, TAIL, spin

HOST = "127.0.0.1"
TELEMETRY = invented.lines()
LINES = 10_000
MEGABYTES = 100
ROUND_TRIPS = 2_000


def _serve(connection: socket.socket) -> None:
    """A boiler's connection: answers in one or two segments, sends lines or a flood."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reply = b"$666151\r\n"
    with connection, connection.makefile("rb") as requests:
        for request in requests:
            if request == b"$one\r\n":
                connection.sendall(reply)
            elif request == b"$two\r\n":
                connection.sendall(reply[:-TAIL])
                spin(GAP)
                connection.sendall(reply[-TAIL:])
            elif request == b"$lines\r\n":
                for turn in range(LINES):
                    line = TELEMETRY[turn % len(TELEMETRY)]
                    connection.sendall(line[:-TAIL])
                    spin(GAP)
                    connection.sendall(line[-TAIL:])
                    spin(GAP)
            elif request == b"$flood\r\n":
                piece = bytes(65_536)
                for _ in range(MEGABYTES * 16):
                    connection.sendall(piece)


def boiler(announce: "multiprocessing.connection.Connection") -> None:
    listener = socket.create_server((HOST, 0), backlog=600)
    announce.send(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection,), daemon=True).start()


class Contender:
    """One way from the client to the boiler."""

    def __init__(self, name: str, boiler_port: int, *arguments: str) -> None:
        self.name = name
        self.process: subprocess.Popen[str] | None = None
        self.port = boiler_port
        if name != "direct":
            self.process = subprocess.Popen(
                [
                    *(sys.executable, str(Path(__file__).with_name("proxies.py"))),
                    *(name, str(self.port), *arguments),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert self.process.stdout is not None
            self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        """End its process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def connect(self) -> socket.socket:
        """A client's connection."""
        connection = socket.create_connection((HOST, self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def cpu_seconds(self) -> float:
        """CPU time that the process has used."""
        if self.process is None:
            return 0.0
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """Memory of the process."""
        if self.process is None:
            return 0.0
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def round_trips(contender: Contender, request: bytes) -> tuple[float, float]:
    """Median and 99th percentile of a request and its whole reply, in µs."""
    times = []
    with contender.connect() as connection:
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter()
            connection.sendall(request)
            received = b""
            while not received.endswith(b"\r\n"):
                received += connection.recv(64)
            times.append((time.perf_counter() - began) * 1e6)
    times.sort()
    return times[len(times) // 2], times[len(times) * 99 // 100]


def _drain(connection: socket.socket, size: int) -> None:
    while size > 0:
        size -= len(connection.recv(262_144))


def throughput(contender: Contender) -> float:
    """MB/s from the boiler to the client."""
    with contender.connect() as connection:
        began = time.perf_counter()
        connection.sendall(b"$flood\r\n")
        _drain(connection, MEGABYTES * 2**20)
        return MEGABYTES * 2**20 / 1e6 / (time.perf_counter() - began)


def line_cpu(contender: Contender) -> float:
    """CPU seconds for 10,000 telemetry lines, each in two segments."""
    with contender.connect() as connection:
        before = contender.cpu_seconds()
        connection.sendall(b"$lines\r\n")
        _drain(connection, sum(map(len, TELEMETRY)) * LINES // len(TELEMETRY))
        return contender.cpu_seconds() - before


def memory(contender: Contender) -> dict[int, float]:
    """MiB of the process with so many sessions open."""
    used = {}
    connections: list[socket.socket] = []
    for wanted in (1, 10, 100, 500):
        while len(connections) < wanted:
            connection = contender.connect()
            connections.append(connection)
            connection.sendall(b"$one\r\n")
            _drain(connection, 9)
        used[wanted] = contender.resident_mib()
    for each in connections:
        each.close()
    return used


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument(
        "contenders",
        nargs="*",
        default=["direct", "portforward", "bridge", "understanding", "control"],
    )
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=boiler, args=(theirs,), daemon=True)
    process.start()
    boiler_port = ours.recv()
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in options.contenders}
    for _ in range(options.rounds):
        for name in options.contenders:
            contender = Contender(name, boiler_port)
            try:
                row = {}
                row["1 segment p50 µs"], row["1 segment p99 µs"] = round_trips(
                    contender, b"$one\r\n"
                )
                row["2 segments p50 µs"], row["2 segments p99 µs"] = round_trips(
                    contender, b"$two\r\n"
                )
                row["MB/s"] = throughput(contender)
                row["CPU s / 10,000 lines"] = line_cpu(contender)
                for sessions, mib in memory(contender).items():
                    row[f"MiB at {sessions} sessions"] = mib
            finally:
                contender.stop()
            for key, value in row.items():
                figures[name].setdefault(key, []).append(value)
    process.terminate()
    names = list(figures)
    print(f"{'median of ' + str(options.rounds):24}" + "".join(f"{name:>16}" for name in names))
    for key in figures[names[0]]:
        medians = [statistics.median(figures[name][key]) for name in names]
        print(f"{key:24}" + "".join(f"{value:16.2f}" for value in medians))


if __name__ == "__main__":
    main()
