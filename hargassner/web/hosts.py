"""Which names and addresses in a Host header mean this machine.

A page from the Internet can let a name of its own point to this machine, and would then be
allowed by the browser to read what is answered (DNS rebinding). It cannot make the browser ask by
another name than its own: so only names are answered that nobody on the Internet can have.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable

HOME_DOMAINS = ("local", "lan", "home", "internal", "home.arpa")
"""Domains that home networks use and that nobody can have on the Internet."""

_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:\[\]]+))(?::[0-9]{0,5})?")


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def plain_address(text: str) -> Address:
    """An address without its zone, as IPv4 where it is IPv4 within IPv6.

    Raises:
        ValueError: it is no address.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


class OwnHosts:
    """Tells what a Host header may say.

    Args:
        further: names and addresses that the owner has added.
        hostname: this machine's own name.
    """

    def __init__(
        self, further: Iterable[str] = (), hostname: Callable[[], str] = socket.gethostname
    ) -> None:
        self._further = frozenset(further)
        self._hostname = hostname

    def has(self, header: str, local: str) -> bool:
        """Whether a Host header means this machine.

        Args:
            header: its value.
            local: the address that the client has connected to.
        """
        parts = _HOST.fullmatch(header)
        if parts is None:
            return False
        name = (parts[1] or parts[2]).lower().removesuffix(".")
        try:
            return self._has_address(plain_address(name), plain_address(local))
        except ValueError:
            return self._has_name(name)

    def _has_address(self, address: Address, reached: Address) -> bool:
        return (
            str(address) in self._further
            or address == reached
            or (address.is_loopback and reached.is_loopback)
        )

    def _has_name(self, name: str) -> bool:
        is_local = f".{name}".endswith(".localhost")
        return is_local or name in self._further or name in self._own_names()

    def _own_names(self) -> tuple[str, ...]:
        own = self._hostname().lower().removesuffix(".")
        short = own.partition(".")[0]
        return (own, short, *(f"{short}.{domain}" for domain in HOME_DOMAINS))
