"""The simulated boiler's side of every dialogue: lines in, messages out.

It has no socket and no timer.  The protocol that carries the messages cuts them in segments, and
sends no message inside another one.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from hargassner.simulator.boiler.identity import Identity
from hargassner.simulator.boiler.layout import Layout, split, standard_layout
from hargassner.simulator.boiler.parameters import Change, Choice, Parameter, RefusedError
from hargassner.simulator.boiler.plant import Plant
from hargassner.simulator.login import key_for

DHCP_TIME = 0.2
"""Seconds from ``$dhcp renew`` to the notices of the new address."""

_PARAMETER_BLOCK = 1430
_DATE = "%Y-%m-%d %H:%M:%S"
_SET = re.compile(r'par set "([^";]+);([^";]+);([^";]*)"')
_GET = re.compile(r"par get ([0-9A-Za-z]+)")
_GET_CHANGED = re.compile(r'par get changed "([^"]*)"')
_GATEWAY = re.compile(r"igw set (\S+)")
_ABSENT = {
    "PR041": "Boiler A",
    "PR043": "Boiler 2",
    "PR044": "Boiler 3",
    "PR045": "Boiler B",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What one connection gets: whole lines, which belong together.

    ``after`` is how many seconds later than other answers it comes.
    """

    connection: int
    data: bytes
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Mishap:
    """What goes wrong with one request.

    ``instead`` has the whole lines that the client gets in place of an answer, none if empty;
    the request is not carried out. Without it the request is carried out, and everybody gets its
    notices, but the client gets no reply.
    """

    instead: tuple[str, ...] | None = None


@dataclass(slots=True)
class _Connection:
    """What the boiler knows of one connection."""

    number: int
    token: str = ""
    logged_in: bool = False


_Answer = Callable[[_Connection], Iterable[str]]


