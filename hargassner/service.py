"""Composition: everything that the bridge is made of, wired in one place."""

import signal
import socket
from collections.abc import Callable

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorCore,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorThreads,
)

from hargassner.config import Config
from hargassner.discovery import BoilerSideProtocol, GatewaySideProtocol, Neighbours, Relay, Side
from hargassner.network.connecting import ISocketReactor, TiedClientEndpoint
from hargassner.network.keeper import Keeper
from hargassner.network.sockets import CannotOpenError, Place, listening_socket
from hargassner.proxy import Access, ProxyFactory

CONNECT_PATIENCE = 10.0
"""Seconds to find the boiler, and again to connect to it."""


class IBridgeReactor(
    ISocketReactor, IReactorCore, IReactorTCP, IReactorThreads, IReactorPluggableNameResolver
):
    """What the bridge needs of a reactor."""


class BoilerLine:
    """The way to the boiler: finds it, and connects through its side of the bridge.

    Args:
        reactor: connects.
        neighbours: know where the boiler is.
        place: this machine's place on the boiler's network.
        port: the boiler's telnet port.
    """

    def __init__(
        self, reactor: IBridgeReactor, neighbours: Neighbours, place: Place, port: int
    ) -> None:
        self._reactor = reactor
        self._neighbours = neighbours
        self._place = place
        self._port = port

    def connect(self, factory: IProtocolFactory) -> "Deferred[IProtocol]":
        """Connect to the boiler; the result is the factory's connected protocol.

        Errors: ``BoilerUnknownError``, or why the connection could not be made.
        """
        address = self._neighbours.boiler_address(CONNECT_PATIENCE)
        return address.addCallback(self._connect, factory)

    def _connect(self, host: str, factory: IProtocolFactory) -> "Deferred[IProtocol]":
        device = self._place.device()
        if not device:
            bind = (self._place.address, 0) if self._place.address else None
            endpoint = TCP4ClientEndpoint(
                self._reactor, host, self._port, timeout=CONNECT_PATIENCE, bindAddress=bind
            )
            return endpoint.connect(factory)
        resolved: Deferred[str] = self._reactor.resolve(host)
        return resolved.addCallback(
            lambda address: TiedClientEndpoint(
                self._reactor, address, self._port, self._place, CONNECT_PATIENCE
            ).connect(factory)
        )


class TelnetPort:
    """The telnet port, open, with the sessions that came through it."""

    def __init__(self, port: IListeningPort) -> None:
        self._port = port

    def close(self) -> "Deferred[None] | None":
        """Admit nobody any more."""
        closing: Deferred[None] | None = self._port.stopListening()
        return closing


class Sessions(Service):
    """Ends the sessions when the bridge stops."""

    name = "sessions"

    def __init__(self, factory: ProxyFactory) -> None:
        self._factory = factory

    def stopService(self) -> "Deferred[None]":
        """End every session; the result comes when all are over."""
        super().stopService()  # type: ignore[no-untyped-call]
        return self._factory.close()


class CleanExit(Service):
    """Makes SIGTERM and SIGINT a clean stop with exit status 0.

    Twisted would stop as cleanly, and then let the process die by the signal.
    """

    name = "clean exit"

    def __init__(self, reactor: IBridgeReactor) -> None:
        self._reactor = reactor

    def startService(self) -> None:
        """Take the signals over as soon as the reactor has set its own handlers."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._take_over)

    def _take_over(self) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)

    def _stop(self, _signal: int, _frame: object) -> None:
        if self.running:
            self._reactor.callFromThread(self._reactor.stop)


class Bridge(MultiService):
    """The whole service.

    Args:
        config: what the owner wants.
        reactor: everything runs on it.
    """

    name = "hargassner"

    def __init__(self, config: Config, reactor: IBridgeReactor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.config = config
        gateway_place = Place(config.gateway.interface, config.gateway.address)
        boiler_place = Place(config.boiler.interface, config.boiler.address)
        ports = config.discovery

        self.neighbours = Neighbours(reactor, config.boiler.host)
        gateway_side = Side(
            gateway_place,
            config.gateway.broadcast,
            (ports.boiler_port, ports.boiler_diagnostics_port, ports.gateway_diagnostics_port),
        )
        boiler_side = Side(
            boiler_place,
            config.boiler.broadcast,
            (ports.gateway_port, ports.boiler_diagnostics_port, ports.gateway_diagnostics_port),
        )
        self.relay = Relay(self.neighbours, ports, gateway_side, boiler_side)
        self.boiler_line = BoilerLine(
            reactor, self.neighbours, boiler_place, config.boiler.telnet_port
        )
        self.proxy = ProxyFactory(
            reactor, self.boiler_line.connect, Access(config.gateway.allow, self.neighbours)
        )
        self.neighbours.on_announcement(self.proxy.gateway_announced)

        shared = _may_meet(gateway_place, boiler_place)
        hears_gateway = GatewaySideProtocol(self.relay)
        hears_boiler = BoilerSideProtocol(self.relay)

        def open_telnet_port() -> TelnetPort:
            with listening_socket(gateway_place, config.gateway.telnet_port) as sock:
                return TelnetPort(
                    reactor.adoptStreamPort(
                        sock.fileno(),
                        socket.AF_INET,
                        self.proxy,  # type: ignore[arg-type]
                    )
                )

        keepers: list[tuple[Place, str, Callable[[], TelnetPort | Side]]] = [
            (
                gateway_place,
                "the gateway's discovery",
                lambda: gateway_side.open(reactor, hears_gateway, shared=shared),
            ),
            (
                boiler_place,
                "the boiler's discovery",
                lambda: boiler_side.open(reactor, hears_boiler, shared=shared),
            ),
            (gateway_place, "the telnet port", open_telnet_port),
        ]
        parts: list[Service] = [Keeper(reactor, *each) for each in keepers]
        for part in [CleanExit(reactor), *parts, Sessions(self.proxy)]:
            part.setServiceParent(self)


def _may_meet(one: Place, other: Place) -> bool:
    """Whether sockets of both sides may be bound to the same port of the same interface."""
    try:
        devices = (one.device(), other.device())
    except CannotOpenError:
        devices = (one.interface, other.interface)
    return not all(devices) or devices[0] == devices[1]
