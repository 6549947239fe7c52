"""The simulated gateway's life: it looks for a boiler, talks to it, and starts over."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.protocol import DatagramProtocol, Protocol
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock

from hargassner.network.interface import CannotOpenError
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.gateway.gateway import SimulatedGateway
from tests.cases import ClockCase, DescriptorCase, free_ports, loopback_addresses
from tests.doubles.transports import ScriptedTransport
from tests.simulator.opening import OPENING, SERIAL


class Wire(ScriptedTransport):
    """A connection of the gateway's, whose other end is the test."""

    def abortConnection(self) -> None:
        """Lost in the reactor's next turn, which is when the test says so."""
        self.aborted = True

    @property
    def closed(self) -> str:
        """How the gateway ended it, if it has."""
        if self.aborted:
            return "reset"
        return "closed" if self.disconnecting else ""


class GatewayCase(ClockCase):
    """A gateway on a clock that the test turns.

    Its UDP sockets are real, and nobody reads them: the test says what came.
    """

    def setUp(self) -> None:
        super().setUp()
        self.reactor = MemoryReactorClock()
        self.clock: Any = self.reactor
        self.services, asking, telling, wanting = free_ports(4)
        self.gateway = SimulatedGateway(
            self.reactor,
            address="127.0.0.1",
            broadcast="127.0.0.1",
            serial=SERIAL,
            boiler_port=self.services,
            gateway_port=asking,
            boiler_diagnostics_port=telling,
            gateway_diagnostics_port=wanting,
            keepalive=5,
            session_length=14,
            pace=1,
        )

    def answer(self) -> None:
        """A boiler answers what it was asked."""
        _, _, port, _ = self.reactor.adoptedPorts[-3]
        port.datagramReceived(b"\0\2", ("192.0.2.72", self.services))

    def take_connection(self, wire: Wire) -> Protocol:
        """The boiler takes the gateway's connection."""
        host, number, factory, *_ = self.reactor.tcpClients[-1]
        self.assertEqual(("192.0.2.72", 23), (host, number))
        protocol = factory.buildProtocol(IPv4Address("TCP", host, number))
        wire.carry(protocol)
        return protocol


class StoppingTests(GatewayCase):
    """It can be stopped in whatever it does, and no timer is left."""

    def test_while_it_looks_for_a_boiler(self) -> None:
        for pauses, state in (
            ((), "announcing"),
            ((3.88,), "announcing"),
            ((3.88, 0.02), "announcing"),
            ((3.88, 0.02, 9.82), "looking for a boiler"),
            ((3.88, 0.02, 9.82, 3.7), "looking for a boiler"),
        ):
            self.gateway.startService()
            for seconds in pauses:
                self.clock.advance(seconds)
            self.answer_early(state)
            self.gateway.stopService()
            self.assertEqual(("stopped", []), (self.gateway.state, self.clock.getDelayedCalls()))

    def answer_early(self, state: str) -> None:
        """What a boiler answers before it is asked is ignored."""
        if state == "announcing":
            self.answer()
        self.assertEqual(self.gateway.state, state)

    def test_when_it_has_found_one(self) -> None:
        self.gateway.startService()
        for seconds in (3.88, 0.02, 9.82):
            self.clock.advance(seconds)
        self.answer()
        self.answer()
        self.assertEqual("found a boiler", self.gateway.state)
        self.gateway.stopService()
        self.assertEqual(("stopped", []), (self.gateway.state, self.clock.getDelayedCalls()))

    def test_while_it_connects(self) -> None:
        """What becomes of that attempt is not logged."""
        self.gateway.startService()
        for seconds in (3.88, 0.02, 9.82):
            self.clock.advance(seconds)
        self.answer()
        self.clock.advance(2)
        self.assertEqual("connecting", self.gateway.state)
        self.gateway.stopService()
        self.gateway.stopService()
        self.assertEqual(("stopped", []), (self.gateway.state, self.clock.getDelayedCalls()))
        self.assertEqual(["a boiler answered from 192.0.2.72"], self.log.lines)


class SessionCase(GatewayCase):
    """A gateway that found a boiler and connected to it."""

    def setUp(self) -> None:
        super().setUp()
        self.gateway.startService()
        self.addCleanup(self.gateway.stopService)
        for seconds in (3.88, 0.02, 9.82):
            self.clock.advance(seconds)
        self.answer()
        self.clock.advance(2)
        self.wire = Wire()
        self.protocol = self.take_connection(self.wire)
        self.assertTrue(self.wire.no_delay)
        self.addCleanup(self.wire.gone)
        self.assertEqual("in a session", self.gateway.state)

    def open(self) -> None:
        for request, answer in OPENING:
            self.assertEqual(self.wire.taken(), request)
            self.protocol.dataReceived(answer)
        self.assertEqual(b"", self.wire.taken())

    def answer_a_cycle(self) -> None:
        self.assertTrue(self.wire.taken().startswith(b"$setkomm\r\n$erract\r\n"))
        self.protocol.dataReceived(b"$1 ack\r\n$no errors\r\n$--\r\n$2024-01-15 07:00:05\r\n")


