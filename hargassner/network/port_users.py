"""Who holds a port of this machine, as far as the system tells."""

import os
import pwd
from collections.abc import Collection
from pathlib import Path


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
