"""Recording sessions: kept on disk as JSON lines, without their secrets.

Disks are slow and fill up. So they are written to off the reactor's thread, what waits for them is
bounded, and a disk that fails or falls behind ends the recording and nothing else.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.dialogue.events import Direction
from hargassner.recording.folder import (
    LARGEST_FILE,
    MOST_FILES,
    Batch,
    Failures,
    RecordingFolder,
)
from hargassner.recording.format import Ended, Entry, RecordedSession
from hargassner.recording.redaction import Redactor
from hargassner.recording.replacements import PLACEHOLDER

log = Logger()

LARGEST_BACKLOG = 4 * 1024 * 1024
"""Bytes that may wait for the disk, over all sessions."""

GATHERING = 0.1
"""Seconds for which entries may be gathered before a thread writes them: one that writes each by
itself keeps the reactor's thread from running at each of them."""

_ENTRY_WEIGHT = 256

Run = Callable[[Callable[[], Failures]], "Deferred[Failures]"]
"""Runs a function that blocks, as ``deferToThreadPool`` does; it is given one at a time."""


class SessionRecorder:
    """Records one session.  What passes costs no disk access, and nothing here raises for one.

    Args:
        writer: writes the recording.
        number: names the session, as in the log.
        client: the client's address.
        now: the moment at which it began.
        date: when that was, in seconds since the epoch.
    """

    def __init__(
        self, writer: "RecordingWriter", number: int, client: str, now: float, date: float
    ) -> None:
        self.session = RecordedSession(number, client, date)
        self._began = now
        self._writer = writer
        self._redactor: Redactor | None = Redactor(secrets.choice)

    def passed(self, now: float, direction: Direction, data: bytes, *, kept: bool = False) -> None:
        """A segment passed, or was ``kept`` from the gateway."""
        redactor = self._redactor
        if redactor is None:
            return
        given_up = redactor.given_up
        entries = redactor.passed(now - self._began, direction, data, kept=kept)
        if not given_up and redactor.given_up:
            log.warn(
                "session {session}: a line that does not end is left out of the recording: "
                "its bytes are {placeholder}; so are others that follow",
                session=self.session.number,
                placeholder=PLACEHOLDER.decode(),
            )
        self._writer.add(self, entries)

    def over(self, now: float, reason: str) -> None:
        """The session is over."""
        if self._redactor is not None:
            entries: list[Entry] = [*self._redactor.over(), Ended(now - self._began, reason)]
            self._writer.add(self, entries)
            self.stop()

    def stop(self) -> None:
        """Record nothing any more, and forget what was held back."""
        self._redactor = None


class RecordingWriter:
    """Records sessions, and has what they say written off the reactor's thread.

    Args:
        directory: where the recordings are.
        run: runs what blocks off the reactor's thread.
        largest_file: bytes; what does not fit goes on in a next part.
        most_files: recordings kept; one that is being written is never removed.
    """

    def __init__(
        self,
        directory: Path,
        run: Run,
        largest_file: int = LARGEST_FILE,
        most_files: int = MOST_FILES,
    ) -> None:
        self._directory = directory
        self._run = run
        self._folder = RecordingFolder(directory, largest_file, most_files)
        self._waiting: dict[SessionRecorder, list[Entry]] = {}
        self._backlog = 0
        self._writing = False
        self._failing = False
        self._until_written: list[Deferred[None]] = []

    def session(self, number: int, client: str, now: float, date: float) -> SessionRecorder:
        """Record a session; the arguments are those of ``SessionRecorder``."""
        return SessionRecorder(self, number, client, now, date)

    def written(self) -> "Deferred[None]":
        """Tell when nothing waits for the disk any more."""
        if not self._writing:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._until_written.append(waiting)
        return waiting

    def add(self, recorder: SessionRecorder, entries: Sequence[Entry]) -> None:
        """Have entries written; if too much is waiting already, end that recording instead."""
        if not entries:
            return
        weight = _weight(entries)
        if self._backlog + weight > LARGEST_BACKLOG:
            recorder.stop()
            reason = "the disk is too slow"
            self._warn(recorder, reason)
            entries = [Ended(entries[-1].time, f"the recording ended: {reason}")]
            weight = _weight(entries)
        self._backlog += weight
        self._waiting.setdefault(recorder, []).extend(entries)
        if not self._writing:
            self._write()

    def _write(self) -> None:
        # All that waits is in the batch.
        waiting, self._waiting = self._waiting, {}
        weight = self._backlog
        self._writing = True
        batch = {recorder.session: entries for recorder, entries in waiting.items()}
        writing = self._run(lambda: self._folder.write(batch))
        writing.addErrback(self._broke, batch)
        writing.addCallback(self._wrote, waiting, weight)

    def _broke(self, failure: Failure, batch: Batch) -> Failures:
        return {session: failure.getErrorMessage() for session in batch}

    def _wrote(self, failures: Failures, written: "Iterable[SessionRecorder]", weight: int) -> None:
        self._writing = False
        self._backlog -= weight
        self._end_failed(failures, written)
        if self._failing and not failures:
            self._failing = False
            log.info("recordings are written to {directory} again", directory=str(self._directory))
        if self._waiting:
            self._write()
        else:
            self._tell_written()

    def _end_failed(self, failures: Failures, written: "Iterable[SessionRecorder]") -> None:
        for recorder in written:
            if recorder.session in failures:
                self._end(recorder, failures[recorder.session])

    def _tell_written(self) -> None:
        until_written, self._until_written = self._until_written, []
        for each in until_written:
            each.callback(None)

    def _end(self, recorder: SessionRecorder, reason: str) -> None:
        recorder.stop()
        # What was added meanwhile has nowhere to go.
        self._backlog -= _weight(self._waiting.pop(recorder, ()))
        self._warn(recorder, reason)

    def _warn(self, recorder: SessionRecorder, reason: str) -> None:
        # The same disk would end the next session's recording too, and say nothing new.
        if not self._failing:
            log.warn(
                "session {session}: its recording in {directory} ended, the bridge goes on: "
                "{reason}",
                session=recorder.session.number,
                directory=str(self._directory),
                reason=reason,
            )
        self._failing = True


def _weight(entries: Iterable[Entry]) -> int:
    return sum(_ENTRY_WEIGHT + len(entry.data) for entry in entries)
