"""One session's line to the boiler, as requests of the bridge's own find it."""

from collections.abc import Iterable
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from hargassner.delayed import Delayed
from hargassner.dialogue.dialogue import LineState
from hargassner.dialogue.events import Clearing, Event, LoggedIn, ParameterChanged
from hargassner.monitor.interpreter import SessionInterpreter
from hargassner.proxy.exchange import BridgeRequest, SessionOverError
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session

QUIET = 2.0
"""Seconds of silence after which a reply counts as complete of which nobody knows the end."""
READ_PAUSE = 0.5
"""Seconds between a login and the first parameter that is read after it."""
READ_AGAIN = 60.0
"""Seconds until a parameter is read again whose reading failed; each time twice as long."""
READ_AGAIN_LONGEST = 3600.0

_CLEARING = "the gateway is about to start over: settings can be changed when it has logged in anew"
_FAILED = "the bridge cannot follow the gateway's dialogue in this session"


class LineListener(Protocol):
    """What is notified of what happens on a session's line."""

    def logged_in(self, line: "SessionLine") -> None:
        """The gateway has logged in: the line takes requests."""

    def closed(self, line: "SessionLine", why: str) -> None:
        """The line takes no requests any more; one that is out may still be answered."""

    def session_over(self, line: "SessionLine") -> None:
        """The session is over, and no reply comes any more; it can be reported twice."""

    def parameter_changed(self, event: ParameterChanged) -> None:
        """A notice named a new value."""

    def go_on(self) -> None:
        """The line may have become free."""


@implementer(ISessionObserver)
class SessionLine:
    """One session's line to the boiler, and the parameters that are to be read over it.

    Args:
        listener: is notified of what happens on the line.
        clock: time.
        session: what requests go over.
        interpreter: understands it.
    """

    __slots__ = (
        "_again",
        "_again_after",
        "_awaits_bytes",
        "_failed",
        "_interpreter",
        "_listener",
        "_pause",
        "_quiet",
        "_quiet_at",
        "_quiet_awaited_at",
        "_session",
        "unread",
    )

    def __init__(
        self,
        listener: LineListener,
        clock: IReactorTime,
        session: Session,
        interpreter: SessionInterpreter,
    ) -> None:
        # A list, as a deque takes 760 bytes when nothing is in it.
        self.unread: list[str] = []
        self._listener = listener
        self._session = session
        self._interpreter = interpreter
        self._quiet = Delayed(clock, QUIET, self._quiet_is_over)
        # The dialogue's turns after which a silence is awaited, and after which there was one.
        self._quiet_awaited_at = -1
        self._quiet_at = -1
        self._pause = Delayed(clock, READ_PAUSE, listener.go_on)
        self._failed: list[str] = []
        # Whether the line was not free when it was asked for last: what passes may free it.
        self._awaits_bytes = False
        self._again = Delayed(clock, READ_AGAIN, self._read_failed)
        self._again_after = READ_AGAIN
        interpreter.listen(self._on_event)
        session.on_settled(listener.go_on)

    def catch_up(self) -> None:
        """Know of all that has passed; the listener is called with what follows from it."""
        self._session.catch_up()

    def is_free(self) -> bool:
        """Whether a request can be written now; if only a silence can show it, one is awaited.

        If not, the next bytes are observed as soon as they have passed.
        """
        free = self._is_free()
        self._await_bytes(not free)
        return free

    def _await_bytes(self, on: bool) -> None:
        self._awaits_bytes = on
        self._session.observe_at_once(on)

    def _is_free(self) -> bool:
        if not self._session.can_ask:
            return False
        dialogue = self._interpreter.dialogue
        if dialogue.line_state is LineState.UNCERTAIN and self._quiet_at != dialogue.turns:
            self._wait_for_quiet(dialogue.turns)
            return False
        return dialogue.line_state is not LineState.BUSY

    async def exchange(self, request: BridgeRequest) -> bytes:
        """Send a request and wait for its reply.

        Errors: ``NoReplyError``, ``SessionOverError``.
        """
        try:
            return await self._session.exchange(request)
        except SessionOverError:
            # Whatever follows from the failure must not be asked over this session again.
            self._listener.session_over(self)
            raise

    @property
    def may_read(self) -> bool:
        """Whether a parameter is to be read now."""
        return bool(self.unread) and not self._pause.is_waiting

    def read(self, ids: Iterable[str]) -> None:
        """Have parameters read, one by one, when the line is free and nothing else waits."""
        self.unread.extend(each for each in ids if each not in self.unread)
        self._pause.start()

    def next_to_read(self) -> str:
        """The parameter to be read now; the one after it is read a little later."""
        self._pause.start()
        return self.unread.pop(0)

    def read_again(self, id_: str) -> None:
        """Have a parameter read once more in a while, whose reading failed."""
        if id_ not in self._failed:
            self._failed.append(id_)
        self._again.start(self._again_after)

    # What the session reports.

    def gateway_sent(self, data: bytes) -> None:
        """Bytes passed; the line may be free now."""
        self._on_bytes()

    def boiler_sent(self, data: bytes) -> None:
        """Bytes passed; the line may be free now."""
        self._on_bytes()

    def over(self, reason: str) -> None:
        """The session is over."""
        for each in (self._quiet, self._pause, self._again):
            each.cancel()
        self._listener.session_over(self)

    def _on_bytes(self) -> None:
        if self._interpreter.failed:
            self._listener.closed(self, _FAILED)
        elif self._awaits_bytes:
            self._await_bytes(False)
            self._listener.go_on()

    def _on_event(self, event: Event) -> None:
        match event:
            case LoggedIn():
                self._listener.logged_in(self)
            case Clearing():
                self._listener.closed(self, _CLEARING)
            case ParameterChanged():
                self._listener.parameter_changed(event)

    def _read_failed(self) -> None:
        self._again_after = min(2 * self._again_after, READ_AGAIN_LONGEST)
        failed, self._failed = self._failed, []
        self.read(failed)

    def _wait_for_quiet(self, turns: int) -> None:
        if not self._quiet.is_waiting:
            self._quiet_awaited_at = turns
            self._quiet.start()

    def _quiet_is_over(self) -> None:
        # If anything was said since, a silence is awaited anew.
        self._quiet_at = self._quiet_awaited_at
        self._listener.go_on()
