"""One network's discovery ports."""

from collections.abc import Collection

from twisted.internet.interfaces import IReactorFDSet

from hargassner.config import Config
from hargassner.network.datagrams import DatagramListener, DatagramPort
from hargassner.network.interface import CannotOpenError, NetworkInterface
from hargassner.network.sockets import datagram_socket, is_broadcast


class Side:
    """One network's discovery ports: what the other side sends through, and who listens here.

    Args:
        interface: this machine's interface on the network.
        broadcast: where broadcasts go.
        ports: the UDP ports to hold, one socket each.
    """

    def __init__(self, interface: NetworkInterface, broadcast: str, ports: tuple[int, ...]) -> None:
        self.interface = interface
        self.broadcast = broadcast
        self.ports = ports
        self.device = interface.interface
        self._senders: dict[int, DatagramPort] = {}
        self._listeners: list[DatagramPort] = []

    def open(self, reactor: IReactorFDSet, listener: DatagramListener, other: "Side") -> "Side":
        """Open every port.

        Args:
            reactor: where the sockets are watched.
            listener: is called with what they receive.
            other: the side that may hold some of the same ports on the same interface.

        Raises:
            CannotOpenError: one of them cannot be opened; none is open then.
        """
        try:
            self._open_senders(reactor, listener, other)
            if self._is_deaf():
                self._open_listeners(reactor, listener)
        except (CannotOpenError, OSError):
            self.close()
            raise
        return self

    def _open_senders(
        self, reactor: IReactorFDSet, listener: DatagramListener, other: "Side"
    ) -> None:
        self.device = self.interface.device()
        sharing: Collection[int] = ()
        joining: Collection[int] = ()
        if self.interface.may_meet(other.interface):
            sharing, joining = other.ports, other.open_ports
        for port in self.ports:
            sock = datagram_socket(
                self.interface,
                "" if self.device else self.interface.address,
                port,
                device=self.device,
                shared=port in sharing,
                joins=port in joining,
            )
            self._senders[port] = DatagramPort(reactor, sock, listener, self.interface.address)

    def _is_deaf(self) -> bool:
        """Whether its sockets hear no broadcasts, as each is bound to one address."""
        bound = bool(self.interface.address) and not self.device
        return bound and is_broadcast(self.broadcast)

    def _open_listeners(self, reactor: IReactorFDSet, listener: DatagramListener) -> None:
        """Hear broadcasts, and nothing else."""
        for port in self.ports:
            sock = datagram_socket(
                self.interface, self.broadcast, port, device="", shared=True, joins=True
            )
            self._listeners.append(DatagramPort(reactor, sock, listener))

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

    def shares_network_with(self, other: "Side") -> bool:
        """Whether both sides are on one interface, as far as the configuration tells."""
        return not (self.device and other.device) or self.device == other.device

    def is_ours(self, source: tuple[str, int]) -> bool:
        """Whether a datagram that was heard here was sent from here."""
        address, port = source
        return port in self._senders and self.interface.owns(address)

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


def sides(config: Config, gateway: NetworkInterface, boiler: NetworkInterface) -> tuple[Side, Side]:
    """The discovery ports of both sides, the gateway's first, not open yet."""
    ports = config.discovery
    diagnostics = (ports.boiler_diagnostics_port, ports.gateway_diagnostics_port)
    gateway_ports = (ports.boiler_port, *diagnostics)
    boiler_ports = (ports.gateway_port, *diagnostics)
    return (
        Side(gateway, config.gateway.broadcast, gateway_ports),
        Side(boiler, config.boiler.broadcast, boiler_ports),
    )
