"""The simulated gateway as a service: it looks for a boiler, talks to it, and starts over."""

from typing import Any, cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import (
    IProtocolFactory,
    IReactorSocket,
    IReactorTCP,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.network.connecting import BoundClientEndpoint, ISocketReactor
from hargassner.network.interface import NetworkInterface
from hargassner.services import Service
from hargassner.simulator.gateway.datagrams import Datagrams, Ports
from hargassner.simulator.gateway.dialogue import GatewayDialogue
from hargassner.simulator.gateway.life import Core, new_life
from hargassner.simulator.gateway.session import GatewaySession
from hargassner.simulator.gateway.timing import CONNECT_TIMEOUT, Timing

log = Logger()


class IGatewayReactor(ISocketReactor, IReactorSocket, IReactorTCP, IReactorTime):
    """What the simulated gateway needs of a reactor."""


class SimulatedGateway(Service):
    """A gateway on this machine, for the demo, the tests and the benchmarks.

    It broadcasts, connects to wherever the boiler's answer came from, and talks as the real one
    does; ``problems`` has a sentence for each thing that it got and should not have got.

    Args:
        reactor: everything runs on it.
        address: what its sockets are bound to; "" is the wildcard address.
        interface: what its sockets are bound to; their address is the wildcard address then.
        broadcast: where it broadcasts; an ordinary address does where there is no broadcast.
        telnet_port: the boiler's TCP port.
        boiler_port: where boilers are asked for their services.
        gateway_port: where it asks from.
        boiler_diagnostics_port: where boilers are asked for diagnostics.
        gateway_diagnostics_port: where it asks from, and receives what other gateways send.
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
        self.sessions_completed = 0
        self._reactor = reactor
        self._interface = NetworkInterface(interface, address)
        self._telnet_port = telnet_port
        self._serial = serial
        self._timing = Timing(keepalive, session_length, restart_delay, pace)
        ports = Ports(boiler_port, gateway_port, boiler_diagnostics_port, gateway_diagnostics_port)
        self._datagrams = Datagrams(reactor, self._interface, broadcast, ports, self._answered)
        self._core = Core(
            clock=reactor,
            timing=self._timing,
            datagrams=self._datagrams,
            identity=(serial, version),
            boiler_port=boiler_port,
            connect=self._connect,
            problem=self._problem,
        )
        self._life = new_life(self._core)
        self._over: list[Deferred[str]] = []

    @property
    def sessions_started(self) -> int:
        """How many sessions there were."""
        return self._core.sessions

    @property
    def state(self) -> str:
        """What it does, in words."""
        return self._life.describe()

    @property
    def dialogue(self) -> GatewayDialogue | None:
        """The dialogue of the session that runs."""
        session = self._life.session()
        return session.dialogue if session is not None else None

    def startService(self) -> None:
        """Open the UDP ports, and announce itself.

        Raises:
            CannotOpenError: one of them cannot be opened; none is open then.
        """
        self._datagrams.open()
        super().startService()
        self._life.start()

    def stopService(self) -> "Deferred[list[Any]]":
        """Close everything; the result comes when all is closed."""
        super().stopService()
        closing: list[Deferred[Any]] = [*self._datagrams.close()]
        if self._life.session() is not None:
            closing.append(self.when_session_over())
        self._life.stop()
        return gatherResults(closing)

    def when_session_over(self) -> "Deferred[str]":
        """Give the reason when the session that runs, or else the next one, is over."""
        over: Deferred[str] = Deferred()
        self._over.append(over)
        return over

    def set_parameter(self, number: str, kind: int, value: str) -> "Deferred[str]":
        """Set a parameter in the running session, as the phone app does.

        The result is the boiler's reply.

        Raises:
            RuntimeError: no session runs.
        """
        session = self._life.session()
        if session is None or not session.dialogue.described:
            raise RuntimeError("no session runs")
        return session.set_parameter(number, kind, value)

    def close(self) -> None:
        """Close the session without a word."""
        session = self._life.session()
        if session is not None:
            session.close()

    def reset(self) -> None:
        """Reset the session."""
        session = self._life.session()
        if session is not None:
            session.reset()

    def _answered(self, source: tuple[str, int]) -> None:
        self._life.answered(*source)

    def _connect(self, address: str) -> "Deferred[GatewaySession]":
        def session() -> GatewaySession:
            return GatewaySession(
                self._reactor, self._timing, self._serial, self._problem, self._session_over
            )

        factory: Factory[GatewaySession] = Factory.forProtocol(session)
        factory.noisy = False
        connecting = self._endpoint(address).connect(cast("IProtocolFactory", factory))
        return cast("Deferred[GatewaySession]", connecting)

    def _endpoint(self, address: str) -> IStreamClientEndpoint:
        """The way to the boiler's telnet port, from this machine's side."""
        own = self._interface
        if own.interface:
            return BoundClientEndpoint(
                self._reactor, address, self._telnet_port, own, CONNECT_TIMEOUT
            )
        bind = (own.address, 0) if own.address else None
        return TCP4ClientEndpoint(
            self._reactor, address, self._telnet_port, int(CONNECT_TIMEOUT), bind
        )

    def _session_over(self, session: GatewaySession, reason: Failure) -> None:
        completed = session.dialogue.cleared
        why = "completed" if completed else reason.getErrorMessage()
        log.info("session {number} is over: {why}", number=self.sessions_started, why=why)
        self.sessions_completed += completed
        self._life.over()
        waiting, self._over = self._over, []
        for each in waiting:
            each.callback(why)

    def _problem(self, what: str) -> None:
        self.problems.append(what)
        log.warn("{problem}", problem=what)
