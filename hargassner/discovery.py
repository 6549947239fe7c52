"""Discovery: who is there, and "the gateway starts over".

The gateway finds the boiler by UDP broadcasts, and opens its telnet connection to the address
that the boiler's answer came from (docs/protocol.md, section 1).  The relay repeats on each
network what it hears on the other, so that the gateway believes it talks to a boiler, and the
boiler to a gateway.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from hargassner.config import DiscoveryConfig
from hargassner.network.datagrams import DatagramPort, IDatagramReceiver
from hargassner.network.sockets import (
    CannotOpenError,
    Place,
    datagram_socket,
    is_broadcast,
    is_own_address,
)

log = Logger()

_MODEL = slice(2, 32)
_CODE = slice(308, 318)
_REMEMBERED_SOURCES = 256


class NotDiscoveryError(Exception):
    """A datagram is not of the kind that it was taken for."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """The gateway's word that it starts over (docs/protocol.md, section 1, packet 1).

    ``software`` is the gateway's version, such as "6.4.1"; ``serial`` its serial number.  Both
    may be empty.
    """

    software: str
    serial: str


@dataclass(frozen=True, slots=True)
class ServiceList:
    """The boiler's answer to "get services" (docs/protocol.md, section 1, packet 5).

    ``model`` is such as "HSV/CL 9-60KW", ``firmware`` such as "V14.0n3", ``system_code`` eight
    hex digits; each may be empty.
    """

    model: str
    firmware: str
    system_code: str


def parse_announcement(data: bytes) -> Announcement:
    """Read a ``HargaWebApp`` broadcast.

    Raises:
        NotDiscoveryError: it is something else.
    """
    if not data.startswith(b"HargaWebApp"):
        raise NotDiscoveryError("not an announcement")
    text = data[:512].decode("latin-1")
    version = re.match(r"HargaWebApp[ \t]+v?([\w.-]{1,32})", text)
    serial = re.search(r"\bSN:([\w-]{1,32})", text)
    return Announcement(version[1] if version else "", serial[1] if serial else "")


def parse_service_list(data: bytes) -> ServiceList:
    """Read the boiler's service list, shorter or longer than the known one.

    Raises:
        NotDiscoveryError: it is something else.
    """
    if not data.startswith(b"\x00\x02") or len(data) < 4:
        raise NotDiscoveryError("not a service list")
    words = _field(data, _MODEL).split()
    firmware = ""
    if len(words) > 1 and re.match(r"[vV]\d", words[-1]):
        firmware = words.pop()
    return ServiceList(" ".join(words), firmware, _field(data, _CODE))


def _field(data: bytes, where: slice) -> str:
    text = data[where].partition(b"\0")[0].decode("latin-1")
    return "".join(each for each in text if each.isprintable()).strip()


@dataclass(frozen=True, slots=True)
class FoundGateway:
    """The gateway that announced itself last."""

    address: str
    announcement: Announcement


@dataclass(frozen=True, slots=True)
class FoundBoiler:
    """The boiler that answered last."""

    address: str
    services: ServiceList


class BoilerUnknownError(Exception):
    """No boiler has answered the gateway's broadcast yet."""


class Neighbours:
    """Who was found on the two networks.

    Args:
        clock: for the waiting of ``boiler_address``.
        boiler_host: the boiler's address where the owner configured it, else "".
    """

    def __init__(self, clock: IReactorTime, boiler_host: str = "") -> None:
        self.gateway: FoundGateway | None = None
        self.boiler: FoundBoiler | None = None
        self._clock = clock
        self._boiler_host = boiler_host
        self._waiting: list[Deferred[str]] = []
        self._on_announcement: list[Callable[[FoundGateway, FoundGateway | None], None]] = []
        self._on_boiler: list[Callable[[FoundBoiler], None]] = []

    def on_announcement(self, told: Callable[[FoundGateway, FoundGateway | None], None]) -> None:
        """Have ``told`` called each time that a gateway announces itself, with the one before."""
        self._on_announcement.append(told)

    def on_boiler(self, told: Callable[[FoundBoiler], None]) -> None:
        """Have ``told`` called each time that a boiler answers."""
        self._on_boiler.append(told)

    def recall(self, gateway: FoundGateway | None, boiler: FoundBoiler | None) -> None:
        """Start from who was found before a restart; the next broadcast replaces it."""
        self.gateway = gateway
        self.boiler = boiler

    def gateway_announced(self, address: str, announcement: Announcement) -> None:
        """A gateway announced itself; the newest counts."""
        before, self.gateway = self.gateway, FoundGateway(address, announcement)
        if before != self.gateway:
            log.info(
                "gateway {serial} at {address}, software {software}",
                serial=announcement.serial or "without number",
                address=address,
                software=announcement.software or "unknown",
            )
            if before is not None:
                log.info(
                    "it takes the place of gateway {serial} at {address}",
                    serial=before.announcement.serial or "without number",
                    address=before.address,
                )
        for told in self._on_announcement:
            with log.failuresHandled("telling of the gateway at {address}", address=address):
                told(self.gateway, before)

    def boiler_answered(self, address: str, services: ServiceList) -> None:
        """A boiler answered; whoever waits for its address gets it."""
        before, self.boiler = self.boiler, FoundBoiler(address, services)
        if before != self.boiler:
            log.info(
                "boiler at {address}: {model}, firmware {firmware}",
                address=address,
                model=services.model or "unknown model",
                firmware=services.firmware or "unknown",
            )
        while self._waiting:
            self._waiting.pop(0).callback(address)
        for told in self._on_boiler:
            with log.failuresHandled("telling of the boiler at {address}", address=address):
                told(self.boiler)

    def boiler_address(self, patience: float) -> "Deferred[str]":
        """Where the boiler is: configured, found, or found within ``patience`` seconds.

        Errors: ``BoilerUnknownError`` after that.
        """
        address: Deferred[str] = Deferred(self._waiting.remove)
        if self._boiler_host:
            address.callback(self._boiler_host)
        elif self.boiler is not None:
            address.callback(self.boiler.address)
        else:
            self._waiting.append(address)
            give_up: IDelayedCall = self._clock.callLater(patience, self._give_up, address)

            def settled(result: str) -> str:
                if give_up.active():
                    give_up.cancel()
                return result

            address.addBoth(settled)
        return address

    def _give_up(self, address: "Deferred[str]") -> None:
        self._waiting.remove(address)
        address.errback(BoilerUnknownError("no boiler has answered yet"))


