"""What the boiler's network shows of addresses that are not in it.

A boiler whose panel has a fixed address of another network hears the question for its services, and
cannot answer it. But it asks for its own network's router first (ARP), and that can be seen.
"""

import ipaddress
import socket
from typing import NamedTuple

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.network.networks import ipv4_networks

_ETH_P_ALL = 3
_ETHER = 14
_ARP, _IPV4 = b"\x08\x06", b"\x08\x00"
_LARGEST = 2048
_SENDER_IN = {_ARP: (14, 18), _IPV4: (12, 20)}
"""Where the sender's IPv4 address stands in what a frame carries, and how long that is at least."""
_SAYS_NOTHING = (0, _LARGEST)
"""For any other frame: longer than all of them."""
_AT_A_TIME = 64


class Sender(NamedTuple):
    """Who sent a frame: hardware address and IPv4 address, as text."""

    hardware: str
    address: str


def sender(frame: bytes) -> Sender | None:
    """Who sent an Ethernet frame; None where it does not say an IPv4 address."""
    place, length = _SENDER_IN.get(frame[12:_ETHER], _SAYS_NOTHING)
    if len(frame) < _ETHER + length:
        return None
    address = socket.inet_ntoa(frame[_ETHER:][place : place + 4])
    return None if address == "0.0.0.0" else Sender(frame[6:12].hex(":"), address)  # noqa: S104


@implementer(IReadDescriptor)
class Foreigners:
    """Listens on an interface for senders whose address is not in its network.

    Where that is not possible (no such right, no such system) nothing is heard.

    Args:
        reactor: watches the socket.
        interface: the interface's name.
    """

    def __init__(self, reactor: IReactorFDSet, interface: str) -> None:
        self.heard: dict[str, str] = {}
        """Their hardware addresses by their addresses."""
        self._reactor = reactor
        self._networks = ipv4_networks(interface) if interface else ()
        self._socket = _packet_socket(interface) if self._networks else None
        if self._socket is not None:
            reactor.addReader(self)

    def fileno(self) -> int:
        """The socket's file descriptor, -1 without one."""
        return -1 if self._socket is None else self._socket.fileno()

    def logPrefix(self) -> str:
        """How log lines of the reactor name it."""
        return "frames"

    def doRead(self) -> None:
        """Look at the frames that have come."""
        for _ in range(_AT_A_TIME):
            try:
                frame = self._socket.recv(_LARGEST) if self._socket is not None else b""
            except OSError:
                return
            self._look_at(frame)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives the descriptor up."""
        self.close()

    def close(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            self._reactor.removeReader(self)
            self._socket.close()
            self._socket = None

    def _look_at(self, frame: bytes) -> None:
        found = sender(frame)
        if found is not None and self._is_foreign(found.address):
            self.heard[found.address] = found.hardware

    def _is_foreign(self, address: str) -> bool:
        parsed = ipaddress.IPv4Address(address)
        return not (
            parsed.is_multicast
            or parsed.is_loopback
            or any(parsed in network for network in self._networks)
        )


def _packet_socket(interface: str) -> socket.socket | None:
    if not hasattr(socket, "AF_PACKET"):
        return None
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except OSError:
        return None
    try:
        sock.setblocking(False)
        sock.bind((interface, _ETH_P_ALL))
    except OSError:
        sock.close()
        return None
    return sock
