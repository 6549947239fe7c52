"""Opening sockets on one side, and saying plainly why it cannot be done."""

import errno
import os
import pwd
import socket
import struct
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

_BIND_TO_DEVICE: int | None = getattr(socket, "SO_BINDTODEVICE", None)
_SIOCGIFADDR = 0x8915

# Their names differ between systems; where one is missing, the system's own times apply.  A peer
# that vanished is noticed within 50 s: by unanswered probes when the line is silent, by
# unacknowledged bytes (milliseconds) when it is not.
_LOSS_OPTIONS = {
    "TCP_KEEPIDLE": 20,
    "TCP_KEEPALIVE": 20,
    "TCP_KEEPINTVL": 10,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 50_000,
}


class CannotOpenError(Exception):
    """A socket cannot be opened; the message is one line for the user."""


class NotThereYetError(CannotOpenError):
    """The interface or the address is absent now, and may come (back) by itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a side of the bridge is: an interface, an address of this machine, both or neither.

    With an interface, sockets are tied to it and bound to the wildcard address, because on Linux
    a socket bound to one unicast address gets no broadcasts (docs/protocol.md, section 1).  With
    an address alone, the interface that carries it is used in the same way, except on the
    loopback interface, which many addresses share.
    """

    interface: str = ""
    address: str = ""

    def device(self) -> str:
        """The interface to tie sockets to, or "" where there is none to tie to.

        Raises:
            NotThereYetError: the interface, or an interface with this address, is absent.
            CannotOpenError: this system cannot tie sockets to interfaces.
        """
        if self.interface:
            if _BIND_TO_DEVICE is None:
                raise CannotOpenError(
                    f"interface {self.interface}: this system cannot tie sockets to an interface; "
                    "give the address instead"
                )
            try:
                socket.if_nametoindex(self.interface)
            except OSError:
                raise NotThereYetError(f"there is no interface {self.interface}") from None
            return self.interface
        if self.address and _BIND_TO_DEVICE is not None:
            name = _interface_with(self.address)
            return "" if name in ("", "lo") else name
        return ""

    def identity(self) -> tuple[str, int] | None:
        """What the sockets of this place depend on now; it changes when they must be reopened.

        An interface that went away and came back has the same name and another index, and a
        socket tied to the old one stays deaf.  ``None`` while it is absent.
        """
        try:
            name = self.device()
            return (name, socket.if_nametoindex(name) if name else 0)
        except (CannotOpenError, OSError):
            return None

    def may_meet(self, other: "Place") -> bool:
        """Whether sockets of both places may be bound to the same port of one interface."""
        try:
            devices = (self.device(), other.device())
        except CannotOpenError:
            devices = (self.interface, other.interface)
        return not all(devices) or devices[0] == devices[1]

    def __str__(self) -> str:
        return self.interface or self.address or "any interface"


