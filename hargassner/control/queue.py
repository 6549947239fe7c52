"""Settings that can be changed: what the views ask for, and how the boiler is asked for it.

Only the gateway can log in, so commands go over its session, in the gaps of its dialogue
(hargassner/proxy/arbitration.py). One request is out at a time, and each command takes up to three
(hargassner/control/command.py).

However many commands come, few of them reach the boiler (hargassner/control/pacing.py); the others
wait for their turn (hargassner/control/turns.py), until a newer one for the same parameter takes
their place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import Interface, implementer

from hargassner.boiler.equipment import Proven
from hargassner.boiler.model import Boiler, BoilerObserver
from hargassner.boiler.settable import Settable
from hargassner.control.command import Command, CommandError, Outcome, Requests, shown
from hargassner.control.pacing import APART, Allowance, Pacing
from hargassner.control.session_line import LineListener, SessionLine
from hargassner.control.turns import Turns
from hargassner.control.values import get_request
from hargassner.delayed import Delayed
from hargassner.dialogue.events import ParameterChanged
from hargassner.dialogue.grammar import refuses
from hargassner.monitor.interpreter import SessionInterpreter
from hargassner.observers import Once
from hargassner.proxy.exchange import BridgeRequest, NoReplyError, SessionOverError
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session
from hargassner.terminal import printable

__all__ = ["CommandError", "Control", "ControlCounters", "IControl", "Outcome"]

log = Logger()

MOST_LOGGED = 10
"""Commands in a minute of which the log says that they came to nothing."""

_LONGEST_SHOWN = 40

_NO_SESSION = (
    "no gateway session: settings can be changed while the maker's gateway is logged in to the "
    "boiler"
)

_IN_USE = "somebody operates the boiler's display, and control.while_display_in_use is refuse"


class IControl(Interface):
    """Changes the boiler's settings over the gateway's logged-in session."""

    def set_parameter(id: str, requested: str) -> "Deferred[str]":  # noqa: A002
        """Set the parameter with this id to an option (its text or index) or a number.

        The result is the boiler's own text of the value that it confirmed, and the model has it
        by then. Exactly one outcome comes of each call.

        Errors: ``CommandError``.
        """


@dataclass(slots=True)
class ControlCounters:
    """How many commands ended how since the start; the fields are the outcomes."""

    ok: int = 0
    invalid: int = 0
    no_session: int = 0
    superseded: int = 0
    too_many: int = 0
    refused: int = 0
    display_in_use: int = 0
    timed_out: int = 0
    session_ended: int = 0

    def count(self, outcome: Outcome) -> None:
        """One more command ended so."""
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)


@implementer(IControl)
class Control(Requests, LineListener, BoilerObserver):
    """Changes the boiler's settings, one command after the other.

    Args:
        boiler: the model; it knows each parameter's limits or options and current value.
        clock: time.
        parameters: the ids of those that may be set, and ``auto`` for those that are safe to set;
            they are read once in each session.
        timeout: seconds for the boiler's reply to a request.
        while_display_in_use: ``refuse`` if nothing may be set while somebody operates the boiler's
            display, else ``allow``.
    """

    def __init__(
        self,
        boiler: Boiler,
        clock: IReactorTime,
        parameters: Iterable[str],
        timeout: float,
        while_display_in_use: str = "allow",
    ) -> None:
        self.counters = ControlCounters()
        self.pacing = Pacing(clock.seconds)
        self.timeout = timeout
        self._gives_way = while_display_in_use == "refuse"
        self._boiler = boiler
        self._clock = clock
        self.settable = Settable(parameters, boiler.catalogue, boiler.equipment)
        # Those of all sessions, and among them those that take requests.
        self._observing: list[SessionLine] = []
        self._lines: list[SessionLine] = []
        self._why_none = _NO_SESSION
        self._turns = Turns(clock, self.pacing, self.go_on)
        self._apart = Delayed(clock, APART, self.go_on)
        self._awaiting = False
        self._noticed: set[str] = set()
        self._loggable = Allowance(clock.seconds, MOST_LOGGED)
        self._unreadable = Once(at_most=len(self.settable.named))
        boiler.observe(self)

    def observe(self, session: Session, interpreter: SessionInterpreter) -> ISessionObserver:
        """An observer of a session that begins; it has to be the last one that is notified.

        Args:
            session: what commands can go over.
            interpreter: understands it.
        """
        line = SessionLine(self, self._clock, session, interpreter)
        self._observing.append(line)
        return line

    def set_parameter(self, id: str, requested: str) -> "Deferred[str]":  # noqa: A002
        """Set a parameter; see ``IControl``."""
        for line in tuple(self._observing):
            # The gateway may just have logged in.
            line.catch_up()
        command = Command(self.settable.spelled(id), requested.strip(), self._boiler, self)
        result: Deferred[str] = Deferred()
        # Whoever cancels the result does not stop what the boiler may have been asked already.
        Deferred.fromCoroutine(self._carry_out(command)).chainDeferred(result)
        return result

    async def _carry_out(self, command: Command) -> str:
        """See a command to its end, which is counted and logged."""
        try:
            self._admit(command)
            text = await command.run()
        except CommandError as error:
            self._not_set(command, error)
            raise
        self.counters.count(Outcome.OK)
        log.info("parameter {id} was set to {value} as asked", id=command.id, value=printable(text))
        return text

    def _admit(self, command: Command) -> None:
        if not self.settable.allows(command.id):
            shortened = command.id[:_LONGEST_SHOWN]
            raise CommandError(
                f"{shortened!r} cannot be set: it is not among control.parameters", Outcome.INVALID
            )
        if not self._lines:
            raise CommandError(self._why_none, Outcome.NO_SESSION)
        self._give_way_to_display()

    def _give_way_to_display(self) -> None:
        if self._gives_way and self._boiler.display_in_use:
            raise CommandError(_IN_USE, Outcome.DISPLAY_IN_USE)

    def _not_set(self, command: Command, error: CommandError) -> None:
        if command.was_sent and self._lines:
            # Nobody knows what has become of it.
            self._lines[-1].read([command.id])
        self.counters.count(error.outcome)
        if error.outcome is not Outcome.SUPERSEDED:
            self._log_not_set(command.id[:_LONGEST_SHOWN], printable(str(error)))

    def _log_not_set(self, id_: str, why: str) -> None:
        left = self._loggable.take()
        if left >= 0:
            log.info("parameter {id!r} was not set: {why}", id=id_, why=why)
        if left == 0:
            log.info("more such commands in this minute are answered and not told here")

    # What happens in sessions.

    def logged_in(self, line: SessionLine) -> None:
        """A session's gateway has logged in."""
        if line not in self._lines:
            self._lines.append(line)
            line.read(self.settable.ids)

    def closed(self, line: SessionLine, why: str) -> None:
        """A session takes no commands any more; one that is out may still be answered."""
        if line in self._lines:
            self._lines.remove(line)
            if self._lines:
                # What waits can go over another session, which may be free.
                self._apart.start(0)
                return
            self._why_none = why
            self._apart.cancel()
            self._turns.end(why)

    def session_over(self, line: SessionLine) -> None:
        """A session is over."""
        if line in self._observing:
            self._observing.remove(line)
        self.closed(line, "the session ended before the command could be sent")
        if not self._lines:
            self._why_none = _NO_SESSION

    def parameter_changed(self, event: ParameterChanged) -> None:
        """A notice named a new value."""
        if self.settable.allows(self.settable.spelled(event.id)):
            self._noticed.add(event.id.casefold())

    def equipment_changed(self, proven: Proven) -> None:
        """Something turned out to exist: what may be set of it is to be known."""
        unknown = [each for each in self.settable.ids if each not in self._boiler.settings]
        if self._lines:
            self._lines[-1].read(unknown)

    def go_on(self) -> None:
        """Ask what waits to be asked, if the line is free."""
        if not self._lines or self._next_to_ask(self._lines[-1]) is None:
            return
        # It may be free, and may be taken away, by what has passed and is not known yet.
        self._lines[-1].catch_up()
        while not self._awaiting and self._lines:
            line = self._lines[-1]
            ask = self._next_to_ask(line)
            if ask is None or self._is_too_soon() or not line.is_free():
                return
            ask()

    def _is_too_soon(self) -> bool:
        """Whether the gateway still has the line to itself; the end of that is awaited."""
        wait = self.pacing.spacing.wait
        if wait:
            self._apart.start(wait)
        return wait > 0

    def _next_to_ask(self, line: SessionLine) -> Callable[[], object] | None:
        turn = self._turns.due()
        if turn is not None:
            return partial(self._turns.give, turn)
        return partial(self._read_next, line) if line.may_read else None

    def _read_next(self, line: SessionLine) -> "Deferred[None]":
        return Deferred.fromCoroutine(self._read(line, line.next_to_read()))

    async def _read(self, line: SessionLine, id_: str) -> None:
        """Have the model know a parameter, without a command for it."""
        try:
            reply = await self.ask(get_request(id_))
        except SessionOverError:
            pass
        except NoReplyError:
            self._not_read(line, id_, "it did not answer in time")
        else:
            if refuses(reply.removeprefix(b"$")):
                self._not_read(line, id_, shown(reply))

    def _not_read(self, line: SessionLine, id_: str, why: str) -> None:
        line.read_again(id_)
        # One that is only safe to set if there is one may not be there.
        if id_ in self.settable.named and self._unreadable.first(id_):
            log.info("the boiler does not tell parameter {id}: {why}", id=id_, why=why)

    # What a command needs.

    async def first_turn(self, id_: str) -> None:
        """Wait for a command's time and a gap; see ``Requests``."""
        await self._turns.first(id_)
        self._give_way_to_display()

    async def next_turn(self) -> None:
        """Wait for a gap, before all other commands; see ``Requests``."""
        if not self._lines:
            raise CommandError(self._why_none, Outcome.SESSION_ENDED)
        await self._turns.next()

    async def ask(self, request: bytes, text: str = "") -> bytes:
        """Send a request over the newest session; see ``Requests``."""
        spacing = self.pacing.spacing
        self._awaiting = True
        self._noticed.clear()
        spacing.sent()
        try:
            reply = await self._lines[-1].exchange(BridgeRequest(request, self.timeout, text))
        except NoReplyError:
            spacing.unanswered()
            raise
        finally:
            self._awaiting = False
        spacing.answered()
        return reply

    def noticed(self, id_: str) -> bool:
        """Whether a notice named this parameter since the last request; see ``Requests``."""
        return id_.casefold() in self._noticed
