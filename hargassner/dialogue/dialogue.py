"""One session's dialogue, as it passes: which reply belongs to which request, and what it says.

Requests and replies are paired as docs/protocol.md, section 3, has them; the replies come in the
order of the requests, but some requests have none and nobody can know the end of some replies. So
a reply is given to the first of these that there is:

1. the oldest open request of which the grammar has such a reply, refusals included,
2. the last request that has got its reply, or expects none, if it can have this one as well,
3. the oldest open request to which any line may belong: one that is not known, or the list of
   active errors.

A request that the first rule passes over has lost its reply; an unknown one that it passes over
may have had none, and is over. One that the third rule serves is over when the next request comes,
unless that came before any line of the reply, as the gateway does not always wait. A line that no
request is open for is told as unreadable.
"""

from collections import deque
from collections.abc import Iterator
from enum import Enum, auto

from hargassner.dialogue.blocks import Block, begins_block
from hargassner.dialogue.events import (
    Direction,
    Event,
    Notice,
    Passthrough,
    Refused,
    TelemetryLine,
    Unreadable,
)
from hargassner.dialogue.grammar import UNKNOWN, Kind, Request, recognise, refuses
from hargassner.dialogue.lines import LineSplitter, TooLong
from hargassner.dialogue.masking import Discretion
from hargassner.dialogue.notices import NoticeReader
from hargassner.dialogue.replies import ReplyReader

MOST_OPEN = 64
"""Requests. The gateway sends two without waiting."""
MOST_KINDS = 64
"""Kinds of unknown requests that are told."""


class LineState(Enum):
    """Whether somebody else can ask something on the same connection now."""

    BUSY = auto()
    """A line is half through, or a reply is due."""
    UNCERTAIN = auto()
    """Nobody can know whether more of a reply comes: only silence tells."""
    FREE = auto()
    """Every reply has come to its end."""


