"""The simulated boiler on its wires: segments, telemetry, connections, datagrams."""

import json
import re
import socket
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from hargassner.network.interface import CannotOpenError
from hargassner.simulator.boiler.engine import BoilerEngine
from hargassner.simulator.boiler.plant import Plant
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.boiler.telnet import BoilerFactory, BoilerProtocol, Timing
from hargassner.simulator.login import key_for
from tests.doubles.transports import ScriptedTransport
from tests.shared import session_starts

GAP = 0.00013
DELAY = 0.02
LOOPBACK = "127.0.0.1"
EPOCH = datetime(2024, 1, 15, 7)


class Bench:
    """A boiler's factory on a clock that the test turns."""

    def __init__(
        self,
        test: SynchronousTestCase,
        period: float = 1.0,
        hesitation: Callable[[bytes], float] = lambda _request: 0.0,
    ) -> None:
        self.clock = Clock()
        engine = BoilerEngine(Plant(), lambda: EPOCH)
        self.factory = BoilerFactory(
            self.clock, engine, Timing(period, 1.0, GAP, DELAY, hesitation)
        )
        self.factory.start()
        self._protocols: list[BoilerProtocol] = []
        test.addCleanup(self._finish, test)

    def connect(self) -> tuple[BoilerProtocol, ScriptedTransport]:
        """A new client."""
        protocol = self.factory.buildProtocol(None)
        transport = ScriptedTransport()
        transport.carry(protocol)
        self._protocols.append(protocol)
        return protocol, transport

    def turn(self, seconds: float, step: float = GAP / 2) -> None:
        """Turn the clock in steps finer than anything that is timed."""
        self.clock.pump([step] * round(seconds / step))

    def lose(self, protocol: BoilerProtocol) -> None:
        """The client's connection is over."""
        self._protocols.remove(protocol)
        protocol.connectionLost(Failure(ConnectionDone()))

    def _finish(self, test: SynchronousTestCase) -> None:
        over = self.factory.stop()
        for each in list(self._protocols):
            self.lose(each)
        test.successResultOf(over)
        test.assertEqual([], self.clock.getDelayedCalls())


def logged_in(bench: Bench, protocol: BoilerProtocol, transport: ScriptedTransport) -> None:
    """Log a client in, and forget what was said."""
    protocol.dataReceived(b"$login token\r\n")
    bench.turn(0.03)
    [token] = re.findall(rb"\$([0-9A-F]{8})\r\n", transport.value())
    protocol.dataReceived(f"$login key {key_for(token.decode())}\r\n".encode())
    bench.turn(0.03)
    transport.taken()


