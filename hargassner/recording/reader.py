"""Reading recordings, and the captures of other tools."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hargassner.network.system import system_reason
from hargassner.recording.format import (
    FORMAT,
    LONGEST_LINE,
    VERSION,
    Ended,
    Entry,
    entry_of,
    parsed_line,
    segment_of,
)
from hargassner.recording.redaction import Segment

__all__ = ["Ended", "Entry", "RecordingError", "Segment", "read_entries", "read_recording"]


class RecordingError(Exception):
    """A file is no recording; the text says in one sentence why."""


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
            yield from _read_file(path, file)
    except OSError as wrong:
        raise RecordingError(f"{path} cannot be read: {system_reason(wrong)}") from wrong


def _read_file(path: Path, file: BinaryIO) -> Iterator[Entry]:
    first = file.readline(LONGEST_LINE)
    match parsed_line(first):
        case {"format": format_, "version": version} if (format_, version) == (FORMAT, VERSION):
            yield from _read_lines(path, file)
        case {"format": format_, **others} if format_ == FORMAT:
            raise RecordingError(
                f"{path} is a recording of version {others.get('version')!r}; "
                f"only version {VERSION} can be read"
            )
        case _:
            yield from _read_capture(path, first + file.read(LONGEST_LINE))


def _read_lines(path: Path, file: Iterable[bytes]) -> Iterator[Entry]:
    for number, line in enumerate(file, start=2):
        if not line.endswith(b"\n"):
            return
        entry = entry_of(parsed_line(line))
        if entry is None:
            raise RecordingError(f"{path}: line {number} is no segment of a recording")
        yield entry


def _steps(path: Path, content: bytes) -> list[Any]:
    match parsed_line(content):
        case {"steps": list() as steps}:
            return steps
    raise RecordingError(f"{path} is neither a recording nor a capture of a session")


def _read_capture(path: Path, content: bytes) -> Iterator[Segment]:
    for number, step in enumerate(_steps(path, content), start=1):
        match step:
            case {"proto": "tcp", "connection": "gateway"}:
                segment = segment_of(step.get("t"), step.get("from"), step.get("data"))
                if segment is None:
                    raise RecordingError(f"{path}: step {number} has no time, sender or data")
                yield segment
            case dict():
                continue
            case _:
                raise RecordingError(f"{path}: step {number} is no object")
