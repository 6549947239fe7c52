"""Further TCP ports of the boiler, reached through the bridge.

Behind the bridge the boiler's other ports (its own web page, Modbus) are not in the home's network
any more. A port that is forwarded passes bytes as they are, both ways; nobody observes them, and
they are only counted.
"""

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.network.interface import CannotOpenError, NetworkInterface
from hargassner.network.networks import ipv4_networks
from hargassner.network.reasons import plain_reason
from hargassner.observers import Once
from hargassner.proxy.protocols import BoilerClientFactory, BoilerProtocol, Leg, ProxyProtocol
from hargassner.services import Service

log = Logger()

MOST_CONNECTIONS = 64
"""Connections that are open on one forwarded port at most."""


class ForwardAccess:
    """Who may use the forwarded ports.

    Args:
        allow: "any", IPv4 addresses and networks; none for the network of ``interface``.
        interface: this machine's side of the gateway's network.
    """

    def __init__(self, allow: Iterable[str], interface: NetworkInterface) -> None:
        allow = tuple(allow)
        self._interface = interface
        self._anyone = "any" in allow
        self._networks = tuple(ipaddress.IPv4Network(each) for each in allow if each != "any")

    def admits(self, address: str) -> bool:
        """Whether this address may connect now."""
        if self._anyone:
            return True
        parsed = ipaddress.IPv4Address(address)
        return any(parsed in each for each in self._networks or self._own_networks())

    def _own_networks(self) -> tuple[ipaddress.IPv4Network, ...]:
        try:
            return ipv4_networks(self._interface.device())
        except (CannotOpenError, OSError):
            return ()  # It is absent, or cannot be asked for now.


@dataclass(slots=True)
class ForwardCounters:
    """What passed one forwarded port since the start."""

    connections: int = 0
    refused: int = 0
    unreachable: int = 0
    bytes_from_client: int = 0
    bytes_from_boiler: int = 0


class ForwardFactory(ServerFactory[ProxyProtocol]):
    """Joins each connection to a port of ours with one to the same port of the boiler.

    Args:
        port: the boiler's.
        connect_boiler: connects a factory's protocol to that port; its Deferred can be cancelled.
        access: who may connect.
    """

    noisy = False

    def __init__(
        self,
        port: int,
        connect_boiler: Callable[[IProtocolFactory], "Deferred[IProtocol]"],
        access: ForwardAccess,
    ) -> None:
        self.port = port
        self.counters = ForwardCounters()
        self.connect_boiler = connect_boiler
        self.connections: set[_Forwarded] = set()
        self._access = access
        self._said = Once()
        self._stopping = False

    def buildProtocol(self, addr: IAddress | None) -> ProxyProtocol | None:
        """A connection's client side, or nothing for whoever may not connect."""
        client = cast("IPv4Address", addr).host
        problem = self._problem(client)
        if problem:
            self.counters.refused += 1
            self.say_once(f"{client} may not use port {self.port} of the boiler: {problem}")
        if problem or self._stopping:
            return None
        self.counters.connections += 1
        return ProxyProtocol(_Forwarded(self))

    def _problem(self, client: str) -> str:
        """Why a client may not connect, empty if it may."""
        if not self._access.admits(client):
            return "gateway.forward_allow does not have its address"
        if len(self.connections) >= MOST_CONNECTIONS:
            return f"{MOST_CONNECTIONS} connections are open"
        return ""

    def say_once(self, problem: str) -> None:
        """Log a problem, if it is not known yet."""
        if self._said.first(problem):
            log.warn("{problem}", problem=problem)

    def close(self) -> "Deferred[Any]":
        """Admit nobody any more and end every connection; the result comes when all are over."""
        self._stopping = True
        return DeferredList([each.end() for each in tuple(self.connections)])


class _Forwarded:
    """One connection of a client's and its connection to the boiler."""

    def __init__(self, factory: ForwardFactory) -> None:
        self._factory = factory
        self._legs: list[Leg] = []
        self._over: list[Deferred[None]] = []

    def client_connected(self, client: ProxyProtocol) -> None:
        """Connect to the boiler; nothing is read from the client before that."""
        self._legs.append(client)
        self._factory.connections.add(self)
        protocols = cast("IProtocolFactory", BoilerClientFactory(self))
        self._attempt = self._factory.connect_boiler(protocols)
        self._attempt.addErrback(self._not_connected)

    def _not_connected(self, why: Failure) -> None:
        if why.check(CancelledError) is None:
            factory = self._factory
            factory.counters.unreachable += 1
            factory.say_once(f"port {factory.port} of the boiler: {plain_reason(why)}")
        self._close_legs()

    def boiler_connected(self, boiler: BoilerProtocol) -> None:
        """Join both sides: each is the other's producer, so that whoever is full pauses it."""
        self._legs.append(boiler)
        client = self._legs[0]
        if client is boiler:
            boiler.tcp.abortConnection()  # The client has gone meanwhile.
            return
        counters = self._factory.counters

        def to_boiler(data: bytes) -> None:
            counters.bytes_from_client += len(data)
            boiler.tcp.write(data)

        def to_client(data: bytes) -> None:
            counters.bytes_from_boiler += len(data)
            client.tcp.write(data)

        client.pass_on, boiler.pass_on = to_boiler, to_client
        boiler.tcp.registerProducer(client.tcp, True)
        client.tcp.registerProducer(boiler.tcp, True)
        client.tcp.resumeProducing()

    def leg_finished(self, leg: Leg) -> None:
        """One side sent FIN: so does the other, whose bytes still pass."""
        if all(each.finished for each in self._legs):
            self._close_legs()
        for other in self._legs:
            if other is not leg and not other.finished:
                other.tcp.loseWriteConnection()

    def leg_lost(self, leg: Leg, _reason: Failure) -> None:
        """One connection is gone: end the other."""
        self._legs.remove(leg)
        self._attempt.cancel()
        self._close_legs()
        if not self._legs:
            self._factory.connections.discard(self)
            for each in self._over:
                each.callback(None)

    def end(self) -> "Deferred[None]":
        """End both sides at once; the result comes when both are gone."""
        over: Deferred[None] = Deferred()
        self._over.append(over)
        for each in tuple(self._legs):
            each.tcp.abortConnection()
        return over

    def _close_legs(self) -> None:
        for each in tuple(self._legs):
            each.tcp.unregisterProducer()
            each.tcp.loseConnection()


class Forwards(Service):
    """Ends the forwarded connections when the bridge stops.

    Args:
        factories: what they belong to.
    """

    name = "forwards"

    def __init__(self, factories: Iterable[ForwardFactory]) -> None:
        self._factories = tuple(factories)

    def stopService(self) -> "Deferred[Any]":
        """End every connection; the result comes when all are over."""
        super().stopService()
        return DeferredList([each.close() for each in self._factories])
