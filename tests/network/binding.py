"""Whether this user may bind sockets to an interface."""

import errno
import socket
from unittest import SkipTest

from hargassner.network.interface import bind_to_device


def need_device_binding() -> None:
    """Skip where this user may not bind sockets to a device."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        try:
            bind_to_device(sock, "lo")
        except OSError as wrong:
            if wrong.errno not in (errno.EPERM, errno.ENOTSUP):
                raise
            raise SkipTest(f"sockets cannot be bound to a device: {wrong}") from None
