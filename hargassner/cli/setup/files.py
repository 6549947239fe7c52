"""What setup writes."""

import ipaddress
import json
from collections.abc import Mapping

BOILER_NETWORK = "192.168.77.0/24"
"""The boiler's own network where nothing else was asked for."""

MADE_BY = (
    "# Written by hargassner setup, which may write it anew as long as nobody else changes it."
)


def configuration(sections: Mapping[str, Mapping[str, object]]) -> str:
    """A configuration as TOML; sections and keys that are empty are left out."""
    lines = [
        MADE_BY,
        "# Every key and its default: docs/configuration, or the example beside them.",
    ]
    for name, keys in sections.items():
        given = [f"{key} = {_toml(value)}" for key, value in keys.items() if value != ""]
        if given:
            lines += ["", f"[{name}]", *given]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    # Texts, numbers and flags are written alike in both, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def own_address(network: str) -> str:
    """The bridge's address in the boiler's network, its first one, with the prefix."""
    parsed = ipaddress.IPv4Network(network)
    return f"{parsed.network_address + 1}/{parsed.prefixlen}"


def dnsmasq(interface: str, network: str) -> str:
    """Addresses for the boiler's network, and nothing else."""
    parsed = ipaddress.IPv4Network(network)
    boiler, last = parsed.network_address + 20, parsed.network_address + 99
    return f"""\
{MADE_BY}
# DHCP only, and only on the port that the boiler is plugged into, which may come and go.
interface={interface}
bind-dynamic
port=0
# A network that leads nowhere: neither a router (3) nor a name server (6).
dhcp-range={boiler},{last},{parsed.netmask},24h
dhcp-option=3
dhcp-option=6
dhcp-authoritative
# The boiler's address stays the same, whichever controller of the maker's it is.
dhcp-host=00:24:bd:*:*:*,{boiler},infinite
"""


def network_manager(interface: str, network: str) -> str:
    """A connection of NetworkManager's with a fixed address."""
    return f"""\
{MADE_BY}
[connection]
id=hargassner-boiler
type=ethernet
interface-name={interface}
autoconnect=true

[ipv4]
method=manual
address1={own_address(network)}
never-default=true

[ipv6]
method=disabled
"""


def networkd(interface: str, network: str) -> str:
    """A network of systemd-networkd's with a fixed address."""
    return f"""\
{MADE_BY}
[Match]
Name={interface}

[Network]
Address={own_address(network)}
LinkLocalAddressing=no
IPv6AcceptRA=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes

[Link]
RequiredForOnline=no
"""


def ifupdown(interface: str, network: str) -> str:
    """An interface of ifupdown's with a fixed address."""
    return f"""\
{MADE_BY}
auto {interface}
iface {interface} inet static
    address {own_address(network)}
"""
