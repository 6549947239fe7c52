"""The boiler's own recordings, ``DAQnnnnn.DAQ`` files from its SD card.

The first line names the format. The second is the descriptor. Then comes one record a line: a
time, a blank, and what the boiler would send to a telnet client (docs/protocol.md, section 2),
telemetry and notices. Lines end with CR LF; a notice can have a bare LF inside.

All of it is compressed: in place of text that was there shortly before stands a token of four
bytes, big-endian. Its upper 6 bits are 000100, which begins no other byte of the text, then come
13 bits of distance back and 13 bits of length. A copy may run into itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from hargassner.dialogue.descriptor import LARGEST_DOCUMENT
from hargassner.dialogue.lines import LineSplitter, TooLong

LARGEST_TEXT = 1 << 30
"""Bytes of text in a recording. A day has about fifty million."""

_SIGNATURE = b"<HISDAQ-"
_COMPRESSION = b"COMPRESSION(TOKEN-ESC(4B, 0x10, 6, 13, 13))"

_TOKEN_SIZE = 4
_FURTHEST = (1 << 13) - 1

_piece = re.compile(rb"[^\x10-\x13]+|(?P<token>[\x10-\x13].{0,3})", re.DOTALL)
_record = re.compile(rb"(\d{4}-\d\d-\d\d)_(\d\d:\d\d:\d\d) (.*)", re.DOTALL)


class SdCardError(ValueError):
    """The file is no SD card recording, or a damaged one; the text says in one sentence why."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the boiler said at a time; ``time`` is its own clock's, ``2019-10-07 16:52:01``."""

    time: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class SdCardRecording:
    """A descriptor, to be parsed, and the records as they are read, in the file's order."""

    document: bytes
    records: Iterator[Record]


def is_sdcard_recording(content: bytes) -> bool:
    """Whether this is, or begins, an SD card recording."""
    return content.startswith(_SIGNATURE)


def read_sdcard(content: bytes) -> SdCardRecording:
    """Read an SD card recording.

    The records are decompressed as they are asked for. What is cut short at the end of the file,
    because the card was pulled out say, is left out.

    Raises:
        SdCardError: the format is another one, or the file is damaged; the records raise it when
            the damaged place is reached.
    """
    lines = _lines(content)
    header = next(lines, b"")
    if not is_sdcard_recording(header):
        raise SdCardError("this is no SD card recording")
    if _COMPRESSION not in header:
        raise SdCardError(f"the recording's format is not known: {header[:100]!r}")
    document = next(lines, b"")
    if not document.startswith(b"<DAQPRJ"):
        raise SdCardError("the recording has no descriptor in its second line")
    return SdCardRecording(document, _records(lines))


def _records(lines: Iterator[bytes]) -> Iterator[Record]:
    for number, line in enumerate(lines, start=3):
        record = _record.fullmatch(line)
        if record is None:
            raise SdCardError(f"the recording is damaged: line {number} has no time")
        day, time, payload = record.groups()
        yield Record(f"{day.decode()} {time.decode()}", payload)


def _lines(content: bytes) -> Iterator[bytes]:
    splitter = LineSplitter(LARGEST_DOCUMENT)
    for line in chain.from_iterable(map(splitter.feed, _decompressed(content))):
        if isinstance(line, TooLong):
            raise SdCardError(
                f"the recording is damaged: a line has more than {LARGEST_DOCUMENT} bytes"
            )
        yield line


def _decompressed(content: bytes) -> Iterator[bytes]:
    """The text, in pieces."""
    recent = bytearray()
    size = 0
    for piece in _piece.finditer(content):
        text = piece[0]
        if piece["token"]:
            if len(text) < _TOKEN_SIZE:
                return
            text = _copy(recent, text, piece.start())
        size += len(text)
        if size > LARGEST_TEXT:
            raise SdCardError(f"the recording has more than {LARGEST_TEXT} bytes of text")
        recent += text[-_FURTHEST:]
        if len(recent) > 8 * _FURTHEST:
            del recent[:-_FURTHEST]
        yield text


def _copy(recent: bytearray, token: bytes, position: int) -> bytes:
    number = int.from_bytes(token, "big")
    distance = number >> 13 & 0x1FFF
    length = number & 0x1FFF
    if not 0 < distance <= len(recent):
        raise SdCardError(
            f"the recording is damaged at byte {position}: "
            f"it refers {distance} bytes back, where nothing is"
        )
    source = bytes(recent[-distance:])
    return (source * (length // distance + 1))[:length]
