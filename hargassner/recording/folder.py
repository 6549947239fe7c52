"""The files of recordings: named, cut into parts, and removed when there are too many of them."""

import errno
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hargassner.network.system import for_the_owner_only, system_reason
from hargassner.recording.format import Line, RecordedSession, header_line

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes, about eight hours of telemetry."""
MOST_FILES = 64
"""Recordings kept in a folder."""

_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-session-\d+-part-\d+\.jsonl")

Batch = Mapping[RecordedSession, Sequence[Line]]
"""What is to be written."""

Failures = dict[RecordedSession, str]
"""The sessions whose recording a disk ended, and why."""


class RecordingFolder:
    """A directory of recordings, bounded in size.

    It is made when the first session is recorded. It and the files are for their owner only.
    Everything here blocks for as long as the disk takes. It may be called from different threads,
    by one at a time.

    Args:
        directory: where the recordings are.
        largest_file: bytes; what does not fit goes on in a next part.
        most_files: recordings kept; one that is being written is never removed.
    """

    def __init__(
        self, directory: Path, largest_file: int = LARGEST_FILE, most_files: int = MOST_FILES
    ) -> None:
        self._directory = directory
        self._largest_file = largest_file
        self._most_files = most_files
        self._parts: dict[RecordedSession, _Part] = {}

    def write(self, batch: Batch) -> Failures:
        """Write what has come for each session; the result tells whose recording ended, and why."""
        failures: Failures = {}
        for session, lines in batch.items():
            try:
                self._write_session(session, lines)
            except OSError as wrong:
                failures[session] = system_reason(wrong)
                part = self._parts.pop(session, None)
                if part is not None:
                    part.abandon()
        return failures

    def _write_session(self, session: RecordedSession, lines: Sequence[Line]) -> None:
        # At once, as a rule: a thread that is busy keeps the reactor's waiting.
        text = b"".join([each.text for each in lines])
        part = self._parts.get(session)
        if part is not None and part.has_room(len(text), self._largest_file):
            part.add(text)
        else:
            self._write_each(session, lines)
        self._parts[session].flush()
        if lines[-1].is_last:
            self._parts.pop(session).close()

    def _write_each(self, session: RecordedSession, lines: Sequence[Line]) -> None:
        for line in lines:
            part = self._parts.get(session)
            if part is None or not part.has_room(len(line.text), self._largest_file):
                part = self._next_part(session, part, line.time)
            part.add(line.text)

    def _next_part(self, session: RecordedSession, last: "_Part | None", time: float) -> "_Part":
        number = 1
        if last is not None:
            number = last.number + 1
            last.close()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        began = datetime.fromtimestamp(session.started + time, UTC)
        self._make_room({each.path for each in self._parts.values() if each is not last}, began)
        name = (
            f"{began:%Y%m%dT%H%M%S}.{began.microsecond // 1000:03}Z"
            f"-session-{session.number}-part-{number}.jsonl"
        )
        part = _Part(self._directory / name, number)
        self._parts[session] = part
        part.begin(header_line(session, number))
        return part

    def _make_room(self, being_written: set[Path], now: datetime) -> None:
        """Remove the oldest recordings, so that there is room for one more."""
        recordings = self._recordings(now)
        superfluous = len(recordings) + 1 - self._most_files
        over = [each for each in recordings if each not in being_written]
        if superfluous > len(over):
            raise OSError(errno.EMFILE, "as many recordings are being written as are kept")
        for each in over[: max(superfluous, 0)]:
            each.unlink(missing_ok=True)

    def _recordings(self, now: datetime) -> list[Path]:
        """The recordings, the first to be removed first."""
        # What is dated later was written while the wall clock was wrong. Were it kept, it would be
        # the newest for as long as the clock was wrong by.
        tomorrow = f"{now + timedelta(days=1):%Y%m%dT%H%M%S}"
        return sorted(
            (each for each in self._directory.iterdir() if _NAME.fullmatch(each.name)),
            key=lambda each: (each.name <= tomorrow, each.name),
        )


class _Part:
    """One file of a session's recording."""

    def __init__(self, path: Path, number: int) -> None:
        self.path = path
        self.number = number
        self._file = open(path, "xb", opener=for_the_owner_only)  # noqa: SIM115 - it stays open
        self._size = 0
        self._header_size = 0
        self._worth_keeping = False

    def begin(self, header: bytes) -> None:
        self.add(header)
        self._header_size = self._size

    def has_room(self, size: int, largest: int) -> bool:
        """Whether so many bytes fit; anything fits into a file that has only its header."""
        return self._size + size <= largest or self._size == self._header_size

    def add(self, text: bytes) -> None:
        self._file.write(text)
        self._size += len(text)

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
