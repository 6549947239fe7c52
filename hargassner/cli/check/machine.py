"""This machine, as far as the bridge is concerned: interfaces, leases, bridges that run."""

import re
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hargassner.network.interfaces import asked
from hargassner.network.networks import first_address

_SIOCGIFFLAGS = 0x8913
_FLAGS_AT = 16
_UP = 0x1
_LOOPBACK = 0x8
_RUNNING = 0x40

# Made by programs; nobody plugs a cable into them.
_VIRTUAL = re.compile(r"(?:docker|br-|veth|virbr|tun|tap|wg|lxc|lxd|tailscale|zt|ifb|dummy|bond)")

BOILER_MAKER = "00:24:bd"
"""How the hardware addresses of the boiler's controllers begin."""

LEASE_FILES = (
    Path("/var/lib/misc/dnsmasq.leases"),
    Path("/var/lib/dnsmasq/dnsmasq.leases"),
)
LEASE_FOLDER = Path("/var/lib/NetworkManager")
"""Where NetworkManager's own dnsmasq has them, one file an interface."""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface; ``address`` is its first IPv4 address, "" without one.

    ``up`` says that it is switched on, ``running`` that something is at the cable's other end.
    """

    name: str
    address: str = ""
    prefix: int = 0
    up: bool = False
    running: bool = False
    loopback: bool = False
    default_route: bool = False

    @property
    def is_real(self) -> bool:
        """Whether a cable can be plugged into it, by its name."""
        return not (self.loopback or _VIRTUAL.match(self.name))

    def __str__(self) -> str:
        return f"{self.name} ({self.address}/{self.prefix})" if self.address else self.name


def interfaces() -> list[Interface]:
    """The interfaces of this machine; none where the system does not tell."""
    if sys.platform != "linux":
        return []
    default = _default_routes()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return [_interface(probe, name, name in default) for _, name in socket.if_nameindex()]


def _interface(probe: socket.socket, name: str, default_route: bool) -> Interface:
    flags = _flags(probe, name)
    return Interface(
        name,
        *_address(probe, name),
        up=bool(flags & _UP),
        running=bool(flags & _RUNNING),
        loopback=bool(flags & _LOOPBACK),
        default_route=default_route,
    )


def _address(probe: socket.socket, name: str) -> tuple[str, int]:
    """An interface's first address and the length of its network's prefix."""
    with suppress(OSError):
        own = first_address(probe, name)
        return str(own.ip), own.network.prefixlen
    return "", 0


def _flags(probe: socket.socket, name: str) -> int:
    """An interface's flags; none where it is gone by now."""
    with suppress(OSError):
        answer = asked(probe, _SIOCGIFFLAGS, name)
        return int.from_bytes(answer[_FLAGS_AT : _FLAGS_AT + 2], sys.byteorder)
    return 0


def _default_routes() -> set[str]:
    # Interface and destination are the first columns, the mask is the eighth.
    routes = map(str.split, text_in(Path("/proc/net/route")).splitlines())
    return {row[0] for row in routes if row[1:8:6] == ["00000000", "00000000"]}


def real_interfaces(found: Iterable[Interface]) -> tuple[Interface, ...]:
    """Those that a cable can be plugged into, the one that leads to the Internet first."""
    real = filter(lambda each: each.is_real, found)
    return tuple(
        sorted(real, key=lambda each: (not each.default_route, not each.address, not each.running))
    )


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that this machine gave to a boiler."""

    address: str
    hardware: str


def boiler_leases(files: Iterable[Path] | None = None) -> list[Lease]:
    """The leases of the maker's boilers, as far as dnsmasq's files can be read."""
    if files is None:
        files = [*LEASE_FILES, *LEASE_FOLDER.glob("dnsmasq-*.leases")]
    lines = "\n".join(map(text_in, files)).splitlines()
    return [*filter(None, map(_lease, lines))]


def _lease(line: str) -> Lease | None:
    """The lease in a line, if it is one of a boiler's."""
    match line.split():
        case [_, hardware, address, *_] if hardware.lower().startswith(BOILER_MAKER):
            return Lease(address, hardware)
    return None


def text_in(file: Path) -> str:
    """What is in a file; nothing where it is not there (any more), or not for us to read."""
    with suppress(OSError):
        return file.read_text(errors="replace")
    return ""


def bridge_processes(proc: Path = Path("/proc")) -> list[int]:
    """The processes that run the bridge on this machine, as far as the system shows them."""
    return sorted(int(each.name) for each in filter(_runs_bridge, proc.glob("[0-9]*")))


def _runs_bridge(process: Path) -> bool:
    names = {Path(word).name for word in text_in(process / "cmdline").split("\0")}
    return bool(names & {"twist", "twistd"} and names & {"hargassner", "hargassner.tac"})


_PROPOSAL = """\
# A proposal for {path}, after a look at this machine:
{seen}
{notes}
[gateway]
# The home's network, where the gateway is.
interface = "{gateway}"

[boiler]
# The boiler's own network.
interface = "{boiler}"

[mqtt]
# The broker; without a url there is no MQTT.
url = ""
username = ""
password_file = ""
"""


def proposal(path: str, found: Iterable[Interface]) -> str:
    """A configuration that fits this machine, as TOML with comments.

    Args:
        path: where it could be.
        found: the machine's interfaces.
    """
    # The home's network leads to the Internet; the boiler's leads nowhere.
    real = real_interfaces(found)
    gateway, boiler, *_ = [*(each.name for each in real), "", ""]
    return _PROPOSAL.format(
        path=path,
        seen=_comment("#   ", map(_described, real)).removesuffix("\n"),
        notes=_comment("# ", _notes(real)),
        gateway=gateway,
        boiler=boiler,
    )


def _comment(prefix: str, lines: Iterable[str]) -> str:
    return "".join(f"{prefix}{each}\n" for each in lines)


def _notes(real: Sequence[Interface]) -> tuple[str, ...]:
    """What is still to be done, given the gateway's interface, the boiler's and others."""
    match real:
        case ():
            return ("No network interface was found; fill the names in.",)
        case [_]:
            return (
                "Only one network port was found, and the boiler needs one of its own:",
                "a USB network adapter will do. Fill its name in.",
            )
        case [_, Interface(name=boiler, address=""), *_]:
            return (f"{boiler} needs a fixed address, such as 192.168.77.1/24, and a DHCP server.",)
    return ()


def _described(interface: Interface) -> str:
    facts = (
        f"{interface.address}/{interface.prefix}" if interface.address else "no address",
        "leads to the Internet" if interface.default_route else "",
        _cable(interface),
    )
    return f"{interface.name}: {', '.join(filter(None, facts))}"


def _cable(interface: Interface) -> str:
    """What keeps an interface from being used, empty where nothing does."""
    if not interface.up:
        return "switched off"
    return "" if interface.running else "nothing plugged in"
