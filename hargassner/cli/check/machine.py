"""This machine, as far as the bridge is concerned: interfaces, leases, bridges that run."""

import re
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

_SIOCGIFFLAGS = 0x8913
_SIOCGIFADDR = 0x8915
_SIOCGIFNETMASK = 0x891B
_NO_ANSWER = bytes(256)
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
    (flags,) = struct.unpack_from("H", _asked(probe, _SIOCGIFFLAGS, name) or _NO_ANSWER, 16)
    address = _asked(probe, _SIOCGIFADDR, name)
    mask = _asked(probe, _SIOCGIFNETMASK, name)
    return Interface(
        name,
        socket.inet_ntoa(address[20:24]) if address else "",
        int.from_bytes((mask or _NO_ANSWER)[20:24], "big").bit_count(),
        up=bool(flags & _UP),
        running=bool(flags & _RUNNING),
        loopback=bool(flags & _LOOPBACK),
        default_route=default_route,
    )


def _asked(probe: socket.socket, question: int, name: str) -> bytes | None:
    import fcntl  # It is on Unix only.

    try:
        return fcntl.ioctl(probe.fileno(), question, struct.pack("256s", name.encode()[:15]))
    except OSError:
        return None  # It has no such thing, or is gone by now.


def _default_routes() -> set[str]:
    # Interface and destination are the first columns, the mask is the eighth.
    routes = [row.split() for row in _lines(Path("/proc/net/route"))[1:]]
    return {row[0] for row in routes if len(row) > 7 and row[1] == row[7] == "00000000"}


@dataclass(frozen=True, slots=True)
class Lease:
    """An address that this machine gave to a boiler."""

    address: str
    hardware: str


def boiler_leases(files: Iterable[Path] | None = None) -> list[Lease]:
    """The leases of the maker's boilers, as far as dnsmasq's files can be read."""
    if files is None:
        files = [*LEASE_FILES, *LEASE_FOLDER.glob("dnsmasq-*.leases")]
    lines = chain.from_iterable(map(_lines, files))
    return [*filter(None, map(_lease, lines))]


def _lease(line: str) -> Lease | None:
    """The lease in a line, if it is one of a boiler's."""
    match line.split():
        case [_, hardware, address, *_] if hardware.lower().startswith(BOILER_MAKER):
            return Lease(address, hardware)
    return None


def _lines(file: Path) -> list[str]:
    """A file's lines; none where it is not there, or not for us to read."""
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []


def bridge_processes(proc: Path = Path("/proc")) -> list[int]:
    """The processes that run the bridge on this machine, as far as the system shows them."""
    return sorted(int(each.name) for each in proc.glob("[0-9]*") if _runs_bridge(each))


def _runs_bridge(process: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False  # It ended just now.
    names = {Path(word).name for word in words if word}
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
    real = [each for each in found if each.is_real]
    # The home's network leads to the Internet; the boiler's leads nowhere.
    real.sort(key=lambda each: (not each.default_route, not each.address, not each.running))
    gateway, boiler = [*(each.name for each in real), "", ""][:2]
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
        case []:
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
