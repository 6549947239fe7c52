"""Who may connect to the telnet port."""

import ipaddress
from collections.abc import Iterable

from hargassner.discovery import Devices


class Access:
    """Who may connect to the telnet port.

    Args:
        allow: "igw", "any", IPv4 addresses and networks.
        devices: knows the gateway.
    """

    def __init__(self, allow: Iterable[str], devices: Devices) -> None:
        allow = tuple(allow)
        self._anyone = "any" in allow
        self._gateway = "igw" in allow
        self._networks = [
            ipaddress.IPv4Network(each) for each in allow if each not in ("any", "igw")
        ]
        self._devices = devices

    def admits(self, address: str) -> bool:
        """Whether this address may connect now."""
        if self._anyone or (self._gateway and self.may_be_gateway(address)):
            return True
        parsed = ipaddress.IPv4Address(address)
        return any(parsed in network for network in self._networks)

    def why_not(self, address: str) -> str:
        """Why an address may not connect, for the log."""
        if self._gateway and self._devices.gateway is None:
            return "no gateway has announced itself yet"
        return f"gateway.allow does not have {address}, and no gateway announced itself from there"

    def may_be_gateway(self, address: str) -> bool:
        """Whether a gateway announced itself from this address, trusted or not yet."""
        return self._devices.may_be_gateway(address)