class _Said:
    """Remembers of whom something was said, so that it is said once."""

    def __init__(self) -> None:
        self._sources: set[str] = set()

    def first(self, source: str) -> bool:
        """Whether this is the first time; a machine under a flood of sources falls silent."""
        if source in self._sources or len(self._sources) >= _REMEMBERED_SOURCES:
            return False
        self._sources.add(source)
        return True


class Side:
    """One network's discovery ports: what the other side sends through, and who listens here.

    Args:
        place: this machine's place on the network.
        broadcast: where broadcasts go.
        ports: the UDP ports to hold, one socket each.
    """

    def __init__(self, place: Place, broadcast: str, ports: tuple[int, ...]) -> None:
        self.place = place
        self.broadcast = broadcast
        self.ports = ports
        self.device = place.interface
        self._senders: dict[int, DatagramPort] = {}
        self._listeners: list[DatagramPort] = []

    def open(self, reactor: IReactorFDSet, receiver: IDatagramReceiver, other: "Side") -> "Side":
        """Open every port.

        Args:
            reactor: where the sockets are watched.
            receiver: told of what they hear.
            other: the side that may hold some of the same ports on the same interface.

        Raises:
            CannotOpenError: one of them cannot be opened; none is open then.
        """
        device = self.device = self.place.device()
        may_meet = self.place.may_meet(other.place)
        try:
            for port in self.ports:
                sock = datagram_socket(
                    self.place,
                    "" if device else self.place.address,
                    port,
                    device=device,
                    shared=may_meet and port in other.ports,
                    joins=may_meet and port in other.open_ports,
                )
                self._senders[port] = DatagramPort(reactor, sock, receiver, self.place.address)
            if not device and self.place.address and is_broadcast(self.broadcast):
                # A socket bound to one address gets no broadcasts: these get nothing else.
                for port in self.ports:
                    sock = datagram_socket(
                        self.place, self.broadcast, port, device="", shared=True, joins=True
                    )
                    self._listeners.append(DatagramPort(reactor, sock, receiver))
        except (CannotOpenError, OSError):
            self.close()
            raise
        return self

    @property
    def open_ports(self) -> Collection[int]:
        """The ports that are open now."""
        return self._senders.keys()

    def close(self) -> None:
        """Give every port back."""
        for each in [*self._senders.values(), *self._listeners]:
            each.close()
        self._senders.clear()
        self._listeners.clear()

    def is_ours(self, source: tuple[str, int]) -> bool:
        """Whether a datagram was sent from here."""
        address, port = source
        if port not in self._senders:
            return False
        return address == self.place.address if self.place.address else is_own_address(address)

    def send(self, data: bytes, source_port: int, target: tuple[str, int]) -> bool:
        """Send from one of the ports; false while they are closed.

        Raises:
            OSError: the system refuses it.
        """
        sender = self._senders.get(source_port)
        if sender is None:
            return False
        sender.send(data, target)
        return True


@dataclass(slots=True)
class RelayCounters:
    """How many datagrams went which way."""

    to_boiler: int = 0
    to_gateway: int = 0
    dropped: int = 0


