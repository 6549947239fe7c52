"""The IPv4 networks that this machine is in."""

import ipaddress
import socket
import struct
import sys

from hargassner.network.interfaces import ipv4_addresses

_SIOCGIFADDR = 0x8915
_SIOCGIFNETMASK = 0x891B
# struct ifreq: a name, then a struct sockaddr_in with the address from its fifth byte on.
_REQUEST = 256
_NAME = 16
_ADDRESS = slice(_NAME + 4, _NAME + 8)


def ipv4_networks(interface: str = "") -> tuple[ipaddress.IPv4Network, ...]:
    """The network of an interface's first address, or those of all interfaces.

    Empty where the interface is absent or has no address, and where the system does not tell.

    Args:
        interface: its name, or "" for all.

    Raises:
        OSError: the system cannot be asked now.
    """
    names = [interface] if interface else list(ipv4_addresses())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        networks = [_network(probe, name) for name in names]
    return tuple(each for each in networks if each is not None)


def _network(probe: socket.socket, name: str) -> ipaddress.IPv4Network | None:
    if sys.platform != "linux":
        return None
    try:
        address, mask = (_asked(probe, each, name) for each in (_SIOCGIFADDR, _SIOCGIFNETMASK))
    except OSError:
        return None  # It is absent, or has no address.
    return ipaddress.IPv4Network(f"{address}/{mask}", strict=False)


def _asked(probe: socket.socket, question: int, name: str) -> str:
    import fcntl  # It is on Unix only.

    request = struct.pack(f"{_REQUEST}s", name.encode()[: _NAME - 1])
    return socket.inet_ntoa(fcntl.ioctl(probe, question, request)[_ADDRESS])
