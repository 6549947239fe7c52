"""One request of the bridge's own among those of the gateway: what passes meanwhile, and to whom.

Only the gateway can log in, so the bridge asks on the gateway's connection, in a gap of its
dialogue: no line of either side is half through, and every reply to the gateway has come to its
end. From then on there is one reply that the gateway did not ask for, and must not get.

1. **The gateway's requests wait** until the answer came, or its time is up. Nothing else is asked,
   so a reply of the form that ours must have is ours. One of another form can only be what a boiler
   still had to say to an earlier request, and passes.
   After a notice ``zERR``, behind which a reply may follow, they wait for a moment more.
2. **The gateway goes on, and the answer is still owed.** Whose a reply is now, the model in
   ``hargassner.proxy.explanations`` says: it passes, is kept, or is held for one timeout at most.

Here bytes become lines, and the verdicts about lines become bytes again. Lines of another kind,
telemetry and notices, pass at once, whole or in part. Of a reply nothing passes before its end has
come, since only its end shows whose it is: a boiler cuts it in two.
"""

from dataclasses import dataclass

from hargassner.dialogue.lines import LineSplitter, TooLong
from hargassner.proxy.explanations import Explanations, Line
from hargassner.proxy.pending import Asked

LONGEST_ANSWER = 4096
"""Bytes. A longer line is no answer to a request of the bridge's."""

_LINE_END = b"\r\n"
_BEGINNING = 256
"""Bytes that are kept of a line that passes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of the boiler's, which pass to the gateway unless they are ``kept`` from it.

    ``refuses`` says that with these bytes a notice ends that passes, and refuses the bridge's
    request; ``overtakes`` that it is another one's, and passes replies by that came before it.
    """

    data: bytes
    kept: bool = False
    refuses: bool = False
    overtakes: bool = False

    @property
    def is_out_of_place(self) -> bool:
        """Whether a notice ends with it that is not the next one by its place."""
        return self.refuses or self.overtakes

    def goes_with(self, next_: "Piece") -> bool:
        """Whether the next one may go with this one as one piece."""
        return self.kept is next_.kept and not self.is_out_of_place and not next_.is_out_of_place


class _Pieces:
    """Gathers bytes, those together that go the same way one after the other."""

    def __init__(self) -> None:
        self._gathered: list[Piece] = []

    def add(self, data: bytes | bytearray, *, kept: bool = False) -> None:
        self.add_piece(Piece(bytes(data), kept))

    def add_piece(self, piece: Piece) -> None:
        if self._gathered and self._gathered[-1].goes_with(piece):
            self._gathered[-1] = Piece(self._gathered[-1].data + piece.data, piece.kept)
        elif piece.data:
            self._gathered.append(piece)

    def all(self) -> list[Piece]:
        return self._gathered


class Arbitration:
    """What passes from when a request of the bridge's is written until nothing is owed for it.

    It begins between two lines of the boiler's and of the gateway's. No byte gets lost in it, none
    is changed, and those of each side keep their order, but for a doubtful reply, which telemetry
    and notices may overtake.

    Args:
        request: a whole line that asks for a parameter or sets one.
        text: how the boiler writes the value that it sets, empty where that is not known.
    """

    def __init__(self, request: bytes, text: str = "") -> None:
        self.answer: bytes | None = None
        """The reply, or the notice that refuses, without its line end, as soon as it has come."""
        self.holding = True
        """Whether the gateway's bytes wait."""
        self.over = False
        """Whether nothing is owed any more: bytes of both sides pass as they are."""

        asked = Asked.read(request.removesuffix(_LINE_END), text=text, by_bridge=True)
        self._explanations = Explanations.begin(asked)
        self._waiting = bytearray()
        self._gateway_lines = LineSplitter()
        self._line = bytearray()
        self._passing = False
        self._decided = False

    @property
    def waiting(self) -> int:
        """How many bytes of the gateway's wait."""
        return len(self._waiting)

    @property
    def refused(self) -> bool:
        """Whether a notice has refused the bridge's request, behind which a reply may come."""
        return not self.over and self._explanations.refused

    @property
    def doubtful(self) -> bool:
        """Whether a reply is held that may be the gateway's."""
        return bool(self._explanations.held)

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
        """Remember what the gateway has asked since the bridge did."""
        for line in self._gateway_lines.feed(data):
            text = line.beginning if isinstance(line, TooLong) else line
            if text.strip():
                self._explanations = self._explanations.asked(Asked.read(text))

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
        """Nothing came in time that tells whose what is held is: decide, between two lines."""
        pieces = _Pieces()
        self._decided = self.doubtful
        if not self._passing:
            self._decide(pieces)
        if self.over:
            # What has come of the next line has no part in it any more.
            pieces.add(self._line)
            self._line.clear()
        return pieces.all()

    def let_pass(self) -> list[Piece]:
        """Nothing more is waited for: what is still held passes."""
        pieces = _Pieces()
        for line in self._explanations.held:
            pieces.add(line)
        if not self._passing:
            pieces.add(self._line)
        self._line.clear()
        self._explanations = Explanations.nothing()
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
            self._pass(part, pieces)
        else:
            self._look_at_the_beginning(part, pieces)
        if self._line.endswith(_LINE_END):
            self._end_line(pieces)

    def _look_at_the_beginning(self, part: bytes, pieces: _Pieces) -> None:
        """Have a line pass as soon as it is known to be no answer."""
        if self._line.startswith(b"$<"):
            # No answer, but a reply all the same: what a block begins with is enough.
            self._passing = True
            self._follow(self._explanations.block_began(), pieces)
            pieces.add(self._line)
        elif not self._line.startswith(b"$") or len(self._line) > LONGEST_ANSWER:
            self._passing = True
            self._pass(bytes(self._line), pieces)

    def _pass(self, part: bytes, pieces: _Pieces) -> None:
        """A part of a line passes that is no reply."""
        is_notice = self._line.endswith(_LINE_END) and self._line.startswith(b"z")
        refuses = is_notice and self._refuses()
        overtakes = self.doubtful and is_notice and not refuses
        pieces.add_piece(Piece(part, refuses=refuses, overtakes=overtakes))
        # What it begins with and how it ends is all that counts.
        del self._line[_BEGINNING : -len(_LINE_END)]

    def _refuses(self) -> bool:
        """Whether a notice that has come to its end refuses the bridge's request."""
        notice = bytes(self._line.removesuffix(_LINE_END))
        before = self._explanations.refused
        self._explanations = self._explanations.noticed(notice)
        refuses = self._explanations.refused and not before
        if refuses and self.answer is None:
            self.answer = notice
        return refuses

    def _end_line(self, pieces: _Pieces) -> None:
        line = bytes(self._line)
        self._line.clear()
        if not self._passing:
            self._follow(self._explanations.replied(line), pieces)
            return
        self._passing = False
        if self._decided:
            self._decide(pieces)

    def _decide(self, pieces: _Pieces) -> None:
        self._decided = False
        self._follow(self._explanations.decided(), pieces)

    def _follow(self, decided: tuple[Explanations, tuple[Line, ...]], pieces: _Pieces) -> None:
        """Let the lines go their ways that are decided about."""
        self._explanations, lines = decided
        for line in lines:
            pieces.add(line.data, kept=line.kept)
            if line.kept and self.answer is None:
                self.answer = line.data.removesuffix(_LINE_END)
        self.over = self._explanations.settled and not self._decided