class Relay:
    """Repeats on each network what is heard on the other (docs/protocol.md, section 1).

    Args:
        neighbours: told who was found.
        ports: the four port numbers.
        gateway_side: towards the gateway, where the relay stands for the boiler.
        boiler_side: towards the boiler, where it stands for the gateway.
    """

    def __init__(
        self,
        neighbours: Neighbours,
        ports: DiscoveryConfig,
        gateway_side: Side,
        boiler_side: Side,
    ) -> None:
        self.counters = RelayCounters()
        self._neighbours = neighbours
        self._ports = ports
        self._gateway_side = gateway_side
        self._boiler_side = boiler_side
        self._asked_from: dict[int, str] = {}
        self._said = _Said()

    def open_gateway_side(self, reactor: IReactorFDSet) -> Side:
        """Open the ports towards the gateway.

        Raises:
            CannotOpenError: one of them cannot be opened.
        """
        return self._gateway_side.open(reactor, GatewaySideProtocol(self), self._boiler_side)

    def open_boiler_side(self, reactor: IReactorFDSet) -> Side:
        """Open the ports towards the boiler.

        Raises:
            CannotOpenError: one of them cannot be opened.
        """
        return self._boiler_side.open(reactor, BoilerSideProtocol(self), self._gateway_side)

    def heard_from_gateway(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """A datagram came from the gateway's network: the boiler, or its network, gets it.

        ``broadcast`` is None where the system does not tell.
        """
        address, source_port = source
        boiler = self._neighbours.boiler
        if self._is_echo(source, boiler.address if boiler is not None else None):
            return
        if source_port not in self._boiler_side.ports:
            self._drop(source, port, len(data))
            return
        self._asked_from[source_port] = address
        host = self._boiler_side.broadcast
        if broadcast is False and boiler is not None:
            host = boiler.address
        if self._send(self._boiler_side, data, source_port, (host, port), source):
            self.counters.to_boiler += 1
        if port == self._ports.boiler_port and data.startswith(b"HargaWebApp"):
            self._neighbours.gateway_announced(address, parse_announcement(data))

    def heard_from_boiler(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """A datagram came from the boiler's network: the gateway, or its network, gets it.

        ``broadcast`` is None where the system does not tell.
        """
        address, source_port = source
        gateway = self._neighbours.gateway
        if self._is_echo(source, gateway.address if gateway is not None else None):
            return
        if source_port not in self._gateway_side.ports:
            self._drop(source, port, len(data))
            return
        host: str | None
        if broadcast:
            host = self._gateway_side.broadcast
        else:
            # What was not for everybody goes to whoever asked from that port.
            known = gateway.address if gateway is not None else None
            host = self._asked_from.get(port, known)
        if host is None:
            self._drop(source, port, len(data))
        elif self._send(self._gateway_side, data, source_port, (host, port), source):
            self.counters.to_gateway += 1
        if source_port == self._ports.boiler_port:
            self._learn_boiler(data, address)

    def _learn_boiler(self, data: bytes, address: str) -> None:
        try:
            services = parse_service_list(data)
        except NotDiscoveryError:
            return
        self._neighbours.boiler_answered(address, services)

    def _is_echo(self, source: tuple[str, int], opposite: str | None) -> bool:
        """Whether a side hears the bridge itself, or what belongs to the opposite side.

        That happens only where the sides share a machine or a network.  On two networks the
        same address may be in use twice, and means nothing.
        """
        devices = (self._gateway_side.device, self._boiler_side.device)
        if all(devices) and devices[0] != devices[1]:
            return False
        return (
            source[0] == opposite
            or self._gateway_side.is_ours(source)
            or self._boiler_side.is_ours(source)
        )

    def _send(
        self,
        side: Side,
        data: bytes,
        source_port: int,
        target: tuple[str, int],
        source: tuple[str, int],
    ) -> bool:
        try:
            if side.send(data, source_port, target):
                return True
        except OSError as wrong:
            if self._said.first(source[0]):
                log.warn(
                    "{size} bytes from {source} cannot be sent on to {target}: {why}",
                    size=len(data),
                    source=source[0],
                    target=target[0],
                    why=wrong.strerror or str(wrong),
                )
        self.counters.dropped += 1
        return False

    def _drop(self, source: tuple[str, int], port: int, size: int) -> None:
        self.counters.dropped += 1
        if self._said.first(source[0]):
            log.info(
                "not relayed: {size} bytes from {source} port {source_port} to port {port}",
                size=size,
                source=source[0],
                source_port=source[1],
                port=port,
            )


@implementer(IDatagramReceiver)
class GatewaySideProtocol:
    """Hears the gateway's network."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def datagram_received(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """Relay it to the boiler's network."""
        self._relay.heard_from_gateway(data, source, port, broadcast)


@implementer(IDatagramReceiver)
class BoilerSideProtocol:
    """Hears the boiler's network."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def datagram_received(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """Relay it to the gateway."""
        self._relay.heard_from_boiler(data, source, port, broadcast)
