"""Recordings: sessions kept on disk as JSON lines, without their secrets, and read back.

A recording's first line is a header, an object with ``format``, ``version``, ``session``, ``part``,
``client`` and ``started`` (ISO 8601, UTC). Then comes one object a segment: ``time`` in seconds
since the session's start, ``direction`` (``gateway``, ``boiler`` or ``bridge``: who sent it) and
``data``, the bytes as latin-1 text. What the bridge sends are its own requests to the boiler, and
the boiler's answers to them have ``kept``, true: they did not pass to the gateway. So the boiler's
wire had all that is recorded, in this order, and the gateway's the rest. What the gateway sent
meanwhile is recorded when it passed. The last line of a session has ``time`` and ``over``, the
reason.

A session that outgrows a file goes on in a next one with the same header, but for ``part``. Times
go on, and so do the replacements of secrets. When there are too many files, the oldest are removed.

Disks are slow and fill up. So they are written to off the reactor's thread, what waits for them is
bounded, and a disk that fails or falls behind ends the recording and nothing else.
"""

import errno
import json
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.dialogue.events import Direction
from hargassner.recording.redaction import PLACEHOLDER, Redactor, Segment

log = Logger()

FORMAT = "hargassner-recording"
VERSION = 1

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes, about eight hours of telemetry."""
MOST_FILES = 64
"""Recordings kept in a folder."""
LARGEST_BACKLOG = 4 * 1024 * 1024
"""Bytes that may wait for the disk, over all sessions."""

_ENTRY_WEIGHT = 256
_LONGEST_LINE = 16 * 1024 * 1024
_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-session-\d+-part-\d+\.jsonl")


class RecordingError(Exception):
    """A file is no recording; the text says in one sentence why."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A session's recording ended; ``time`` is in seconds since the session's start."""

    time: float
    reason: str


Entry = Segment | Ended

Batch = dict["SessionRecorder", list[Entry]]
"""What is to be written."""

Troubles = dict["SessionRecorder", str]
"""The recordings that a disk ended, and why."""

Run = Callable[[Callable[[], Troubles]], "Deferred[Troubles]"]
"""Runs a function that blocks, as ``deferToThreadPool`` does; it is given one at a time."""


# Reading


def read_recording(path: Path) -> Iterator[Segment]:
    """The segments of a recording, as they passed.

    The JSON captures of other tools are read too: an object with ``steps``, of which those of the
    gateway's TCP connection count.

    Raises:
        RecordingError: the file cannot be read or is no recording; possibly only when the damaged
            line is reached. A last line that was cut short, by a power cut say, is left out.
    """
    return (entry for entry in read_entries(path) if isinstance(entry, Segment))


def read_entries(path: Path) -> Iterator[Entry]:
    """The segments of a recording, and its end where that was recorded.

    Raises:
        RecordingError: as ``read_recording`` does.
    """
    try:
        with path.open("rb") as file:
            first = file.readline(_LONGEST_LINE)
            header = _parsed(first)
            if isinstance(header, dict) and header.get("format") == FORMAT:
                if header.get("version") != VERSION:
                    raise RecordingError(
                        f"{path} is a recording of version {header.get('version')!r}; "
                        f"only version {VERSION} can be read"
                    )
                yield from _read_lines(path, file)
            else:
                yield from _read_capture(path, first + file.read(_LONGEST_LINE))
    except OSError as wrong:
        raise RecordingError(f"{path} cannot be read: {wrong.strerror or wrong}") from wrong


def _read_lines(path: Path, file: Iterable[bytes]) -> Iterator[Entry]:
    for number, line in enumerate(file, start=2):
        if not line.endswith(b"\n"):
            return
        entry = _entry(_parsed(line))
        if entry is None:
            raise RecordingError(f"{path}: line {number} is no segment of a recording")
        yield entry


def _read_capture(path: Path, content: bytes) -> Iterator[Segment]:
    capture = _parsed(content)
    steps = capture.get("steps") if isinstance(capture, dict) else None
    if not isinstance(steps, list):
        raise RecordingError(f"{path} is neither a recording nor a capture of a session")
    for number, step in enumerate(steps, start=1):
        if not isinstance(step, dict):
            raise RecordingError(f"{path}: step {number} is no object")
        if step.get("proto") != "tcp" or step.get("connection") != "gateway":
            continue
        segment = _segment(step.get("t"), step.get("from"), step.get("data"))
        if segment is None:
            raise RecordingError(f"{path}: step {number} has no time, sender or data")
        yield segment


