"""One session's dialogue: from the bytes of both sides to events.

Whose a reply is, pairing.py decides; what it says, replies.py reads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum, auto
from itertools import chain, islice

from hargassner.dialogue.blocks import Block, begins_block
from hargassner.dialogue.events import (
    Direction,
    Event,
    Passthrough,
    Refused,
    TelemetryLine,
    Unreadable,
)
from hargassner.dialogue.grammar import UNKNOWN, Kind, Request, recognise
from hargassner.dialogue.lines import LineSplitter, TooLong
from hargassner.dialogue.masking import Masking
from hargassner.dialogue.notices import NoticeReader
from hargassner.dialogue.pairing import Pairing
from hargassner.dialogue.replies import ReplyReader
from hargassner.once import Once

MOST_KINDS = 64
"""Kinds of unknown requests of which an event is given."""

_BEGUN_BEFORE = "the connection began within this line"
_NO_SUCH_LINE = "no such line is known"


_NOTHING_ASKED = Request(UNKNOWN, "", "", "bridge", answered=True)
"""Stands for no request of the bridge's: there is no reply that it expects."""


class LineState(Enum):
    """Whether somebody else can ask something on the same connection now."""

    BUSY = auto()
    """A line is half through, or a reply is due."""
    UNCERTAIN = auto()
    """Nobody can know whether more of a reply comes: only silence shows."""
    FREE = auto()
    """Every reply has come to its end."""