class SegmentTests(SynchronousTestCase):
    """How bytes leave (section 2)."""

    def test_a_reply_comes_in_two_segments_after_a_delay(self) -> None:
        """The second one has four bytes and comes a gap later."""
        bench = Bench(self)
        protocol, transport = bench.connect()
        self.assertTrue(transport.no_delay)
        protocol.dataReceived(b"$daq stop\r\n")
        bench.clock.advance(DELAY * 0.99)
        self.assertEqual([], transport.segments)
        bench.clock.advance(DELAY * 0.01)
        self.assertEqual([b"$permission deni"], transport.segments)
        bench.clock.advance(GAP)
        self.assertEqual([b"$permission deni", b"ed\r\n"], transport.segments)

    def test_a_boiler_that_hesitates_keeps_the_order(self) -> None:
        """What was asked behind the request waits with it."""
        bench = Bench(self, hesitation=lambda line: 5.0 if line == b"$uptime" else 0.0)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        protocol.dataReceived(b"$daq stop\r\n$uptime\r\n$bootversion\r\n")
        bench.turn(0.1)
        self.assertEqual(b"$daq stopped\r\n", transport.value())
        bench.clock.advance(5)
        bench.turn(0.1)
        replies = re.findall(rb"^\$.*\r$", transport.value(), re.MULTILINE)
        self.assertEqual([b"$daq stopped\r", b"$0\r"], replies[:2])
        self.assertRegex(replies[2], rb"\$V[0-9.]+\r")

    def test_a_failure_of_the_simulator_is_logged(self) -> None:
        bench = Bench(self, hesitation=lambda line: 1 / 0)
        protocol, _transport = bench.connect()
        protocol.dataReceived(b"$uptime\r\n")
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_a_long_reply_comes_in_1456_and_4_again_and_again(self) -> None:
        """The descriptor, whose blocks are one message."""
        bench = Bench(self, period=100)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        protocol.dataReceived(b"$daq desc\r\n")
        bench.turn(0.05)
        sizes = [len(each) for each in transport.segments]
        self.assertEqual(sizes[:-2], [1456, 4] * (len(sizes) // 2 - 1))
        self.assertEqual(4, sizes[-1])
        self.assertEqual(b">>\r\n", transport.segments[-1])

    def test_requests_are_understood_in_any_segmentation(self) -> None:
        """Byte by byte, and two in one."""
        bench = Bench(self, period=100)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        for byte in b"$apiversion\r\n":
            protocol.dataReceived(bytes([byte]))
        bench.turn(0.05)
        protocol.dataReceived(b"$daq stop\r\n$logging disable\r\n$asnr get\r\n")
        bench.turn(0.1)
        self.assertEqual(b"$1.0.1\r\n$daq stopped\r\n$logging disabled\r\n$\r\n", transport.value())

    def test_an_endless_line_is_one_unknown_request(self) -> None:
        """And costs no memory."""
        bench = Bench(self, period=100)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        for _ in range(100):
            protocol.dataReceived(b"$" + b"\xff" * 10_000 + b"\r")
        protocol.dataReceived(b"\n$asnr get\r\n")
        bench.turn(0.1)
        self.assertEqual(b"$Unknown Command\r\n$\r\n", transport.value())


class TelemetryTests(SynchronousTestCase):
    """``pm`` lines."""

    def test_every_connection_gets_a_line_each_period(self) -> None:
        """Whole, in two segments."""
        bench = Bench(self)
        _, one = bench.connect()
        _, other = bench.connect()
        bench.turn(3.001)
        for transport in (one, other):
            lines = [each for each in transport.value().split(b"\r\n") if each.startswith(b"pm ")]
            self.assertEqual(3, len(lines))
            self.assertEqual([1 + 116 + 8] * 3, [len(line.split()) for line in lines])
            last = transport.segments[-2:]
            self.assertEqual((b"".join(last), len(last[1])), (lines[-1] + b"\r\n", 4))

    def test_a_line_never_comes_inside_another_message(self) -> None:
        """However both are timed, the segments of one follow each other."""
        bench = Bench(self, period=0.0031)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        for _ in range(20):
            protocol.dataReceived(b"$daq desc\r\n$info\r\n")
            bench.turn(0.06)
        engine = bench.factory.engine
        blocks = [b"$<<" + block + b">>\r\n" for block in engine.layout.blocks()]
        self.assertEqual(20, transport.value().count(b"".join(blocks)))
        info = "".join(f"${line}\r\n" for line in engine.identity.info()).encode()
        self.assertEqual(20, transport.value().count(info))
        self.assertGreater(transport.value().count(b"\r\npm "), 100)

    def test_a_reader_that_does_not_keep_up_misses_lines(self) -> None:
        """Nothing piles up for it, and it goes on with a whole line."""
        bench = Bench(self)
        _, transport = bench.connect()
        bench.turn(1.001)
        size = len(transport.value())
        transport.producer.pauseProducing()
        bench.turn(5, step=0.01)
        self.assertEqual(len(transport.value()), size)
        transport.producer.resumeProducing()
        bench.turn(1.01, step=0.001)
        self.assertEqual(b"pm ", transport.value()[size:][:3])

    def test_a_reader_that_does_not_keep_up_is_answered_later(self) -> None:
        """Its requests wait."""
        bench = Bench(self, period=100)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        protocol.dataReceived(b"$asnr get\r\n")
        transport.producer.pauseProducing()
        bench.turn(0.1)
        self.assertEqual(b"", transport.value())
        transport.producer.resumeProducing()
        bench.turn(0.1)
        self.assertEqual(b"$\r\n", transport.value())

    def test_a_flood_of_requests_is_not_read_before_the_others_are_answered(self) -> None:
        """Reading pauses, and goes on; every request is answered."""
        bench = Bench(self, period=100)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        protocol.dataReceived(b"$asnr get\r\n" * 80)
        self.assertEqual("paused", transport.producerState)
        bench.turn(2, step=0.001)
        self.assertEqual("producing", transport.producerState)
        self.assertEqual(b"$\r\n" * 80, transport.value())

    def test_a_silent_boiler_says_nothing(self) -> None:
        """Neither telemetry nor answers."""
        bench = Bench(self)
        protocol, transport = bench.connect()
        bench.factory.silent = True
        protocol.dataReceived(b"$login token\r\n")
        bench.turn(2, step=0.01)
        self.assertEqual([], transport.segments)


class EndTests(SynchronousTestCase):
    """Connections end."""

    def test_a_client_that_has_said_everything_is_answered_before_the_end(self) -> None:
        """Half-closed, the connection delivers what was asked for."""
        bench = Bench(self, period=100)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        protocol.dataReceived(b"$daq desc\r\n$asnr get\r\n")
        protocol.readConnectionLost()
        bench.turn(0.03)
        self.assertFalse(transport.disconnecting)
        bench.turn(0.03)
        self.assertTrue(transport.disconnecting)
        self.assertTrue(transport.value().endswith(b">>\r\n$\r\n"))

    def test_a_lost_connection_leaves_nothing_behind(self) -> None:
        """In the middle of the descriptor, with requests waiting."""
        bench = Bench(self)
        protocol, transport = bench.connect()
        logged_in(bench, protocol, transport)
        protocol.dataReceived(b"$daq desc\r\n$dhcp renew\r\n$info\r\n")
        bench.turn(DELAY + 3 * GAP)
        said = len(transport.value())
        bench.lose(protocol)
        bench.turn(1, step=0.01)
        self.assertEqual(len(transport.value()), said)
        self.assertEqual(0, bench.factory.connections)


class Client(Protocol):
    """A client whose news a test can wait for."""

    def __init__(self) -> None:
        self.received = b""
        self.over: Deferred[str] = Deferred()
        self._awaited: list[tuple[bytes, Deferred[bytes]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        for awaited in list(self._awaited):
            if found := re.search(awaited[0], self.received):
                self._awaited.remove(awaited)
                awaited[1].callback(found[0])

    def when_heard(self, pattern: bytes) -> Deferred[bytes]:
        """Fires with the text that fits a pattern when it has come."""
        heard: Deferred[bytes] = Deferred()
        self._awaited.append((pattern, heard))
        self.dataReceived(b"")
        return heard

    def connectionLost(self, reason: Any) -> None:
        self.over.callback(reason.type.__name__)


class Asker(DatagramProtocol):
    """Sends one datagram, and waits for its answer."""

    def __init__(self, question: bytes, target: tuple[str, int]) -> None:
        self.answer: Deferred[tuple[bytes, tuple[str, int]]] = Deferred()
        self._question = question
        self._target = target

    def startProtocol(self) -> None:
        # The first is for others, the second is answered.
        self.transport.write(b"HargaWebApp v6.4.1\r\nSN:0012345", self._target)
        self.transport.write(self._question, self._target)

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answer.callback((data, addr))


class SocketTests(TestCase):
    """Real sockets on loopback."""

    def make_boiler(self, **options: Any) -> SimulatedBoiler:
        """A running boiler on free ports, stopped after the test."""
        given = {"telnet_port": 0, "boiler_port": 0, "boiler_diagnostics_port": 0, **options}
        boiler = SimulatedBoiler(reactor, address=LOOPBACK, period=0.02, **given)
        boiler.startService()
        self.addCleanup(lambda: boiler.stopService() if boiler.running else None)
        return boiler

    def connect(self, boiler: SimulatedBoiler) -> Deferred[Client]:
        """A new client of a boiler."""
        endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, boiler.telnet_port_number)
        return endpoint.connect(Factory.forProtocol(Client))

    @inlineCallbacks
    def test_several_clients_at_once(self) -> Any:
        """One logs in and commands, the other reads along."""
        boiler = self.make_boiler(discovery=False)
        reader = yield self.connect(boiler)
        gateway = yield self.connect(boiler)
        gateway.transport.write(b"$login token\r\n")
        token = yield gateway.when_heard(rb"\$[0-9A-F]{8}\r\n")
        gateway.transport.write(f"$login key {key_for(token[1:9].decode())}\r\n".encode())
        yield gateway.when_heard(rb"\$ack\r\n")
        gateway.transport.write(b'$par set "PR001;6;1"\r\n')
        yield reader.when_heard(b"zParamter PR001 per APP verstellt\r\n")
        boiler.change_parameter("PR001", "Auto")
        yield reader.when_heard(rb"zPa N: PR001 \(Betriebsart\) = Auto\r\n")
        yield gateway.when_heard(rb"zPa N: PR001 \(Betriebsart\) = Auto\r\n")
        yield reader.when_heard(b"pm ")
        self.assertEqual(2, boiler.connections)
        reader.transport.loseConnection()
        yield reader.over

    @inlineCallbacks
    def test_connections_end_with_fin_or_rst(self) -> Any:
        """And the boiler takes new ones."""
        boiler = self.make_boiler(discovery=False)
        for reset, expected in ((False, "ConnectionDone"), (True, "ConnectionLost")):
            client = yield self.connect(boiler)
            yield client.when_heard(b"pm ")
            boiler.drop_connections(reset=reset)
            reason = yield client.over
            self.assertEqual(expected, reason)

    @inlineCallbacks
    def test_a_boiler_is_switched_off_and_on(self) -> Any:
        """Connections end, nobody is taken meanwhile, and the port and the plant are the same."""
        boiler = self.make_boiler()
        ports = (boiler.telnet_port_number, boiler.boiler_port_number)
        client = yield self.connect(boiler)
        boiler.change_parameter("4", "22.5")
        yield boiler.stopService()
        yield client.over
        yield self.assertFailure(self.connect(boiler), ConnectError)
        boiler.startService()
        self.assertEqual((boiler.telnet_port_number, boiler.boiler_port_number), ports)
        client = yield self.connect(boiler)
        yield client.when_heard(b"pm ")
        self.assertEqual(22.5, boiler.plant.parameters.number("4"))

    @inlineCallbacks
    def test_services_and_diagnostics_are_answered_to_whoever_asks(self) -> Any:
        """From the port that was asked; other datagrams are for others."""
        boiler = self.make_boiler(gateway_port=0)
        for question, port, start in [
            (b"get services\0", boiler.boiler_port_number, b"\0\2SIM/CL"),
            (
                b"hargassner.diagnostics.request",
                boiler.boiler_diagnostics_port_number,
                b"hargassner.diagnostics\nserialnr:3100003\n",
            ),
        ]:
            asker = Asker(question, (LOOPBACK, port))
            listening = reactor.listenUDP(0, asker, interface=LOOPBACK)
            data, source = yield asker.answer
            yield listening.stopListening()
            self.assertEqual((data[: len(start)], source), (start, (LOOPBACK, port)))
        self.assertEqual(2, len(boiler.problems))
        self.assertIn("not 50002", boiler.problems[1])

    def test_a_port_in_use_is_said_in_one_line(self) -> None:
        """And nothing stays open."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind((LOOPBACK, 0))
            taken = other.getsockname()[1]
            boiler = SimulatedBoiler(reactor, address=LOOPBACK, telnet_port=0, boiler_port=taken)
            wrong = self.assertRaises(CannotOpenError, boiler.startService)
            self.assertIn(f"UDP port {taken}", str(wrong))
            self.assertFalse(boiler.running)
        with socket.socket() as again:
            again.bind((LOOPBACK, boiler.telnet_port_number))


class CapturedTests(SynchronousTestCase):
    """What a real gateway said is answered in the shape of what a real boiler said."""

    def test_a_captured_start_is_answered_in_the_same_shape(self) -> None:
        """The same number of reply lines to each request, cut by the same rule."""
        for path in session_starts():
            self.check(path)

    def check(self, path: Path) -> None:
        steps = [
            step
            for step in json.loads(path.read_text())["steps"]
            if step["proto"] == "tcp" and step["connection"] == "gateway"
        ]
        bench = Bench(self, period=10_000)
        protocol, transport = bench.connect()
        for step in steps:
            if step["from"] != "gateway":
                continue
            request = step["data"]
            if request.startswith("$login key"):
                # The capture's key was replaced, and the real algorithm is not known.
                request = f"$login key {key_for(transport.value()[1:9].decode())}\r\n"
            protocol.dataReceived(request.encode("latin-1"))
            bench.turn(0.05)
        real = "".join(step["data"] for step in steps if step["from"] == "boiler")
        self.assertEqual(_shapes(transport.value()), _shapes(real.encode("latin-1")))
        for segments in (
            transport.segments,
            [step["data"].encode("latin-1") for step in steps if step["from"] == "boiler"],
        ):
            for head, tail in pairwise(segments):
                self.assertTrue(len(head) <= 4 or len(tail) <= 4, (head, tail))
                self.assertLessEqual(len(head), 1456)


def _shapes(data: bytes) -> list[str]:
    """Replies and notices without what differs between two boilers, or hangs on the clock."""
    text = re.sub(r"(?:\$<<.*?>>\r\n)+", "$<<blocks>>\r\n", data.decode("latin-1"), flags=re.DOTALL)
    lines = [each for each in text.split("\r\n") if not each.startswith(("pm ", "$PR"))]
    shapes = []
    for line in lines:
        shape = re.sub(r"^\$[0-9A-F]{8}$", "$token", line)
        shape = re.sub(r"'.*'", "''", shape)
        shapes.append(re.sub(r"\d+", "9", shape))
    return shapes
