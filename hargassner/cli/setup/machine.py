"""What setup sees of the machine, so that it need not be asked."""

import grp
import shutil
import socket
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as LateError

from hargassner.cli.check.machine import Interface, interfaces, real_interfaces
from hargassner.cli.watch_search import CannotSearchError, find_boiler
from hargassner.discovery import FoundBoiler, address_of
from hargassner.reactor import IBridgeReactor

UNIT_FOLDERS = tuple(
    Path(each) for each in ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
)


DNSMASQ = Path("/etc/dnsmasq.d/hargassner-boiler.conf")
"""Where setup tells dnsmasq of the boiler's network."""


class Networking(Enum):
    """What gives this machine's interfaces their addresses."""

    NETWORK_MANAGER = "NetworkManager"
    NETWORKD = "systemd-networkd"
    IFUPDOWN = "ifupdown"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there.

    Attributes:
        interfaces: those that a cable can be plugged into, the one with the Internet first.
        boiler: who answered as a boiler, None where nobody did.
        networking: what gives interfaces their addresses.
        has_dnsmasq: whether it is installed.
        uses_dnsmasq: whether somebody has configured it for something else.
        has_systemd: whether systemd runs.
        has_unit: whether the bridge's unit is installed.
        has_user: whether the service's user is there.
        has_broker: whether an MQTT broker listens on this machine.
    """

    interfaces: tuple[Interface, ...] = ()
    boiler: FoundBoiler | None = None
    networking: Networking = Networking.UNKNOWN
    has_dnsmasq: bool = False
    uses_dnsmasq: bool = False
    has_systemd: bool = False
    has_unit: bool = False
    has_user: bool = False
    has_broker: bool = False

    @property
    def addresses(self) -> dict[str, str]:
        """The interfaces' addresses by their names, in their order; "" for none."""
        return {each.name: each.address for each in self.interfaces}

    @property
    def home(self) -> str:
        """The interface that leads to the home's network, "" without any."""
        return next(iter(self.addresses), "")

    def beside(self, interface: str) -> str:
        """The first interface but this one, "" without another."""
        return next((each for each in self.addresses if each != interface), "")

    @property
    def boiler_address(self) -> str:
        """The boiler's address, "" where nobody answered."""
        return address_of(self.boiler) or ""

    @property
    def has_service(self) -> bool:
        """Whether the bridge can run as a service."""
        return self.has_systemd and self.has_unit


async def look(reactor: IBridgeReactor, seconds: float) -> Seen:
    """Look at the machine, and ask in its networks for a boiler.

    Args:
        reactor: asks.
        seconds: how long a boiler may take to answer.
    """
    boiler = await _boiler(reactor, seconds)
    return Seen(
        interfaces=real_interfaces(interfaces()),
        boiler=boiler,
        networking=networking(),
        has_dnsmasq=shutil.which("dnsmasq") is not None,
        uses_dnsmasq=uses_dnsmasq(),
        has_systemd=Path("/run/systemd/system").is_dir(),
        has_unit=any((each / "hargassner-bridge.service").exists() for each in UNIT_FOLDERS),
        has_user=_has_group("hargassner"),
        has_broker=_listens("127.0.0.1", 1883),
    )


def networking(root: Path = Path("/")) -> Networking:
    """What gives interfaces their addresses here, as far as it runs now."""
    signs = {
        Networking.NETWORK_MANAGER: root / "run/NetworkManager",
        Networking.NETWORKD: root / "run/systemd/netif/state",
        Networking.IFUPDOWN: root / "etc/network/interfaces",
    }
    there = (kind for kind, sign in signs.items() if sign.exists())
    return next(there, Networking.UNKNOWN)


def uses_dnsmasq(folder: Path = Path("/etc/dnsmasq.d")) -> bool:
    """Whether dnsmasq has a task of somebody else's, which a file of ours would disturb."""
    return any(each.suffix == ".conf" and each != DNSMASQ for each in folder.glob("*"))


def _has_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


async def _boiler(reactor: IBridgeReactor, seconds: float) -> FoundBoiler | None:
    asking = Deferred.fromCoroutine(find_boiler(reactor, lambda _names: None))
    with suppress(LateError, CannotSearchError):
        return await asking.addTimeout(seconds, reactor)
    return None


def _listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((address, port)) == 0
