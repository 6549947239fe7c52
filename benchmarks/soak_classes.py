"""Which of the lines that went the wrong way in soak_commands.py nobody could have known.

Each exchange is gone through again, as the bridge saw it, and all boilers are followed that could
have said the same (tests/proxy/possible_boilers.py). A line that went the wrong way is of a class
of docs/control.md if another of them has said it where it is the other side's, and, unless no more
could be waited for, has the same to say from then on. Otherwise it is a mistake.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from soak_log import Entry
from soak_sides import IDS, REPLIES, TIMEOUT, Spoken

from hargassner.proxy import exchange_states
from hargassner.proxy.explanations import MOST_HELD
from tests.proxy.possible_boilers import (
    ACK,
    CHANGED,
    NOTHING_CHANGED,
    REFUSAL,
    REFUSAL_NOTICE,
    Open,
    Said,
    ends_of_set,
    sayings_of,
)
from tests.proxy.undecidable import undecidable_classes

SILENCE = "either's", "begun in a silence"
"""The bridge asked while the end of a reply was still to come that only a silence shows."""
FOLLOWS = "either's", "behind another"
"""Lines behind one of another class, until nothing is open any more."""
GIVEN_UP = "ours", "given up"
"""The answer came when it was expected no more."""

_SOON = 0.9
"""Of a timeout: what was held for so long was not decided by what came."""
_ONE = {id_: f"$one {id_}\r\n".encode() for id_ in IDS}


def _one_word(line: bytes) -> bytes | None:
    """A boiler's line as the possible boilers say it; None for what has no part in it."""
    if line in (b"$permission denied", b"$err limit"):
        return REFUSAL
    if line.startswith(b"zERR"):
        return REFUSAL_NOTICE
    if line.startswith(b"$") and b";3;" in line:
        id_ = line[1:].partition(b";")[0].decode()
        return _ONE[id_] if line.endswith(b";0;") else CHANGED
    if line.startswith((b"$", b"zPa N")):
        return line + b"\r\n"
    return None


def _kind(request: bytes) -> str:
    """The class of a request, and what it is where a class has several."""
    plain = request.replace(b"  ", b" ").decode()
    for beginning, kind in _KINDS:
        if plain.startswith(beginning):
            return f"{kind}:{plain}" if kind in ("fixed", "refusable", "parameter") else kind
    return f"fixed:{plain}"


_KINDS = (
    ("$dhcp", "silent"),
    ("$frob", "unknown"),
    ("$par set", "refusable"),
    ("$par get changed", "list"),
    ("$par get", "parameter"),
)
_ANY_LINE = (
    ACK,
    REFUSAL,
    CHANGED,
    NOTHING_CHANGED,
    b"$frobnicated\r\n",
    *_ONE.values(),
    *(each + b"\r\n" for each in REPLIES.values()),
)


def _ends(kind: str) -> tuple[tuple[bytes, ...], ...]:
    """What may come of a request."""
    class_, _, plain = kind.partition(":")
    match class_:
        case "silent":
            return ((REFUSAL,),)
        case "unknown":
            return tuple((each,) for each in _ANY_LINE)
        case "refusable":
            id_, _, value = plain.split('"')[1].split(";")
            return ends_of_set(f"zPa N: {id_} (Zone) = {value}\r\n".encode())
        case "list":
            return ((NOTHING_CHANGED,), (CHANGED, NOTHING_CHANGED), (REFUSAL,))
        case "parameter":
            return ((_ONE[plain.split()[-1]],), (REFUSAL,))
        case _:
            return ((REPLIES[plain.encode()] + b"\r\n",), (REFUSAL,))


class _AllEnds(dict[tuple[bool, str], tuple[tuple[bytes, ...], ...]]):
    """What may come of every request, whoever asks it."""

    def __missing__(self, key: tuple[bool, str]) -> tuple[tuple[bytes, ...], ...]:
        self[key] = _ends(key[1])
        return self[key]


_ENDS = _AllEnds()


@dataclass(frozen=True, slots=True)
class Boiler:
    """One that is possible; ``true`` if it has said each line to the request of the real one."""

    queue: tuple[Open, ...]
    held: tuple[Open, ...] = ()
    wronged: bool = False
    true: bool = True


