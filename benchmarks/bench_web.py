"""What open pages cost the bridge, and the proxy's round trip with and without them.

    python benchmarks/bench_web.py

The bridge is a process of its own, and so is a simulated boiler that sends its telemetry every
second.  Pages are open streams of events that are read at once, in a third process.  Meanwhile a
client asks the boiler through the bridge, over and over, and measures how long each answer takes;
"direct" asks the boiler itself.
"""

import argparse
import multiprocessing
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from hargassner.simulator.boiler.layout import standard_layout

HOST = "127.0.0.1"
BOILER = "127.0.81.2"
REQUEST = b"$setkomm\r\n"
REPLY = b"$permission denied\r\n"

_BOILER = """
import sys
from twisted.internet import reactor
from hargassner.simulator.boiler.server import SimulatedBoiler
boiler = SimulatedBoiler(reactor, address=sys.argv[1], telnet_port=int(sys.argv[2]),
                         discovery=False, reply_delay=0, segment_gap=0, speed=60)
boiler.startService()
reactor.run()
"""

_CONFIGURATION = """
[gateway]
address = "{host}"
telnet_port = {telnet}
allow = ["any"]
[boiler]
address = "{host}"
host = "{boiler}"
telnet_port = {boiler_port}
[discovery]
boiler_port = {udp[0]}
gateway_port = {udp[1]}
boiler_diagnostics_port = {udp[2]}
gateway_diagnostics_port = {udp[3]}
[web]
listen = "{web}"
[state]
directory = "{state}"
"""


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class Bridge:
    """A bridge in a process of its own, which reads the boiler's telemetry.

    Args:
        boiler_port: where the boiler is.
        page: whether it has a page.
        document: the boiler's descriptor, which only a gateway may ask for.
    """

    def __init__(self, boiler_port: int, page: bool, document: bytes) -> None:
        self.telnet, self.web, *udp = _free_ports(6)
        self._directory = tempfile.TemporaryDirectory()
        directory = Path(self._directory.name)
        (directory / "descriptor.xml").write_bytes(document)
        configuration = directory / "hargassner.toml"
        configuration.write_text(
            _CONFIGURATION.format(
                host=HOST,
                telnet=self.telnet,
                boiler=BOILER,
                boiler_port=boiler_port,
                udp=udp,
                web=f"tcp:{self.web}:interface={HOST}" if page else "",
                state=directory,
            )
        )
        self.process = subprocess.Popen(
            [str(Path(sys.executable).with_name("twist")), "hargassner", "--config", configuration],
            stdout=subprocess.DEVNULL,
        )
        _wait_for(HOST, self.telnet)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()
        self._directory.cleanup()

    def cpu_seconds(self) -> float:
        """CPU time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """Its memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _wait_for(host: str, port: int) -> None:
    while True:
        try:
            socket.create_connection((host, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return


def _read_pages(port: int, count: int, received: "Synchronized[int]") -> None:
    """Open pages, and read what they are told."""
    selector = selectors.DefaultSelector()
    for _ in range(count):
        page = socket.create_connection((HOST, port))
        page.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        selector.register(page, selectors.EVENT_READ, page)
    while True:
        for key, _ in selector.select():
            received.value += len(key.data.recv(262_144))


class Pages:
    """Open pages that read what they are told, in a process of their own.

    Args:
        port: where the page is.
        count: how many.
    """

    def __init__(self, port: int, count: int) -> None:
        self._received = multiprocessing.Value("q", 0)
        self._process = multiprocessing.Process(
            target=_read_pages, args=(port, count, self._received), daemon=True
        )
        self._process.start()

    @property
    def received(self) -> int:
        """Bytes so far."""
        return self._received.value

    def close(self) -> None:
        """Close them."""
        self._process.kill()
        self._process.join()


def round_trips(host: str, port: int, seconds: float) -> list[float]:
    """How long each answer took, in µs, sorted; one question every few ms."""
    times = []
    with socket.create_connection((host, port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            connection.sendall(REQUEST)
            received = b""
            while REPLY not in received:
                received += connection.recv(65_536)
            times.append((time.perf_counter() - began) * 1e6)
            time.sleep(0.003)
    return sorted(times)


def measured(
    boiler_port: int, pages: int | None, seconds: float, document: bytes
) -> dict[str, float]:
    """One row of figures; ``pages`` is None for a bridge without a page."""
    bridge = Bridge(boiler_port, pages is not None, document)
    reading = None
    try:
        time.sleep(3)
        if pages:
            reading = Pages(bridge.web, pages)
            time.sleep(2)
        before = bridge.cpu_seconds()
        told = reading.received if reading else 0
        times = round_trips(HOST, bridge.telnet, seconds)
        row = _percentiles(times)
        row["round trips CPU %"] = (bridge.cpu_seconds() - before) / seconds * 100
        row["kB/s a page"] = (reading.received - told) / seconds / pages / 1e3 if reading else 0
        before = bridge.cpu_seconds()
        time.sleep(seconds)
        row["idle CPU %"] = (bridge.cpu_seconds() - before) / seconds * 100
        row["MiB"] = bridge.resident_mib()
    finally:
        if reading is not None:
            reading.close()
        bridge.stop()
    return row


def _percentiles(times: list[float]) -> dict[str, float]:
    return {
        "p50 µs": times[len(times) // 2],
        "p99 µs": times[len(times) * 99 // 100],
        "p99.9 µs": times[len(times) * 999 // 1000],
        "worst µs": times[-1],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long each figure takes")
    parser.add_argument("--pages", type=int, default=20, help="how many pages are open")
    options = parser.parse_args()
    document = standard_layout().document()
    [boiler_port] = _free_ports(1)
    boiler = subprocess.Popen([sys.executable, "-c", _BOILER, BOILER, str(boiler_port)])
    figures: dict[str, dict[str, list[float]]] = {}
    try:
        _wait_for(BOILER, boiler_port)
        for _ in range(options.rounds):
            rows = {
                "direct": _percentiles(round_trips(BOILER, boiler_port, options.seconds)),
                "page off": measured(boiler_port, None, options.seconds, document),
                "no page open": measured(boiler_port, 0, options.seconds, document),
                f"{options.pages} pages open": measured(
                    boiler_port, options.pages, options.seconds, document
                ),
            }
            for name, row in rows.items():
                for key, value in row.items():
                    figures.setdefault(name, {}).setdefault(key, []).append(value)
    finally:
        boiler.kill()
        boiler.wait()
    print(f"{'median of ' + str(options.rounds):20}" + "".join(f"{name:>16}" for name in figures))
    for key in figures["no page open"]:
        cells = [
            f"{statistics.median(columns[key]):16.1f}" if key in columns else " " * 16
            for columns in figures.values()
        ]
        print(f"{key:20}" + "".join(cells))


if __name__ == "__main__":
    main()
