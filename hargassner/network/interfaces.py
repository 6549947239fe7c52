"""What the system says of this machine's network interfaces: their numbers and IPv4 addresses."""

import errno
import socket
import struct
import sys

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Errors that say nothing of a socket or an interface: the system has none left to give."""

_SIOCGIFCONF = 0x8912
_SIOCGIFINDEX = 0x8933
# struct ifreq: a name and a union, whose largest member is struct ifmap.
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
    import ctypes
    import fcntl

    found: dict[str, tuple[str, ...]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        room = _ROOM * _REQUEST
        while True:
            rows = ctypes.create_string_buffer(room)
            question = struct.pack("iP", room, ctypes.addressof(rows))
            (length,) = struct.unpack_from("i", fcntl.ioctl(probe, _SIOCGIFCONF, question))
            if length <= room - _REQUEST:
                break
            room *= 2  # There may be more than there was room for.
    for start in range(0, length, _REQUEST):
        row = rows.raw[start : start + _REQUEST]
        # A further address may have a label of its own, such as "eth0:1".
        name = row[:_NAME].partition(b"\0")[0].decode().partition(":")[0]
        found[name] = (*found.get(name, ()), socket.inet_ntoa(row[_ADDRESS]))
    return found


def interface_index(name: str) -> int:
    """The number of an interface, which changes when it goes and comes back; 0 while it is absent.

    Raises:
        OSError: the system cannot be asked now.
    """
    if sys.platform != "linux":
        try:
            return socket.if_nametoindex(name)
        except OSError:
            return 0
    import fcntl

    # if_nametoindex needs a file descriptor too, and does not tell when there is none.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        question = struct.pack(f"{_REQUEST}s", name.encode()[: _NAME - 1])
        try:
            answer = fcntl.ioctl(probe, _SIOCGIFINDEX, question)
        except OSError as wrong:
            if wrong.errno in (errno.ENODEV, errno.ENXIO):
                return 0
            raise
    index: int = struct.unpack_from("i", answer, _NAME)[0]
    return index
