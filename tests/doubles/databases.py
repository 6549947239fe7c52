"""The history's store without a thread: each transaction is done when it is asked for."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from hargassner.storage.directory import StateDirectory
from hargassner.storage.history import opening

T = TypeVar("T")


class DirectStore:
    """Does each transaction here and now, as ``Store`` does it in its thread.

    Args:
        directory: where the file is.
    """

    def __init__(self, directory: StateDirectory) -> None:
        self.transactions = 0
        self._directory = directory
        self._connection: sqlite3.Connection | None = None
        self._damage = ""

    def run(self, work: Callable[[sqlite3.Cursor], T]) -> "Deferred[T]":
        """Do something within a transaction."""
        self.transactions += 1
        try:
            return succeed(self._run(work))
        except Exception as wrong:
            if opening.is_damage(wrong):
                self.close()
                self._damage = str(wrong)
            return fail(wrong)

    def _run(self, work: Callable[[sqlite3.Cursor], T]) -> T:
        if self._connection is None:
            self._connection = opening.connect(self._directory, self._damage)
            self._damage = ""
        with self._connection as connection:
            cursor = connection.execute("BEGIN IMMEDIATE")
            return work(cursor)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
