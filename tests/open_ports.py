"""Which ports a process has open, as Linux tells."""

import socket
from contextlib import suppress
from pathlib import Path

_LISTEN = "0A"


def open_ports(process: int) -> list[str]:
    """The TCP ports that a process listens on and its UDP ports, such as "tcp 127.0.0.1:8080"."""
    sockets = set()
    for each in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):  # It was closed just now.
            sockets.add(each.readlink().name)
    found = []
    for kind in ("tcp", "udp"):
        for row in Path(f"/proc/{process}/net/{kind}").read_text().splitlines()[1:]:
            words = row.split()
            local, state, inode = words[1], words[3], words[9]
            if f"socket:[{inode}]" in sockets and (kind == "udp" or state == _LISTEN):
                address, _, port = local.partition(":")
                shown = socket.inet_ntoa(bytes.fromhex(address)[::-1])
                found.append(f"{kind} {shown}:{int(port, 16)}")
    return sorted(found)
