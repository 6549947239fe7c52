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
        found = [first_address(probe, name) for name in names]
    return tuple(each.network for each in found if each is not None)


def first_address(probe: socket.socket, name: str) -> ipaddress.IPv4Interface | None:
    """An interface's first address, with its network.

    None where the interface is absent or has none, and where the system does not tell.

    Args:
        probe: any IPv4 socket.
        name: the interface's name.
    """
    if sys.platform != "linux":
        return None
    try:
        answers = [ask_interface(probe, each, name) for each in (_SIOCGIFADDR, _SIOCGIFNETMASK)]
    except OSError:
        return None  # It is absent, or has no address.
    address, mask = (socket.inet_ntoa(each[_ADDRESS]) for each in answers)
    return ipaddress.IPv4Interface(f"{address}/{mask}")


def ask_interface(probe: socket.socket, question: int, name: str) -> bytes:
    """The system's answer to a question about an interface, a ``struct ifreq``; on Unix only.

    Args:
        probe: any IPv4 socket.
        question: such as SIOCGIFADDR.
        name: the interface's name.

    Raises:
        OSError: the interface is absent, or has no such thing.
    """
    import fcntl  # It is on Unix only.

    request = struct.pack(f"{_REQUEST}s", name.encode()[: _NAME - 1])
    return fcntl.ioctl(probe, question, request)
