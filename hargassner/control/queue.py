"""Settings that can be changed: what the views ask for, and how the boiler is asked for it.

Only the gateway can log in, so commands go over its session, in the gaps of its dialogue
(hargassner/proxy/arbitration.py). One request is out at a time. A command takes up to three, and
the gateway goes on between them: ``$par get`` where the parameter is not known yet, ``$par set``,
and ``$par get`` again where the boiler acknowledged without a notice of the new value. What the
boiler confirmed is what the model has; nothing is believed before.

However many commands come, few of them reach the boiler (hargassner/control/pacing.py); the others
wait for their time, until a newer one for the same parameter takes their place.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from zope.interface import Interface, implementer

from hargassner.boiler.model import Boiler, Setting
from hargassner.control.pacing import MOST_A_MINUTE, Allowance, Pacing
from hargassner.control.values import (
    InvalidValueError,
    get_request,
    has_value,
    requested_value,
    set_request,
)
from hargassner.dialogue.dialogue import LineState
from hargassner.dialogue.events import Clearing, Event, LoggedIn, ParameterChanged
from hargassner.dialogue.grammar import refuses
from hargassner.monitor.interpreter import SessionInterpreter
from hargassner.proxy.session import ISessionObserver, Session
from hargassner.terminal import printable

log = Logger()

MOST_WAITING = 20
"""Commands that wait in line."""
GAP_PATIENCE = 30.0
"""Seconds that a command waits for its time and a gap in the gateway's dialogue."""
QUIET = 2.0
"""Seconds of silence after which a reply counts as complete of which nobody knows the end."""
READ_PAUSE = 0.5
"""Seconds between two parameters that are read after a login."""

MOST_SAID = 10
"""Commands in a minute of which the log tells that they came to nothing."""

_LONGEST_SHOWN = 40
_LONGEST_REPLY = 120

_NO_SESSION = (
    "no gateway session: settings can be changed while the maker's gateway is logged in to the "
    "boiler"
)
_CLEARING = "the gateway is about to start over: settings can be changed when it has logged in anew"
_FAILED = "the bridge cannot follow the gateway's dialogue in this session"


class CommandError(Exception):
    """A command came to nothing; the message says why, in one sentence for the owner."""


class IControl(Interface):
    """Changes the boiler's settings over the gateway's logged-in session."""

    def set_parameter(id: str, wanted: str) -> "Deferred[str]":  # noqa: A002
        """Set the parameter with this id to an option (its text or index) or a number.

        The result is the boiler's own text of the value that it confirmed, and the model has it
        by then. Exactly one outcome comes of each call.

        Errors: ``CommandError``.
        """


class Outcome(StrEnum):
    """How a command ended."""

    OK = "ok"
    INVALID = "invalid"
    """The parameter must not be set, or not to that."""
    NO_SESSION = "no_session"
    SUPERSEDED = "superseded"
    """A newer command for the same parameter came while it waited."""
    TOO_MANY = "too_many"
    """Too many others wait, or were sent within the last minute."""
    REFUSED = "refused"
    """The boiler refused it."""
    TIMED_OUT = "timed_out"
    SESSION_ENDED = "session_ended"


@dataclass(slots=True)
class ControlCounters:
    """How many commands ended how since the start; the fields are the outcomes."""

    ok: int = 0
    invalid: int = 0
    no_session: int = 0
    superseded: int = 0
    too_many: int = 0
    refused: int = 0
    timed_out: int = 0
    session_ended: int = 0

    def count(self, outcome: Outcome) -> None:
        """One more command ended so."""
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)


class _Stage(Enum):
    READ = auto()
    SET = auto()
    CONFIRM = auto()


@dataclass(slots=True, eq=False)
class _Command:
    """A command and how far it is.

    ``value`` is what the boiler is told, ``sent`` whether it was, and ``told`` whether a notice
    named a new value since. ``patience`` is active while the command waits for a gap.
    """

    id: str
    wanted: str
    result: "Deferred[str]"
    stage: _Stage = _Stage.SET
    value: str = ""
    told: bool = False
    sent: bool = False
    patience: IDelayedCall | None = None


@dataclass(slots=True, eq=False)
class _Reading:
    """A parameter that is read without a command for it."""

    id: str