class BoilerEngine:
    """Answers requests, sends notices to everybody, and streams telemetry.

    Notices (lines beginning with ``z``) go to every connection that has not said ``$logging
    disable``, and telemetry to every one that has not said ``$daq stop``; neither needs a login
    (docs/protocol.md, section 2).

    Args:
        plant: what is measured and set.
        now: the boiler's clock.
        layout: its channels; the standard ones when left out.
        address: the boiler's address as it reports it, for ``$dhcp renew``.
        seed: decides the tokens.
        mishap: what goes wrong with a request, given without ``$``; asked once for each request
            after a login.
    """

    def __init__(
        self,
        plant: Plant,
        now: Callable[[], datetime],
        *,
        layout: Layout | None = None,
        address: str = "192.0.2.72",
        seed: int = 0,
        mishap: Callable[[str], Mishap | None] = lambda _request: None,
    ) -> None:
        self.plant = plant
        self.identity = Identity()
        self.layout = layout or standard_layout()
        self.gateway_serial = ""
        self._mishap = mishap
        self._now = now
        self._started = now()
        self._address = address
        self._random = Random(seed)  # noqa: S311 - a stand-in for the real login
        self._number = 7400
        self._connections: dict[int, _Connection] = {}
        # The numbers of those that get telemetry, and notices.
        self._telemetry: set[int] = set()
        self._logging: set[int] = set()
        self._fixed = self._fixed_answers()
        self._shaped: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterable[str]]]] = [
            (_GATEWAY, self._set_gateway),
            (_GET_CHANGED, self._changed_parameters),
            (_GET, self._one_parameter),
        ]

    @property
    def connections(self) -> int:
        """How many connections stand now."""
        return len(self._connections)

    def connect(self) -> tuple[int, list[Message]]:
        """A new connection: its number, and the notices of it to the others."""
        self._number += 1
        notices = self._notify([f"client connected ({self._number})"])
        self._connections[self._number] = _Connection(self._number)
        self._telemetry.add(self._number)
        self._logging.add(self._number)
        return self._number, notices

    def disconnect(self, number: int) -> list[Message]:
        """A connection is over: the notices of it to the others."""
        self._connections.pop(number, None)
        self._telemetry.discard(number)
        self._logging.discard(number)
        return self._notify([f"client connection abort ({number})"])

    def advance(self, seconds: float) -> list[Message]:
        """Let the plant's time pass: notices of what happened."""
        news = self.plant.advance(seconds)
        messages = self._notify(news.notices)
        for id_ in news.finished:
            messages += self.change(id_, "0")
        return messages

    def telemetry(self) -> list[Message]:
        """One ``pm`` line for every connection that gets telemetry."""
        line = self.line() if self._telemetry else b""
        return [Message(number, line) for number in sorted(self._telemetry)]

    def line(self) -> bytes:
        """The next ``pm`` line."""
        return self.layout.line(self.plant.values(), self.plant.bits())

    def change(self, id_: str, value: str) -> list[Message]:
        """Set a parameter as somebody does at the boiler's panel.

        Args:
            id_: the parameter.
            value: a number, or an option's text or index.

        Raises:
            RefusedError: the parameter is unknown, or does not take the value.
        """
        parameter = self.plant.parameters.get(id_)
        value = _stored(parameter, value)
        change = self.plant.parameters.set(id_, parameter.type, value, self._now())
        return self._notify(_notices(change)) if change else []

    def received(self, number: int, line: bytes) -> list[Message]:
        """Answer one request, given without its line end."""
        connection = self._connections[number]
        request = line.decode("latin-1")
        if request.startswith("$"):
            return self._obey(connection, request[1:])
        # An empty line is no request; anything else is none that a boiler knows.
        return self._reply(connection, ["Unknown Command"]) if request else []

    def _obey(self, connection: _Connection, command: str) -> list[Message]:
        if command == "login token":
            connection.token = f"{self._random.randrange(1 << 32):08X}"
            return self._reply(connection, [connection.token])
        if command.startswith("login key "):
            return self._login(connection, command.removeprefix("login key "))
        if not connection.logged_in:
            return self._reply(connection, ["permission denied"])
        mishap = self._mishap(command)
        if mishap is not None:
            return self._go_wrong(connection, command, mishap)
        return self._carry_out(connection, command)

    def _go_wrong(self, connection: _Connection, command: str, mishap: Mishap) -> list[Message]:
        if mishap.instead is None:
            messages = self._carry_out(connection, command)
            return [replace(each, data=_without_replies(each.data)) for each in messages]
        lines = _lines("", mishap.instead)
        return [Message(connection.number, lines)] if lines else []

    def _carry_out(self, connection: _Connection, command: str) -> list[Message]:
        if command == "dhcp renew":
            return self._notify(["IP 0.0.0.0", f"IP {self._address}"], after=DHCP_TIME)
        if setting := _SET.fullmatch(command):
            return self._set_parameter(connection, *setting.groups())
        return self._reply(connection, self._answer(connection, command))

    def _answer(self, connection: _Connection, command: str) -> Iterable[str]:
        if command in self._fixed:
            return self._fixed[command](connection)
        for shape, answer in self._shaped:
            if found := shape.fullmatch(command):
                return answer(found)
        return ["Unknown Command"]

    def _login(self, connection: _Connection, key: str) -> list[Message]:
        token, connection.token = connection.token, ""
        if not token or key != key_for(token):
            return self._reply(connection, ["permission denied"])
        connection.logged_in = True
        return self._reply_and_notify(connection, [f"client login ({connection.number})"])

    def _set_parameter(
        self, connection: _Connection, id_: str, type_: str, value: str
    ) -> list[Message]:
        if id_ in _ABSENT:
            refusal = f"ERR {_ABSENT[id_]} nicht vorhanden"
            return [Message(connection.number, _lines("z", [refusal]))]
        try:
            change = self.plant.parameters.set(id_, type_, value, self._now())
        except RefusedError as refused:
            return self._reply(connection, [f"err {refused}"])
        if change is None:
            return self._reply(connection, ["ack"])
        return self._reply_and_notify(
            connection, [*_notices(change), f"Paramter {id_} per APP verstellt"]
        )

    def _fixed_answers(self) -> dict[str, _Answer]:
        identity = self.identity
        return {
            "apiversion": lambda _: [identity.api_version],
            "setkomm": lambda _: [f"{identity.session_number} ack"],
            "asnr get": lambda _: [""],
            "bootversion": lambda _: [identity.boot_version],
            "info": lambda _: identity.info(),
            "uptime": lambda _: [f"{(self._now() - self._started).total_seconds():.0f}"],
            "rtc get": lambda _: [self._now().strftime(_DATE)],
            "erract": lambda _: self._active_errors(),
            "igw clear": lambda _: ["ack"],
            "daq desc": lambda _: [_block(piece) for piece in self.layout.blocks()],
            "par get all": lambda _: self._all_parameters(),
            "daq stop": _switch(self._telemetry.discard, "daq stopped"),
            "daq start": _switch(self._telemetry.add, "daq started"),
            "logging disable": _switch(self._logging.discard, "logging disabled"),
            "logging enable": _switch(self._logging.add, "logging enabled"),
        }

    def _one_parameter(self, found: re.Match[str]) -> Iterable[str]:
        try:
            return [f"{self.plant.parameters.get(found[1]).record()}0;"]
        except RefusedError as refused:
            return [f"err {refused}"]

    def _changed_parameters(self, found: re.Match[str]) -> Iterable[str]:
        try:
            since = datetime.strptime(found[1], _DATE)
        except ValueError:
            return ["err date"]
        changed = self.plant.parameters.changed_since(since)
        return [*(parameter.record() for parameter in changed), "--"]

    def _all_parameters(self) -> Iterator[str]:
        records = [f"{parameter.record()}\n" for parameter in self.plant.parameters]
        for piece in split(records, _PARAMETER_BLOCK, _PARAMETER_BLOCK):
            yield _block(piece)
        yield "--"

    def _active_errors(self) -> list[str]:
        faults = self.plant.faults
        return [f"{fault.number:04} {fault.text}" for fault in faults] or ["no errors"]

    def _set_gateway(self, found: re.Match[str]) -> Iterable[str]:
        self.gateway_serial = found[1]
        return ["ack"]

    def _reply(self, connection: _Connection, lines: Iterable[str]) -> list[Message]:
        return [Message(connection.number, _lines("$", lines))]

    def _notify(self, notices: Iterable[str], *, after: float = 0.0, but: int = 0) -> list[Message]:
        data = _lines("z", notices)
        receivers = sorted(self._logging - {but}) if data else ()
        return [Message(number, data, after) for number in receivers]

    def _reply_and_notify(self, connection: _Connection, notices: list[str]) -> list[Message]:
        """Notices for everybody; the client gets them in one message with the ``$ack``."""
        number = connection.number
        own = _lines("z", notices) if number in self._logging else b""
        reply = Message(number, own + _lines("$", ["ack"]))
        return [reply, *self._notify(notices, but=number)]


def _switch(switch: Callable[[int], None], done: str) -> _Answer:
    """What switches something on or off for a connection, and says so."""

    def answer(connection: _Connection) -> Iterable[str]:
        switch(connection.number)
        return [done]

    return answer


def _stored(parameter: Parameter, value: str) -> str:
    """A value as the boiler has it: of an option, its index."""
    if isinstance(parameter, Choice) and value in parameter.options:
        return str(parameter.options.index(value))
    return value


def _notices(change: Change) -> list[str]:
    name = f"{change.parameter.id} ({change.parameter.name})"
    return [f"Pa A: {name} = {change.old}", f"Pa N: {name} = {change.new}", "Set Para changed"]


def _without_replies(data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"$"))


def _block(piece: bytes) -> str:
    return f"<<{piece.decode('latin-1')}>>"


def _lines(start: str, lines: Iterable[str]) -> bytes:
    return "".join(f"{start}{line}\r\n" for line in lines).encode("latin-1")