class SessionTests(SessionCase):
    """What the gateway does when."""

    def test_it_asks_again_and_again(self) -> None:
        """Five seconds after the last reply."""
        self.open()
        for _ in range(2):
            self.clock.advance(4.9)
            self.assertEqual(b"", self.wire.taken())
            self.clock.advance(0.1)
            self.answer_a_cycle()
        self.assertEqual([], self.gateway.problems)

    def test_it_starts_over_when_its_time_is_up(self) -> None:
        """It agrees with the boiler on it, and closes."""
        self.open()
        over = self.gateway.when_session_over()
        self.clock.advance(5)
        self.answer_a_cycle()
        self.clock.advance(4)
        self.protocol.dataReceived(b"pm 1 2 3 0 \r\n")
        self.clock.advance(1)
        self.answer_a_cycle()
        self.clock.advance(4)
        self.assertEqual("starting over", self.gateway.state)
        self.assertEqual(b"$dhcp renew\r\n", self.wire.taken())
        self.clock.advance(3.7)
        self.assertEqual(b"$igw clear\r\n", self.wire.taken())
        self.protocol.dataReceived(b"$ack\r\n")
        self.assertEqual(b"$dhcp renew\r\n", self.wire.taken())
        self.assertEqual("", self.wire.closed)
        self.clock.advance(0.3)
        self.assertEqual("closed", self.wire.closed)
        self.wire.gone()
        self.assertEqual("completed", self.successResultOf(over))
        self.assertEqual((1, []), (self.gateway.sessions_completed, self.gateway.problems))

    def test_a_boiler_that_does_not_answer_is_a_problem(self) -> None:
        self.clock.advance(30)
        self.assertEqual(["no reply within 30 seconds"], self.gateway.problems)
        self.assertEqual("reset", self.wire.closed)

    def test_a_session_that_breaks_off_is_not_completed(self) -> None:
        self.open()
        over = self.gateway.when_session_over()
        self.wire.gone()
        self.assertEqual("Connection was closed cleanly.", self.successResultOf(over))
        self.assertEqual(0, self.gateway.sessions_completed)

    def test_it_announces_itself_again_some_time_after_a_session(self) -> None:
        """Seventeen seconds after it, however it ended."""
        self.wire.gone()
        self.assertEqual("waiting to start over", self.gateway.state)
        self.clock.advance(17)
        self.assertEqual("announcing", self.gateway.state)

    def test_started_again_while_its_session_ends_it_announces_itself_after_that(self) -> None:
        stopped = self.gateway.stopService()
        self.assertEqual(("stopped", "reset"), (self.gateway.state, self.wire.closed))
        self.assertNoResult(stopped)
        self.gateway.startService()
        self.wire.gone()
        self.successResultOf(stopped)
        self.clock.advance(3.88)
        self.assertEqual("announcing", self.gateway.state)

    def test_without_a_session_nothing_can_be_set(self) -> None:
        """Nor before the boiler has described itself."""
        self.assertRaises(RuntimeError, self.gateway.set_parameter, "4", 3, "20")

    def test_what_is_set_is_told(self) -> None:
        self.open()
        outcome = self.gateway.set_parameter("4", 3, "20")
        self.assertEqual(b'$par set "4;3;20"\r\n', self.wire.taken())
        self.protocol.dataReceived(b"$ack\r\n")
        self.assertEqual("ack", self.successResultOf(outcome))


class Ear(DatagramProtocol):
    """A boiler's UDP port, that answers what the test makes it answer."""

    noisy = False

    def __init__(self, heard: list[tuple[bytes, int, int]], port: int) -> None:
        self._heard = heard
        self._port = port
        self.answer = b""
        self.answers_from: Ear | None = None

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        self._heard.append((data, addr[1], self._port))
        if self.answer:
            (self.answers_from or self).transport.write(self.answer, addr)


