"""What the system says of network interfaces: their numbers and IPv4 addresses."""

import errno
import os
import socket
import struct
import sys

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors that say nothing of a socket or an interface: the system has none left to give."""

_SIOCGIFCONF = 0x8912
_SIOCGIFINDEX = 0x8933
# struct ifreq: a name and a union, whose largest member is struct ifmap. An address in it is a
# struct sockaddr_in, and begins with its fifth byte.
_NAME = 16
_REQUEST = _NAME + struct.calcsize("LLHBBB0L")
_ADDRESS = slice(_NAME + 4, _NAME + 8)
_ROOM = 64


def ipv4_addresses() -> dict[str, tuple[str, ...]]:
    """The IPv4 addresses of this machine by interface, each interface's first one first.

    Interfaces without an address are left out. Empty where the system does not tell.

    Raises:
        OSError: it cannot be asked now, for instance because no file descriptor is free.
    """
    if sys.platform != "linux":
        return {}
    found: dict[str, tuple[str, ...]] = {}
    rows = _address_rows()
    for start in range(0, len(rows), _REQUEST):
        row = rows[start : start + _REQUEST]
        # A further address may have a label of its own, such as "eth0:1".
        name = row[:_NAME].partition(b"\0")[0].decode().partition(":")[0]
        found[name] = (*found.get(name, ()), address_in(row))
    return found


def _address_rows() -> bytes:
    """One struct ifreq for each address."""
    import ctypes
    import fcntl

    room = _ROOM * _REQUEST
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        while True:
            rows = ctypes.create_string_buffer(room)
            question = struct.pack("iP", room, ctypes.addressof(rows))
            (length,) = struct.unpack_from("i", fcntl.ioctl(probe, _SIOCGIFCONF, question))
            if length <= room - _REQUEST:
                return rows.raw[:length]
            room *= 2  # There may be more than there was room for.


def interface_index(name: str) -> int:
    """The number of an interface, which changes when it goes and comes back; 0 while it is absent.

    Raises:
        OSError: the system cannot be asked now.
    """
    try:
        return _index(name)
    except OSError as wrong:
        if wrong.errno in EXHAUSTED:
            raise
        return 0


def _index_on_linux(name: str) -> int:
    # if_nametoindex needs a file descriptor too, and does not tell when there is none.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        index: int = struct.unpack_from("i", asked(probe, _SIOCGIFINDEX, name), _NAME)[0]
    return index


_index = _index_on_linux if sys.platform == "linux" else socket.if_nametoindex


def asked(probe: socket.socket, question: int, name: str) -> bytes:
    """The struct ifreq with which Linux answers a question for an interface, such as SIOCGIFADDR.

    Raises:
        OSError: there is no such interface, it has none of what is asked for, or the system is
            another one.
    """
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    import fcntl

    return fcntl.ioctl(probe, question, struct.pack(f"{_REQUEST}s", name.encode()[: _NAME - 1]))


def address_in(answer: bytes) -> str:
    """The IPv4 address in a struct ifreq."""
    return socket.inet_ntoa(answer[_ADDRESS])