class Dialogue:
    """One session's dialogue, as it passes.

    Feed it what passes, in the order in which it passed and in any segmentation: it gives the
    events, and raises nothing whatever the bytes. What it holds of an unfinished message is
    bounded. Neither the login token nor the login key is in any event.
    """

    def __init__(self) -> None:
        self.turns = 0
        """How many requests and replies have passed."""
        self._gateway_lines = LineSplitter()
        self._boiler_lines = LineSplitter()
        self._bridge_lines = LineSplitter()
        self._discretion = Discretion()
        self._first_line = True
        self._block = Block()
        self._open: deque[Request] = deque()
        self._recent: Request | None = None
        self._kinds: set[str] = set()
        self._notices = NoticeReader()
        self._replies = ReplyReader(self._discretion, self._unreadable)

    @property
    def open_requests(self) -> tuple[str, ...]:
        """The requests whose reply may still come or go on, oldest first, without secrets."""
        return tuple(request.text for request in self._open)

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
        if self.gateway_midline or self.boiler_midline:
            return LineState.BUSY
        # Whether something is owed to the bridge, the bridge knows itself.
        others = [each for each in self._open if each.sender != "bridge"]
        if not others:
            return LineState.FREE
        if all(each.end_unknown for each in others):
            return LineState.UNCERTAIN
        return LineState.BUSY

    @property
    def dropped_lines(self) -> int:
        """How many lines, of both sides, were too long to be read."""
        return self._gateway_lines.dropped + self._boiler_lines.dropped

    def sent(self, direction: Direction, data: bytes) -> list[Event]:
        """Somebody sent bytes; what happened with them."""
        match direction:
            case "gateway":
                return self.gateway_sent(data)
            case "boiler":
                return self.boiler_sent(data)
            case "bridge":
                return self.bridge_sent(data)

    def gateway_sent(self, data: bytes) -> list[Event]:
        """Bytes passed from the gateway to the boiler; what happened with them."""
        events: list[Event] = []
        for line in self._gateway_lines.feed(data):
            if isinstance(line, TooLong):
                text = self._discretion.request(line.beginning)
                events.append(Unreadable("gateway", text, "the line is too long"))
                events.extend(self._ask(Request(UNKNOWN, text, "")))
            elif line.strip():
                events.extend(self._request(line, "gateway"))
        return events

    def bridge_sent(self, data: bytes) -> list[Event]:
        """Whole requests of the bridge's own were sent to the boiler; what happened with them."""
        events: list[Event] = []
        for line in self._bridge_lines.feed(data):
            if isinstance(line, bytes):
                events.extend(self._request(line, "bridge"))
        return events

    def boiler_sent(self, data: bytes) -> list[Event]:
        """Bytes came from the boiler, replies to the bridge included; what happened with them."""
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

    def _request(self, line: bytes, sender: Direction) -> Iterator[Event]:
        form, subject = recognise(line)
        request = Request(form, self._discretion.request(line), subject, sender)
        if form is UNKNOWN:
            kind = _kind(request.text)
            if kind not in self._kinds and len(self._kinds) < MOST_KINDS:
                self._kinds.add(kind)
                yield Passthrough(request.text, kind)
        yield from self._ask(request)

    def _ask(self, request: Request) -> Iterator[Event]:
        self.turns += 1
        for begun in [each for each in self._open if each.answered and each.end_unknown]:
            self._open.remove(begun)
            yield from self._replies.conclude(begun)
            if begun.form.kind is Kind.PARAMETERS_ALL:
                # Blocks that come late are still read.
                self._recent = begun
        if request.form.silent:
            self._recent = request
            return
        self._open.append(request)
        if len(self._open) > MOST_OPEN:
            yield from self._replies.conclude(self._open.popleft())

    # What the boiler says.

    def _line(self, line: bytes) -> Iterator[Event]:
        if line.startswith(b"z"):
            yield from self._notice(line)
        elif line.startswith(b"$"):
            if self._block.open:
                yield self._unreadable(self._block.drop(), "the block does not end")
            if begins_block(line):
                self._block.begin(line)
            else:
                yield from self._reply(line)
        elif self._block.open:
            yield from self._block_line(line)
        elif self._first_line:
            yield self._unreadable(line, "the connection began within this line")
        else:
            yield self._unreadable(line, "no such line is known")

    def _block_line(self, line: bytes) -> Iterator[Event]:
        block = self._block.add(line)
        if block is not None:
            yield from self._reply(block)
        elif self._block.too_long:
            yield self._unreadable(self._block.drop(), "the block is too long")

    def _notice(self, line: bytes) -> Iterator[Event]:
        event = self._notices.read(self._discretion.text(line))
        if event is not None:
            yield event
        if isinstance(event, Notice) and line.startswith(b"zERR"):
            yield from self._refuse_setting(event.text)

    def _refuse_setting(self, notice: str) -> Iterator[Event]:
        for request in self._open:
            if request.form.kind is Kind.SET_PARAMETER:
                request.refused = True
                self._open.remove(request)
                # Should a reply follow the notice, it belongs to the request all the same.
                self._recent = request
                yield Refused(request.text, notice, request.sender)
                break

    def _reply(self, line: bytes) -> Iterator[Event]:
        self.turns += 1
        reply = line[1:]
        request = next((each for each in self._open if each.expects(reply)), None)
        if request is not None:
            while self._open[0] is not request:
                yield from self._replies.conclude(self._open.popleft())
            self._recent = None
            yield from self._take(request, reply)
        elif self._recent is not None and self._recent.expects(reply):
            yield from self._take(self._recent, reply)
        else:
            request = next((each for each in self._open if each.admits(reply)), None)
            if request is None:
                if self._open:
                    self._open[0].misread = True
                yield self._unreadable(line, "no request is open that this can be a reply to")
            else:
                yield from self._take(request, reply)

    def _take(self, request: Request, reply: bytes) -> Iterator[Event]:
        if not request.form.reply.fullmatch(reply) and not request.answered and refuses(reply):
            self._end(request)
            if not request.refused:
                shown = self._discretion.excerpt(b"$" + reply)
                yield Refused(request.text, shown, request.sender)
            return
        request.answered = True
        if request.ends_with(reply):
            self._end(request)
        yield from self._replies.read(request, reply)
        if request.complete:
            self._end(request)

    def _end(self, request: Request) -> None:
        """No more of the reply is waited for; what comes all the same may still be read."""
        if request in self._open:
            self._open.remove(request)
        self._recent = request if request.form.kind is Kind.INFO and request.answered else None

    def _unreadable(self, line: bytes, reason: str) -> Unreadable:
        # While a token is due, any line may be one in a form that is not known.
        token_due = any(each.form.kind is Kind.LOGIN_TOKEN for each in self._open)
        text = "…" if token_due else self._discretion.excerpt(line)
        return Unreadable("boiler", text, reason)


def _kind(text: str) -> str:
    """What an unknown request's kind is called: its first word, and the next if that is one."""
    words = text.split()[:2]
    if len(words) == 2 and not words[1].isalpha():
        del words[1]
    return " ".join(words)[:40]
