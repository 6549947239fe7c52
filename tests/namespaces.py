"""Networks with the bridge between them, in network namespaces of their own.

::

    gateway 192.0.2.7, .8 ── 192.0.2.1 bridge 198.51.100.1 ── 198.51.100.2 boiler

The sockets of the gateway and of the boiler belong to the test process: a socket stays in the
namespace that it was made in.  The bridge is a process of its own.  Every frame on every cable is
seen by a packet socket at its far end.
"""

import ctypes
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from shutil import which
from types import TracebackType
from unittest import SkipTest

from tests.forked import Forked
from tests.processes import Running, program
from tests.wire_law import BridgeSide, sides_of
from tests.wires import Capture, Observation, Station, packet_socket

GATEWAY = "192.0.2.7"
OTHER_CLIENT = "192.0.2.8"
BRIDGE_TO_GATEWAY = "192.0.2.1"
BRIDGE_TO_BOILER = "198.51.100.1"
BOILER = "198.51.100.2"

_CLONE_NEWNET = 0x40000000
_TIMEOUT = 30.0
_NUMBERS = count()

CONFIG = """
[gateway]
interface = "gw"
address = "192.0.2.1"
allow = ["igw", "192.0.2.8"]

[boiler]
interface = "bo"
address = "198.51.100.1"
direct_telemetry = false

[control]
# The bridge asks nothing of its own, so that only what passes is on the wires.
parameters = []

[web]
listen = ""

[state]
directory = "{state}"
"""


