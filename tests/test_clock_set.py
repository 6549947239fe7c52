"""The wall clock set while the bridge runs, as users start it: nothing waits, and nothing hurries.

Debian's ``faketime`` sets the clock of one running process. Boiler, gateway, page and supervisor
are those of the test, on the machine's own clock.
"""

import json
import random
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.defer import gatherResults, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import DatagramProtocol, Protocol
from twisted.internet.task import LoopingCall, deferLater
from twisted.trial.unittest import TestCase

from hargassner.simulator.boiler.engine import Mishap
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.gateway.dialogue import GatewayDialogue
from tests.cases import free_ports, loopback_addresses
from tests.constants import Constant
from tests.mqtt.brokers import HOST, Mosquitto, Onlooker
from tests.processes import Running, program

TIMEOUT = 2.0
KEEPALIVE = 3.0
OFFLINE = 3.0
TICK = 0.5
WATCHDOG = 6.0
PERIOD = 1.0
MARGIN = 5.0
"""Seconds that a machine with much else to do may be late."""
LONGEST = 30.0
POLL_EVERY = 0.1

CONFIG = """
[gateway]
address = "{to_gateway}"
telnet_port = {telnet}
allow = ["any"]

[boiler]
address = "{to_boiler}"
host = "{boiler}"
telnet_port = {boilers_telnet}
direct_telemetry = false

[mqtt]
url = "{broker}"

[discovery]
boiler_port = {udp[0]}
gateway_port = {udp[1]}
boiler_diagnostics_port = {udp[2]}
gateway_diagnostics_port = {udp[3]}

[control]
parameters = ["4"]
timeout = {timeout}

[web]
listen = "tcp:{web}:interface=127.0.0.1"

[state]
directory = "state"

[recording]
directory = "recordings"
"""

# These are constants that no configuration has: they would make the test a minute longer.
SHORTER = {
    Constant.TELEMETRY: OFFLINE,
    Constant.KEEPALIVE: int(KEEPALIVE),
    Constant.MODEL_TICK: TICK,
}


def faketime() -> str:
    """The library that fakes the time.

    Raises:
        SkipTest: there is none.
    """
    command = shutil.which("faketime")
    if command is None:
        raise SkipTest("faketime is not installed")
    found = subprocess.run(
        [command, "-m", "-f", "+0", "printenv", "LD_PRELOAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.strip()


class Gateway(Protocol):
    """Logs in as the gateway does; then asks again and again, and measures how long it waits."""

    def __init__(self) -> None:
        self.waits: list[tuple[float, float]] = []
        """When it asked, and how long it waited."""
        self.telemetry = 0.0
        """When the last line of telemetry came."""
        self.ready = False
        self._dialogue = GatewayDialogue("0012345", lambda _problem: None)
        self._rest = b""
        self._asked: float | None = None
        self._asking = LoopingCall(self._ask)

    def connectionMade(self) -> None:
        self.transport.write(self._dialogue.begin())

    def connectionLost(self, reason: Any) -> None:
        if self._asking.running:
            self._asking.stop()

    def dataReceived(self, data: bytes) -> None:
        if not self.ready:
            self.transport.write(self._dialogue.received(data))
            if self._dialogue.opened:
                self.ready = True
                self._asking.start(POLL_EVERY)
            return
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            if line.startswith(b"pm "):
                self.telemetry = time.monotonic()
            elif line.startswith(b"$") and line.endswith(b" ack") and self._asked is not None:
                self.waits.append((self._asked, time.monotonic() - self._asked))
                self._asked = None

    def _ask(self) -> None:
        if self._asked is None:
            self._asked = time.monotonic()
            self.transport.write(b"$setkomm\r\n")

    def waiting(self) -> float:
        """How long it has been waiting by now."""
        return 0.0 if self._asked is None else time.monotonic() - self._asked


class Page(Protocol):
    """An open page: what it is told, and when."""

    def __init__(self) -> None:
        self.told: list[tuple[float, dict[str, Any]]] = []
        self.links: dict[str, tuple[float, str]] = {}
        """Since when each link of the chain is how it is shown, and how."""
        self._rest = b""

    def connectionMade(self) -> None:
        self.transport.write(b"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        # Chunks of HTTP have ends of lines of their own, and events are each one chunk.
        self._rest += data
        for found in re.finditer(rb"data: (\{.*\})\n\n", self._rest):
            now = time.monotonic()
            told = json.loads(found[1])
            self.told.append((now, told))
            for name, link in told.get("values", {}).get("chain", {}).items():
                if self.links.get(name, (0.0, ""))[1] != link["state"]:
                    self.links[name] = (now, link["state"])
        self._rest = self._rest[self._rest.rfind(b"\n\n") + 2 :]


class Supervisor(DatagramProtocol):
    """What systemd would be told, and when."""

    def __init__(self) -> None:
        self.beats: list[float] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if b"WATCHDOG=1" in datagram:
            self.beats.append(time.monotonic())


def longest_gap(times: list[float], begin: float, end: float) -> float:
    """The longest time without any of these."""
    inside = [begin, *(each for each in times if begin < each < end), end]
    return max(later - earlier for earlier, later in pairwise(inside))


class World:
    """A running bridge with everything around it.

    Args:
        case: the test.
        preload: the library that fakes the time.
    """

    def __init__(self, case: TestCase, preload: str) -> None:
        self.case = case
        # A socket's path must be short, shorter than trial's.
        self.folder = TemporaryDirectory(prefix="hargassner-test-")
        case.addCleanup(self.folder.cleanup)
        folder = Path(self.folder.name)
        self.broker = Mosquitto(folder)
        self.broker.start()
        case.addCleanup(self.broker.kill)
        self.to_gateway, to_boiler, self.boiler_address = loopback_addresses(3)
        self.telnet, boilers_telnet, self.web, *udp = free_ports(7)
        self.is_out = False
        self.boiler = SimulatedBoiler(
            reactor,
            address=self.boiler_address,
            telnet_port=boilers_telnet,
            discovery=False,
            period=0.2,
            reply_delay=0.001,
            mishap=self.mishap,
        )
        self.gateway, self.page, self.supervisor = Gateway(), Page(), Supervisor()
        self.owner = Onlooker()
        config = CONFIG.format(
            to_gateway=self.to_gateway,
            to_boiler=to_boiler,
            boiler=self.boiler_address,
            telnet=self.telnet,
            boilers_telnet=boilers_telnet,
            broker=self.broker.url,
            udp=udp,
            timeout=TIMEOUT,
            web=self.web,
        )
        notify = str(folder / "notify")
        port = reactor.listenUNIXDatagram(notify, self.supervisor)
        case.addCleanup(port.stopListening)
        self.bridge = Running(
            [
                "env",
                f"LD_PRELOAD={preload}",
                "FAKETIME_TIMESTAMP_FILE=clock",
                "FAKETIME_CACHE_DURATION=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1",
                f"NOTIFY_SOCKET={notify}",
                f"WATCHDOG_USEC={int(WATCHDOG * 1_000_000)}",
                program("twist"),
                "--log-format=text",
                "hargassner",
                "--config=hargassner.toml",
            ],
            files={"hargassner.toml": config, "clock": "+0"},
            constants=SHORTER,
        )
        case.addCleanup(self.bridge.clean_up)

    def mishap(self, request: str) -> Mishap | None:
        """The boiler does not answer the command."""
        if request.startswith("par set"):
            self.is_out = True
            return Mishap(())
        return None

    def set_clock(self, seconds: int) -> None:
        """Set the bridge's wall clock to so many seconds from the machine's."""
        new = self.bridge.directory / "clock.new"
        new.write_text(f"{seconds:+d}")
        new.replace(self.bridge.directory / "clock")

    @inlineCallbacks
    def until(self, condition: Callable[[], object]) -> Any:
        while not condition():
            assert self.bridge.process.poll() is None, self.bridge.log() + self.bridge.errors()
            yield deferLater(reactor, 0.02)

    @inlineCallbacks
    def connect(self, host: str, port: int, protocol: Any) -> Any:
        while protocol.transport is None:
            assert self.bridge.process.poll() is None, self.bridge.log() + self.bridge.errors()
            try:
                yield connectProtocol(TCP4ClientEndpoint(reactor, host, port), protocol)
            except ConnectError:
                yield deferLater(reactor, 0.05)
        self.case.addCleanup(protocol.transport.abortConnection)

    @inlineCallbacks
    def begin(self) -> Any:
        """Start everything, and wait until all is well."""
        self.boiler.startService()
        self.case.addCleanup(self.boiler.stopService)
        yield self.connect(self.to_gateway, self.telnet, self.gateway)
        yield self.connect("127.0.0.1", self.web, self.page)
        yield self.connect(HOST, self.broker.port, self.owner)
        yield self.until(lambda: "hargassner/boiler/par_4" in self.owner.last())
        yield self.until(lambda: self.shown("boiler").endswith("online"))
        yield self.until(lambda: self.shown("broker") == "broker.online")
        yield self.until(lambda: self.gateway.waits and self.supervisor.beats)

    def shown(self, link: str) -> str:
        """How the page shows a link of the chain."""
        return self.page.links.get(link, (0.0, ""))[1]

    @inlineCallbacks
    def observe(self, set_clock: Callable[["World"], None]) -> Any:
        """What comes of it when the clock is set: how long each thing took, in seconds.

        A command is out then that the boiler does not answer, the broker is frozen, and soon there
        is no telemetry any more.
        """
        self.owner.publish("hargassner/boiler/par_4/set", "23")
        yield self.until(lambda: self.is_out)
        began = time.monotonic()
        self.broker.freeze()
        setting = LoopingCall(set_clock, self)
        setting.start(0.25)
        try:
            # The gateway's bytes wait for the command meanwhile; then it wants no more telemetry.
            yield self.until(lambda: self.gateway.waits[-1][0] > began or self.given_up(began))
            self.gateway.transport.write(b"$daq stop\r\n")
            yield self.until(lambda: self.is_noticed() or self.given_up(began))
            yield deferLater(reactor, 1.0)
        finally:
            setting.stop()
        end = time.monotonic()
        waits = [wait for at, wait in self.gateway.waits if at + wait > began]
        return {
            "gateway": max([*waits, self.gateway.waiting()]),
            "telemetry": self.noticed("boiler", self.gateway.telemetry, ".away", end),
            "broker": self.noticed("broker", began, ".waiting", end),
            "page": longest_gap([at for at, _ in self.page.told], began, end),
            "watchdog": longest_gap(self.supervisor.beats, began, end),
        }

    def is_noticed(self) -> bool:
        """Whether the page shows both that the boiler is silent and that the broker is."""
        return self.shown("boiler").endswith(".away") and self.shown("broker").endswith(".waiting")

    def noticed(self, link: str, began: float, state: str, end: float) -> float:
        """How long it took until the page showed a link so; until the end if it never did."""
        at, shown = self.page.links[link]
        return (at if shown.endswith(state) else end) - began

    def given_up(self, began: float) -> bool:
        """Whether it takes too long."""
        return time.monotonic() - began > LONGEST


def back(world: World) -> None:
    """An hour back."""
    world.set_clock(AHEAD[back])


def forward(world: World) -> None:
    """Ten years forward."""
    world.set_clock(AHEAD[forward])


def to_and_fro(world: World) -> None:
    """Five minutes to either side, again and again."""
    world.set_clock(random.randint(-300, 300))


AHEAD = {back: -3600, forward: 10 * 365 * 86_400}
"""Seconds that the bridge's wall clock is ahead then, where it stays so."""


class ClockSetTests(TestCase):
    """A command is out, and everything else goes on, or ends, at its time."""

    timeout = 120

    @inlineCallbacks
    def test_nothing_waits_and_nothing_hurries(self) -> Any:
        preload = faketime()
        steps = (back, forward, to_and_fro)
        worlds = [World(self, preload) for _ in steps]
        yield gatherResults([each.begin() for each in worlds], consumeErrors=True)
        figures = yield gatherResults(
            [world.observe(step) for world, step in zip(worlds, steps, strict=True)],
            consumeErrors=True,
        )
        rounded = {
            step.__name__: {name: round(value, 2) for name, value in found.items()}
            for step, found in zip(steps, figures, strict=True)
        }
        bounds = {
            "gateway": (TIMEOUT - 1.0, TIMEOUT + MARGIN),
            "telemetry": (OFFLINE - 0.3, OFFLINE + TICK + PERIOD + MARGIN),
            "broker": (KEEPALIVE, 2 * KEEPALIVE + 1.0 + PERIOD + MARGIN),
            "page": (0.0, PERIOD + MARGIN),
            "watchdog": (0.0, WATCHDOG),
        }
        late = {
            (step, name): value
            for step, found in rounded.items()
            for name, value in found.items()
            if not bounds[name][0] <= value <= bounds[name][1]
        }
        self.assertEqual({}, late, rounded)
        for world, step in zip(worlds, steps, strict=True):
            self.is_right_afterwards(world, step)

    def is_right_afterwards(self, world: World, step: Callable[[World], None]) -> None:
        """The dates that the page was told, the log, the end."""
        dated = [(at, each) for at, each in world.page.told if "chain" in each.get("values", {})]
        for _, each in dated:
            running = each["now"] - each["values"]["chain"]["bridge"]["since"]
            self.assertTrue(0 < running < 120, each)
        if step in AHEAD:
            at, last = dated[-1]
            told = time.time() - (time.monotonic() - at)
            self.assertLess(abs(last["now"] - told - AHEAD[step]), 10)
        self.assertEqual(0, world.bridge.stop())
        log = world.bridge.log()
        self.assertNotIn("Traceback", log + world.bridge.errors())
        lengths = [float(each) for each in re.findall(r"over after (\S+) s", log)]
        self.assertEqual([True], [0 < each < 120 for each in lengths])
