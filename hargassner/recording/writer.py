"""Recording sessions: kept on disk as JSON lines, without their secrets.

Disks are slow and fill up. So they are written to off the reactor's thread, what waits for them is
bounded, and a disk that fails or falls behind ends the recording and nothing else.
"""

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from hargassner.dialogue.events import Direction
from hargassner.recording.folder import (
    LARGEST_FILE,
    MOST_FILES,
    Failures,
    RecordingFolder,
)
from hargassner.recording.format import Ended, Line, RecordedSession, end_line, segment_line
from hargassner.recording.redaction import Redactor
from hargassner.recording.replacements import PLACEHOLDER

log = Logger()

LARGEST_BACKLOG = 4 * 1024 * 1024
"""Bytes that may wait for the disk, over all sessions."""

GATHERING = 0.25
"""Seconds for which lines are gathered: a thread that writes each by itself keeps the reactor's
thread from running at each of them."""

_LINE_WEIGHT = 256
"""Bytes that a line costs beside its text."""
_TOO_SLOW = "the disk is too slow"

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

    __slots__ = ("_began", "_redactor", "_stopped", "_writer", "session")

    def __init__(
        self, writer: "RecordingWriter", number: int, client: str, now: float, date: float
    ) -> None:
        self.session = RecordedSession(number, client, date)
        self._began = now
        self._writer = writer
        self._redactor = Redactor(secrets.choice)
        self._stopped = False

    def passed(self, now: float, direction: Direction, data: bytes, *, kept: bool = False) -> None:
        """A segment passed, or was ``kept`` from the gateway."""
        if not self._stopped:
            redactor = self._redactor
            given_up = redactor.given_up
            segments = redactor.passed(now - self._began, direction, data, kept=kept)
            if segments:
                self._writer.add(self, [*map(segment_line, segments)])
            if not given_up and redactor.given_up:
                self._say_left_out()

    def over(self, now: float, reason: str) -> None:
        """The session is over."""
        if not self._stopped:
            end = Ended(now - self._began, reason)
            self._writer.add(self, [*map(segment_line, self._redactor.over()), end_line(end)])
            self.stop()

    def stop(self) -> None:
        """Record nothing any more."""
        self._stopped = True

    def _say_left_out(self) -> None:
        log.warn(
            "session {session}: a line that does not end is left out of the recording: "
            "its bytes are {placeholder}; so are others that follow",
            session=self.session.number,
            placeholder=PLACEHOLDER.decode(),
        )


class RecordingWriter:
    """Records sessions, and has what they say written off the reactor's thread.

    Args:
        directory: where the recordings are.
        run: runs what blocks off the reactor's thread.
        clock: time.
        largest_file: bytes; what does not fit goes on in a next part.
        most_files: recordings kept; one that is being written is never removed.
    """

    def __init__(
        self,
        directory: Path,
        run: Run,
        clock: IReactorTime,
        largest_file: int = LARGEST_FILE,
        most_files: int = MOST_FILES,
    ) -> None:
        self._directory = directory
        self._run = run
        self._clock = clock
        self._folder = RecordingFolder(directory, largest_file, most_files)
        self._waiting: dict[SessionRecorder, list[Line]] = {}
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

    def add(self, recorder: SessionRecorder, lines: list[Line]) -> None:
        """Have lines written; if too much is waiting already, end that recording instead."""
        weight = _weight(lines)
        if self._backlog + weight > LARGEST_BACKLOG:
            recorder.stop()
            self._warn(recorder, _TOO_SLOW)
            lines = [end_line(Ended(lines[-1].time, f"the recording ended: {_TOO_SLOW}"))]
            weight = _weight(lines)
        self._backlog += weight
        self._waiting.setdefault(recorder, []).extend(lines)
        if not self._writing:
            self._writing = True
            Deferred.fromCoroutine(self._write_all())

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                await deferLater(self._clock, GATHERING)
                await self._write_gathered()
        finally:
            self._writing = False
            until_written, self._until_written = self._until_written, []
            for each in until_written:
                each.callback(None)

    async def _write_gathered(self) -> None:
        # All that waits is in the batch.
        waiting, self._waiting = self._waiting, {}
        weight = self._backlog
        batch = {recorder.session: lines for recorder, lines in waiting.items()}
        try:
            failures = await self._run(lambda: self._folder.write(batch))
        except Exception as wrong:
            failures = dict.fromkeys(batch, str(wrong))
        self._backlog -= weight
        for recorder in waiting:
            if recorder.session in failures:
                self._end(recorder, failures[recorder.session])
        if self._failing and not failures:
            self._failing = False
            log.info("recordings are written to {directory} again", directory=str(self._directory))

    def _end(self, recorder: SessionRecorder, reason: str) -> None:
        recorder.stop()
        # What came meanwhile has nowhere to go.
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


def _weight(lines: Iterable[Line]) -> int:
    weight = 0
    for line in lines:
        weight += _LINE_WEIGHT + len(line.text)
    return weight
