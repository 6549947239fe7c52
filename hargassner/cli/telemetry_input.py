"""Telemetry lines and descriptors, of files and of standard input."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hargassner.cli.telemetry_output import Line
from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.descriptor import LARGEST_DOCUMENT, DescriptorError, parse_descriptor
from hargassner.dialogue.dialogue import Dialogue
from hargassner.dialogue.events import BoilerDescribed, Event, TelemetryLine
from hargassner.dialogue.lines import LONGEST_LINE
from hargassner.recording.reader import read_recording
from hargassner.recording.sdcard import SdCardError, is_sdcard_recording, read_sdcard

STANDARD_INPUT = "-"


class CannotReadError(Exception):
    """A file cannot be read, or has nothing to decode; the text is what the user reads."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where lines come from, and whether with a time."""

    name: str
    timed: bool
    lines: Iterable[Line]


def source(name: str) -> Source:
    """The lines in a file, or of standard input.

    Raises:
        CannotReadError: the file cannot be read; reading the lines raises it, too.
    """
    if name == STANDARD_INPUT:
        return Source("standard input", False, _text_lines(sys.stdin.buffer))
    kind = _kind_of(name)
    return Source(name, kind.is_recording, kind.lines(name))


def read_descriptor(name: str) -> tuple[Descriptor, Source]:
    """The descriptor in a file, and the lines that the file has besides, or standard input.

    Raises:
        CannotReadError: there is none that can be read.
        RecordingError: it is a damaged recording of a session.
    """
    kind = _kind_of(name)
    try:
        descriptor = kind.descriptor(name)
    except (DescriptorError, SdCardError) as wrong:
        raise CannotReadError(f"{name}: {wrong}") from wrong
    return descriptor, source(name if kind.is_recording else STANDARD_INPUT)


def describes_itself(name: str) -> bool:
    """Whether it is a recording of the boiler's own, which begins with its descriptor.

    Raises:
        CannotReadError: the file cannot be read.
    """
    return name != STANDARD_INPUT and _kind_of(name) is _SD_CARD


# The kinds of files.


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file: how its lines and its descriptor are read.

    ``is_recording`` says that it can have both, and that its lines have a time.
    """

    is_recording: bool
    lines: Callable[[str], Iterator[Line]]
    descriptor: Callable[[str], Descriptor]


def _kind_of(name: str) -> _Kind:
    beginning = _content(name, 64)
    if is_sdcard_recording(beginning):
        return _SD_CARD
    return _SESSION if beginning.startswith(b"{") else _TEXT


def _sdcard_descriptor(name: str) -> Descriptor:
    return parse_descriptor(read_sdcard(_content(name)).document)


def _document(name: str) -> Descriptor:
    return parse_descriptor(_content(name, LARGEST_DOCUMENT + 1))


def _session_descriptor(name: str) -> Descriptor:
    """The first descriptor in a recorded session."""
    for _, event in _events(name):
        if isinstance(event, BoilerDescribed):
            return event.descriptor
    raise CannotReadError(f"{name}: the gateway didn't ask for the descriptor in it")


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    try:
        with Path(name).open("rb") as file:
            yield file
    # ValueError: a name with a NUL in it.
    except (OSError, ValueError) as wrong:
        reason = getattr(wrong, "strerror", None)
        raise CannotReadError(f"{name} cannot be read: {reason or wrong}") from wrong


def _content(name: str, size: int = -1) -> bytes:
    with _opened(name) as file:
        return file.read(size)


def _file_lines(name: str) -> Iterator[Line]:
    with _opened(name) as file:
        yield from _text_lines(file)


def _text_lines(file: BinaryIO) -> Iterator[Line]:
    while line := file.readline(LONGEST_LINE):
        if line.startswith(b"pm "):
            yield Line("", line.rstrip(b"\r\n"))


def _sdcard_lines(name: str) -> Iterator[Line]:
    try:
        for record in read_sdcard(_content(name)).records:
            if record.payload.startswith(b"pm "):
                yield Line(record.time, record.payload)
    except SdCardError as wrong:
        raise CannotReadError(f"{name}: {wrong}") from wrong


def _session_lines(name: str) -> Iterator[Line]:
    for time, event in _events(name):
        if isinstance(event, TelemetryLine):
            yield Line(f"{time:.3f}", event.line)


def _events(name: str) -> Iterator[tuple[float, Event]]:
    dialogue = Dialogue()
    for segment in read_recording(Path(name)):
        for event in dialogue.sent(segment.direction, segment.data, kept=segment.kept):
            yield segment.time, event


_SD_CARD = _Kind(True, _sdcard_lines, _sdcard_descriptor)
_SESSION = _Kind(True, _session_lines, _session_descriptor)
_TEXT = _Kind(False, _file_lines, _document)
"""Telemetry lines, or the descriptor as an XML document."""