def _parsed(text: bytes) -> object:
    """What JSON says, or None: nothing that is read here is null."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _entry(value: object) -> Entry | None:
    if not isinstance(value, dict):
        return None
    time, reason = value.get("time"), value.get("over")
    if isinstance(time, int | float) and isinstance(reason, str):
        return Ended(float(time), reason)
    kept = value.get("kept", False)
    return _segment(time, value.get("direction"), value.get("data"), kept)


def _segment(time: object, direction: object, data: object, kept: object = False) -> Segment | None:
    if not isinstance(time, int | float) or not isinstance(data, str):
        return None
    if direction != "gateway" and direction != "boiler" and direction != "bridge":
        return None
    if not isinstance(kept, bool):
        return None
    try:
        return Segment(float(time), direction, data.encode("latin-1"), kept)
    except UnicodeEncodeError:
        return None


# Writing


class SessionRecorder:
    """Records one session.  What it is told costs no disk access, and nothing here raises for one.

    Args:
        folder: where the recording goes.
        number: names the session, as in the log.
        client: the client's address.
        now: the moment at which it began.
        date: when that was, in seconds since the epoch.
    """

    def __init__(
        self, folder: "RecordingFolder", number: int, client: str, now: float, date: float
    ) -> None:
        self.number = number
        self.client = client
        self.started = date
        self._began = now
        self._folder = folder
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
                session=self.number,
                placeholder=PLACEHOLDER.decode(),
            )
        self._folder.add(self, entries)

    def over(self, now: float, reason: str) -> None:
        """The session is over."""
        if self._redactor is not None:
            entries: list[Entry] = [*self._redactor.over(), Ended(now - self._began, reason)]
            self._folder.add(self, entries)
            self.stop()

    def stop(self) -> None:
        """Record nothing any more, and forget what was held back."""
        self._redactor = None


class RecordingFolder:
    """A directory of recordings, bounded in size, and the one who writes to it.

    The directory is made when the first session is recorded. It and the files are for their owner
    only.

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
        self._shelf = _Shelf(directory, largest_file, most_files)
        self._waiting: dict[SessionRecorder, list[Entry]] = {}
        self._backlog = 0
        self._writing = False
        self._trouble = False
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
            self._complain(recorder, reason)
            entries = [Ended(entries[-1].time, f"the recording ended: {reason}")]
            weight = _weight(entries)
        self._backlog += weight
        self._waiting.setdefault(recorder, []).extend(entries)
        if not self._writing:
            self._write()

    def _write(self) -> None:
        batch, self._waiting = self._waiting, {}
        self._writing = True
        writing = self._run(lambda: self._shelf.write(batch))
        writing.addErrback(self._failed, batch)
        writing.addCallback(self._wrote, batch)

    def _failed(self, failure: Failure, batch: Batch) -> Troubles:
        return {recorder: failure.getErrorMessage() for recorder in batch}

    def _wrote(self, troubles: Troubles, batch: Batch) -> None:
        self._writing = False
        self._backlog -= sum(map(_weight, batch.values()))
        for recorder, reason in troubles.items():
            recorder.stop()
            # What was added meanwhile has nowhere to go.
            self._backlog -= _weight(self._waiting.pop(recorder, ()))
            self._complain(recorder, reason)
        if self._trouble and not troubles:
            self._trouble = False
            log.info("recordings are written to {directory} again", directory=str(self._directory))
        if self._waiting:
            self._write()
            return
        until_written, self._until_written = self._until_written, []
        for each in until_written:
            each.callback(None)

    def _complain(self, recorder: SessionRecorder, reason: str) -> None:
        # The same disk would end the next session's recording too, and say nothing new.
        if not self._trouble:
            log.warn(
                "session {session}: its recording in {directory} ended, the bridge goes on: "
                "{reason}",
                session=recorder.number,
                directory=str(self._directory),
                reason=reason,
            )
        self._trouble = True


def _weight(entries: Iterable[Entry]) -> int:
    return sum(
        _ENTRY_WEIGHT + (len(entry.data) if isinstance(entry, Segment) else 0) for entry in entries
    )


