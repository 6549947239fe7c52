"""Opening sockets on one side, and saying plainly why it cannot be done."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from hargassner.network.interface import (
    CannotOpenError,
    NetworkInterface,
    NotThereYetError,
    bind_to_device,
)
from hargassner.network.port_users import port_user
from hargassner.network.system import system_reason

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

_BACKLOG = 50
"""Connections that wait in the system's queue."""

_REASONS: dict[int | None, tuple[type[CannotOpenError], str]] = {
    errno.ENODEV: (NotThereYetError, "the interface is not there now"),
    errno.EADDRNOTAVAIL: (NotThereYetError, "this machine does not have the address now"),
    errno.EPERM: (
        CannotOpenError,
        "tying a socket to an interface needs the capability CAP_NET_RAW here",
    ),
}
"""What errors of the system mean for the user, and whether waiting may help."""


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


def notice_loss(sock: socket.socket) -> None:
    """Let a connection whose peer vanished without a word end within a minute."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _LOSS_OPTIONS.items():
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def datagram_socket(
    interface: NetworkInterface,
    address: str,
    port: int,
    *,
    device: str,
    shared: bool = False,
    joins: bool = False,
) -> socket.socket:
    """A non-blocking UDP socket that may broadcast.

    Linux lets any two sockets that want to share a port share it, and gives what comes to either.
    So the first socket asks for the port alone, and shares it only when it has it; another program
    that holds it is thus found out, a second bridge included.

    Args:
        interface: the side of the bridge, for messages.
        address: what to bind; "" is the wildcard address.
        port: the UDP port.
        device: the interface to bind it to, or "".
        shared: whether another socket may be bound to the same port later.
        joins: whether it may join sockets that are bound to it already.

    Raises:
        CannotOpenError: with the reason, in one line.
    """
    with _opening(socket.SOCK_DGRAM, "UDP", port, interface) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, joins)
        bind_to_device(sock, device)
        sock.bind((address, port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, shared)
    return sock


def listening_socket(interface: NetworkInterface, port: int) -> socket.socket:
    """A non-blocking TCP socket that listens on one side.

    Raises:
        CannotOpenError: with the reason, in one line.
    """
    return stream_socket(interface, interface.address, port, device=interface.device())


def stream_socket(
    interface: NetworkInterface, address: str, port: int, *, device: str
) -> socket.socket:
    """A non-blocking TCP socket that listens; the arguments are those of ``datagram_socket``.

    Raises:
        CannotOpenError: with the reason, in one line.
    """
    with _opening(socket.SOCK_STREAM, "TCP", port, interface) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bind_to_device(sock, device)
        sock.bind((address, port))
        sock.listen(_BACKLOG)
    return sock


@contextmanager
def _opening(
    kind: socket.SocketKind, transport: str, port: int, interface: NetworkInterface
) -> Iterator[socket.socket]:
    """A non-blocking socket; it is closed where what is done with it fails.

    Raises:
        CannotOpenError: that failed, for this reason.
    """
    try:
        with ExitStack() as undo:
            sock = undo.enter_context(socket.socket(socket.AF_INET, kind))
            sock.setblocking(False)
            yield sock
            undo.pop_all()
    except OSError as wrong:
        raise explained(wrong, transport, port, interface) from wrong


def explained(
    wrong: OSError, transport: str, port: int, interface: NetworkInterface
) -> CannotOpenError:
    """What a system's error means for the user, and what he can do about it."""
    what = f"{transport} port {port} on {interface}"
    if wrong.errno == errno.EADDRINUSE:
        return CannotOpenError(f"{what} is in use by {port_user(transport, port)}")
    if wrong.errno == errno.EACCES and port < 1024:
        return CannotOpenError(f"{what}: ports below 1024 need the capability CAP_NET_BIND_SERVICE")
    kind, reason = _REASONS.get(wrong.errno, (CannotOpenError, system_reason(wrong)))
    return kind(f"{what}: {reason}")
