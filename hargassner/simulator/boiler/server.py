"""The simulated boiler as a service: its sockets, its datagrams, and ways to make it misbehave."""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import (
    IListeningPort,
    IReactorSocket,
    IReactorTime,
    IUDPTransport,
)
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from hargassner.network.interface import NetworkInterface
from hargassner.network.sockets import datagram_socket, stream_socket
from hargassner.services import Service
from hargassner.simulator.boiler.engine import BoilerEngine, Mishap
from hargassner.simulator.boiler.identity import DIAGNOSTICS_REQUEST, SERVICES_REQUEST
from hargassner.simulator.boiler.locked import LockedEngine
from hargassner.simulator.boiler.plant import Plant
from hargassner.simulator.boiler.telnet import BoilerFactory, Timing

log = Logger()

_LARGEST_DATAGRAM = 65_536


class IBoilerReactor(IReactorSocket, IReactorTime):
    """What the simulated boiler needs of a reactor."""


class AnsweringProtocol(DatagramProtocol):
    """A UDP port that answers one question, from itself to the sender.

    Args:
        port: its number; 0 lets the system choose.
        question: the whole datagram that is answered.
        answer: what is sent back.
        asked_from: the port that gateways ask from.
        problems: where a question from another port is noted; it is answered all the same.
    """

    noisy = False
    transport: IUDPTransport

    def __init__(
        self, port: int, question: bytes, answer: bytes, asked_from: int, problems: list[str]
    ) -> None:
        self.port = port
        self.silent = False
        self._question = question
        self._answer = answer
        self._asked_from = asked_from
        self._problems = problems

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer the question; everything else is for others."""
        if data != self._question or self.silent:
            return
        self._check_port(*addr)
        log.info("asked for {question} by {address}", question=data, address=addr[0])
        self.transport.write(self._answer, addr)

    def _check_port(self, address: str, port: int) -> None:
        if port != self._asked_from:
            problem = f"{address} asked from UDP port {port}, not {self._asked_from}"
            self._problems.append(problem)
            log.warn("{problem}", problem=problem)


class SimulatedBoiler(Service):
    """A boiler on this machine, for the demo, the tests and the benchmarks.

    It can be stopped and started again, as a boiler is switched off and on; connections end then,
    and the plant, its parameters and the port numbers stay.

    Args:
        reactor: everything runs on it.
        address: what its sockets are bound to; "" is the wildcard address.
        interface: what its sockets are bound to; their address is the wildcard address then, so
            that they receive broadcasts.
        telnet_port: 0 lets the system choose; see ``telnet_port_number``.
        boiler_port: where gateways ask for services.
        gateway_port: where they ask from.
        boiler_diagnostics_port: where gateways ask for diagnostics.
        gateway_diagnostics_port: where they ask from.
        period: seconds between two telemetry lines.
        speed: how many seconds of the plant's life pass in one; 60 shows a burn cycle in minutes.
        segment_gap: seconds between the segments of a message.
        reply_delay: seconds that the boiler thinks about a request.
        discovery: whether the UDP ports are opened.
        seed: decides the plant's weather and noise, and the login tokens.
        hesitation: how many seconds longer it thinks about a request.
        mishap: what goes wrong with a request, given without ``$``.
        refuse: whether it refuses every request, as boilers do without a gateway's login.
        lines: telemetry lines, with their ends, that it sends over and over; it refuses every
            request then, since they may be another boiler's.

    ``problems`` has a sentence for each question that came from another port than it should.
    """

    name = "simulated boiler"

    def __init__(
        self,
        reactor: IBoilerReactor,
        *,
        address: str = "",
        interface: str = "",
        telnet_port: int = 23,
        boiler_port: int = 35601,
        gateway_port: int = 50000,
        boiler_diagnostics_port: int = 50001,
        gateway_diagnostics_port: int = 50002,
        period: float = 1.0,
        speed: float = 1.0,
        segment_gap: float = 0.00013,
        reply_delay: float = 0.02,
        discovery: bool = True,
        seed: int = 0,
        hesitation: Callable[[bytes], float] = lambda _request: 0.0,
        mishap: Callable[[str], Mishap | None] = lambda _request: None,
        refuse: bool = False,
        lines: Sequence[bytes] = (),
    ) -> None:
        self.telnet_port_number = telnet_port
        self.problems: list[str] = []
        self._reactor = reactor
        self._interface = NetworkInterface(interface, address)
        self._discovery = discovery
        started = self._now()
        self.plant = Plant(seed, hour=started.hour + started.minute / 60)
        self.engine = (
            LockedEngine(self.plant, self._now, lines=lines)
            if refuse or lines
            else self._open_engine(address or "192.0.2.72", seed, mishap)
        )
        timing = Timing(period, speed, segment_gap, reply_delay, hesitation)
        self._factory = BoilerFactory(reactor, self.engine, timing)
        self._services = self._says_services(boiler_port, gateway_port)
        diagnostics = boiler_diagnostics_port, gateway_diagnostics_port
        self._diagnostics = self._says_diagnostics(*diagnostics)
        self._ports: list[IListeningPort] = []

    def _says_services(self, port: int, asked_from: int) -> AnsweringProtocol:
        answer = self.engine.identity.service_list()
        return AnsweringProtocol(port, SERVICES_REQUEST, answer, asked_from, self.problems)

    def _says_diagnostics(self, port: int, asked_from: int) -> AnsweringProtocol:
        answer = self.engine.identity.diagnostics()
        return AnsweringProtocol(port, DIAGNOSTICS_REQUEST, answer, asked_from, self.problems)

    def _open_engine(
        self, address: str, seed: int, mishap: Callable[[str], Mishap | None]
    ) -> BoilerEngine:
        """The engine that answers requests."""
        return BoilerEngine(self.plant, self._now, address=address, seed=seed, mishap=mishap)

    @property
    def boiler_port_number(self) -> int:
        """Where gateways ask for services."""
        return self._services.port

    @property
    def boiler_diagnostics_port_number(self) -> int:
        """Where gateways ask for diagnostics."""
        return self._diagnostics.port

    @property
    def connections(self) -> int:
        """How many telnet connections stand now."""
        return self._factory.connections

    def startService(self) -> None:
        """Switch the boiler on.

        Raises:
            CannotOpenError: a socket cannot be opened; none is open then.
        """
        asked = (self._services, self._diagnostics) if self._discovery else ()
        with ExitStack() as opened:
            listening = opened.enter_context(self._opened(stream_socket, self.telnet_port_number))
            sockets = [
                opened.enter_context(self._opened(datagram_socket, each.port)) for each in asked
            ]
            super().startService()
            self.telnet_port_number = listening.getsockname()[1]
            factory: Any = self._factory
            port = self._reactor.adoptStreamPort(listening.fileno(), socket.AF_INET, factory)
            self._ports.append(port)
            for protocol, sock in zip(asked, sockets, strict=True):
                protocol.port = sock.getsockname()[1]
                self._ports.append(
                    self._reactor.adoptDatagramPort(
                        sock.fileno(), socket.AF_INET, protocol, _LARGEST_DATAGRAM
                    )
                )
        self._factory.start()

    def stopService(self) -> "Deferred[None]":
        """Switch the boiler off: the result comes when every port and connection is closed."""
        super().stopService()
        ports, self._ports = self._ports, []
        closing: list[Deferred[Any]] = [maybeDeferred(each.stopListening) for each in ports]
        return gatherResults([self._factory.stop(), *closing]).addCallback(lambda _: None)

    def drop_connections(self, *, reset: bool = False) -> None:
        """End every telnet connection, with FIN or with RST."""
        self._factory.drop(reset=reset)

    def silence(self, silent: bool = True) -> None:
        """Say nothing any more, as a boiler whose cable was pulled; connections stay."""
        for each in (self._factory, self._services, self._diagnostics):
            each.silent = silent

    def change_parameter(self, parameter: str, value: str) -> None:
        """Set a parameter as at the boiler's panel; every connection gets the notice.

        Args:
            parameter: its id.
            value: a number, or an option's text or index.

        Raises:
            RefusedError: the parameter is unknown, or does not take the value.
        """
        self._factory.deliver(self.engine.change(parameter, value))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._reactor.seconds())

    def _opened(self, open_: Callable[..., socket.socket], port: int) -> socket.socket:
        device = self._interface.interface
        # A socket bound to one address receives no broadcasts; one bound to its device does.
        bound = "" if device else self._interface.address
        return open_(self._interface, bound, port, device=device)