class Dialogue:
    """One session's dialogue, as it passes.

    Feed it what passes, in the order in which it passed and in any segmentation: it gives the
    events, and raises nothing whatever the bytes. What it holds of an unfinished message is
    bounded. Neither the login token nor the login key is in any event.

    What the boiler answers to the bridge, it is told apart: whose a reply is has been decided
    before (hargassner/proxy/explanations.py).

    Args:
        client: who asks on the connection, beside the bridge's own requests among the client's.
    """

    def __init__(self, client: Direction = "gateway") -> None:
        self.turns = 0
        """How many requests and replies have passed, and notices that refuse."""
        self._client: Direction = client
        self._gateway_lines = LineSplitter()
        self._boiler_lines = LineSplitter()
        self._bridge_lines = LineSplitter()
        self._answer_lines = LineSplitter()
        self._asked = _NOTHING_ASKED
        self._of_bridge: bool | None = None
        self._masking = Masking()
        self._first_line = True
        self._block = Block()
        self._requests = Pairing()
        self._kinds = Once(MOST_KINDS)
        self._notices = NoticeReader()
        self._replies = ReplyReader(self._masking, self._unreadable)

    @property
    def open_requests(self) -> tuple[str, ...]:
        """The client's requests whose reply may still come or go on, oldest first, no secrets."""
        return tuple(request.text for request in self._requests)

    @property
    def gateway_midline(self) -> bool:
        """Whether a line of the gateway's is half through."""
        return self._gateway_lines.midline

    @property
    def boiler_midline(self) -> bool:
        """Whether a line or a block of the boiler's is half through."""
        return self._boiler_lines.midline or self._block.open

    @property
    def line_state(self) -> LineState:
        """Whether a request of somebody else's would disturb the dialogue now."""
        # Whether something is owed to the bridge, the bridge knows itself.
        if self.gateway_midline or self.boiler_midline or self._requests.reply_due:
            return LineState.BUSY
        return LineState.UNCERTAIN if self._requests else LineState.FREE

    def sent(self, direction: Direction, data: bytes, *, kept: bool = False) -> list[Event]:
        """Somebody sent bytes; what happened with them.

        Args:
            direction: who.
            data: the bytes.
            kept: whether they are an answer to the bridge.
        """
        return (_KEPT if kept else _SENT)[direction](self, data)

    def gateway_sent(self, data: bytes) -> list[Event]:
        """Bytes passed from the gateway to the boiler; what happened with them."""
        events: list[Event] = []
        for line in self._gateway_lines.feed(data):
            if isinstance(line, TooLong):
                text = self._masking.request(line.beginning)
                events.append(Unreadable("gateway", text, "the line is too long"))
                events.extend(self._ask(Request(UNKNOWN, text, "")))
            elif line.strip():
                events += self._request(line)
        return events

    def bridge_sent(self, data: bytes) -> list[Event]:
        """Whole requests of the bridge's own were sent to the boiler; what happened with them."""
        lines = _readable(self._bridge_lines.feed(data))
        return [*chain.from_iterable(map(self._bridge_request, lines))]

    def bridge_received(self, data: bytes) -> list[Event]:
        """The boiler's answer to the bridge came, as whole lines; what happened with them."""
        lines = _readable(self._answer_lines.feed(data))
        return [*chain.from_iterable(map(self._bridge_reply, lines))]

    def notice_follows(self, of_bridge: bool) -> None:
        """The notice that ends with the boiler's next bytes is not the next one by its place.

        Args:
            of_bridge: it refuses the bridge's request; if not, one of the client's, and nobody
                knows which, as it comes before replies that the boiler said before it.
        """
        self._of_bridge = of_bridge

    def boiler_sent(self, data: bytes) -> list[Event]:
        """Bytes passed from the boiler to the gateway; what happened with them."""
        events: list[Event] = []
        for line in self._boiler_lines.feed(data):
            if isinstance(line, TooLong):
                # If it was in a block, the rest of that makes no sense any more.
                self._block.drop()
                events.append(self._unreadable(line.beginning, "the line is too long"))
            elif line.startswith(b"pm "):
                events.append(TelemetryLine(line))
            else:
                events.extend(self._line(line))
            self._first_line = False
        return events

    # Requests.

    def _bridge_request(self, line: bytes) -> Iterator[Event]:
        self.turns += 1
        yield from self._replies.conclude(self._asked)
        form, subject = recognise(line)
        self._asked = Request(form, self._masking.request(line), subject, "bridge")

    def _request(self, line: bytes) -> list[Event]:
        form, subject = recognise(line)
        request = Request(form, self._masking.request(line), subject, self._client)
        events = [*self._pass_through(request.text)] if form is UNKNOWN else []
        return events + self._ask(request)

    def _pass_through(self, text: str) -> Iterator[Event]:
        kind = _kind(text)
        if self._kinds.first(kind):
            yield Passthrough(text, kind)

    def _ask(self, request: Request) -> list[Event]:
        self.turns += 1
        events: list[Event] = []
        for over in self._requests.waited_for():
            events += self._replies.conclude(over)
        for over in self._requests.open(request):
            events += self._replies.conclude(over)
        return events

    # What the boiler says.

    def _line(self, line: bytes) -> Iterator[Event]:
        return _LINES.get(line[:1], Dialogue._other_line)(self, line)

    def _other_line(self, line: bytes) -> Iterator[Event]:
        if self._block.open:
            yield from self._block_line(line)
        else:
            yield self._unreadable(line, _BEGUN_BEFORE if self._first_line else _NO_SUCH_LINE)

    def _reply_line(self, line: bytes) -> Iterator[Event]:
        if self._block.open:
            yield self._unreadable(self._block.drop(), "the block does not end")
        if begins_block(line):
            self._block.begin(line)
        else:
            yield from self._reply(line)

    def _block_line(self, line: bytes) -> Iterator[Event]:
        block = self._block.add(line)
        if block is not None:
            yield from self._reply(block)
        elif self._block.too_long:
            yield self._unreadable(self._block.drop(), "the block is too long")

    def _notice(self, line: bytes) -> Iterator[Event]:
        of_bridge, self._of_bridge = self._of_bridge, None
        text = self._masking.text(line)
        yield from self._notices.read(text)
        if line.startswith(b"zERR"):
            yield from self._refuse(text, of_bridge)

    def _refuse(self, notice: str, of_bridge: bool | None) -> Iterator[Event]:
        self.turns += 1
        if of_bridge is False:
            self._requests.refused_out_of_order()
            return
        for request in islice(self._refused_by_notice(of_bridge), 1):
            request.refused = True
            yield Refused(request.text, notice, request.sender)

    def _refused_by_notice(self, of_bridge: bool | None) -> Iterator[Request]:
        """Which request a notice refuses: the first of these."""
        if of_bridge is None:
            yield from self._requests.settings()
        if self._asked.form.kind is Kind.SET_PARAMETER:
            yield self._asked

    def _bridge_reply(self, line: bytes) -> Iterator[Event]:
        self.turns += 1
        reply = line[1:]
        request, self._asked = self._asked, _NOTHING_ASKED
        if not request.expects(reply):
            yield self._unreadable(line, "the bridge has asked nothing that this can be a reply to")
        elif request.form.reply.fullmatch(reply):
            yield from self._replies.read(request, reply)
        else:
            yield from self._refused(request, line)

    def _reply(self, line: bytes) -> Iterator[Event]:
        self.turns += 1
        reply = line[1:]
        request = self._requests.expecting(reply)
        if request is not None:
            for lost in self._requests.pass_over(request):
                yield from self._replies.conclude(lost)
        else:
            request = self._requests.admitting(reply)
        if request is None:
            yield self._unreadable(line, "no request is open that this can be a reply to")
        elif request.is_refused_by(reply):
            self._requests.end(request)
            yield from self._refused(request, line)
        else:
            yield from self._take(request, reply)

    def _take(self, request: Request, reply: bytes) -> Iterator[Event]:
        request.answered = True
        request.complete = request.ends_with(reply)
        yield from self._replies.read(request, reply)
        if request.complete:
            self._requests.end(request)

    def _refused(self, request: Request, line: bytes) -> Iterator[Event]:
        if not request.refused:
            yield Refused(request.text, self._masking.excerpt(line), request.sender)

    def _unreadable(self, line: bytes, reason: str) -> Unreadable:
        # While a token is due, any line may be one in a form that is not known.
        text = "…" if self._requests.token_due else self._masking.excerpt(line)
        return Unreadable("boiler", text, reason)


def _readable(lines: Iterable[bytes | TooLong]) -> Iterator[bytes]:
    return (line for line in lines if isinstance(line, bytes))


def _kind(text: str) -> str:
    """What an unknown request's kind is called: its first word, and the next if that is one."""
    words = text.split()
    return " ".join([*words[:1], *filter(str.isalpha, words[1:2])])[:40]


# Tables of the class, as each session has a dialogue.
_SENT: Mapping[Direction, Callable[[Dialogue, bytes], list[Event]]] = {
    "gateway": Dialogue.gateway_sent,
    "boiler": Dialogue.boiler_sent,
    "bridge": Dialogue.bridge_sent,
}
_KEPT = {**_SENT, "boiler": Dialogue.bridge_received}
_LINES: Mapping[bytes, Callable[[Dialogue, bytes], Iterator[Event]]] = {
    b"z": Dialogue._notice,
    b"$": Dialogue._reply_line,
}
"""What the boiler's lines are, by how they begin."""