class LookingCase(DescriptorCase):
    """A gateway on sockets of its own, fifty times as fast as a real one."""

    timeout = 120

    @inlineCallbacks
    def setUp(self) -> Any:
        yield super().setUp()
        self.address, self.boiler_address = loopback_addresses(2)
        self.telnet, self.services, self.asking, self.telling, self.wanting = free_ports(5)
        real: Any = reactor
        self.gateway = SimulatedGateway(
            real,
            address=self.address,
            broadcast=self.boiler_address,
            telnet_port=self.telnet,
            boiler_port=self.services,
            gateway_port=self.asking,
            boiler_diagnostics_port=self.telling,
            gateway_diagnostics_port=self.wanting,
            serial=SERIAL,
            keepalive=0.02,
            session_length=0.2,
            restart_delay=1.0,
            pace=0.02,
        )

    def start(self, service: Any) -> None:
        service.startService()
        self.addCleanup(lambda: service.stopService() if service.running else None)

    def boiler(self) -> SimulatedBoiler:
        real: Any = reactor
        return SimulatedBoiler(
            real,
            address=self.boiler_address,
            telnet_port=self.telnet,
            boiler_port=self.services,
            gateway_port=self.asking,
            boiler_diagnostics_port=self.telling,
            gateway_diagnostics_port=self.wanting,
            period=0.02,
            reply_delay=0.001,
        )

    def listen(self) -> tuple[list[tuple[bytes, int, int]], dict[int, Ear]]:
        """Hear what a boiler would hear: data, source port, and port."""
        heard: list[tuple[bytes, int, int]] = []
        ears = {}
        for port in (self.services, self.telling, self.wanting):
            ears[port] = Ear(heard, port)
            listening = reactor.listenUDP(port, ears[port], interface=self.boiler_address)
            self.addCleanup(listening.stopListening)
        return heard, ears

    @inlineCallbacks
    def until(self, condition: Callable[[], object]) -> Any:
        while not condition():
            yield deferLater(reactor, 0.01)


class LookingTests(LookingCase):
    """How it finds a boiler."""

    @inlineCallbacks
    def test_it_says_the_same_as_a_real_one_from_the_same_ports(self) -> Any:
        """And asks again until it is answered."""
        heard, _ = self.listen()
        self.start(self.gateway)
        yield self.until(lambda: len(heard) >= 5)
        self.assertEqual(
            heard[:5],
            [
                (b"HargaWebApp v6.4.1\r\nSN:0012345", self.asking, self.services),
                (
                    b"hargassner.diagnostics\nserialnr:0012345\nsoftware:6.4.1\n"
                    b"bootloader:5.00\ntype:info\nmessage:running",
                    self.telling,
                    self.wanting,
                ),
                (b"hargassner.diagnostics.request", self.wanting, self.telling),
                (b"get services\0", self.asking, self.services),
                (b"get services\0", self.asking, self.services),
            ],
        )

    @inlineCallbacks
    def test_an_answer_from_another_port_is_a_problem(self) -> Any:
        _, ears = self.listen()
        ears[self.services].answer = b"\0\2"
        ears[self.services].answers_from = ears[self.telling]
        self.start(self.gateway)
        yield self.until(lambda: self.gateway.problems)
        self.assertEqual(
            f"the service list came from port {self.telling}, not {self.services}",
            self.gateway.problems[0],
        )

    @inlineCallbacks
    def test_whoever_does_not_take_its_connection_is_looked_for_again(self) -> Any:
        heard, ears = self.listen()
        ears[self.services].answer = b"\0\2"
        self.start(self.gateway)
        yield self.until(lambda: len([each for each in heard if b"HargaWebApp" in each[0]]) >= 3)
        self.assertEqual((0, []), (self.gateway.sessions_started, self.gateway.problems))

    def test_a_port_that_is_taken_is_told_and_nothing_stays_open(self) -> None:
        taken = reactor.listenUDP(self.wanting, DatagramProtocol(), interface=self.address)
        self.addCleanup(taken.stopListening)
        self.assertRaises(CannotOpenError, self.gateway.startService)
        self.assertFalse(self.gateway.running)


class LifeTests(LookingCase):
    """A whole life with the simulated boiler."""

    @inlineCallbacks
    def test_it_finds_the_boiler_talks_to_it_and_starts_over(self) -> Any:
        boiler = self.boiler()
        self.start(boiler)
        self.start(self.gateway)
        yield self.until(lambda: self.gateway.sessions_completed >= 2)
        self.assertEqual(([], []), (self.gateway.problems, boiler.problems))

    @inlineCallbacks
    def test_a_boiler_that_ends_the_session_is_looked_for_again(self) -> Any:
        boiler = self.boiler()
        self.start(boiler)
        self.start(self.gateway)
        for reset in (False, True):
            # On a slow machine a session may be completed before it is dropped.
            how = "completed"
            while how == "completed":
                yield self.until(lambda: self.gateway.dialogue and self.gateway.dialogue.described)
                over: Deferred[str] = self.gateway.when_session_over()
                boiler.drop_connections(reset=reset)
                how = yield over
        completed = self.gateway.sessions_completed
        yield self.until(lambda: self.gateway.sessions_completed > completed)
        self.assertEqual([], self.gateway.problems)

    @inlineCallbacks
    def test_it_can_be_stopped_at_any_time(self) -> Any:
        """While it looks, while it connects, in a session; nothing is left."""
        boiler = self.boiler()
        self.start(boiler)
        for state in ("announcing", "found a boiler", "in a session", "starting over"):
            self.gateway.startService()
            self.addCleanup(lambda: self.gateway.stopService() if self.gateway.running else None)
            yield self.until(lambda state=state: self.gateway.state == state)
            yield self.gateway.stopService()
            self.assertEqual("stopped", self.gateway.state)
