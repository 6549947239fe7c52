"""The simulated gateway as a service: it looks for a boiler, talks to it, and starts over."""

from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred, DeferredLock, gatherResults, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import (
    IProtocolFactory,
    IReactorSocket,
    IReactorTCP,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.config import DiscoveryConfig
from hargassner.network.connecting import BoundClientEndpoint, ISocketReactor, SingleFactory
from hargassner.network.interface import NetworkInterface
from hargassner.services import Service
from hargassner.simulator.coroutines import log_failure
from hargassner.simulator.gateway.datagrams import Datagrams
from hargassner.simulator.gateway.dialogue import GatewayDialogue
from hargassner.simulator.gateway.session import GatewaySession
from hargassner.simulator.gateway.timing import (
    BEFORE_CONNECTING,
    BEFORE_DIAGNOSTICS,
    BEFORE_DIAGNOSTICS_REQUEST,
    BEFORE_SERVICES,
    BETWEEN_SERVICES,
    CONNECT_TIMEOUT,
    Timing,
)

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
        self.sessions_started = self.sessions_completed = 0
        self._reactor = reactor
        self._interface = NetworkInterface(interface, address)
        self._telnet_port = telnet_port
        self._serial = serial
        self._version = version
        self._timing = Timing(keepalive, session_length, restart_delay, pace)
        diagnostics = boiler_diagnostics_port, gateway_diagnostics_port
        self._ports = DiscoveryConfig(boiler_port, gateway_port, *diagnostics)
        self._datagrams = Datagrams(
            reactor, self._interface, broadcast, self._ports, self._answered
        )
        self._state = "stopped"
        self._answer: Deferred[tuple[str, int]] = Deferred()
        self._session: GatewaySession | None = None
        self._over: list[Deferred[str]] = []
        # A life that is over soon, with its session, comes before the next one.
        self._one_life = DeferredLock()
        self._life: Deferred[None] = succeed(None)

    @property
    def state(self) -> str:
        """What it does, in words."""
        return self._state if self._session is None else self._session.state

    @property
    def dialogue(self) -> GatewayDialogue | None:
        """The dialogue of the session that runs."""
        return None if self._session is None else self._session.dialogue

    def startService(self) -> None:
        """Open the UDP ports, and announce itself.

        Raises:
            CannotOpenError: one of them cannot be opened; none is open then.
        """
        self._datagrams.open()
        super().startService()
        self._state = "announcing"
        self._life = self._one_life.run(lambda: Deferred.fromCoroutine(self._live()))
        self._life.addErrback(log_failure)

    def stopService(self) -> "Deferred[list[Any]]":
        """Close everything; the result comes when all is closed."""
        super().stopService()
        self._state = "stopped"
        life, self._life = self._life, succeed(None)
        closing: list[Deferred[Any]] = [*self._datagrams.close(), life]
        life.cancel()
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
        session = self._session
        if session is None or not session.dialogue.described:
            raise RuntimeError("no session runs")
        return session.set_parameter(number, kind, value)

    async def _live(self) -> None:
        """Look for a boiler, talk to it, and start over; cancelling this ends a session at once."""
        while True:
            endpoint = self._endpoint(await self._look())
            self._state = "connecting"
            session = GatewaySession(
                self._reactor, self._timing, self._serial, self._problem, self._session_over
            )
            try:
                await endpoint.connect(cast("IProtocolFactory", SingleFactory(session)))
            except Exception as wrong:
                if not self.running:
                    return  # It was given up.
                log.info("cannot connect: {why}", why=str(wrong))
            else:
                await self._attend(session)
            self._state = "waiting to start over"
            await self._pause(self._timing.restart_delay)

    async def _look(self) -> str:
        """Say who is there, and ask for a boiler until one answers: its address."""
        self._state = "announcing"
        self._datagrams.announce(self._serial, self._version)
        await self._pause(BEFORE_DIAGNOSTICS)
        self._datagrams.report_diagnostics(self._serial, self._version)
        await self._pause(BEFORE_DIAGNOSTICS_REQUEST)
        self._datagrams.ask_for_diagnostics()
        await self._pause(BEFORE_SERVICES)
        self._state = "looking for a boiler"
        address, port = await self._ask()
        expected = self._ports.boiler_port
        if port != expected:
            self._problem(f"the service list came from port {port}, not {expected}")
        log.info("a boiler answered from {address}", address=address)
        self._state = "found a boiler"
        await self._pause(BEFORE_CONNECTING)
        return address

    async def _ask(self) -> tuple[str, int]:
        """Ask for services again and again: where the first answer comes from."""
        self._answer = Deferred()
        asking = LoopingCall(self._datagrams.ask_for_services)
        asking.clock = self._reactor
        asking.start(self._timing.paced(BETWEEN_SERVICES))
        try:
            return await self._answer
        finally:
            asking.stop()

    def _answered(self, source: tuple[str, int]) -> None:
        if not self._answer.called:
            self._answer.callback(source)

    async def _attend(self, session: GatewaySession) -> None:
        """Wait for a session's end; cancelling this resets it."""
        self.sessions_started += 1
        log.info("session {number} begins", number=self.sessions_started)
        self._session = session
        try:
            await self.when_session_over()
        except CancelledError:
            if self._session is session:  # Else it is over by now.
                self._session = None
                over = self.when_session_over()
                session.reset()
                await over
            raise

    def _pause(self, seconds: float) -> "Deferred[None]":
        return deferLater(self._reactor, self._timing.paced(seconds))

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
        self._session = None
        waiting, self._over = self._over, []
        for each in waiting:
            each.callback(why)

    def _problem(self, what: str) -> None:
        self.problems.append(what)
        log.warn("{problem}", problem=what)
