"""What the simulated gateway says, and what it makes of the answers (docs/protocol.md, 3 and 5).

Bytes in, bytes out: no socket, no clock.  Whatever the boiler's side of the connection says that
the gateway did not ask for, or not in that form, is a problem, described in a sentence.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

from hargassner.simulator.login import key_for

_PARAMETER = rb"[^;\s]+;\d+;[^;]*;.*"
_TELEMETRY = re.compile(rb"pm (?:\S+ )+")
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a reply: what each of its lines looks like, and which one is the last."""

    line: re.Pattern[bytes]
    last: re.Pattern[bytes]
    lines: int | None = None


def _one(line: bytes) -> Form:
    pattern = re.compile(line)
    return Form(pattern, pattern)


ACK = _one(rb"ack")
OUTCOME = _one(rb"ack|permission denied|err.*")
FORMS = {
    "$login token": _one(rb"[0-9A-F]{8}"),
    "$apiversion": _one(rb"\d+\.\d+\.\d+"),
    "$setkomm": _one(rb"\d+ ack"),
    "$asnr get": _one(rb""),
    "$daq stop": _one(rb"daq stopped"),
    "$daq start": _one(rb"daq started"),
    "$logging disable": _one(rb"logging disabled"),
    "$logging enable": _one(rb"logging enabled"),
    "$daq desc": Form(re.compile(rb"(?s)<<.*>>"), re.compile(rb"(?s)<<.*</DAQPRJ>\s*>>")),
    "$bootversion": _one(rb"V\d+\.\d+"),
    "$info": Form(re.compile(rb"[^:]+: '.*'"), re.compile(rb"SN BCE: '.*'"), lines=5),
    "$uptime": _one(rb"\d+"),
    "$rtc get": _one(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    "$par get changed": Form(re.compile(_PARAMETER + rb"|--"), re.compile(rb"--")),
    "$erract": Form(re.compile(rb"no errors|\d+ .*"), re.compile(rb"no errors|\d+ .*")),
    "$par set": OUTCOME,
}
"""What is answered in another form than with ``$ack``."""


@dataclass(slots=True)
class Question:
    """A request whose reply is awaited."""

    words: str
    form: Form
    answered: Callable[[list[bytes]], None]
    reply: list[bytes] = field(default_factory=list)


class GatewayDialogue:
    """One session of the simulated gateway.

    Args:
        serial: the gateway's serial number.
        problem: called with each thing that is not as it should be, in a sentence.
    """

    def __init__(self, serial: str, problem: Callable[[str], None]) -> None:
        self.described = False
        self.cleared = False
        self.values_expected: int | None = None
        self.telemetry_lines = 0
        self._serial = serial
        self._problem = problem
        self._problems = 0
        self._rest = b""
        self._awaited: deque[Question] = deque()
        self._token = ""
        self._clock = "2023-11-12 18:21:37"
        self._arguments = {
            "$login key": lambda: f" {key_for(self._token)}",
            "$par get changed": lambda: f' "{self._clock}"',
        }
        self._readers = {
            "$login token": self._take_token,
            "$rtc get": self._take_clock,
            "$daq desc": self._take_descriptor,
            "$igw clear": self._agreed,
        }
        self._opening = deque(_opening(serial))

    @property
    def waiting(self) -> bool:
        """Whether a reply is awaited."""
        return bool(self._awaited)

    @property
    def opened(self) -> bool:
        """Whether the opening of the dialogue is over."""
        return not self._opening and not self._awaited

    def begin(self) -> bytes:
        """The first request; the others follow as the replies come."""
        return self._continue()

    def received(self, data: bytes) -> bytes:
        """Look at what came; the result is what to send now."""
        for line in self._lines(data):
            self._look_at(line)
        if self._awaited or not self._opening:
            return b""
        return self._continue()

    def _lines(self, data: bytes) -> list[bytes]:
        """The lines that are complete now; a line end may stand inside a block."""
        *pieces, self._rest = (self._rest + data).split(b"\r\n")
        lines: list[bytes] = []
        for piece in pieces:
            lines.append(lines.pop() + b"\r\n" + piece if _is_open(lines) else piece)
        if _is_open(lines):
            self._rest = lines.pop() + b"\r\n" + self._rest
        return lines

    def poll(self) -> bytes:
        """The requests of one keep-alive cycle, all at once."""
        return b"".join(
            self._ask(words) for words in ("$setkomm", "$erract", "$par get changed", "$rtc get")
        )

    def clear(self) -> bytes:
        """Ask to end the session: ``cleared`` is set when the boiler agrees."""
        return self._ask("$igw clear")

    def renew(self) -> bytes:
        """The request before and after that one; it has no reply."""
        return b"$dhcp renew\r\n"

    def set_parameter(
        self, number: str, kind: int, value: str, outcome: Callable[[str], None]
    ) -> bytes:
        """Set a parameter, as the phone app does; ``outcome`` gets the reply."""

        def answered(reply: list[bytes]) -> None:
            outcome(reply[0].decode("latin-1"))

        return self._ask("$par set", answered, f' "{number};{kind};{value}"')

    def _continue(self) -> bytes:
        return b"".join(self._ask(words) for words in self._opening.popleft())

    def _ask(
        self,
        words: str,
        answered: Callable[[list[bytes]], None] | None = None,
        rest: str = "",
    ) -> bytes:
        argument = self._arguments.get(words, lambda: rest)()
        reader = self._readers.get(words, lambda _reply: None)
        self._awaited.append(Question(words, FORMS.get(words, ACK), answered or reader))
        return f"{words}{argument}\r\n".encode("latin-1")

    def _look_at(self, line: bytes) -> None:
        if line.startswith(b"pm "):
            self._check_telemetry(line)
        elif line.startswith(b"z"):
            pass
        elif not line.startswith(b"$"):
            self._complain(f"a line of no known kind: {_shown(line)}")
        elif not self._awaited:
            self._complain(f"a reply that nobody asked for: {_shown(line)}")
        else:
            self._check_reply(self._awaited[0], line[1:])

    def _check_telemetry(self, line: bytes) -> None:
        self.telemetry_lines += 1
        if not _TELEMETRY.fullmatch(line):
            self._complain(f"a malformed telemetry line: {_shown(line)}")
        elif self.values_expected not in (None, values := len(line.split()) - 1):
            self._complain(f"{values} values in a line, {self.values_expected} described")

    def _check_reply(self, question: Question, reply: bytes) -> None:
        form = question.form
        if not form.line.fullmatch(reply):
            self._complain(f"{question.words} was answered with {_shown(reply)}")
            self._awaited.popleft()
            return
        question.reply.append(reply)
        if form.last.fullmatch(reply):
            self._awaited.popleft()
            self._answered(question)

    def _answered(self, question: Question) -> None:
        lines = len(question.reply)
        if question.form.lines not in (None, lines):
            self._complain(f"{question.words} was answered with {lines} lines")
        question.answered(question.reply)

    def _take_token(self, reply: list[bytes]) -> None:
        self._token = reply[0].decode("ascii")

    def _take_clock(self, reply: list[bytes]) -> None:
        self._clock = reply[0].decode("ascii")

    def _take_descriptor(self, reply: list[bytes]) -> None:
        document = b"".join(block[2:-2] for block in reply).decode("latin-1")
        try:
            self.values_expected = _values_described(document)
            self.described = True
        except (ElementTree.ParseError, ValueError) as wrong:
            self._complain(f"the descriptor cannot be read: {wrong}")

    def _agreed(self, _reply: list[bytes]) -> None:
        self.cleared = True

    def _complain(self, what: str) -> None:
        self._problems += 1
        if self._problems <= _MOST_PROBLEMS:
            self._problem(what)


def _values_described(document: str) -> int:
    """How many values a line has, by its descriptor.

    Raises:
        ParseError, ValueError: that cannot be read.
    """
    root = fromstring(document)
    channels = (root.iterfind(f"{kind}/CHANNEL") for kind in ("ANALOG", "DIGITAL"))
    return sum(
        1 + max((int(each.get("id", "-1")) for each in kind), default=-1) for kind in channels
    )


def _is_open(blocks: list[bytes]) -> bool:
    return bool(blocks) and blocks[-1].startswith(b"$<<") and not blocks[-1].endswith(b">>")


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("latin-1"))


def _opening(serial: str) -> Iterator[tuple[str, ...]]:
    """What a session begins with; what stands together is sent without waiting for a reply."""
    yield ("$login token",)
    yield ("$login key",)
    yield ("$apiversion",)
    yield ("$setkomm",)
    yield ("$asnr get",)
    yield (f"$igw set {serial}",)
    yield "$daq stop", "$logging disable"
    yield ("$daq desc",)
    yield "$daq start", "$logging enable"
    yield ("$bootversion",)
    yield ("$info",)
    yield ("$uptime",)
    yield ("$rtc get",)
    yield ("$par get changed",)
