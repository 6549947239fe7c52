"""Networks in memory that do with datagrams what Linux does.

- A broadcast is delivered to every socket on the wire that is bound to the port, **the sender's own
  sockets on that interface included**, from the sender's own address.
- A socket that is bound to a device hears and sends on that device only; one that is not hears all.
- A unicast datagram goes to one socket of the host that has the address.

It is stricter than Linux in one thing: a host whose two interfaces are on one wire hears on the one
what it broadcast on the other (Linux drops that, unless ``accept_local`` is set).
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.task import Clock

STEP = 0.005
EVERYBODY = "255.255.255.255"

Address = tuple[str, int]
Heard = Callable[[bytes, Address, int, bool], None]


@dataclass(frozen=True)
class Wire:
    """What hosts are plugged into: a cable, or a switch."""

    name: str


@dataclass(frozen=True)
class Interface:
    """A network port of a host, with its addresses."""

    name: str
    wire: Wire
    addresses: tuple[str, ...]


@dataclass(eq=False)
class Socket:
    """A bound UDP socket of a host. ``device`` is "" for one that is not bound to an interface."""

    host: "Host"
    port: int
    device: str
    hears: Heard
    open: bool = True

    def is_on(self, interface: Interface) -> bool:
        return self.open and self.device in ("", interface.name)


@dataclass(eq=False)
class Host:
    """A machine with interfaces and sockets; ``sent`` and ``heard`` count its datagrams."""

    name: str
    interfaces: tuple[Interface, ...]
    sockets: list[Socket] = field(default_factory=list)
    sent: int = 0
    heard: int = 0

    def bind(self, port: int, hears: Heard, device: str = "") -> Socket:
        """A socket on a port of every interface, or of one."""
        sock = Socket(self, port, device, hears)
        self.sockets.append(sock)
        return sock


class Wires:
    """Delivers what hosts send, each datagram with a delay of its own.

    Args:
        clock: time.
        delay: the seconds until the next datagram arrives at its next socket.
        most: deliveries after which the networks count as flooded.
    """

    def __init__(self, clock: Clock, delay: Callable[[], float], most: int) -> None:
        self.clock = clock
        self.hosts: list[Host] = []
        self.seen: Counter[tuple[str, bytes, Address, Address]] = Counter()
        self.deliveries = 0
        self._delay = delay
        self._most = most

    def host(self, name: str, *interfaces: Interface) -> Host:
        """One more machine."""
        host = Host(name, interfaces)
        self.hosts.append(host)
        return host

    def send(
        self, host: Host, interface: Interface, data: bytes, source: Address, target: Address
    ) -> None:
        """Have a host send a datagram on one of its interfaces."""
        host.sent += 1
        self.seen[interface.wire.name, data, source, target] += 1
        broadcast = target[0] == EVERYBODY
        for each in self.hosts:
            for there in each.interfaces:
                if there.wire is not interface.wire:
                    continue
                if not broadcast and target[0] not in there.addresses:
                    continue
                sockets = [s for s in each.sockets if s.port == target[1] and s.is_on(there)]
                for sock in sockets if broadcast else sockets[-1:]:
                    self.clock.callLater(
                        self._delay(), self._deliver, sock, data, source, broadcast
                    )

    def _deliver(self, sock: Socket, data: bytes, source: Address, broadcast: bool) -> None:
        self.deliveries += 1
        if self.deliveries > self._most:
            raise AssertionError(f"{self.deliveries} deliveries: the networks do not come to rest")
        if sock.open:
            sock.host.heard += 1
            sock.hears(data, source, sock.port, broadcast)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, in steps that delay nothing."""
        for _ in range(int(seconds / STEP)):
            self.clock.advance(STEP)

    def rest(self) -> None:
        """Let time pass until nothing is under way."""
        while self.clock.getDelayedCalls():
            self.clock.advance(STEP)
