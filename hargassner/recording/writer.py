"""Recording sessions: kept on disk as JSON lines, without their secrets.

What passed is gathered for a moment and then made into lines, in slices between which the reactor
looks at its sockets. Disks are slow and fill up, so they are written to off the reactor's thread;
what waits for them is bounded, and a disk that fails or falls behind ends the recording and nothing
else.
"""

import secrets
from collections import deque
from collections.abc import Callable, Mapping, Sequence
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
from hargassner.recording.format import Ended, Entry, Line, RecordedSession, entry_line
from hargassner.recording.redaction import Redactor, Segment
from hargassner.recording.replacements import PLACEHOLDER

log = Logger()

LARGEST_BACKLOG = 4 * 1024 * 1024
"""Bytes that may wait for the disk, over all sessions."""

GATHERING = 0.25
"""Seconds for which what passed is gathered."""
SLICE = 0.005
"""Seconds that are spent on making lines before the reactor looks at its sockets."""

_ENTRY_WEIGHT = 256
"""Bytes that an entry costs beside its data."""
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
        self._add(Segment(now - self._began, direction, data, kept))

    def over(self, now: float, reason: str) -> None:
        """The session is over."""
        self._add(Ended(now - self._began, reason))
        self.stop()

    def stop(self) -> None:
        """Record nothing any more."""
        self._stopped = True

    def lines(self, entry: Entry) -> list[Line]:
        """What is to be written once this has come; what is held back for now comes later."""
        redactor = self._redactor
        if isinstance(entry, Ended):
            return [*map(entry_line, redactor.over()), entry_line(entry)]
        given_up = redactor.given_up
        segments = redactor.passed(entry.time, entry.direction, entry.data, kept=entry.kept)
        if not given_up and redactor.given_up:
            log.warn(
                "session {session}: a line that does not end is left out of the recording: "
                "its bytes are {placeholder}; so are others that follow",
                session=self.session.number,
                placeholder=PLACEHOLDER.decode(),
            )
        return [entry_line(each) for each in segments]

    def _add(self, entry: Entry) -> None:
        if not self._stopped:
            self._writer.add(self, entry)


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
        self._waiting: deque[tuple[SessionRecorder, Entry]] = deque()
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

    def add(self, recorder: SessionRecorder, entry: Entry) -> None:
        """Have an entry written; if too much is waiting already, end that recording instead."""
        if self._backlog + _weight(entry) > LARGEST_BACKLOG:
            recorder.stop()
            self._warn(recorder, _TOO_SLOW)
            entry = Ended(entry.time, f"the recording ended: {_TOO_SLOW}")
        self._backlog += _weight(entry)
        self._waiting.append((recorder, entry))
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
        """Write what waits now, and what comes while lines are made of it."""
        lines: dict[SessionRecorder, list[Line]] = {}
        end = self._clock.seconds() + SLICE
        weight = 0
        while self._waiting:
            recorder, entry = self._waiting.popleft()
            weight += _weight(entry)
            lines.setdefault(recorder, []).extend(recorder.lines(entry))
            if self._clock.seconds() >= end:
                await deferLater(self._clock, 0)
                end = self._clock.seconds() + SLICE
        await self._write({recorder: each for recorder, each in lines.items() if each})
        self._backlog -= weight

    async def _write(self, lines: Mapping[SessionRecorder, Sequence[Line]]) -> None:
        if not lines:
            return
        batch = {recorder.session: each for recorder, each in lines.items()}
        try:
            failures = await self._run(lambda: self._folder.write(batch))
        except Exception as wrong:
            failures = {session: str(wrong) for session in batch}
        for recorder in lines:
            if recorder.session in failures:
                self._end(recorder, failures[recorder.session])
        if self._failing and not failures:
            self._failing = False
            log.info("recordings are written to {directory} again", directory=str(self._directory))

    def _end(self, recorder: SessionRecorder, reason: str) -> None:
        recorder.stop()
        # What came meanwhile has nowhere to go.
        self._backlog -= sum(_weight(entry) for each, entry in self._waiting if each is recorder)
        self._waiting = deque(each for each in self._waiting if each[0] is not recorder)
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


def _weight(entry: Entry) -> int:
    return _ENTRY_WEIGHT + len(entry.data)
