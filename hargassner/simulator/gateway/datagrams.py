"""The UDP ports of the simulated gateway, and what it broadcasts (docs/protocol.md, section 1)."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorSocket
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from hargassner.config import DiscoveryConfig
from hargassner.network.interface import NetworkInterface
from hargassner.network.sockets import datagram_socket
from hargassner.simulator.boiler.identity import DIAGNOSTICS_REQUEST, SERVICES_REQUEST

log = Logger()

_LARGEST_DATAGRAM = 65_536
_SERVICE_LIST = b"\x00\x02"


class _Port(DatagramProtocol):
    """One of the gateway's UDP ports."""

    noisy = False

    def __init__(self, received: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._received = received

    def datagramReceived(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(data, addr)

    def connectionRefused(self) -> None:
        """Nobody listens there, which does not concern a broadcaster."""


class Datagrams:
    """What the gateway broadcasts, and the answers of boilers.

    Args:
        reactor: reads and writes the sockets.
        interface: this machine's side: what the sockets are bound to.
        broadcast: where datagrams go.
        ports: the numbers of the ports.
        answered: called with the source of each service list.
    """

    def __init__(
        self,
        reactor: IReactorSocket,
        interface: NetworkInterface,
        broadcast: str,
        ports: DiscoveryConfig,
        answered: Callable[[tuple[str, int]], None],
    ) -> None:
        self._reactor = reactor
        self._interface = interface
        self._broadcast = broadcast
        self._numbers = ports
        self._answered = answered
        self._ports: dict[int, _Port] = {}

    def open(self) -> None:
        """Open the ports.

        Raises:
            CannotOpenError: one of them cannot be opened; none is open then.
        """
        numbers = self._numbers
        with ExitStack() as sockets:
            opened = {
                port: sockets.enter_context(self._datagram_socket(port))
                for port in (
                    numbers.gateway_port,
                    numbers.boiler_diagnostics_port,
                    numbers.gateway_diagnostics_port,
                )
            }
            for port, sock in opened.items():
                self._ports[port] = protocol = _Port(self._received)
                self._reactor.adoptDatagramPort(
                    sock.fileno(), socket.AF_INET, protocol, _LARGEST_DATAGRAM
                )

    def close(self) -> "list[Deferred[Any]]":
        """Close the ports; each result comes when one is closed."""
        transports = [each.transport for each in self._ports.values()]
        self._ports.clear()
        return [maybeDeferred(each.stopListening) for each in filter(None, transports)]

    def announce(self, serial: str, version: str) -> None:
        """Say which gateway is there."""
        announcement = f"HargaWebApp v{version}\r\nSN:{serial}"
        self._send(announcement.encode(), self._numbers.gateway_port, self._numbers.boiler_port)

    def report_diagnostics(self, serial: str, version: str) -> None:
        """Say how the gateway is."""
        diagnostics = (
            f"hargassner.diagnostics\nserialnr:{serial}\nsoftware:{version}\n"
            "bootloader:5.00\ntype:info\nmessage:running"
        )
        self._send(
            diagnostics.encode(),
            self._numbers.boiler_diagnostics_port,
            self._numbers.gateway_diagnostics_port,
        )

    def ask_for_diagnostics(self) -> None:
        """Ask boilers how they are."""
        self._send(
            DIAGNOSTICS_REQUEST,
            self._numbers.gateway_diagnostics_port,
            self._numbers.boiler_diagnostics_port,
        )

    def ask_for_services(self) -> None:
        """Ask boilers who they are."""
        self._send(SERVICES_REQUEST, self._numbers.gateway_port, self._numbers.boiler_port)

    def _datagram_socket(self, port: int) -> socket.socket:
        device = self._interface.device() if self._interface.interface else ""
        bound = "" if device else self._interface.address
        return datagram_socket(self._interface, bound, port, device=device)

    def _received(self, data: bytes, source: tuple[str, int]) -> None:
        if data.startswith(_SERVICE_LIST):
            self._answered(source)

    def _send(self, data: bytes, source_port: int, port: int) -> None:
        transport = self._ports[source_port].transport
        if transport is not None:
            try:
                transport.write(data, (self._broadcast, port))
            except OSError as wrong:
                log.warn("cannot broadcast to {to}: {why}", to=self._broadcast, why=str(wrong))
