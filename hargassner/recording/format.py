"""The format of a recording: what its lines say, and how they are written and read.

A recording's first line is a header, an object with ``format``, ``version``, ``session``, ``part``,
``client`` and ``started`` (ISO 8601, UTC). Then comes one object a segment: ``time`` in seconds
since the session's start, ``direction`` (``gateway``, ``boiler`` or ``bridge``: who sent it) and
``data``, the bytes as latin-1 text. What the bridge sends are its own requests to the boiler, and
the boiler's answers to them have ``kept``, true: they did not pass to the gateway. So the boiler's
wire had all that is recorded, in this order, and the gateway's the rest. What the gateway sent
meanwhile is recorded when it passed. The last line of a session has ``time`` and ``over``, the
reason.

A session that outgrows a file goes on in a next one with the same header, but for ``part``. Times
go on, and so do the replacements of secrets.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, NamedTuple

from hargassner.recording.redaction import Segment

FORMAT = "hargassner-recording"
VERSION = 1

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of a line that is read at most; no longer one is written."""


_quoted = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class Ended:
    """A session's recording ended; ``time`` is in seconds since the session's start."""

    time: float
    reason: str
    data: ClassVar[bytes] = b""


Entry = Segment | Ended


class Line(NamedTuple):
    """An entry as it is written: its time, the line, and whether none follows in the session."""

    time: float
    text: bytes
    is_last: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RecordedSession:
    """A session that is recorded, as the header of its files names it.

    ``number`` is the one of the log, ``client`` an address, and ``started`` the date of its
    beginning in seconds since the epoch.
    """

    number: int
    client: str
    started: float


def header_line(session: RecordedSession, part: int) -> bytes:
    """The first line of a file; ``part`` counts the session's files from 1."""
    return _as_line(
        {
            "format": FORMAT,
            "version": VERSION,
            "session": session.number,
            "part": part,
            "client": session.client,
            "started": datetime.fromtimestamp(session.started, UTC).isoformat(),
        }
    )


def end_line(end: Ended) -> Line:
    """The line of the end."""
    text = _as_line({"time": round(end.time, 6), "over": end.reason})
    return Line(end.time, text, is_last=True)


def segment_line(segment: Segment) -> Line:
    """The line of a segment."""
    time, direction, data, kept = segment
    # Ten a second, for weeks: that it is JSON without a dictionary costs half as much.
    mark = '"kept": true, ' if kept else ""
    said = _quoted(data.decode("latin-1"))
    line = f'{{"time": {time:.6f}, "direction": "{direction}", {mark}"data": {said}}}\n'
    return Line(time, line.encode("ascii"))


def parsed_line(text: bytes) -> object:
    """What JSON says, or None: nothing that is read here is null."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def entry_of(value: object) -> Entry | None:
    """The segment or the end that a parsed line is, None where it is neither."""
    match value:
        case {"time": int() | float() as time, "over": str() as reason}:
            return Ended(float(time), reason)
        case {"time": time, "direction": direction, "data": data, **others}:
            return segment_of(time, direction, data, others.get("kept", False))
    return None


def segment_of(
    time: object, direction: object, data: object, kept: object = False
) -> Segment | None:
    """A segment of values from JSON, None where one of them is of another kind."""
    match time, direction, data, kept:
        case int() | float(), "gateway" | "boiler" | "bridge", str(), bool():
            with suppress(UnicodeEncodeError):
                return Segment(float(time), direction, data.encode("latin-1"), kept)
    return None


def _as_line(content: dict[str, object]) -> bytes:
    return json.dumps(content).encode("ascii") + b"\n"
