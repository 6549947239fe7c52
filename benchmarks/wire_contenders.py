"""What the wire benchmarks compare, each a process of its own between gateway and boiler."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from wire_networks import Networks

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
TICKS = os.sysconf("SC_CLK_TCK")
BROKER_PORT = 21883
PAGE_PORT = 18080

Address = tuple[str, int]

CONFIG = """
[gateway]
address = "{listen[0]}"
telnet_port = {listen[1]}
allow = ["any"]

[discovery]
boiler_port = {udp[0]}
gateway_port = {udp[1]}
boiler_diagnostics_port = {udp[2]}
gateway_diagnostics_port = {udp[3]}

[boiler]
address = "{near}"
host = "{boiler[0]}"
telnet_port = {boiler[1]}

[mqtt]
url = "{broker}"
node = "boiler{number}"

[web]
listen = "{page}"

[state]
directory = "{folder}/state"

[recording]
directory = "{recordings}"
"""
HAPROXY = """
global
  maxconn 2000
  nbthread 1
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
listen boiler
  bind {listen[0]}:{listen[1]}
  server boiler {boiler[0]}:{boiler[1]}
"""


@dataclass(frozen=True)
class Place:
    """Where one contender stands."""

    networks: Networks
    number: int
    listen: Address
    folder: Path

    @property
    def boiler(self) -> Address:
        return self.networks.boiler

    @property
    def udp(self) -> list[int]:
        """The real ports of the discovery where only one bridge runs, else some beside them."""
        return [port + 10 * self.number for port in (35601, 50000, 50001, 50002)]


def _script(kind: str) -> Callable[[Place], list[str]]:
    return lambda place: [
        *(sys.executable, str(HERE / "relays.py"), kind),
        *(f"{place.boiler[0]}:{place.boiler[1]}", f"{place.listen[0]}:{place.listen[1]}"),
    ]


def _socat(place: Place) -> list[str]:
    (near, port), (boiler, boiler_port) = place.listen, place.boiler
    return [
        *("socat", f"TCP-LISTEN:{port},bind={near},fork,reuseaddr,nodelay,backlog=600"),
        f"TCP:{boiler}:{boiler_port},nodelay",
    ]


def _haproxy(place: Place) -> list[str]:
    config = place.folder / "haproxy.cfg"
    config.write_text(HAPROXY.format(listen=place.listen, boiler=place.boiler))
    return ["haproxy", "-db", "-f", str(config)]


def bridge_config(place: Place, wanted: frozenset[str]) -> Path:
    """A configuration for the whole bridge, with those of broker, page and recording wanted."""
    # Each has a page at its own address, beside the others'.
    page = f"tcp:{PAGE_PORT}:interface={place.listen[0]}"
    config = place.folder / "hargassner.toml"
    config.write_text(
        CONFIG.format(
            listen=place.listen,
            near=place.networks.near,
            udp=place.udp,
            number=place.number,
            boiler=place.boiler,
            folder=place.folder,
            broker=f"mqtt://127.0.0.1:{BROKER_PORT}" if "broker" in wanted and mosquitto() else "",
            page=page if "page" in wanted else "",
            recordings=place.folder / "recordings" if "recording" in wanted else "",
        )
    )
    return config


def _bridge(*wanted: str) -> Callable[[Place], list[str]]:
    return lambda place: [
        *(str(BIN / "twist"), "--log-level=warn", "hargassner"),
        *("--config", str(bridge_config(place, frozenset(wanted)))),
    ]


KINDS: dict[str, Callable[[Place], list[str]]] = {
    "relay": _script("relay"),
    "portforward": _script("portforward"),
    "socat": _socat,
    "haproxy": _haproxy,
    "proxy": _script("bridge"),
    "bridge": _bridge(),
    "everything": _bridge("broker", "page", "recording"),
}
"""``relay`` is the barest relay in Python, ``proxy`` the bridge's proxy without observers."""


OTHERS = {"published": _bridge("broker"), "paged": _bridge("broker", "page")}
"""Bridges that are not compared on the wire."""


