"""Snapshots in the state directory: JSON that is loaded at the start, and saved when it changes."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.storage.directory import StateDirectory

log = Logger()

T = TypeVar("T")

SAVE_AFTER = 1.0
"""Seconds: what changes at once is written once."""


def json_bytes(value: object) -> bytes:
    """A value as the file of a snapshot has it, for people to read as well."""
    return json.dumps(value, indent=1).encode()


class SnapshotFile:
    """One file, which is written after its content has changed; the newest content is the last.

    Args:
        directory: where.
        name: the file's name.
        content: gives what is to be written.
        clock: time.
        in_thread: runs what blocks off the reactor's thread.
        interval: seconds between two writings at least, except the last one. Whatever changes at
            a stranger's word needs it, so that nobody can wear the disk out.
    """

    def __init__(
        self,
        directory: StateDirectory,
        name: str,
        content: Callable[[], bytes],
        clock: IReactorTime,
        in_thread: Callable[..., "Deferred[Any]"],
        interval: float = 0.0,
    ) -> None:
        self._directory = directory
        self._name = name
        self._content = content
        self._clock = clock
        self._in_thread = in_thread
        self._interval = interval
        self._next = 0.0
        self._timer: IDelayedCall | None = None
        self._writing: Deferred[Any] = succeed(None)

    def load(self, read: Callable[[Any], T], default: T) -> T:
        """What it says, which blocks for a moment; a damaged one is set aside, and says nothing.

        Args:
            read: makes a value of what JSON says; where it raises ``ValueError``, ``KeyError``,
                ``TypeError`` or ``AttributeError``, the file is damaged.
            default: what holds where it says nothing.
        """
        data = self._directory.load(self._name)
        if data is None:
            return default
        try:
            return read(json.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as wrong:
            self._directory.set_aside(self._name, f"{type(wrong).__name__}: {wrong}")
            return default

    def changed(self) -> None:
        """Have the content written soon."""
        if self._timer is None:
            delay = max(SAVE_AFTER, self._next - self._clock.seconds())
            self._timer = self._clock.callLater(delay, self._save)

    def close(self) -> "Deferred[None]":
        """Write what is not written yet; the result comes when all is."""
        if self._timer is not None:
            self._timer.cancel()
            self._save()
        closed: Deferred[None] = Deferred()
        self._writing.addCallback(closed.callback)
        return closed

    def _save(self) -> None:
        self._timer = None
        self._next = self._clock.seconds() + self._interval
        data = self._content()

        # One after the other: threads keep no order.
        def write(_: object) -> "Deferred[Any]":
            return self._in_thread(self._directory.save, self._name, data)

        self._writing.addCallback(write)
        self._writing.addErrback(self._failed)

    def _failed(self, why: Failure) -> None:
        log.failure("writing {file} failed", why, file=self._name)