def _interface_with(address: str) -> str:
    """The interface whose first address this is, or "" for a further address of one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        if sys.platform == "linux":
            import fcntl

            for _, name in socket.if_nameindex():
                request = struct.pack("256s", name.encode()[:15])
                try:
                    answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
                except OSError:
                    continue  # The interface has no IPv4 address.
                if socket.inet_ntoa(answer[20:24]) == address:
                    return name
    if not is_own_address(address):
        raise NotThereYetError(f"no interface of this machine has the address {address}")
    return ""


def is_own_address(address: str) -> bool:
    """Whether this machine has the address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def is_broadcast(address: str) -> bool:
    """Whether sending to this address reaches every host of a network of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # The kernel refuses it on a socket that is not allowed to broadcast.
            probe.connect((address, 9))
        except PermissionError:
            return True
        except OSError:
            return address == "255.255.255.255"
    return False


def tie(sock: socket.socket, device: str) -> None:
    """Let a socket send and receive on one interface only; call it before ``bind``.

    Raises:
        OSError: the interface is absent, or the system does not allow it.
    """
    if device:
        if _BIND_TO_DEVICE is None:
            raise OSError(errno.ENOTSUP, "sockets cannot be tied to an interface")
        sock.setsockopt(socket.SOL_SOCKET, _BIND_TO_DEVICE, device.encode() + b"\0")


def notice_loss(sock: socket.socket) -> None:
    """Let a connection whose peer vanished without a word end within a minute."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _LOSS_OPTIONS.items():
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def datagram_socket(
    place: Place, address: str, port: int, *, device: str, shared: bool, joins: bool = False
) -> socket.socket:
    """A non-blocking UDP socket that may broadcast.

    Linux lets any two sockets that want to share a port share it, and gives what comes to either.
    So the first socket asks for the port alone, and shares it only when it has it; another program
    that holds it is thus found out, a second bridge included.

    Args:
        place: the side of the bridge, for messages.
        address: what to bind; "" is the wildcard address.
        port: the UDP port.
        device: the interface to tie it to, or "".
        shared: whether another socket may be bound to the same port later.
        joins: whether it may join sockets that are bound to it already.

    Raises:
        CannotOpenError: with the reason, in one line.
    """
    sock = _opened(socket.SOCK_DGRAM, "UDP", port, place)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, joins)
        tie(sock, device)
        sock.bind((address, port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, shared)
    except OSError as wrong:
        sock.close()
        raise explained(wrong, "UDP", port, place) from wrong
    return sock


def listening_socket(place: Place, port: int, backlog: int = 50) -> socket.socket:
    """A non-blocking TCP socket that listens at a place.

    Raises:
        CannotOpenError: with the reason, in one line.
    """
    device = place.device()
    sock = _opened(socket.SOCK_STREAM, "TCP", port, place)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tie(sock, device)
        sock.bind((place.address, port))
        sock.listen(backlog)
    except OSError as wrong:
        sock.close()
        raise explained(wrong, "TCP", port, place) from wrong
    return sock


def _opened(kind: socket.SocketKind, transport: str, port: int, place: Place) -> socket.socket:
    try:
        return socket.socket(socket.AF_INET, kind)
    except OSError as wrong:
        raise explained(wrong, transport, port, place) from wrong


def explained(wrong: OSError, transport: str, port: int, place: Place) -> CannotOpenError:
    """What a system's error means for the user, and what he can do about it."""
    what = f"{transport} port {port} on {place}"
    match wrong.errno:
        case errno.ENODEV:
            return NotThereYetError(f"{what}: the interface is not there now")
        case errno.EADDRNOTAVAIL:
            return NotThereYetError(f"{what}: this machine does not have the address now")
        case errno.EADDRINUSE:
            return CannotOpenError(f"{what} is in use by {port_user(transport, port)}")
        case errno.EACCES if port < 1024:
            return CannotOpenError(
                f"{what}: ports below 1024 need the capability CAP_NET_BIND_SERVICE"
            )
        case errno.EPERM:
            return CannotOpenError(
                f"{what}: tying a socket to an interface needs the capability CAP_NET_RAW here"
            )
    return CannotOpenError(f"{what}: {wrong.strerror or wrong}")


def port_user(transport: str, port: int) -> str:
    """Who holds a port, as far as the system lets this process see."""
    holders = _holders(transport.lower(), port)
    ours = Path("/proc", str(os.getpid()))
    # This process may hold the port too, on its other side.
    for process in [*(each for each in Path("/proc").glob("[0-9]*") if each != ours), ours]:
        try:
            if _has_one_of(process, holders):
                name = (process / "comm").read_text().strip()
                return f"{name} (process {process.name})"
        except OSError:
            continue  # It ended just now, or belongs to another user.
    users = sorted({_user(uid) for uid in holders.values()})
    return f"another program, of user {' or '.join(users)}" if users else "another program"


def _holders(transport: str, port: int) -> dict[str, int]:
    """The sockets that hold a port against others: their inodes, and whose they are."""
    holders = {}
    # A socket of IPv6 holds the port of IPv4 too.
    for table in (transport, f"{transport}6"):
        try:
            rows = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            # Of TCP only listening sockets (state 0A) count.
            if int(columns[1].rpartition(":")[2], 16) == port and (
                transport == "udp" or columns[3] == "0A"
            ):
                holders[columns[9]] = int(columns[7])
    return holders


def _has_one_of(process: Path, inodes: Collection[str]) -> bool:
    """Whether a process has one of these sockets open.

    Raises:
        OSError: the system does not tell.
    """
    for descriptor in (process / "fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:[") and target[8:-1] in inodes:
            return True
    return False


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