@dataclass(frozen=True, slots=True)
class Undecided:
    """A line that came and is neither passed nor kept yet: when, and whose it is in truth."""

    at: float
    truth: Spoken


class Exchange:
    """One exchange, from its request to where the next one begins.

    ``stale`` names what explains a line that went the wrong way because something was still open
    when the exchange began, or None where nothing was.
    """

    def __init__(
        self, number: int, at: float, request: bytes, stale: tuple[str, str] | None
    ) -> None:
        self.at = at
        self.stale = stale
        self.settled = False
        self.wrong = False
        self.boilers = frozenset([Boiler((Open(True, _kind(request), number=number),))])

    def asked(self, number: int, request: bytes) -> None:
        """The gateway asked something too."""
        asked = Open(False, _kind(request), number=number)
        self.boilers = frozenset(replace(each, queue=(*each.queue, asked)) for each in self.boilers)

    def said(self, line: bytes, truth: Spoken) -> None:
        """A line came: each boiler that can say it goes on."""
        reply = line.startswith(b"$")
        after = frozenset(
            Boiler(
                said.queue,
                (*each.held, said.speaker) if reply else each.held,
                each.wronged,
                each.true and said.speaker.number == truth.request,
            )
            for each in self.boilers
            for said in self._sayings(each)
            if said.line == line
        )
        if not after and reply:
            # Nobody whom the exchange has to do with.
            stray = Open(truth.owner == "bridge", "none", number=truth.request)
            after = frozenset(replace(each, held=(*each.held, stray)) for each in self.boilers)
        self.boilers = after or self.boilers

    def went(self, *, kept: bool, is_up: bool) -> tuple[str, str] | None:
        """The first of the lines that are held went somewhere; the class, if it was wrong.

        Errors: ``ValueError``: it could have been known.
        """
        real = [each for each in self.boilers if each.true]
        wrong = [each for each in real if not each.wronged and each.held[0].ours != kept]
        class_ = None
        if wrong and not self.wrong:
            self.wrong = True
            class_ = self.stale or self._class(wrong[0], kept=kept, is_up=is_up)
        self.boilers = frozenset(
            replace(
                each,
                held=each.held[1:],
                wronged=each.wronged or each.held[0].ours != kept,
            )
            for each in self.boilers
        )
        return class_

    def _class(self, real: Boiler, *, kept: bool, is_up: bool) -> tuple[str, str]:
        twins = [
            each
            for each in self.boilers
            if (each.wronged or each.held[0].ours == kept) and (is_up or each.queue == real.queue)
        ]
        if not twins:
            raise ValueError(f"{real.held[0].kind}, kept: {kept}, {sorted(map(str, self.boilers))}")
        if kept:
            return "the gateway's", real.held[0].kind.partition(":")[0]
        kinds = {each.held[0].kind.partition(":")[0] for each in twins if not each.held[0].ours}
        return "ours", min(kinds, default="unknown")

    def _sayings(self, boiler: Boiler) -> Iterator[Said]:
        return sayings_of(boiler.queue, _ENDS)


