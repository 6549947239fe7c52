"""One transaction after the other, in a thread of their own."""

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar, cast

from twisted.enterprise.adbapi import ConnectionPool
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore
from twisted.python.failure import Failure

from hargassner.storage.directory import StateDirectory
from hargassner.storage.history import opening

T = TypeVar("T")


class Store:
    """The file; it is opened when it is first needed.

    Args:
        directory: where the file is.
        reactor: everything else runs on it.
    """

    def __init__(self, directory: StateDirectory, reactor: IReactorCore) -> None:
        self._directory = directory
        self._reactor = reactor
        self._pool: ConnectionPool | None = None

    def run(self, work: Callable[[sqlite3.Cursor], T]) -> "Deferred[T]":
        """Do something within a transaction, after all that was to be done before.

        The result fails with ``sqlite3.Error`` or ``OSError`` where the disk does not do, and with
        ``NewerSchemaError`` where a newer program has written the file. One that turns out to be
        damaged is set aside, and begun anew with the next transaction.
        """
        pool = self._pool = self._pool or self._opened("")
        done: Deferred[T] = pool.runInteraction(_within, work)
        return done.addErrback(self._failed, pool)

    def _opened(self, damage: str) -> ConnectionPool:
        return ConnectionPool(
            opening.__name__,
            self._directory,
            damage,
            cp_min=1,
            cp_max=1,
            cp_reactor=self._reactor,
            cp_noisy=False,
        )

    def _failed(self, why: Failure, pool: ConnectionPool) -> Failure:
        wrong = why.value
        if wrong is not None and opening.is_damage(wrong) and pool is self._pool:
            self.close()
            self._pool = self._opened(str(wrong))
        return why

    def close(self) -> None:
        """Close the file."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


def _within(transaction: Any, work: Callable[[sqlite3.Cursor], T]) -> T:
    # A write that began as a read would fail while an import runs, instead of waiting for it.
    transaction.execute("BEGIN IMMEDIATE")
    return work(cast("sqlite3.Cursor", transaction))
