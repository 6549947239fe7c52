"""The simulated gateway as a service: it looks for a boiler, talks to it, and starts over."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorSocket,
    IReactorTCP,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.network.connecting import BoundClientEndpoint, ISocketReactor
from hargassner.network.interface import NetworkInterface
from hargassner.network.sockets import datagram_socket
from hargassner.simulator.boiler.identity import DIAGNOSTICS_WANTED, SERVICES_WANTED
from hargassner.simulator.gateway.dialogue import GatewayDialogue

log = Logger()

# Seconds, as recorded once.
_BEFORE_DIAGNOSTICS = 3.88
_BEFORE_DIAGNOSTICS_REQUEST = 0.02
_BEFORE_SERVICES = 9.82
_BETWEEN_SERVICES = 3.7
_BEFORE_CONNECTING = 2.0
_BEFORE_CLEAR = 3.7
_AFTER_RENEW = 0.3
_CONNECT_PATIENCE = 10.0
_REPLY_PATIENCE = 30.0
_LARGEST_DATAGRAM = 65_536


class IGatewayReactor(ISocketReactor, IReactorSocket, IReactorTCP, IReactorTime):
    """What the simulated gateway needs of a reactor."""


class _Port(DatagramProtocol):
    """One of the gateway's UDP ports."""

    noisy = False

    def __init__(self, heard: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._heard = heard

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        self._heard(data, addr)

    def connectionRefused(self) -> None:
        """Nobody listens there; that is no affair of a broadcaster."""


class _Telnet(Protocol):
    """The gateway's connection to what it takes for the boiler."""

    def __init__(self, gateway: "SimulatedGateway") -> None:
        self._gateway = gateway

    @property
    def tcp(self) -> ITCPTransport:
        return cast("ITCPTransport", self.transport)

    def connectionMade(self) -> None:
        self._gateway.connected(self)

    def dataReceived(self, data: bytes) -> None:
        self._gateway.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._gateway.disconnected(reason)


class SimulatedGateway(Service):
    """A gateway on this machine, for the demo, the tests and the benchmarks.

    It broadcasts, connects to wherever the boiler's answer came from, and talks as the real one
    does; in ``problems`` it tells what it got that it should not have got.

    Args:
        reactor: everything runs on it.
        address: what its sockets are bound to; "" is the wildcard address.
        interface: what its sockets are tied to; they are bound to the wildcard address then.
        broadcast: where it broadcasts; an ordinary address does where there is no broadcast.
        telnet_port: the boiler's TCP port.
        boiler_port: where boilers are asked for their services.
        gateway_port: where it asks from.
        boiler_diagnostics_port: where boilers are asked for diagnostics.
        gateway_diagnostics_port: where it asks from, and hears other gateways.
        serial: its serial number.
        version: its software version.
        keepalive: seconds between two cycles of requests in a session; 0 sends the next as soon
            as the last reply came.
        session_length: seconds from a session's start to ``$igw clear``.
        restart_delay: seconds from a session's end to the next announcement.
        pace: factor on the pauses before and in a dialogue, ``restart_delay`` included.
    """

    def __init__(
        self,
        reactor: IGatewayReactor,
        *,
        address: str = "",
        interface: str = "",
        broadcast: str = "255.255.255.255",
        telnet_port: int = 23,
        boiler_port: int = 35601,
        gateway_port: int = 50000,
        boiler_diagnostics_port: int = 50001,
        gateway_diagnostics_port: int = 50002,
        serial: str = "0012345",
        version: str = "6.4.1",
        keepalive: float = 5.0,
        session_length: float = 3600.0,
        restart_delay: float = 17.0,
        pace: float = 1.0,
    ) -> None:
        self.name = "simulated gateway"
        self.problems: list[str] = []
        self.sessions_started = 0
        self.sessions_completed = 0
        self.state = "stopped"
        self.dialogue: GatewayDialogue | None = None
        self._reactor = reactor
        self._place = NetworkInterface(interface, address)
        self._broadcast = broadcast
        self._telnet_port = telnet_port
        self._boiler_port = boiler_port
        self._gateway_port = gateway_port
        self._boiler_diagnostics_port = boiler_diagnostics_port
        self._gateway_diagnostics_port = gateway_diagnostics_port
        self._serial = serial
        self._version = version
        self._keepalive = keepalive
        self._session_length = session_length
        self._restart_delay = restart_delay
        self._pace = pace
        self._ports: dict[int, _Port] = {}
        self._next: IDelayedCall | None = None
        self._patience: IDelayedCall | None = None
        self._ends: IDelayedCall | None = None
        self._connecting: Deferred[object] | None = None
        self._telnet: _Telnet | None = None
        self._clearing = False
        self._closed: Deferred[None] | None = None
        self._watching: list[Deferred[str]] = []

    # The service.

    def startService(self) -> None:
        """Open the UDP ports, and announce itself.

        Raises:
            CannotOpenError: one of them cannot be opened; none is open then.
        """
        with ExitStack() as sockets:
            opened = {
                port: sockets.enter_context(self._datagram_socket(port))
                for port in (
                    self._gateway_port,
                    self._boiler_diagnostics_port,
                    self._gateway_diagnostics_port,
                )
            }
            super().startService()  # type: ignore[no-untyped-call]
            for port, sock in opened.items():
                self._ports[port] = protocol = _Port(self._heard)
                self._reactor.adoptDatagramPort(
                    sock.fileno(), socket.AF_INET, protocol, _LARGEST_DATAGRAM
                )
        self._announce()

    def stopService(self) -> "Deferred[list[None]]":
        """Close everything; the result comes when all is closed."""
        super().stopService()  # type: ignore[no-untyped-call]
        self.state = "stopped"
        self._cancel_timers()
        if self._connecting is not None:
            self._connecting.cancel()
        closing: list[Deferred[None]] = []
        for each in self._ports.values():
            if each.transport is not None:
                stopped = each.transport.stopListening()
                if stopped is not None:
                    closing.append(stopped)
        self._ports.clear()
        if self._telnet is not None:
            self._closed = Deferred()
            closing.append(self._closed)
            self._telnet.tcp.abortConnection()
        return gatherResults(closing)

    # What a test or the phone app does.

    def when_session_over(self) -> "Deferred[str]":
        """Tell the reason when the session that runs, or else the next one, is over."""
        over: Deferred[str] = Deferred()
        self._watching.append(over)
        return over

    def set_parameter(self, number: str, kind: int, value: str) -> "Deferred[str]":
        """Set a parameter in the running session; the result is the boiler's reply.

        Raises:
            RuntimeError: no session runs.
        """
        if self._telnet is None or self.dialogue is None or not self.dialogue.described:
            raise RuntimeError("no session runs")
        outcome: Deferred[str] = Deferred()
        self._write(self.dialogue.set_parameter(number, kind, value, outcome.callback))
        return outcome

    def close(self) -> None:
        """Close the session without a word."""
        if self._telnet is not None:
            self._telnet.tcp.loseConnection()

    def reset(self) -> None:
        """Reset the session."""
        if self._telnet is not None:
            self._telnet.tcp.abortConnection()

    # Looking for a boiler.

    def _datagram_socket(self, port: int) -> socket.socket:
        device = self._place.device() if self._place.interface else ""
        bound = "" if device else self._place.address
        return datagram_socket(self._place, bound, port, device=device, shared=False)

    def _announce(self) -> None:
        self.state = "announcing"
        announcement = f"HargaWebApp v{self._version}\r\nSN:{self._serial}"
        self._send(announcement.encode(), self._gateway_port, self._boiler_port)
        self._later(_BEFORE_DIAGNOSTICS, self._tell_diagnostics)

    def _tell_diagnostics(self) -> None:
        diagnostics = (
            f"hargassner.diagnostics\nserialnr:{self._serial}\nsoftware:{self._version}\n"
            "bootloader:5.00\ntype:info\nmessage:running"
        )
        self._send(
            diagnostics.encode(), self._boiler_diagnostics_port, self._gateway_diagnostics_port
        )
        self._later(_BEFORE_DIAGNOSTICS_REQUEST, self._ask_for_diagnostics)

    def _ask_for_diagnostics(self) -> None:
        self._send(
            DIAGNOSTICS_WANTED, self._gateway_diagnostics_port, self._boiler_diagnostics_port
        )
        self._later(_BEFORE_SERVICES, self._ask_for_services)

    def _ask_for_services(self) -> None:
        self.state = "looking for a boiler"
        self._send(SERVICES_WANTED, self._gateway_port, self._boiler_port)
        self._later(_BETWEEN_SERVICES, self._ask_for_services)

    def _send(self, data: bytes, source_port: int, port: int) -> None:
        transport = self._ports[source_port].transport
        if transport is not None:
            try:
                transport.write(data, (self._broadcast, port))
            except OSError as wrong:
                log.warn("cannot broadcast to {to}: {why}", to=self._broadcast, why=str(wrong))

    def _heard(self, data: bytes, source: tuple[str, int]) -> None:
        if self.state != "looking for a boiler" or not data.startswith(b"\x00\x02"):
            return
        if source[1] != self._boiler_port:
            self._problem(f"the service list came from port {source[1]}, not {self._boiler_port}")
        self.state = "found a boiler"
        log.info("a boiler answered from {address}", address=source[0])
        self._later(_BEFORE_CONNECTING, self._connect, source[0])

    # A session.

    def _connect(self, address: str) -> None:
        self.state = "connecting"
        endpoint: TCP4ClientEndpoint | BoundClientEndpoint
        if self._place.interface:
            endpoint = BoundClientEndpoint(
                self._reactor, address, self._telnet_port, self._place, _CONNECT_PATIENCE
            )
        else:
            bind = (self._place.address, 0) if self._place.address else None
            endpoint = TCP4ClientEndpoint(
                self._reactor, address, self._telnet_port, int(_CONNECT_PATIENCE), bind
            )
        factory: Factory[_Telnet] = Factory.forProtocol(lambda: _Telnet(self))
        factory.noisy = False
        connecting = endpoint.connect(factory)
        self._connecting = connecting  # type: ignore[assignment]
        connecting.addErrback(self._not_connected)

    def _not_connected(self, why: Failure) -> None:
        self._connecting = None
        if self.running:
            log.info("cannot connect: {why}", why=why.getErrorMessage())
            self._start_over()

    def connected(self, telnet: _Telnet) -> None:
        """The connection is up: the dialogue begins."""
        self._connecting = None
        self._next = None
        self._telnet = telnet
        self._clearing = False
        telnet.tcp.setTcpNoDelay(True)
        self.state = "in a session"
        self.sessions_started += 1
        log.info("session {number} begins", number=self.sessions_started)
        self.dialogue = GatewayDialogue(self._serial, self._problem)
        self._ends = self._reactor.callLater(self._session_length, self._clear)
        self._write(self.dialogue.begin())

    def received(self, data: bytes) -> None:
        """What the boiler's side says."""
        dialogue = self.dialogue
        if dialogue is None:
            return
        self._write(dialogue.received(data))
        if dialogue.cleared and not self._clearing:
            self._clearing = True
            self._write(dialogue.renew())
            self._later(_AFTER_RENEW, self.close)
        elif (
            not dialogue.waiting
            and dialogue.opened
            and self._next is None
            and self._ends is not None
        ):
            self._settle()
            self._next = self._reactor.callLater(self._keepalive, self._poll)

    def _poll(self) -> None:
        self._next = None
        if self.dialogue is not None and not self.dialogue.waiting:
            self._write(self.dialogue.poll())

    def _clear(self) -> None:
        self._ends = None
        if self.dialogue is not None:
            self.state = "starting over"
            self._write(self.dialogue.renew())
            self._later(_BEFORE_CLEAR, self._ask_to_clear)

    def _ask_to_clear(self) -> None:
        self._next = None
        if self.dialogue is not None:
            self._write(self.dialogue.clear())

    def disconnected(self, reason: Failure) -> None:
        """The session is over, one way or another."""
        self._cancel_timers()
        completed = self.dialogue is not None and self.dialogue.cleared
        self._telnet = None
        self.dialogue = None
        why = "completed" if completed else reason.getErrorMessage()
        log.info("session {number} is over: {why}", number=self.sessions_started, why=why)
        if completed:
            self.sessions_completed += 1
        if self._closed is not None:
            closed, self._closed = self._closed, None
            closed.callback(None)
        elif self.running:
            self._start_over()
        watching, self._watching = self._watching, []
        for each in watching:
            each.callback(why)

    def _start_over(self) -> None:
        self.state = "waiting to start over"
        self._later(self._restart_delay, self._announce)

    def _write(self, data: bytes) -> None:
        if data and self._telnet is not None:
            self._telnet.tcp.write(data)
            if self._patience is None:
                self._patience = self._reactor.callLater(_REPLY_PATIENCE, self._give_up)

    def _give_up(self) -> None:
        self._patience = None
        if self.dialogue is not None and self.dialogue.waiting:
            self._problem(f"no reply within {_REPLY_PATIENCE:g} seconds")
            self.reset()

    def _settle(self) -> None:
        patience, self._patience = self._patience, None
        if patience is not None:
            patience.cancel()

    def _problem(self, what: str) -> None:
        self.problems.append(what)
        log.warn("{problem}", problem=what)

    def _later(self, seconds: float, what: Callable[..., None], *arguments: object) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()
        self._next = self._reactor.callLater(seconds * self._pace, what, *arguments)

    def _cancel_timers(self) -> None:
        for each in (self._next, self._patience, self._ends):
            if each is not None and each.active():
                each.cancel()
        self._next = self._patience = self._ends = None