@implementer(ISessionObserver)
class _Line:
    """One session's line to the boiler, as requests of the bridge's own find it."""

    def __init__(
        self,
        control: "Control",
        clock: IReactorTime,
        session: Session,
        interpreter: SessionInterpreter,
    ) -> None:
        self.session = session
        self.unread: deque[str] = deque()
        self._control = control
        self._clock = clock
        self._interpreter = interpreter
        self._quiet: IDelayedCall | None = None
        self._quiet_at = -1
        self._pause: IDelayedCall | None = None
        interpreter.listen(self._heard)

    def is_free(self) -> bool:
        """Whether a request can be written now; if silence has to tell, it is waited for."""
        if not self.session.can_ask:
            return False
        dialogue = self._interpreter.dialogue
        state = dialogue.line_state
        if state is LineState.UNCERTAIN and self._quiet_at != dialogue.turns:
            self._wait_for_quiet(dialogue.turns)
            return False
        return state is not LineState.BUSY

    @property
    def may_read(self) -> bool:
        """Whether a parameter is to be read now."""
        return bool(self.unread) and self._pause is None

    def read(self, ids: Iterable[str]) -> None:
        """Have parameters read, one by one, when the line is free and nothing else waits."""
        self.unread.extend(each for each in ids if each not in self.unread)
        if self._pause is None:
            self.pause()

    def pause(self) -> None:
        """Read the next parameter a little later."""
        self._pause = self._clock.callLater(READ_PAUSE, self._pause_is_over)

    def gateway_sent(self, data: bytes) -> None:
        self._moved()

    def boiler_sent(self, data: bytes) -> None:
        self._moved()

    def over(self, reason: str) -> None:
        for each in (self._quiet, self._pause):
            if each is not None and each.active():
                each.cancel()
        self._control.session_over(self)

    def _moved(self) -> None:
        if self._interpreter.failed:
            self._control.closed(self, _FAILED)
        else:
            self._control.go_on()

    def _heard(self, event: Event) -> None:
        match event:
            case LoggedIn():
                self._control.logged_in(self)
            case Clearing():
                self._control.closed(self, _CLEARING)
            case ParameterChanged():
                self._control.parameter_changed(event)

    def _wait_for_quiet(self, turns: int) -> None:
        if self._quiet is None or not self._quiet.active():
            self._quiet = self._clock.callLater(QUIET, self._quiet_is_over, turns)

    def _quiet_is_over(self, turns: int) -> None:
        # If anything was said since, it is waited for anew.
        self._quiet_at = turns
        self._control.go_on()

    def _pause_is_over(self) -> None:
        self._pause = None
        self._control.go_on()