class Classification:
    """Goes through the log of a session.

    ``found`` has the class of each line that went the wrong way, ``mistakes`` what is of none.

    Args:
        entries: what the bridge saw and did.
        truths: what the boiler said, in the same order.
        owed: seconds for which an overdue answer is expected.
    """

    def __init__(self, entries: Sequence[Entry], truths: Sequence[Spoken], owed: float) -> None:
        self.found: list[tuple[str, str]] = []
        self.mistakes: list[str] = []
        self._truths = deque(truths)
        self._owed = owed
        self._requests: list[tuple[bytes, bool]] = []
        self._undecided: deque[Undecided] = deque()
        self._exchange: Exchange | None = None
        self._exchange_number = -1
        self._exchange_at = 0.0
        self._refused_at = math.inf
        known = undecidable_classes().keys() | {SILENCE, FOLLOWS, GIVEN_UP}
        for each in entries:
            getattr(self, f"_on_{each.what}")(each)
        self.mistakes += [f"{each} is not in docs/control.md" for each in {*self.found} - known]

    def _on_asked(self, entry: Entry) -> None:
        if self._exchange is not None and not self._exchange.settled:
            self._exchange.asked(len(self._requests), entry.line)
        self._requests.append((entry.line, False))

    def _on_begun(self, entry: Entry) -> None:
        number = len(self._requests)
        self._exchange_number, self._exchange_at, self._refused_at = number, entry.at, math.inf
        self._exchange = Exchange(number, entry.at, entry.line, self._stale(number))
        self._requests.append((entry.line, True))

    def _stale(self, number: int) -> tuple[str, str] | None:
        """What explains that something before this request is still to be answered."""
        open_ = {each.request for each in self._truths if 0 <= each.request < number}
        requests = [self._requests[each] for each in open_]
        if not requests:
            return None
        before = self._exchange
        if before is not None and (before.wrong or before.stale == FOLLOWS):
            # The dialogue has paired a reply with another request since, until nothing is open.
            return FOLLOWS
        if all(_has_no_end(line) and not ours for line, ours in requests):
            return SILENCE
        if all(ours for _, ours in requests):
            return GIVEN_UP
        self.mistakes.append(f"the bridge asked while {requests} were open")
        return FOLLOWS

    def _on_said(self, entry: Entry) -> None:
        truth = self._truths.popleft()
        if truth.line != entry.line:
            self.mistakes.append(f"the boiler said {truth.line!r}, and {entry.line!r} came")
        if entry.line.startswith(b"$"):
            self._undecided.append(Undecided(entry.at, truth))
        if truth.line.startswith(b"zERR") and truth.request == self._exchange_number:
            self._refused_at = entry.at
        line = _one_word(entry.line)
        if line is not None and self._exchange is not None and not self._exchange.settled:
            self._exchange.said(line, truth)

    def _on_passed(self, entry: Entry) -> None:
        self._went(entry, kept=False)

    def _on_kept(self, entry: Entry) -> None:
        self._went(entry, kept=True)

    def _on_settled(self, _entry: Entry) -> None:
        if self._exchange is not None:
            self._exchange.settled = True

    def _went(self, entry: Entry, *, kept: bool) -> None:
        is_up = len(self._undecided) > MOST_HELD
        line = self._undecided.popleft()
        is_up = is_up or entry.at - line.at >= _SOON * TIMEOUT
        ours = line.truth.owner == "bridge"
        exchange = self._exchange
        if exchange is None or exchange.settled:
            if ours != kept:
                self._wrong_outside(line)
            return
        try:
            class_ = exchange.went(kept=kept, is_up=is_up)
        except ValueError as error:
            self.mistakes.append(str(error))
            return
        if class_ is not None:
            self.found.append(class_)
            if ours and class_ != FOLLOWS and self._in_time(line):
                self.mistakes.append(f"{line} came in time, and passed")
        elif ours != kept:
            self.found.append(exchange.stale or FOLLOWS)
            if not exchange.wrong and exchange.stale is None:
                self.mistakes.append(f"{line} went the wrong way, and no boiler tells why")
            exchange.wrong = True

    def _in_time(self, line: Undecided) -> bool:
        """Whether an answer to the bridge came while the gateway had to wait for it."""
        begun, refused = self._exchange_at, self._refused_at
        return line.at < begun + TIMEOUT and line.at < refused + exchange_states.REFUSAL_PAUSE

    def _wrong_outside(self, line: Undecided) -> None:
        """An answer to the bridge passed when none was expected any more."""
        exchange = self._exchange
        if exchange is not None and (exchange.wrong or exchange.stale):
            self.found.append(FOLLOWS)
        elif exchange is not None and line.at - exchange.at >= self._owed:
            self.found.append(GIVEN_UP)
        else:
            self.mistakes.append(f"{line.truth} passed, and nothing was awaited")


def _has_no_end(request: bytes) -> bool:
    """Whether only a silence shows that all of a reply has come, or that none comes."""
    return request in (b"$frobnicate", b"$erract") or request.startswith(b"$par  set")
