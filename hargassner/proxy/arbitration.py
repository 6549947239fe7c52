"""One request of the bridge's own among those of the gateway: what passes meanwhile, and to whom.

Only the gateway can log in, so the bridge asks on the gateway's connection, in a gap of its
dialogue: no line of either side is half through, and every reply to the gateway has come to its
end. From then on there is one reply that the gateway did not ask for, and must not get.

Replies don't name their request, but the boiler answers in order. Two phases follow from that:

1. **The gateway's requests wait** until the answer came, or its time is up. Nothing else is asked,
   so a reply of the form that ours must have (docs/protocol.md, section 3) is ours. One of another
   form can only be what a boiler still had to say to an earlier request, and passes.
2. **The gateway goes on, and the answer is still owed**: after the time is up, or after a notice
   ``zERR``, which refuses a setting and may have a reply behind it or not. Of the replies that come
   now, ours is the first. So

   - a reply that only ours can be is ours;
   - a reply that ours cannot be, and that one of the gateway's requests since then can, says that
     ours is lost: the boiler has gone past it. Nothing is kept back from then on;
   - a reply that is as good for the gateway's next request as for ours, ``$ack`` when the gateway
     sets something too, is *doubtful*. By the order it is ours, and the gateway's comes next. But
     if ours is lost it is the gateway's, and nobody sends it again. So it is held, not dropped,
     until a reply comes that fits only one of the two: either the first one held was ours, and
     the gateway gets the others, or the gateway gets all of them, in order. If no such reply
     comes in time, the gateway gets what is held and is content; should one more come after all,
     that is kept.

   The list of changed parameters can have the very line that ours has; but for a field at its end,
   which decides.

   So the gateway gets exactly one reply for each of its requests, whether ours is late or lost. Two
   things cannot be helped. A reply that was held is late, by the time of one answer at most. And
   an unknown request can have a reply of several lines, one of which is taken for ours if ours is
   lost and it looks like it.

Lines of another kind, telemetry and notices, pass at once, whole or in part. Of a reply nothing
passes before its end has come, since only its end shows whose it is: a boiler cuts it in two.
"""

from collections import deque
from dataclasses import dataclass

from hargassner.dialogue.grammar import UNKNOWN, Kind, Request, recognise
from hargassner.dialogue.lines import LineSplitter, TooLong
from hargassner.dialogue.parameters import tells_one

LONGEST_ANSWER = 4096
"""Bytes. A longer line is no answer to a request of the bridge's."""
MOST_LATER = 64
"""Requests of the gateway's that are remembered while an answer is owed."""

_LINE_END = b"\r\n"
_ANY_BLOCK = b"<<>>"
_BEGINNING = 256
"""Bytes that are kept of a line that passes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the boiler's, which pass to the gateway unless they are ``kept`` from it."""

    data: bytes
    kept: bool


class _Pieces:
    """Gathers bytes, those together that go the same way one after the other."""

    def __init__(self) -> None:
        self._gathered: list[tuple[bytearray, bool]] = []

    def add(self, data: bytes | bytearray, *, kept: bool = False) -> None:
        if self._gathered and self._gathered[-1][1] is kept:
            self._gathered[-1][0].extend(data)
        elif data:
            self._gathered.append((bytearray(data), kept))

    def all(self) -> list[Piece]:
        return [Piece(bytes(data), kept) for data, kept in self._gathered]