@implementer(IControl)
class Control:
    """Changes the boiler's settings, one command after the other.

    Args:
        boiler: the model; it knows each parameter's limits or options and current value.
        clock: time.
        parameters: the ids of those that may be set; they are read once in each session.
        timeout: seconds for the boiler's answer to a request.
    """

    def __init__(
        self, boiler: Boiler, clock: IReactorTime, parameters: Iterable[str], timeout: float
    ) -> None:
        self.counters = ControlCounters()
        self._boiler = boiler
        self._clock = clock
        self._ids = {each.casefold(): each for each in parameters}
        self._timeout = timeout
        self._lines: list[_Line] = []
        self._why_none = _NO_SESSION
        self._waiting: deque[_Command] = deque()
        self._current: _Command | None = None
        self._asked: _Command | _Reading | None = None
        self._asked_on: _Line | None = None
        self._soon: IDelayedCall | None = None
        self._pacing = Pacing(clock.seconds)
        self._later: IDelayedCall | None = None
        self._sayable = Allowance(clock.seconds, MOST_SAID)
        self._said_unreadable: set[str] = set()

    def watch(self, session: Session, interpreter: SessionInterpreter) -> ISessionObserver:
        """A watcher for a session that begins; it has to be the last one that is told.

        Args:
            session: what commands can go over.
            interpreter: understands it.
        """
        return _Line(self, self._clock, session, interpreter)

    def set_parameter(self, id: str, wanted: str) -> "Deferred[str]":  # noqa: A002
        """Set a parameter; see ``IControl``."""
        command = _Command(self._ids.get(id.casefold(), id), wanted.strip(), Deferred())
        if id.casefold() not in self._ids:
            self._fail(
                command,
                Outcome.INVALID,
                f"{id[:_LONGEST_SHOWN]!r} cannot be set: it is not among control.parameters",
            )
        elif not self._lines:
            self._fail(command, Outcome.NO_SESSION, self._why_none)
        elif self._check(command):
            self._enqueue(command)
        return command.result

    # What happens in sessions.

    def logged_in(self, line: _Line) -> None:
        """A session's gateway has logged in."""
        if line not in self._lines:
            self._lines.append(line)
            line.read(self._ids.values())

    def closed(self, line: _Line, why: str) -> None:
        """A session takes no commands any more; one that is out may still be answered."""
        if line not in self._lines:
            return
        self._lines.remove(line)
        # What waits can go over another session. Without one, it cannot be sent.
        if not self._lines:
            self._why_none = why
            waiting = [*self._waiting]
            if self._current is not None:
                waiting.insert(0, self._current)
            self._current = None
            self._waiting.clear()
            self._wake_in(None)
            for each in waiting:
                self._fail(each, Outcome.SESSION_ENDED, why)

    def session_over(self, line: _Line) -> None:
        """A session is over."""
        out: _Command | _Reading | None = None
        if self._asked_on is line:
            out, self._asked, self._asked_on = self._asked, None, None
        self.closed(line, "the session ended before the command could be sent")
        if not self._lines:
            self._why_none = _NO_SESSION
        if isinstance(out, _Command):
            why = "the session ended before the boiler answered"
            self._fail(out, Outcome.SESSION_ENDED, why)

    def parameter_changed(self, event: ParameterChanged) -> None:
        """A notice told of a new value."""
        asked = self._asked
        if isinstance(asked, _Command) and asked.id.casefold() == event.id.casefold():
            asked.told = True

    def go_on(self) -> None:
        """Ask what waits to be asked, if the line is free."""
        while self._asked is None and self._lines:
            line = self._lines[-1]
            command = self._current or self._next()
            if command is None and not line.may_read:
                return
            if not line.is_free():
                return
            if command is not None:
                self._send(command, line)
            else:
                unread = line.unread.popleft()
                line.pause()
                self._ask(_Reading(unread), get_request(unread), line)

    # Commands.

    def _next(self) -> _Command | None:
        """The first of the waiting commands whose time has come; the others' time is waited for."""
        soonest: float | None = None
        for each in self._waiting:
            wait = self._pacing.wait(each.id)
            if not wait:
                return each
            soonest = wait if soonest is None else min(wait, soonest)
        self._wake_in(soonest)
        return None

    def _wake_in(self, seconds: float | None) -> None:
        if self._later is not None:
            self._later.cancel()
        self._later = None if seconds is None else self._clock.callLater(seconds, self._woken)

    def _woken(self) -> None:
        self._later = None
        self.go_on()

    def _setting(self, id_: str) -> Setting | None:
        """What is known of a parameter; the boiler may spell its id in another case."""
        setting = self._boiler.settings.get(id_)
        if setting is not None:
            return setting
        folded = id_.casefold()
        return next(
            (each for each in self._boiler.settings.values() if each.id.casefold() == folded), None
        )

    def _check(self, command: _Command) -> bool:
        """Whether the parameter can be what is wanted, as far as is known; refuse it if not."""
        setting = self._setting(command.id)
        if setting is None or setting.parameter is None:
            command.stage = _Stage.READ
            return True
        try:
            command.value = requested_value(setting.parameter, command.wanted)
        except InvalidValueError as wrong:
            self._fail(command, Outcome.INVALID, str(wrong))
            return False
        command.stage = _Stage.SET
        return True

    def _enqueue(self, command: _Command) -> None:
        older = next((each for each in self._waiting if each.id == command.id), None)
        if older is not None:
            self._waiting.remove(older)
        elif len(self._waiting) >= MOST_WAITING:
            self._fail(command, Outcome.TOO_MANY, f"{MOST_WAITING} commands are waiting already")
            return
        self._waiting.append(command)
        self._wait(command)
        if older is not None:
            self._fail(
                older, Outcome.SUPERSEDED, "a newer command for the same parameter took its place"
            )

    def _wait(self, command: _Command) -> None:
        """Have a command wait for a gap, but not for ever."""
        command.patience = self._clock.callLater(GAP_PATIENCE, self._waited_too_long, command)
        # Whoever gives commands may be in the middle of what passes: leave that first.
        if self._soon is None:
            self._soon = self._clock.callLater(0, self._now)

    def _now(self) -> None:
        self._soon = None
        self.go_on()

    def _waited_too_long(self, command: _Command) -> None:
        begun = command is self._current
        self._forget(command)
        if not begun and self._pacing.is_used_up:
            self._fail(
                command,
                Outcome.TOO_MANY,
                f"{MOST_A_MINUTE} commands were sent within a minute, and more are not; this one "
                f"has waited for {GAP_PATIENCE:g} seconds",
            )
            return
        self._fail(
            command,
            Outcome.TIMED_OUT,
            f"the gateway's dialogue left no gap for it within {GAP_PATIENCE:g} seconds",
        )

    def _forget(self, command: _Command) -> None:
        if command is self._current:
            self._current = None
        elif command in self._waiting:
            self._waiting.remove(command)

    def _send(self, command: _Command, line: _Line) -> None:
        """Take a command's next step."""
        begun = command is self._current
        self._forget(command)
        if command.patience is not None:
            command.patience.cancel()
            command.patience = None
        if command.stage is not _Stage.CONFIRM and not self._check(command):
            return
        if not begun:
            self._pacing.begins(command.id)
        setting = self._setting(command.id)
        if command.stage is _Stage.SET and setting is not None and setting.parameter is not None:
            self._pacing.sets(command.id)
            command.sent, command.told = True, False
            request = set_request(setting.parameter, command.value)
        else:
            request = get_request(command.id)
        self._ask(command, request, line)

    def _ask(self, what: _Command | _Reading, request: bytes, line: _Line) -> None:
        self._asked, self._asked_on = what, line
        line.session.ask(request, self._timeout, self._answered, self.go_on)

    def _answered(self, reply: bytes | None) -> None:
        asked, self._asked, self._asked_on = self._asked, None, None
        if isinstance(asked, _Reading):
            self._was_read(asked.id, reply)
        elif isinstance(asked, _Command):
            if reply is None:
                self._was_not_answered(asked)
            elif asked.stage is _Stage.SET:
                self._was_set(asked, reply)
            else:
                self._was_told(asked, reply)

    def _was_not_answered(self, command: _Command) -> None:
        setting = self._setting(command.id)
        if (
            command.told
            and setting is not None
            and setting.parameter is not None
            and has_value(setting.parameter, command.value)
        ):
            # The notice of the new value came, if nothing else.
            self._succeed(command, setting.text)
        else:
            self._fail(
                command,
                Outcome.TIMED_OUT,
                f"the boiler did not answer within {self._timeout:g} seconds",
            )

    def _was_set(self, command: _Command, reply: bytes) -> None:
        setting = self._setting(command.id)
        if reply != b"$ack":
            self._fail(command, Outcome.REFUSED, f"the boiler refused it: {_shown(reply)}")
        elif command.told and setting is not None:
            self._succeed(command, setting.text)
        else:
            # It had that value already, as a rule; or the gateway has switched notices off.
            command.stage = _Stage.CONFIRM
            self._go_on_with(command)

    def _was_told(self, command: _Command, reply: bytes) -> None:
        setting = self._setting(command.id)
        if refuses(reply.removeprefix(b"$")):
            self._fail(
                command,
                Outcome.REFUSED,
                f"the boiler does not tell what parameter {command.id} is: {_shown(reply)}",
            )
        elif setting is None or setting.parameter is None:
            self._fail(
                command,
                Outcome.REFUSED,
                f"what the boiler tells of parameter {command.id} cannot be read",
            )
        elif command.stage is _Stage.READ:
            self._go_on_with(command)
        elif has_value(setting.parameter, command.value):
            self._succeed(command, setting.text)
        else:
            self._fail(
                command,
                Outcome.REFUSED,
                f"the boiler acknowledged it, and has {setting.text} all the same",
            )

    def _was_read(self, id_: str, reply: bytes | None) -> None:
        if reply is None or refuses(reply.removeprefix(b"$")):
            why = "it did not answer in time" if reply is None else _shown(reply)
            if id_ not in self._said_unreadable:
                self._said_unreadable.add(id_)
                log.info("the boiler does not tell parameter {id}: {why}", id=id_, why=why)

    def _go_on_with(self, command: _Command) -> None:
        """The command's next step comes before any other command."""
        if self._lines:
            self._current = command
            self._wait(command)
        else:
            self._fail(command, Outcome.SESSION_ENDED, self._why_none)

    def _succeed(self, command: _Command, text: str) -> None:
        self.counters.count(Outcome.OK)
        log.info("parameter {id} was set to {value} as asked", id=command.id, value=printable(text))
        command.result.callback(text)

    def _fail(self, command: _Command, outcome: Outcome, why: str) -> None:
        if command.patience is not None and command.patience.active():
            command.patience.cancel()
        if command.sent and self._lines:
            # Nobody knows what has become of it.
            self._lines[-1].read([command.id])
        self.counters.count(outcome)
        self._say_that_not(command.id, outcome, why)
        command.result.errback(CommandError(why))

    def _say_that_not(self, id_: str, outcome: Outcome, why: str) -> None:
        """Tell the log that a command came to nothing, unless it has told of many already."""
        left = -1 if outcome is Outcome.SUPERSEDED else self._sayable.take()
        if left >= 0:
            log.info(
                "parameter {id!r} was not set: {why}", id=id_[:_LONGEST_SHOWN], why=printable(why)
            )
        if left == 0:
            log.info("more such commands in this minute are answered and not told here")


def _shown(reply: bytes) -> str:
    return printable(reply.decode("latin-1").removeprefix("$")[:_LONGEST_REPLY])
