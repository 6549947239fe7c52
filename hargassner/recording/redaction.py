"""A dialogue without its secrets: what may be kept of the bytes that passed.

Secret are the login token and the login key, and the serial numbers of the boiler and of the
gateway (docs/protocol.md, section 3). Each is replaced by another text of the same length and
kind, always by the same one, so that a redacted dialogue reads like a real one and its segments
are cut where the real ones were.

A secret can be cut over several segments, so a segment is held back until the lines in it have
ended. What is held back is bounded: a line that does not end in time is given up, and every byte
of it becomes ``?``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hargassner.dialogue.events import Direction
from hargassner.recording.replacements import PLACEHOLDER, Replacements

LARGEST_HOLD = 256 * 1024
"""Bytes held back at most, ``HELD_SEGMENT`` for each segment included."""
HELD_SEGMENT = 128
"""Bytes that a segment costs beside its content."""

# None of these goes over the same stretch of a line again and again, whatever is in it.
_LINE_END = re.compile(rb"[\r\n]+")
_WHOLE_LINE = re.compile(rb"[^\r\n]*[\r\n]+")

# What follows these is secret, whoever says it. The boiler takes requests in any case.
_STATED_SECRET = re.compile(
    rb"(?i:login\s+key|igw\s+set\b|\bz?sn\b[^:'\r\n]{0,20}:|\bz?serial\w{0,10}:)"
    rb"(?P<secret>[^\r\n]*)"
)
_KEY_REQUEST = re.compile(rb"(?i)login\s+key")
_TOKEN_REQUEST = re.compile(rb"(?i)login\s+token")
_SERIAL_REQUEST = re.compile(rb"(?i)asnr\s+get")
# The number in the reply to `$setkomm` looks like the serial numbers in `$info`.
_NUMBERED_REPLY = re.compile(rb"\$\s*(?P<secret>[0-9]+)\s+ack")
_BARE_REPLY = re.compile(rb"\$\s*'?(?P<secret>[0-9A-Za-z]+)'?\s*\Z")

_HEXADECIMAL_LETTERS = b"ABCDEFabcdef"


class Segment(NamedTuple):
    """Bytes that passed at once; ``time`` is in seconds since the session's start.

    ``kept`` says that they were an answer to the bridge, and did not pass to the gateway.
    """

    time: float
    direction: Direction
    data: bytes
    kept: bool = False


@dataclass(eq=False, slots=True)
class _Held:
    """A segment some of whose bytes may still have to be judged."""

    time: float
    direction: Direction
    data: bytes
    kept: bool
    open: bool = False

    @property
    def weight(self) -> int:
        return len(self.data) + HELD_SEGMENT

    def replace(self, start: int, end: int, text: bytes) -> None:
        """Put a text of the same length in place of a stretch."""
        self.data = self.data[:start] + text + self.data[end:]


@dataclass(eq=False, slots=True)
class _Line:
    """The line that one side has begun and not ended: the pieces of segments that it lies in."""

    pieces: list[tuple[_Held, int, int]] = field(default_factory=list)
    given_up: bool = False

    @property
    def is_open(self) -> bool:
        return bool(self.pieces) or self.given_up

    def text(self) -> bytes:
        return b"".join([held.data[start:end] for held, start, end in self.pieces])

    def settle(self, before: bytes, text: bytes) -> None:
        """Put a text of the same length in place of this one, and hold the segments no more."""
        if text != before:
            self._replace(text)
        for held, _, _ in self.pieces:
            held.open = False
        self.pieces.clear()

    def _replace(self, text: bytes) -> None:
        done = 0
        for held, start, end in self.pieces:
            held.replace(start, end, text[done : done + end - start])
            done += end - start


@dataclass(eq=False, slots=True)
class _Secret:
    """A secret that was asked for: whether a reply with it is due, and whether one was seen."""

    due: bool = False
    seen: bool = False

    def asked(self) -> None:
        self.due, self.seen = True, False

    def settle(self) -> None:
        """What comes next is no reply to it any more, if one was seen."""
        self.due = self.due and not self.seen


class Redactor:
    """Takes the segments of one session and gives them back without secrets, in their order.

    Lengths, directions, times and all other bytes stay as they were. ``choose`` picks one of the
    characters that it is given; it must not be predictable, since a serial number is short enough
    to be found by trying all.

    Args:
        choose: such as ``secrets.choice``.
    """

    __slots__ = (
        "_held",
        "_known",
        "_lines",
        "_replacements",
        "_serial",
        "_token",
        "_weight",
        "given_up",
    )

    def __init__(self, choose: Callable[[Sequence[str]], str]) -> None:
        self.given_up = 0
        """How many lines were replaced as a whole, since they did not end in time."""

        # A list, as a deque takes 760 bytes when nothing is in it.
        self._held: list[_Held] = []
        self._weight = 0
        self._lines: dict[Direction, _Line] = {
            "gateway": _Line(),
            "boiler": _Line(),
            "bridge": _Line(),
        }
        self._replacements = Replacements(choose)
        self._known = self._replacements.known
        self._token = _Secret()
        self._serial = _Secret()

    def passed(
        self, time: float, direction: Direction, data: bytes, *, kept: bool = False
    ) -> list[Segment]:
        """A segment passed: gives those that need not be held back any more."""
        line = self._lines[direction]
        if not self._held and not line.is_open and data.endswith((b"\n", b"\r")):
            return [Segment(time, direction, self._whole(direction, data), kept)]
        held = _Held(time, direction, data, kept)
        self._held.append(held)
        self._weight += held.weight
        self._take(line, held)
        released = self._release()
        while self._weight > LARGEST_HOLD:
            self._give_up(self._held[0].direction)
            released += self._release()
        return released

    def _whole(self, direction: Direction, lines: bytes) -> bytes:
        """Whole lines without their secrets."""
        # Nearly all are telemetry, in which there is nothing to look for; where many come at once
        # they are looked at together.
        if direction == "boiler" and b"$" not in lines and not self._may_have_secrets(lines):
            return lines
        return b"".join([self._judged(direction, each) for each in _WHOLE_LINE.findall(lines)])

    def _take(self, line: _Line, held: _Held) -> None:
        """Judge the lines that end in a segment, and hold what it has of the next one."""
        data = held.data
        start = self._skip(line, held) if line.given_up else 0
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if end > start:
            line.pieces.append((held, start, end))
            text = line.text()
            line.settle(text, self._whole(held.direction, text))
            start = end
        if start < len(data):
            held.open = True
            line.pieces.append((held, start, len(data)))

    def _skip(self, line: _Line, held: _Held) -> int:
        """Put placeholders for what goes on of a line that was given up; where that is over."""
        found = _LINE_END.search(held.data)
        end = found.end() if found else len(held.data)
        held.replace(0, end, PLACEHOLDER * end)
        line.given_up = found is None
        return end

    def over(self) -> list[Segment]:
        """The session is over: gives all that was held back.

        An unfinished line is judged like a finished one; where it ends in what may be the
        beginning of a secret said before, that is replaced too.
        """
        for direction, line in self._lines.items():
            before = line.text()
            text = self._judged(direction, before)
            line.settle(before, self._replacements.without_beginning(text))
        return self._release()

    def _may_have_secrets(self, text: bytes) -> bool:
        lower = text.lower()
        # One by one: each line of a session is asked for all of them.
        return (
            b"sn" in lower
            or b"igw" in lower
            or b"login" in lower
            or b"serial" in lower
            or any(map(text.__contains__, self._known))
        )

    def _give_up(self, direction: Direction) -> None:
        line = self._lines[direction]
        text = line.text()
        line.settle(text, PLACEHOLDER * len(text))
        line.given_up = True
        self.given_up += 1
        if direction == "gateway":
            # Whatever it asks for in the end, the answer must not give a secret away.
            self._token.asked()

    def _release(self) -> list[Segment]:
        released = []
        while self._held and not self._held[0].open:
            held = self._held.pop(0)
            self._weight -= held.weight
            released.append(Segment(held.time, held.direction, held.data, held.kept))
        return released

    def _judged(self, direction: Direction, text: bytes) -> bytes:
        if direction != "boiler":
            self._asked(text)
        elif text.startswith(b"$"):
            text = self._replied(text)
        return self._without_secrets(text)

    def _without_secrets(self, text: bytes) -> bytes:
        if not self._may_have_secrets(text):
            return text
        found = _STATED_SECRET.search(text)
        if found:
            text = self._without(text, found)
        return self._replacements.without_known(text)

    def _asked(self, text: bytes) -> None:
        self._serial.settle()
        words = text.lower()
        if b"login" in words or b"asnr" in words:
            self._asked_for_secret(text)

    def _asked_for_secret(self, text: bytes) -> None:
        if _KEY_REQUEST.search(text):
            # The key is made of the token, so the token has come, unless somebody only tries.
            self._token.settle()
        elif _TOKEN_REQUEST.search(text):
            self._token.asked()
        elif _SERIAL_REQUEST.search(text):
            self._serial.asked()

    def _replied(self, text: bytes) -> bytes:
        numbered = _NUMBERED_REPLY.match(text)
        if numbered:
            return self._without(text, numbered)
        if not (self._token.due or self._serial.due):
            return text
        self._serial.seen = True
        return self._without_token(text)

    def _without_token(self, text: bytes) -> bytes:
        found = _BARE_REPLY.match(text)
        if found is None or _is_plain_word(found["secret"]):
            return text
        self._token.seen = True
        return self._without(text, found)

    def _without(self, text: bytes, found: "re.Match[bytes]") -> bytes:
        start, end = found.span("secret")
        return text[:start] + self._replacements.replaced(text[start:end]) + text[end:]


def _is_plain_word(word: bytes) -> bool:
    """Whether it is a reply such as ``ack``: letters, which are no hexadecimal digits."""
    return word.isalpha() and bool(word.strip(_HEXADECIMAL_LETTERS))
