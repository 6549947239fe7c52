"""Where a page is served that a command brings along."""

import socket

PAGE_ADDRESS = "127.0.0.1"
PAGE_PORT = 8080


def free_port(first: int) -> int:
    """The first TCP port from ``first`` on that nobody holds now; ``first`` if all are held."""
    for port in range(first, first + 100):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((PAGE_ADDRESS, port))
            except OSError:
                continue
            return port
    return first
