"""The address by which others in the home reach this machine."""

import socket
from contextlib import closing

_ANYWHERE = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737); only which way leads to it is asked for."""


def own_address() -> str:
    """This machine's IPv4 address towards its default route, empty where it has none.

    Nothing is sent: a datagram socket that is connected only chooses its way.
    """
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        try:
            sock.connect(_ANYWHERE)
        except OSError:
            return ""
        address: str = sock.getsockname()[0]
        return address