class _Shelf:
    """The directory, as it is written to: by one thread at a time, though not always the same."""

    def __init__(self, directory: Path, largest_file: int, most_files: int) -> None:
        self._directory = directory
        self._largest_file = largest_file
        self._most_files = most_files
        self._parts: dict[SessionRecorder, _Part] = {}

    def write(self, batch: Batch) -> Troubles:
        """Write what has come for each session."""
        troubles: Troubles = {}
        for recorder, entries in batch.items():
            try:
                self._write_session(recorder, entries)
            except OSError as wrong:
                troubles[recorder] = wrong.strerror or str(wrong)
                part = self._parts.pop(recorder, None)
                if part is not None:
                    part.abandon()
        return troubles

    def _write_session(self, recorder: SessionRecorder, entries: Sequence[Entry]) -> None:
        for entry in entries:
            line = _line_of(entry)
            part = self._parts.get(recorder)
            if part is None or not part.has_room(len(line), self._largest_file):
                part = self._next_part(recorder, part, entry.time)
            part.add(line)
        self._parts[recorder].flush()
        if isinstance(entries[-1], Ended):
            self._parts.pop(recorder).close()

    def _next_part(self, recorder: SessionRecorder, last: "_Part | None", time: float) -> "_Part":
        number = 1
        if last is not None:
            number = last.number + 1
            last.close()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        began = datetime.fromtimestamp(recorder.started + time, UTC)
        self._make_room({each.path for each in self._parts.values() if each is not last}, began)
        name = (
            f"{began:%Y%m%dT%H%M%S}.{began.microsecond // 1000:03}Z"
            f"-session-{recorder.number}-part-{number}.jsonl"
        )
        part = _Part(self._directory / name, number)
        self._parts[recorder] = part
        part.begin(_header(recorder, number))
        return part

    def _make_room(self, being_written: set[Path], now: datetime) -> None:
        """Remove the oldest recordings, so that there is room for one more."""
        # What is dated later was written while the wall clock was wrong. Were it kept, it would be
        # the newest for as long as the clock was wrong by.
        tomorrow = f"{now + timedelta(days=1):%Y%m%dT%H%M%S}"
        recordings = sorted(
            (each for each in self._directory.iterdir() if _NAME.fullmatch(each.name)),
            key=lambda each: (each.name <= tomorrow, each.name),
        )
        superfluous = len(recordings) + 1 - self._most_files
        over = [each for each in recordings if each not in being_written]
        if superfluous > len(over):
            raise OSError(errno.EMFILE, "as many recordings are being written as are kept")
        for each in over[: max(superfluous, 0)]:
            each.unlink(missing_ok=True)


class _Part:
    """One file of a session's recording."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self._file = open(path, "xb", opener=_for_the_owner_only)  # noqa: SIM115 - it stays open
        self._size = 0
        self._header_size = 0
        self._worth_keeping = False

    def begin(self, header: bytes) -> None:
        self.add(header)
        self._header_size = self._size

    def has_room(self, size: int, largest: int) -> bool:
        """Whether so many bytes fit; anything fits into a file that has only its header."""
        return self._size + size <= largest or self._size == self._header_size

    def add(self, line: bytes) -> None:
        self._file.write(line)
        self._size += len(line)

    def flush(self) -> None:
        self._file.flush()
        self._worth_keeping = True

    def close(self) -> None:
        self.flush()
        self._file.close()

    def abandon(self) -> None:
        """Close it as it is; one without content would only push out older recordings."""
        with suppress(OSError):
            self._file.close()
        if not self._worth_keeping:
            with suppress(OSError):
                self.path.unlink()


def _for_the_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _header(recorder: SessionRecorder, part: int) -> bytes:
    return _as_line(
        {
            "format": FORMAT,
            "version": VERSION,
            "session": recorder.number,
            "part": part,
            "client": recorder.client,
            "started": datetime.fromtimestamp(recorder.started, UTC).isoformat(),
        }
    )


def _line_of(entry: Entry) -> bytes:
    time = round(entry.time, 6)
    if isinstance(entry, Ended):
        return _as_line({"time": time, "over": entry.reason})
    content: dict[str, object] = {"time": time, "direction": entry.direction}
    if entry.kept:
        content["kept"] = True
    return _as_line({**content, "data": entry.data.decode("latin-1")})


def _as_line(content: dict[str, object]) -> bytes:
    return json.dumps(content).encode("ascii") + b"\n"
