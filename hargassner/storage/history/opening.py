"""How the file is opened; a damaged one is set aside and begun anew.

Everything here blocks. Twisted's pool of connections takes the module for one of the DB API.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.schema import migrate

apilevel = "2.0"
threadsafety = 1

FILE = "history.sqlite"
WAIT = 30.0
"""Seconds for which another process, such as an import, may have the file for itself."""
WAL_PAGES = 256
"""Pages after which what was written ahead is moved into the file."""


_TIMESYNC = Path("/run/systemd/timesync")
"""Where systemd says whether it has set the clock, if it is the one who does."""


def clock_is_set() -> bool:
    """Whether this machine's clock was set by another one, as far as systemd knows.

    True where something else sets it, or nothing.
    """
    return not _TIMESYNC.exists() or (_TIMESYNC / "synchronized").exists()


def prepare(connection: sqlite3.Connection) -> None:
    """Make a new connection ready, and the file what this program knows.

    Raises:
        sqlite3.DatabaseError: it is damaged, or no database.
        NewerSchemaError: a newer program has written it.
    """
    # Transactions begin and end where the program says so.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # What is committed is on the card: a power cut loses nothing of it.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_PAGES * 4096}")
    migrate(connection)
    # The file is read whole.
    [result] = connection.execute("PRAGMA quick_check(1)").fetchone()
    if result != "ok":
        raise sqlite3.DatabaseError(str(result).splitlines()[0])


def is_damage(wrong: BaseException) -> bool:
    """Whether an error says that the file is damaged, and not that the disk is full, say."""
    lasting = (sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
    return isinstance(wrong, sqlite3.DatabaseError) and not isinstance(wrong, lasting)


def set_aside(directory: StateDirectory, reason: str) -> None:
    """Rename a damaged file and what belongs to it: not used any more, but there to look at."""
    directory.set_aside(FILE, reason)
    with suppress(OSError):
        (directory.path / f"{FILE}-wal").replace(directory.path / f"{FILE}.damaged-wal")
    with suppress(OSError):
        (directory.path / f"{FILE}-shm").unlink()


def connect(directory: StateDirectory, damage: str = "") -> sqlite3.Connection:
    """Open the file, which is made if it is not there, and looked through if it is.

    Args:
        directory: where it is.
        damage: what is known to be wrong with it, if anything.

    Raises:
        OSError, sqlite3.Error: the disk does not do.
        NewerSchemaError: a newer program has written it.
    """
    if damage:
        set_aside(directory, damage)
    try:
        return _connected(directory.path)
    except sqlite3.DatabaseError as wrong:
        if not is_damage(wrong):
            raise
        set_aside(directory, str(wrong))
        return _connected(directory.path)


def _connected(directory: Path) -> sqlite3.Connection:
    path = directory / FILE
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # It is for its owner only.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    # The pool closes it from another thread than the one that uses it.
    connection = sqlite3.connect(path, timeout=WAIT, check_same_thread=False)
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection
