"""Two networks with the bridge between them, in network namespaces of their own.

::

    gateway 192.0.2.7, .8 ── 192.0.2.1 bridge 198.51.100.1 ── 198.51.100.2 boiler

The sockets of the gateway and of the boiler belong to the test process: a socket stays in the
namespace that it was made in.  The bridge is a process of its own.
"""

import ctypes
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from shutil import which
from types import TracebackType
from unittest import SkipTest

from tests.processes import Running, program

GATEWAY = "192.0.2.7"
OTHER_CLIENT = "192.0.2.8"
BRIDGE_TO_GATEWAY = "192.0.2.1"
BRIDGE_TO_BOILER = "198.51.100.1"
BOILER = "198.51.100.2"

_CLONE_NEWNET = 0x40000000
_PATIENCE = 10.0

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
    """Run the ``ip`` command."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Networks:
    """The namespaces, made on entry and removed on exit.

    Raises:
        SkipTest: this machine does not let the test make any.
    """

    def __init__(self) -> None:
        if sys.platform != "linux" or os.geteuid() != 0 or which("ip") is None:
            raise SkipTest("network namespaces need Linux, root and the ip command")
        stem = f"hb{os.getpid()}"
        self.gateway, self.bridge, self.boiler = (f"{stem}{each}" for each in ("g", "m", "b"))

    def __enter__(self) -> "Networks":
        try:
            for name in (self.gateway, self.bridge, self.boiler):
                ip("netns", "add", name)
        except subprocess.CalledProcessError as refused:
            self.__exit__(None, None, None)
            raise SkipTest(f"no network namespaces here: {refused.stderr.strip()}") from None
        for name in (self.gateway, self.bridge, self.boiler):
            ip("-n", name, "link", "set", "lo", "up")
        self.connect_gateway()
        self.connect_boiler()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in (self.gateway, self.bridge, self.boiler):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)

    def connect_gateway(self) -> None:
        """Plug the gateway's cable in."""
        self._plug(self.gateway, "gw", BRIDGE_TO_GATEWAY, [GATEWAY, OTHER_CLIENT])

    def connect_boiler(self) -> None:
        """Plug the boiler's cable in."""
        self._plug(self.boiler, "bo", BRIDGE_TO_BOILER, [BOILER])

    def remove_boiler(self) -> None:
        """Take the bridge's second network port away altogether."""
        ip("-n", self.bridge, "link", "del", "bo")

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

    def udp(self, namespace: str, port: int) -> socket.socket:
        """A UDP socket in a namespace, as the real devices have them."""
        sock = self._socket(namespace, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        sock.bind(("", port))
        return sock

    def tcp(self, namespace: str) -> socket.socket:
        """A TCP socket in a namespace."""
        sock = self._socket(namespace, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _socket(self, namespace: str, kind: int) -> socket.socket:
        with _inside(namespace):
            sock = socket.socket(socket.AF_INET, kind)
        sock.settimeout(_PATIENCE)
        return sock


@contextmanager
def _inside(namespace: str) -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            if libc.setns(descriptor, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        finally:
            os.close(descriptor)

    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    try:
        enter(f"/run/netns/{namespace}")
        try:
            yield
        finally:
            if libc.setns(home, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(home)


class BridgeProcess(Running):
    """The bridge, started as its users start it, in the namespace between the networks.

    Args:
        networks: where.
        config: the configuration file's text; ``{state}`` becomes a directory of its own.
        prefix: words before the command, such as ``setpriv`` and its options.
    """

    def __init__(
        self, networks: Networks, config: str = CONFIG, prefix: tuple[str, ...] = ()
    ) -> None:
        inside = ("ip", "netns", "exec", networks.bridge, *prefix)
        bridge = (program("twist"), "--log-format=text", "hargassner", "--config=hargassner.toml")
        super().__init__(
            [*inside, *bridge], files={"hargassner.toml": config.format(state="state")}
        )

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
