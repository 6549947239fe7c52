"""Where the wire benchmarks run: three network namespaces with real ports, or loopback.

::

    gateway 192.0.2.7 ── 192.0.2.1 contenders 198.51.100.1 ── 198.51.100.2 boiler

Each contender has an address of its own on the gateway's network, so that all can run at once.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

_CLONE_NEWNET = 0x40000000
OTHERS = "198.18.0.0/16"


class Networks(Protocol):
    """Where the client, the contenders and the boiler are."""

    name: str
    boiler: tuple[str, int]
    near: str
    """The contenders' address towards the boiler."""

    def listen(self, number: int) -> tuple[str, int]:
        """Where the contender with this number listens."""

    def beside(self, place: str, arguments: list[str]) -> list[str]:
        """The command line that runs a program at ``bridge`` or ``boiler``."""

    def connect(self, address: tuple[str, int], client: int = 0) -> socket.socket:
        """A connection of the gateway's, or of another client with an address of its own."""

    def close(self) -> None:
        """Give everything back."""


def _tuned(connection: socket.socket) -> socket.socket:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(30)
    return connection


class Loopback:
    """Everything on loopback, with ports that anybody may have."""

    name = "loopback"
    boiler = ("127.0.0.3", 24023)
    near = "127.0.0.2"

    def listen(self, number: int) -> tuple[str, int]:
        return f"127.0.1.{number + 1}", 24023

    def beside(self, place: str, arguments: list[str]) -> list[str]:
        return arguments

    def connect(self, address: tuple[str, int], client: int = 0) -> socket.socket:
        own = (f"127.1.{client // 250}.{client % 250 + 1}", 0)
        return _tuned(socket.create_connection(address, 5, own))

    def close(self) -> None:
        """There is nothing to give back."""


class Namespaces:
    """Three network namespaces; needs Linux, root and the ip command.

    Raises:
        CalledProcessError, OSError: this machine makes none.
    """

    name = "network namespaces"
    boiler = ("198.51.100.2", 23)
    near = "198.51.100.1"

    def __init__(self) -> None:
        stem = f"hbw{os.getpid()}"
        self._names = {each: f"{stem}{each[:2]}" for each in ("gateway", "bridge", "boiler")}
        try:
            for name in self._names.values():
                self._ip("netns", "add", name)
                self._ip("-n", name, "link", "set", "lo", "up")
            self._cable("gateway", "gw", "192.0.2.1", "192.0.2.7")
            self._cable("boiler", "bo", self.near, self.boiler[0])
            # Further clients have addresses of a network that is the gateway's alone.
            self._ip("-n", self._names["gateway"], "route", "add", "local", OTHERS, "dev", "lo")
            self._ip("-n", self._names["bridge"], "route", "add", OTHERS, "via", "192.0.2.7")
            # The direct connection is one that the kernel in between routes.
            self._run("bridge", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        except BaseException:
            self.close()
            raise

    def _ip(self, *words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def _run(self, place: str, *words: str) -> None:
        subprocess.run(self.beside(place, [*words]), check=True, capture_output=True)

    def _cable(self, far: str, device: str, near_address: str, far_address: str) -> None:
        bridge, other = self._names["bridge"], self._names[far]
        self._ip(
            *("-n", bridge, "link", "add", device, "type", "veth"),
            *("peer", "name", "eth0", "netns", other),
        )
        self._ip("-n", bridge, "addr", "add", f"{near_address}/24", "dev", device)
        self._ip("-n", other, "addr", "add", f"{far_address}/24", "dev", "eth0")
        self._ip("-n", bridge, "link", "set", device, "up")
        self._ip("-n", other, "link", "set", "eth0", "up")
        self._ip("-n", other, "route", "add", "default", "via", near_address)

    def listen(self, number: int) -> tuple[str, int]:
        address = f"192.0.2.{10 + number}"
        subprocess.run(
            ["ip", "-n", self._names["bridge"], "addr", "add", f"{address}/24", "dev", "gw"],
            check=False,
            capture_output=True,
        )
        return address, 23

    def beside(self, place: str, arguments: list[str]) -> list[str]:
        return ["ip", "netns", "exec", self._names[place], *arguments]

    def connect(self, address: tuple[str, int], client: int = 0) -> socket.socket:
        with _inside(self._names["gateway"]):
            sock = socket.socket()
        sock.settimeout(5)
        try:
            if client:
                sock.bind((f"198.18.{client // 250}.{client % 250 + 1}", 0))
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        return _tuned(sock)

    def close(self) -> None:
        for name in self._names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextmanager
def _inside(namespace: str) -> Iterator[None]:
    """What is opened meanwhile is in that namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/self/ns/net").open() as own, Path(f"/run/netns/{namespace}").open() as other:
        if libc.setns(other.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(own.fileno(), _CLONE_NEWNET)


def end_when_told() -> None:
    """Have SIGTERM end the program as Ctrl-C does: what it made is given back."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def networks(wanted: str) -> Networks:
    """Namespaces where this machine makes them, unless ``wanted`` says loopback."""
    if wanted == "loopback":
        return Loopback()
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("ip"):
        try:
            return Namespaces()
        except (OSError, subprocess.CalledProcessError) as refused:
            print(f"no network namespaces here: {refused}", file=sys.stderr)
    return Loopback()