def ip(*words: str) -> None:
    """Run the ``ip`` command.

    Raises:
        CalledProcessError: it failed; ``stderr`` says why.
    """
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Networks:
    """The namespaces, made on entry and removed on exit.

    Args:
        boiler_address: the boiler's.
        bridge_to_boiler: the bridge's address on the boiler's network.

    Raises:
        SkipTest: this machine does not let the test make any.
    """

    bridge_to_gateway = BRIDGE_TO_GATEWAY

    def __init__(
        self, boiler_address: str = BOILER, bridge_to_boiler: str = BRIDGE_TO_BOILER
    ) -> None:
        if sys.platform != "linux" or os.geteuid() != 0 or which("ip") is None:
            raise SkipTest("network namespaces need Linux, root and the ip command")
        self._stem = f"hb{os.getpid()}x{next(_NUMBERS)}"
        self.gateway, self.bridge, self.boiler = (f"{self._stem}{each}" for each in "gmb")
        self.boiler_address = boiler_address
        self.bridge_to_boiler = bridge_to_boiler
        self.sides: list[BridgeSide] = []
        self.observation = Observation([])
        self._made = ExitStack()

    def __enter__(self) -> "Networks":
        try:
            self.make()
        except subprocess.CalledProcessError as refused:
            self.__exit__(None, None, None)
            raise SkipTest(f"no network namespaces here: {refused.stderr.strip()}") from None
        except OSError as refused:
            self.__exit__(None, None, None)
            raise SkipTest(f"no packet sockets, or none in a namespace, here: {refused}") from None
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._made.close()

    def make(self) -> None:
        """Make the namespaces, connect them, and see what passes.

        Raises:
            CalledProcessError: a command was refused.
            OSError: a socket was refused.
        """
        for name in (self.gateway, self.bridge, self.boiler):
            self.add_namespace(name)
        self.observe(
            self._capture(self.gateway, "gateway"),
            self._capture(self.boiler, "boiler"),
        )
        self.connect_gateway()
        self.connect_boiler()
        self.sides = [
            *sides_of(
                "bridge", ("gateway", self.bridge_to_gateway), ("boiler", self.bridge_to_boiler)
            )
        ]
        # The bridge's process will be started in this way.
        ip("netns", "exec", self.bridge, "true")

    def add_namespace(self, name: str) -> None:
        """Make a namespace; it is removed at the end."""
        self._made.callback(
            subprocess.run, ["ip", "netns", "del", name], check=False, capture_output=True
        )
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")

    def observe(self, *captures: Capture) -> None:
        """See what passes."""
        for each in captures:
            self._made.callback(each.close)
        self.observation = Observation([*captures])

    def _capture(self, far: str, network: str) -> Capture:
        """What passes on the cable between the bridge and the only station of a network."""

        def station(_name: str, kind: int) -> Station:
            return (network, network if kind == socket.PACKET_OUTGOING else "bridge")

        with inside(far):
            return Capture(packet_socket(), station)

    def connect_gateway(self) -> None:
        """Plug the gateway's cable in."""
        self._plug(self.gateway, "gw", self.bridge_to_gateway, [GATEWAY, OTHER_CLIENT])

    def connect_boiler(self) -> None:
        """Plug the boiler's cable in."""
        self._plug(self.boiler, "bo", self.bridge_to_boiler, [self.boiler_address])

    def remove_boiler(self) -> None:
        """Take the bridge's second network port away altogether."""
        ip("-n", self.bridge, "link", "del", "bo")

    def remove_gateway(self) -> None:
        """Take the bridge's first network port away altogether."""
        ip("-n", self.bridge, "link", "del", "gw")

    def cut_gateway(self) -> None:
        """Pull the gateway's cable: nothing passes, and nobody is told."""
        ip("-n", self.gateway, "link", "set", "eth0", "down")

    def _plug(self, far: str, name: str, near_address: str, far_addresses: list[str]) -> None:
        ip(
            *("-n", self.bridge, "link", "add", name, "type", "veth"),
            *("peer", "name", "eth0", "netns", far),
        )
        ip("-n", self.bridge, "addr", "add", f"{near_address}/24", "dev", name)
        for address in far_addresses:
            ip("-n", far, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", self.bridge, "link", "set", name, "up")
        ip("-n", far, "link", "set", "eth0", "up")

    def udp(self, namespace: str, port: int, address: str = "") -> socket.socket:
        """A UDP socket in a namespace, as the real devices have them."""
        sock = self._socket(namespace, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        return sock

    def tcp(self, namespace: str) -> socket.socket:
        """A TCP socket in a namespace."""
        sock = self._socket(namespace, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _socket(self, namespace: str, kind: int) -> socket.socket:
        with inside(namespace):
            sock = socket.socket(socket.AF_INET, kind)
        sock.settimeout(_TIMEOUT)
        return sock


class SwitchedNetworks(Networks):
    """The stations on switches, which repeat a broadcast on every other cable.

    Args:
        cables: of each bridge, for each of its interfaces: its name, the network, the addresses.
        sides: of each bridge, the network and the address of each side, the gateway's first.
        boiler: the boiler's network and address.
    """

    def __init__(
        self,
        cables: list[list[tuple[str, str, list[str]]]],
        sides: list[tuple[Station, Station]],
        boiler: Station,
    ) -> None:
        super().__init__(boiler[1], sides[0][1][1])
        self.bridges = [self.bridge, *(f"{self._stem}m{more}" for more in range(1, len(cables)))]
        self._switches = f"{self._stem}s"
        self._cables = cables
        self._boiler_network = boiler[0]
        self._names = ["bridge", *(f"bridge {more + 1}" for more in range(1, len(cables)))]
        self._stations: dict[str, Station] = {}
        self._own_sides = [
            side
            for name, both in zip(self._names, sides, strict=True)
            for side in sides_of(name, *both)
        ]

    def make(self) -> None:
        """Make the namespaces, connect them, and see what passes."""
        for name in (self._switches, self.gateway, self.boiler, *self.bridges):
            self.add_namespace(name)
        with inside(self._switches):
            self.observe(Capture(packet_socket(), self._station))
        for network in sorted({"gateway", self._boiler_network}):
            ip("-n", self._switches, "link", "add", network, "type", "bridge")
            ip("-n", self._switches, "link", "set", network, "up")
        self._connect(self.gateway, "gateway", "eth0", "gateway", [GATEWAY, OTHER_CLIENT])
        self._connect(self.boiler, "boiler", "eth0", self._boiler_network, [self.boiler_address])
        for namespace, name, cables in zip(self.bridges, self._names, self._cables, strict=True):
            with inside(namespace):
                # Each interface answers for its own address only, though both are on one switch.
                Path("/proc/sys/net/ipv4/conf/all/arp_ignore").write_text("1")
            for interface, network, addresses in cables:
                self._connect(namespace, name, interface, network, addresses)
        self.sides = self._own_sides
        ip("netns", "exec", self.bridge, "true")

    def _connect(
        self, namespace: str, name: str, interface: str, network: str, addresses: list[str]
    ) -> None:
        port = f"port{len(self._stations)}"
        self._stations[port] = (network, name)
        ip(
            *("-n", namespace, "link", "add", interface, "type", "veth"),
            *("peer", "name", port, "netns", self._switches),
        )
        for address in addresses:
            ip("-n", namespace, "addr", "add", f"{address}/24", "dev", interface)
        ip("-n", self._switches, "link", "set", port, "master", network)
        ip("-n", self._switches, "link", "set", port, "up")
        ip("-n", namespace, "link", "set", interface, "up")

    def _station(self, interface: str, kind: int) -> Station | None:
        # What goes out of one port came in by another.
        return None if kind == socket.PACKET_OUTGOING else self._stations.get(interface)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Have sockets made, and settings of the network changed, in a namespace.

    Raises:
        OSError: this process may not enter it.
    """
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor: int) -> None:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    with ExitStack() as descriptors:
        home, there = (
            os.open(path, os.O_RDONLY) for path in ("/proc/self/ns/net", f"/run/netns/{namespace}")
        )
        descriptors.callback(os.close, home)
        descriptors.callback(os.close, there)
        enter(there)
        try:
            yield
        finally:
            enter(home)


class BridgeProcess(Running):
    """The bridge, started as its users start it, in the namespace between the networks.

    Args:
        networks: where.
        config: the configuration file's text; ``{state}`` becomes a directory of its own.
        prefix: words before the command, such as ``setpriv`` and its options.
        state: the state directory; a fresh one if it is not given.
        namespace: another than the (first) bridge's.
        constants: of the program, as ``Running`` takes them.
        unprivileged: whether it has none of root's capabilities.
    """

    def __init__(
        self,
        networks: Networks,
        config: str = CONFIG,
        prefix: tuple[str, ...] = (),
        state: str = "state",
        namespace: str = "",
        constants: Mapping[str, object] | None = None,
        *,
        unprivileged: bool = False,
    ) -> None:
        self._there = namespace or networks.bridge
        self._unprivileged = unprivileged
        self._prefix = prefix
        bridge = (program("twist"), "--log-format=text", "hargassner", "--config=hargassner.toml")
        files = {"hargassner.toml": config.format(state=state)}
        super().__init__(bridge, files, constants)

    def started(
        self, command: Sequence[str], constants: Mapping[str, object]
    ) -> subprocess.Popen[bytes] | Forked:
        """The process; a prefix is for one that is not forked."""
        if not self._prefix:
            return self.forked(command, constants, self._there, unprivileged=self._unprivileged)
        there = ("ip", "netns", "exec", self._there, *self._prefix)
        return super().started([*there, *command], constants)

    def wait_until_up(self) -> None:
        """Wait until the bridge listens."""
        self.wait_for("Starting reactor")


def receive(sock: socket.socket, size: int) -> bytes:
    """So many bytes of a connection; fewer only at its end."""
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


def is_silent(sock: socket.socket, seconds: float = 0.2) -> bool:
    """Whether nothing comes for a while."""
    return not select.select([sock], [], [], seconds)[0]
