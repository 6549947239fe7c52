"""What the boiler's network shows of addresses that are not in it.

A boiler whose panel has a fixed address of another network hears the question for its services, and
cannot answer it. But it asks for its own network's router first (ARP), and that can be seen.
"""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import IPv4Address, IPv4Network
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
_NOBODYS = (IPv4Network("127.0.0.0/8"), IPv4Network("224.0.0.0/4"))
"""Loopback and multicast: addresses that nobody has."""
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


@contextmanager
def foreigners(reactor: IReactorFDSet, interface: str) -> Iterator[Mapping[str, str]]:
    """Listen on an interface for senders whose address is not in its network.

    Gives their hardware addresses by their addresses, as they are heard. Where that is not possible
    (no such right, no such system) nothing is heard.

    Args:
        reactor: watches the socket.
        interface: the interface's name; empty for none.
    """
    heard: dict[str, str] = {}
    with ExitStack() as opened:
        # AttributeError: a system without packet sockets.
        with suppress(OSError, AttributeError):
            _listen(opened, reactor, interface, heard)
        yield heard


def _listen(
    opened: ExitStack, reactor: IReactorFDSet, interface: str, heard: dict[str, str]
) -> None:
    networks = ipv4_networks(interface) if interface else ()
    if networks:
        sock = opened.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        sock.setblocking(False)
        sock.bind((interface, _ETH_P_ALL))
        listener = _Foreigners(sock, (*networks, *_NOBODYS), heard)
        reactor.addReader(listener)
        opened.callback(reactor.removeReader, listener)


@implementer(IReadDescriptor)
class _Foreigners:
    """Hears senders whose address is in none of some networks."""

    def __init__(
        self, sock: socket.socket, networks: Sequence[IPv4Network], heard: dict[str, str]
    ) -> None:
        self._socket = sock
        self._networks = networks
        self._heard = heard

    def fileno(self) -> int:
        """The socket's file descriptor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """How log lines of the reactor name it."""
        return "frames"

    def doRead(self) -> None:
        """Look at the frames that have come."""
        with suppress(OSError):
            for _ in range(_AT_A_TIME):
                self._look_at(self._socket.recv(_LARGEST))

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives the descriptor up."""

    def _look_at(self, frame: bytes) -> None:
        found = sender(frame)
        if found is not None and self._is_foreign(found.address):
            self._heard[found.address] = found.hardware

    def _is_foreign(self, address: str) -> bool:
        parsed = IPv4Address(address)
        return not any(parsed in network for network in self._networks)