class Arbitration:
    """What passes from when a request of the bridge's is written until nothing is owed for it.

    It begins between two lines of the boiler's and of the gateway's. No byte gets lost in it, none
    is changed, and those of each side keep their order, but for a doubtful reply, which telemetry
    and notices may overtake.

    Args:
        request: a whole line that asks for a parameter or sets one.
    """

    def __init__(self, request: bytes) -> None:
        self.answer: bytes | None = None
        """The reply, or the notice that refuses, without its line end, as soon as it has come."""
        self.holding = True
        """Whether the gateway's bytes wait."""
        self.over = False
        """Whether nothing is owed any more: bytes of both sides pass as they are."""

        form, subject = recognise(request.removesuffix(_LINE_END))
        self._request = Request(form, "", subject, "bridge")
        self._waiting = bytearray()
        self._gateway_lines = LineSplitter()
        self._later: deque[Request] = deque()
        self._line = bytearray()
        self._passing = False
        self._held: list[bytes] = []
        self._decided = False

    @property
    def waiting(self) -> int:
        """How many bytes of the gateway's wait."""
        return len(self._waiting)

    @property
    def doubtful(self) -> bool:
        """Whether a reply is held that may be the gateway's."""
        return bool(self._held)

    # The gateway's side.

    def gateway_sent(self, data: bytes) -> bytes:
        """Bytes came from the gateway; those that pass now."""
        if self.holding:
            self._waiting += data
            return b""
        if not self.over:
            self._note(data)
        return data

    def go_on(self) -> bytes:
        """The gateway need not wait any more; its bytes that pass now."""
        self.holding = False
        data = bytes(self._waiting)
        self._waiting.clear()
        self._note(data)
        return data

    def _note(self, data: bytes) -> None:
        """Remember what the gateway has asked since the bridge did, as far as it has replies."""
        for line in self._gateway_lines.feed(data):
            if isinstance(line, TooLong):
                form, subject = UNKNOWN, ""
            elif line.strip():
                form, subject = recognise(line)
            else:
                continue
            if not form.silent and len(self._later) < MOST_LATER:
                self._later.append(Request(form, "", subject))

    # The boiler's side.

    def boiler_sent(self, data: bytes) -> list[Piece]:
        """Bytes came from the boiler; those that go somewhere now."""
        pieces = _Pieces()
        start = 0
        while start < len(data) and not self.over:
            end = self._end_of_line(data, start)
            self._take(data[start:end], pieces)
            start = end
        pieces.add(data[start:])
        return pieces.all()

    def decide(self) -> list[Piece]:
        """No other reply came in time: the gateway gets what is doubtful, between two lines."""
        pieces = _Pieces()
        self._decided = self.doubtful
        if not self._passing:
            self._give_held(pieces)
        return pieces.all()

    def let_pass(self) -> list[Piece]:
        """Nothing more is waited for: what is still held passes."""
        pieces = _Pieces()
        self._give_held(pieces)
        if not self._passing:
            pieces.add(self._line)
        self._line.clear()
        self.over = True
        return pieces.all()

    def _end_of_line(self, data: bytes, start: int) -> int:
        if self._line.endswith(b"\r") and data.startswith(b"\n", start):
            return start + 1
        found = data.find(_LINE_END, start)
        return len(data) if found < 0 else found + len(_LINE_END)

    def _take(self, part: bytes, pieces: _Pieces) -> None:
        """Take in a line, or a part of one."""
        self._line += part
        if self._passing:
            pieces.add(part)
            # What it begins with and how it ends is all that counts.
            del self._line[_BEGINNING : -len(_LINE_END)]
        else:
            self._look_at_the_beginning(pieces)
        if self._line.endswith(_LINE_END):
            line = bytes(self._line)
            self._line.clear()
            self._end_line(line, pieces)

    def _look_at_the_beginning(self, pieces: _Pieces) -> None:
        """Have a line pass as soon as it is known to be no answer."""
        if self._line.startswith(b"$<"):
            # No answer, but a reply all the same: what a block begins with is enough.
            self._passing = True
            self._reply(_ANY_BLOCK, bytes(self._line), pieces)
        elif not self._line.startswith(b"$") or len(self._line) > LONGEST_ANSWER:
            self._passing = True
            pieces.add(self._line)

    def _end_line(self, line: bytes, pieces: _Pieces) -> None:
        if not self._passing:
            self._reply(line[1:].removesuffix(_LINE_END), line, pieces)
            return
        self._passing = False
        self._notice(line)
        if self._decided:
            self._give_held(pieces)

    def _notice(self, line: bytes) -> None:
        refusal = line.startswith(b"zERR") and self._request.form.kind is Kind.SET_PARAMETER
        if refusal and self.answer is None:
            self.answer = line.removesuffix(_LINE_END)

    def _reply(self, reply: bytes, line: bytes, pieces: _Pieces) -> None:
        """Decide about a reply."""
        ours, lost = self._can_be(reply)
        if ours and lost and reply is not _ANY_BLOCK:
            self._held.append(line)
        elif ours:
            self._keep(line, pieces)
        else:
            held = self.doubtful
            self._give_held(pieces)
            pieces.add(line)
            self.over = held or any(_can_have(each, reply) for each in self._later)

    def _can_be(self, reply: bytes) -> tuple[bool, bool]:
        """Whether a reply can come next if ours is the first of those held; and if it is lost."""
        held = len(self._held)
        first = self._later[held - 1] if held else self._request
        ours = _can_have(first, reply)
        lost = held < len(self._later) and _can_have(self._later[held], reply)
        if ours and lost and self._later[held].form.kind is Kind.PARAMETERS_CHANGED:
            ours = tells_one(reply)
            lost = not ours
        return ours, lost

    def _keep(self, line: bytes, pieces: _Pieces) -> None:
        """Keep the first of those held and this one; the others are the gateway's."""
        answer, *others = [*self._held, line]
        pieces.add(answer, kept=True)
        for each in others:
            pieces.add(each)
        self._held.clear()
        self.over = True
        if self.answer is None:
            self.answer = answer.removesuffix(_LINE_END)

    def _give_held(self, pieces: _Pieces) -> None:
        for each in self._held:
            pieces.add(each)
            self._later.popleft()
        self._held.clear()
        self._decided = False


def _can_have(request: Request, reply: bytes) -> bool:
    return request.expects(reply) or request.admits(reply)
