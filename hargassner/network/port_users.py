"""Who holds a port of this machine, as far as the system tells."""

import os
import pwd
from collections.abc import Iterable
from pathlib import Path

# A listening socket of TCP; one of UDP holds its port connected or not.
_HOLDING = {"tcp": ("0A",), "udp": ("01", "07")}
"""The states in which a socket holds its port against others."""


def port_user(transport: str, port: int) -> str:
    """Who holds a port, as far as the system lets this process see."""
    holders = _holders(transport.lower(), port)
    ours = Path("/proc", str(os.getpid()))
    # This process may hold the port too, on its other side.
    processes = sorted(Path("/proc").glob("[0-9]*"), key=lambda each: each == ours)
    names = (_named_holder(each, holders) for each in processes)
    return next(filter(None, names), "") or _another_program(holders.values())


def _named_holder(process: Path, sockets: Iterable[str]) -> str:
    """A process by its name, if it has one of these sockets open; else empty."""
    try:
        if set(map(_target, (process / "fd").iterdir())).isdisjoint(sockets):
            return ""
        return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    except OSError:
        return ""  # It ended just now, or belongs to another user.


def _target(descriptor: Path) -> str:
    """What a descriptor stands for, "" where it was closed just now."""
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def _another_program(uids: Iterable[int]) -> str:
    users = sorted(set(map(user_name, uids)))
    return f"another program, of user {' or '.join(users)}" if users else "another program"


def _holders(transport: str, port: int) -> dict[str, int]:
    """The sockets that hold a port against others, as descriptors name them, and whose they are."""
    # A socket of IPv6 holds the port of IPv4 too.
    rows = [*_rows(transport), *_rows(f"{transport}6")]
    held = [(f":{port:04X}", state) for state in _HOLDING[transport]]
    return {f"socket:[{row[9]}]": int(row[7]) for row in rows if (row[1][-5:], row[3]) in held}


def _rows(table: str) -> list[list[str]]:
    """The sockets that the system lists, none where it does not tell."""
    try:
        return list(map(str.split, Path("/proc/net", table).read_text().splitlines()[1:]))
    except OSError:
        return []


def user_name(uid: int) -> str:
    """The name of a user of this machine, the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
