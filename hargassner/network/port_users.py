"""Who holds a port of this machine, as far as the system tells."""

import os
import pwd
from collections.abc import Collection, Iterable
from pathlib import Path


def port_user(transport: str, port: int) -> str:
    """Who holds a port, as far as the system lets this process see."""
    holders = _holders(transport.lower(), port)
    ours = Path("/proc", str(os.getpid()))
    # This process may hold the port too, on its other side.
    processes = sorted(Path("/proc").glob("[0-9]*"), key=lambda each: each == ours)
    names = (_named_holder(each, holders) for each in processes)
    return next(filter(None, names), "") or _another_program(holders.values())


def _named_holder(process: Path, inodes: Collection[str]) -> str:
    """A process by its name, if it has one of these sockets open; else empty."""
    try:
        if _has_one_of(process, inodes):
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    except OSError:
        pass  # It ended just now, or belongs to another user.
    return ""


def _another_program(uids: Iterable[int]) -> str:
    users = sorted(set(map(_user, uids)))
    return f"another program, of user {' or '.join(users)}" if users else "another program"


def _holders(transport: str, port: int) -> dict[str, int]:
    """The sockets that hold a port against others: their inodes, and whose they are."""
    # A socket of IPv6 holds the port of IPv4 too.
    rows = [*_rows(transport), *_rows(f"{transport}6")]
    # Of TCP only listening sockets (state 0A) count; UDP's are in one state or another.
    is_udp = transport == "udp"
    at_port = [row for row in rows if int(row[1].rpartition(":")[2], 16) == port]
    return {row[9]: int(row[7]) for row in at_port if is_udp or row[3] == "0A"}


def _rows(table: str) -> list[list[str]]:
    """The sockets that the system lists, none where it does not tell."""
    try:
        return [row.split() for row in Path("/proc/net", table).read_text().splitlines()[1:]]
    except OSError:
        return []


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
