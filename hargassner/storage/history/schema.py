"""The file's tables, and how an older file becomes a newer one.

A row of ``minutes``, ``quarters`` or ``days`` has many slots of one channel (32 bit floats,
little-endian): a row a slot would take ten times the room and the time, and wear the card as much.
Minutes and quarters are counted from the epoch, local days as ordinals. Channel 0 has no values:
its minutes tell of which ones something is known.
"""

import sqlite3
from collections.abc import Sequence

APPLICATION = 0x48617267
"""What marks the file as the bridge's ("Harg")."""

STEPS: tuple[str, ...] = (
    """
    CREATE TABLE channels (
        id INTEGER PRIMARY KEY,
        object TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        unit TEXT NOT NULL,
        is_state INTEGER NOT NULL
    );
    INSERT INTO channels VALUES (0, '', '', '', 0);
    CREATE TABLE minutes (
        channel INTEGER NOT NULL, row INTEGER NOT NULL, slots BLOB NOT NULL,
        UNIQUE (channel, row)
    );
    CREATE TABLE quarters (
        channel INTEGER NOT NULL, row INTEGER NOT NULL, slots BLOB NOT NULL,
        UNIQUE (channel, row)
    );
    CREATE TABLE days (
        channel INTEGER NOT NULL, row INTEGER NOT NULL, slots BLOB NOT NULL,
        UNIQUE (channel, row)
    );
    CREATE TABLE facts (day INTEGER PRIMARY KEY, tally TEXT NOT NULL);
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL, began REAL NOT NULL, ended REAL,
        number INTEGER NOT NULL, text TEXT NOT NULL, amount REAL NOT NULL
    );
    CREATE INDEX events_by_begin ON events (began);
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
)
"""What makes a file of each version one of the next; the first step begins with an empty file."""


class NewerSchemaError(Exception):
    """A newer program has written the file; the text says so."""


def check_version(connection: sqlite3.Connection, known: int = len(STEPS)) -> int:
    """The version of the file's schema; 0 for an empty file.

    Raises:
        NewerSchemaError: it is later than ``known``.
        sqlite3.DatabaseError: it is no database, or another program's.
    """
    [version] = connection.execute("PRAGMA user_version").fetchone()
    [application] = connection.execute("PRAGMA application_id").fetchone()
    if version and application != APPLICATION:
        raise sqlite3.DatabaseError("it is another program's")
    if version > known:
        raise NewerSchemaError(
            f"the history was written by a newer version of this program (schema {version}, this "
            f"one knows {known}); it is left alone"
        )
    return int(version)


def migrate(connection: sqlite3.Connection, steps: Sequence[str] = STEPS) -> None:
    """Make a file what this program knows, whole or not at all.

    Args:
        connection: to the file, without a transaction.
        steps: one for each version.

    Raises:
        NewerSchemaError: it is of a later version. Nothing is changed then.
        sqlite3.DatabaseError: it is no database, or another program's.
    """
    version = check_version(connection, len(steps))
    for number, step in enumerate(steps[version:], version + 1):
        connection.executescript(
            f"BEGIN IMMEDIATE; {step};"
            f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {number}; COMMIT;"
        )
