"""What the tests of the page need: a boiler that shows something, and the page around it."""

import http.client
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.config import Config
from hargassner.control.queue import ControlCounters
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import Described, TelemetryLine
from hargassner.discovery import Devices
from hargassner.monitor.direct_telemetry import DirectTelemetry
from hargassner.monitor.interpreter import Interpreter
from hargassner.monitor.traffic_log import Journal
from hargassner.network.interface import NetworkInterface
from hargassner.network.reopening import InterfaceOpening
from hargassner.parts import GatewayParts, Parts, build
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.service import History
from hargassner.web.connections import IDLE
from hargassner.web.service import WebPage
from tests.cases import Log
from tests.doubles.clocks import TwoClockReactor
from tests.doubles.databases import DirectStore
from tests.doubles.documents import document
from tests.telling import tell


def at_once(work: Any, *arguments: Any) -> Deferred[Any]:
    """Do it here and now, where the bridge uses a thread."""
    return maybeDeferred(work, *arguments)


def describe(analog: Mapping[str, str], digital: tuple[str, ...] = ()) -> Described:
    """A descriptor of analog channels, each with its unit, and of up to 16 digital ones."""
    return Described(parse_descriptor(document(analog.items(), digital)))


def show(
    boiler: Boiler, analog: Mapping[str, tuple[str, str]], *on: str, at: float = 1000.0
) -> None:
    """Have a boiler describe channels and show them: name to text and unit, and bits that are 1."""
    boiler.apply(describe({name: unit for name, (_, unit) in analog.items()}, on), at)
    values = " ".join(text for text, _ in analog.values())
    word = f" {2 ** len(on) - 1:X}" if on else ""
    tell(boiler, TelemetryLine(f"pm {values}{word} ".encode("latin-1")), at)


class Opened:
    """Something that is open."""

    def close(self) -> None:
        """Nothing has to be given back."""


class Answer:
    """What came back on a connection so far."""

    def __init__(self, data: bytes) -> None:
        class Socket:
            def makefile(self, _mode: str) -> io.BytesIO:
                return io.BytesIO(data)

        response = http.client.HTTPResponse(Socket())  # type: ignore[arg-type]
        response.begin()
        self.code = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            self.body = response.read()
        except http.client.IncompleteRead as cut:
            self.body = cut.partial

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


class Connection:
    """A client's connection to the page, without a socket."""

    def __init__(self, factory: Any, local: str = "127.0.0.1", client: str = "127.0.0.1") -> None:
        peer = IPv4Address("TCP", client, 50000)
        self.transport = StringTransport(IPv4Address("TCP", local, 8080), peer)
        self.protocol = factory.buildProtocol(peer)
        if self.protocol is not None:
            self.protocol.makeConnection(self.transport)

    def ask(
        self, path: str, method: str = "GET", host: str = "localhost:8080", **more: str
    ) -> None:
        """Send a request."""
        headers = {"host": host} | {name.replace("_", "-"): value for name, value in more.items()}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def send(self, data: bytes) -> None:
        """Send some bytes."""
        self.protocol.dataReceived(data)

    @property
    def is_open(self) -> bool:
        """Whether the page keeps the connection."""
        return not (self.transport.disconnecting or self.transport.disconnected)

    @property
    def code(self) -> int:
        """The status of the first answer."""
        return Answer(self.transport.value()).code

    def lose(self) -> None:
        """The client goes away."""
        self.protocol.connectionLost(Failure(ConnectionDone()))

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The server-sent events so far, each with its data."""
        text = Answer(self.transport.value()).body.decode()
        found = []
        for block in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in fields:
                found.append((fields["event"], json.loads(fields["data"])))
        return found


class Link:
    """The link to the broker, or none, as a test has it."""

    def __init__(self, case: "PageCase") -> None:
        self._case = case

    @property
    def status(self) -> Any:
        """How it is."""
        return self._case.broker_status


@dataclass
class Lazy:
    """The parts that are built when they are asked for: here they are there already."""

    history: History
    broker: Link


class Commands:
    """What takes commands, or nothing, as a test has it."""

    def __init__(self, case: "PageCase") -> None:
        self._case = case

    @property
    def counters(self) -> Any:
        """How many there were."""
        return self._case.command_counters


class PageCase(SynchronousTestCase):
    """A page that runs, around a model that a test feeds; nothing listens and nothing is open."""

    def setUp(self) -> None:
        self.log = Log(self)
        self.clock = TwoClockReactor()
        self.clock.advance(1_000_000.0)
        self.directory = StateDirectory(Path(self.mktemp()))
        self.boiler = Boiler()
        self.devices = Devices(self.clock)
        self.journal = Journal(self.clock)
        interpreter = Interpreter(self.boiler, self.clock, lambda _described: None)
        endpoint = TCP4ClientEndpoint(self.clock, "198.51.100.2", 23)
        self.proxy = ProxyFactory(
            self.clock, endpoint.connect, Access(["any"], self.devices), lambda _session: ()
        )
        self.gateway_opening = InterfaceOpening(
            self.clock, NetworkInterface(), "the telnet port", self.open
        )
        self.boiler_opening = InterfaceOpening(
            self.clock, NetworkInterface(), "the boiler's discovery", self.open
        )
        self.broker_status: Any = None
        self.command_counters: Any = ControlCounters()
        history = History(self.boiler, self.directory, DirectStore(self.directory), self.clock)
        self.parts = replace(
            build(Config(), self.clock),
            clock=self.clock,
            in_thread=at_once,
            state=self.directory,
            boiler=self.boiler,
            devices=self.devices,
            direct=DirectTelemetry(self.clock, endpoint, interpreter),
            interpreter=interpreter,
            journal=self.journal,
            gateway=GatewayParts(
                cast("Any", Commands(self)),
                self.proxy,
                (),
                cast("Any", None),
                (self.gateway_opening,),
            ),
            openings=(self.boiler_opening,),
            lazy=cast("Any", Lazy(history, Link(self))),
        )
        self.parts.boiler_line.problem = "No route to host"
        self.history = history
        self.parts = self.changed(self.parts)
        self.page = WebPage(self.parts, self.clock)
        for each in (self.gateway_opening, self.boiler_opening, self.history, self.page):
            each.startService()
        self.addCleanup(self.stop)
        self.site = self.page.site

    def changed(self, parts: Parts) -> Parts:
        """The parts that the page sees, for a bridge that is another than usual."""
        return parts

    def stop(self) -> None:
        """Stop everything; no timer may be left then."""
        for each in (self.page, self.history, self.gateway_opening, self.boiler_opening):
            if each.running:
                each.stopService()
        # Connections that idle are closed, and a moment later aborted.
        self.clock.pump([IDLE, IDLE])
        self.assertEqual([], self.clock.getDelayedCalls())

    def open(self) -> Opened:
        """Open what an opening holds."""
        return Opened()

    def get(self, path: str, **headers: str) -> Answer:
        """The answer to a request of its own."""
        connection = Connection(self.site)
        connection.ask(path, connection="close", **headers)
        return Answer(connection.transport.value())

    def stream(self, **headers: str) -> Connection:
        """An open stream of events."""
        connection = Connection(self.site)
        connection.ask("/api/events", **headers)
        return connection