def mosquitto() -> str | None:
    """The broker's program."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return shutil.which("mosquitto", path=path)


def available(kind: str) -> bool:
    """Whether this machine has what the contender needs."""
    return kind not in ("socat", "haproxy") or shutil.which(kind) is not None


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for each in children:
        yield from _descendants(int(each))


def _cpu_of(pid: int) -> float:
    """CPU seconds of a process's threads, to the nanosecond, and of its children that ended."""
    nanoseconds = 0
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        for task in Path(f"/proc/{pid}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text().split()[0])
    except OSError:
        return 0.0
    return nanoseconds / 1e9 + sum(map(int, fields[13:15])) / TICKS


class Contender:
    """One that runs, from its start until ``stop``.

    ``start_cpu`` is what it took until its port was open, in CPU seconds.

    Args:
        kind: what it is.
        networks: where it is.
        number: which of those that run.
        enter: called by its process before anything else; then the port is not waited for.
    """

    def __init__(
        self,
        kind: str,
        networks: Networks,
        number: int,
        enter: Callable[[], None] | None = None,
    ) -> None:
        self.kind = kind
        self.start_cpu = 0.0
        self._networks = networks
        self._made = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.address = networks.boiler
        if kind != "direct":
            self._start(kind, number, enter)

    def _start(self, kind: str, number: int, enter: Callable[[], None] | None) -> None:
        self.folder = folder = Path(self._made.enter_context(tempfile.TemporaryDirectory()))
        self.address = self._networks.listen(number)
        command = {**KINDS, **OTHERS}[kind](Place(self._networks, number, self.address, folder))
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            self._networks.beside("bridge", command), stdout=subprocess.DEVNULL, preexec_fn=enter
        )
        self._made.callback(self._process.wait)
        self._made.callback(self._process.kill)
        if enter is None:
            self.opened(self.reachable)
            self.start_cpu = self.cpu_seconds()

    def reachable(self) -> bool:
        """Whether its port is open."""
        try:
            self._networks.connect(self.address).close()
        except OSError:
            return False
        return True

    def opened(self, condition: Callable[[], bool]) -> float:
        """Wait for something; the seconds from the start of its process.

        Raises:
            RuntimeError: the process has ended.
        """
        while not condition():
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"{self.kind} ended")
            time.sleep(0.005)
        return time.perf_counter() - self._began

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *_what: object) -> None:
        self._made.close()

    def connect(self, client: int = 0) -> socket.socket:
        """A connection of the gateway's, or of another client."""
        return self._networks.connect(self.address, client)

    def cpu_seconds(self) -> float:
        """CPU time of its processes so far, those included that have ended."""
        if self._process is None:
            return 0.0
        return sum(_cpu_of(pid) for pid in _descendants(self._process.pid))

    def megabytes(self) -> float:
        """Memory: what is resident of one process, or of several their proportional shares."""
        if self._process is None:
            return 0.0
        pids = list(_descendants(self._process.pid))
        key = "Rss:" if len(pids) == 1 else "Pss:"
        kilobytes = 0
        for pid in pids:
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith(key))
        return kilobytes / 1024

    def written_bytes(self) -> int:
        """What its process has had written to disks so far."""
        if self._process is None:
            return 0
        lines = Path(f"/proc/{self._process.pid}/io").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


class Broker:
    """A mosquitto beside the contenders, if there is one."""

    def __init__(self, networks: Networks) -> None:
        self._folder = tempfile.TemporaryDirectory()
        program = mosquitto()
        self._process: subprocess.Popen[bytes] | None = None
        if program is not None:
            config = Path(self._folder.name) / "mosquitto.conf"
            config.write_text(f"listener {BROKER_PORT} 127.0.0.1\nallow_anonymous true\n")
            self._process = subprocess.Popen(
                networks.beside("bridge", [program, "-c", str(config)]),
                stderr=subprocess.DEVNULL,
            )
            time.sleep(0.3)

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_what: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()
