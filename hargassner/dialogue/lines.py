"""Bytes as lines, however the network cut them (docs/protocol.md, section 2)."""

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_LINE = 1 << 16
"""Bytes without the line end. Telemetry lines have some hundreds, blocks a few thousand."""

BEGINNING = 1 << 12
"""Bytes that are kept of a line that is too long."""


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands for a line past the limit, where that was passed; ``beginning`` is how it starts."""

    beginning: bytes


class LineSplitter:
    """Gives the lines of one direction, the same for any segmentation of the same bytes.

    A line ends with CR LF and with nothing else: notices can have a bare LF inside. Each byte is
    looked at once, so that a long line in small pieces costs no more than in one.

    Args:
        longest: bytes; a longer line is dropped up to its end.
    """

    __slots__ = ("_beginning", "_carriage_return", "_dropping", "_longest", "_rest")

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._beginning = min(longest, BEGINNING)
        self._rest = bytearray()
        # A CR at the end of a segment waits here for what follows: it may be half a line end.
        self._carriage_return = b""
        self._dropping = False

    @property
    def midline(self) -> bool:
        """Whether a line is half through."""
        return bool(self._rest or self._carriage_return or self._dropping)

    def feed(self, data: bytes) -> list[bytes | TooLong]:
        """The lines that these bytes complete, without their ends."""
        if data.endswith(b"\r\n") and len(data) <= self._longest and not self.midline:
            # Nearly always: whole lines.
            return [*data[:-2].split(b"\r\n")]
        return self._cut(data)

    def _cut(self, data: bytes) -> list[bytes | TooLong]:
        """The lines that these bytes complete, wherever they begin and end."""
        text = self._carriage_return + data
        self._carriage_return = text[len(text.removesuffix(b"\r")) :]
        *complete, unfinished = text.removesuffix(b"\r").split(b"\r\n")
        lines: list[bytes | TooLong] = []
        for piece in complete:
            if self._rest or self._dropping or len(piece) > self._longest:
                lines += self._grow(piece)
                lines += self._end()
            else:
                lines.append(piece)
        lines += self._grow(unfinished)
        return lines

    def _grow(self, piece: bytes) -> Sequence[TooLong]:
        """The line goes on; it is dropped where it gets too long."""
        if self._dropping:
            return ()
        self._rest += piece
        if len(self._rest) <= self._longest:
            return ()
        beginning = bytes(self._rest[: self._beginning])
        self._rest.clear()
        self._dropping = True
        return (TooLong(beginning),)

    def _end(self) -> Sequence[bytes]:
        """The line has ended: gives it, unless it was dropped."""
        dropped, self._dropping = self._dropping, False
        line = bytes(self._rest)
        self._rest.clear()
        return () if dropped else (line,)
