"""The IPv4 networks that this machine is in."""

import socket
from contextlib import suppress
from ipaddress import IPv4Interface, IPv4Network

from hargassner.network.interfaces import address_in, asked, ipv4_addresses

_SIOCGIFADDR = 0x8915
_SIOCGIFNETMASK = 0x891B


def ipv4_networks(interface: str = "") -> tuple[IPv4Network, ...]:
    """The network of an interface's first address, or those of all interfaces.

    Empty where the interface is absent or has no address, and where the system does not tell.

    Args:
        interface: its name, or "" for all.

    Raises:
        OSError: the system cannot be asked now.
    """
    networks: list[IPv4Network] = []
    names = [interface] if interface else ipv4_addresses()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for name in names:
            with suppress(OSError):  # It is absent, or has no address.
                networks.append(first_address(probe, name).network)
    return tuple(networks)


def first_address(probe: socket.socket, name: str) -> IPv4Interface:
    """An interface's first address, with its network.

    Args:
        probe: any IPv4 socket.
        name: the interface's name.

    Raises:
        OSError: it is absent, has none, or the system does not tell.
    """
    questions = (_SIOCGIFADDR, _SIOCGIFNETMASK)
    address, mask = (address_in(asked(probe, each, name)) for each in questions)
    return IPv4Interface(f"{address}/{mask}")
