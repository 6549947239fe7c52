"""What many bridges cost one Prometheus: ``python benchmarks/bench_fleet.py [--bridges N]``.

One process serves the metrics of N bridges, each with a boiler of its own that is shown simulated
telemetry, on N ports of loopback; prometheus scrapes them with the configuration and the rules of
``packaging/monitoring``, every five seconds instead of every minute. Needs ``prometheus``.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import LoopingCall

from hargassner.config import config_from
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import Described
from hargassner.monitor.readings import LineReader
from hargassner.parts import build
from hargassner.simulator.boiler.layout import standard_layout
from hargassner.simulator.boiler.plant import Plant
from hargassner.web.service import WebPage

MONITORING = Path(__file__).parent.parent / "packaging" / "monitoring"
SECONDS = 60
INTERVAL = 5


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Shown:
    """A bridge of which only the page runs, and its boiler, which is shown telemetry."""

    def __init__(self, port: int, state: Path, start: int) -> None:
        config = config_from(
            {
                "web": {"listen": f"tcp:{port}:interface=127.0.0.1"},
                "state": {"directory": str(state)},
            }
        )
        self.parts = build(config, reactor)
        self.page = WebPage(self.parts, reactor)
        self.page.startService()
        self.layout, self.plant, self.lines = standard_layout(), Plant(), LineReader()
        self.plant.advance(start)
        self.parts.boiler.apply(Described(parse_descriptor(self.layout.document())), 0)

    def line(self) -> None:
        """A second passes at the boiler."""
        self.plant.advance(1.0)
        line = self.layout.line(self.plant.values(), self.plant.bits()).rstrip(b"\r\n")
        readings = self.lines.read(line, self.parts.boiler.descriptor)
        self.parts.boiler.apply(readings, reactor.seconds())


def serve(ports: list[int], state: Path) -> None:
    """Serve the metrics of all bridges until killed."""
    bridges = [Shown(port, state / str(port), 600 * n) for n, port in enumerate(ports)]

    def next_second() -> None:
        for each in bridges:
            each.line()

    LoopingCall(next_second).start(10.0)
    reactor.callWhenRunning(print, "ready", flush=True)
    reactor.run()


def configure(directory: Path, ports: list[int]) -> Path:
    """The configuration that owners get, with paths and times of this run."""
    text = (MONITORING / "prometheus.yml").read_text()
    text = text.replace("/etc/prometheus/hargassner-rules.yml", "rules.yml")
    text = text.replace("/etc/prometheus/hargassner-targets.yml", "targets.json")
    text = text.replace("_interval: 60s", f"_interval: {INTERVAL}s")
    shutil.copy(MONITORING / "rules.yml", directory)
    targets = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    (directory / "targets.json").write_text(json.dumps(targets))
    config = directory / "prometheus.yml"
    config.write_text(text)
    return config


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process, ended at the end."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def cpu_seconds(process: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mebibytes(process: int) -> float:
    """Memory that a process has now."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def ask(port: int, expression: str) -> list[dict[str, Any]]:
    """What an expression gives now."""
    query = urllib.parse.urlencode({"query": expression})
    url = f"http://127.0.0.1:{port}/api/v1/query?{query}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return list(json.load(answer)["data"]["result"])


def figure(port: int, expression: str) -> float:
    """The one number that an expression gives now; 0 for none."""
    return sum(float(each["value"][1]) for each in ask(port, expression))


def measure(bridges: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        *ports, own = free_ports(bridges + 1)
        config = configure(directory, ports)
        served = [sys.executable, __file__, "--serve", ",".join(map(str, ports)), name]
        with running(*served) as bridge:
            assert bridge.stdout is not None
            bridge.stdout.readline()
            with running(
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={directory / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{own}",
            ) as prometheus:
                report(bridges, own, ports[0], bridge.pid, prometheus.pid)


def report(bridges: int, own: int, port: int, bridge: int, prometheus: int) -> None:
    """Wait for a minute's scrapes, and print what they cost."""
    sleep(2 * INTERVAL)
    begin, cpu = monotonic(), cpu_seconds(bridge)
    sleep(SECONDS)
    spent, lasted = cpu_seconds(bridge) - cpu, monotonic() - begin
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        size = len(answer.read())
    scrapes = bridges * lasted / INTERVAL
    up = figure(own, 'sum(up{job="hargassner"})')
    samples = figure(own, 'sum(scrape_samples_scraped{job="hargassner"})')
    median = figure(own, 'quantile(0.5, scrape_duration_seconds{job="hargassner"})')
    slowest = figure(own, 'max(scrape_duration_seconds{job="hargassner"})')
    alerts = sorted({each["metric"]["alertname"] for each in ask(own, "ALERTS")})
    print(f"{up:.0f} of {bridges} bridges answer; {samples / bridges:.0f} series each")
    print(f"a scrape: {size / 1024:.1f} KiB, {1000 * median:.1f} ms; longest {1000 * slowest:.0f}")
    print(f"CPU of the bridges for a scrape, telemetry included: {1000 * spent / scrapes:.1f} ms")
    print(f"prometheus: {mebibytes(prometheus):.0f} MiB; alerts: {', '.join(alerts) or 'none'}")


def main() -> None:
    """Measure, or be the process that serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bridges", type=int, default=100)
    parser.add_argument("--serve", nargs=2, metavar=("PORTS", "STATE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve([int(each) for each in options.serve[0].split(",")], Path(options.serve[1]))
    elif shutil.which("prometheus") is None:
        print("needs prometheus (Debian: apt install prometheus)")
    else:
        measure(options.bridges)


if __name__ == "__main__":
    main()
