"""The journal: the last lines of dialogue and log, for whoever looks.

It is kept in memory, and bounded: a bridge that runs for months holds no more of it than one that
runs for an hour. Neither a login token nor a login key is in it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, cast

from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.logger import (
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogPublisher,
    formatEvent,
    globalLogPublisher,
)
from zope.interface import implementer

from hargassner.dialogue.grammar import refuses
from hargassner.dialogue.lines import LineSplitter, TooLong
from hargassner.dialogue.masking import Masking
from hargassner.proxy.observers import IExchangeObserver, ISessionObserver
from hargassner.proxy.session import Session
from hargassner.services import Service
from hargassner.terminal import printable

log = Logger()

LINES_KEPT = 1000
"""Of the dialogue and of the log, each."""
LONGEST_LOG_LINE = 500
"""Characters."""

_TELEMETRY_SHOWN = 60
_HIDDEN = "…"


class DialogueLine(NamedTuple):
    """A line that was said in a session; ``at`` is the moment.

    ``text`` is shortened where it is long, has no control characters, and no secrets. What the
    bridge says are its own requests, and how the session began and ended.
    """

    at: float
    session: int
    direction: Literal["gateway", "boiler", "bridge"]
    text: str


class LogLine(NamedTuple):
    """A line of the program's log; ``at`` is the moment.

    ``level`` is such as "info", ``source`` the module that wrote it.
    """

    at: float
    level: str
    source: str
    text: str


JournalLine = DialogueLine | LogLine


class Journal:
    """The last lines, and the listeners for new ones.

    Args:
        clock: time; views make dates of moments (hargassner/clock.py).
        kept: how many lines of dialogue, and of log.
    """

    def __init__(self, clock: IReactorTime, kept: int = LINES_KEPT) -> None:
        self._clock = clock
        self._dialogue: deque[DialogueLine] = deque(maxlen=kept)
        self._log: deque[LogLine] = deque(maxlen=kept)
        self._listeners: list[Callable[[JournalLine], None]] = []

    @property
    def dialogue(self) -> Sequence[DialogueLine]:
        """The last lines of all sessions, oldest first."""
        return tuple(self._dialogue)

    @property
    def lines(self) -> Sequence[LogLine]:
        """The last lines of the log, oldest first."""
        return tuple(self._log)

    def now(self) -> float:
        """The moment now; it may be asked for in any thread."""
        return self._clock.seconds()

    def observe(self, session: Session) -> ISessionObserver:
        """The observer of a session that begins."""
        return cast("ISessionObserver", _SessionObserver(self, session))

    def on_line(self, listener: Callable[[JournalLine], None]) -> Callable[[], None]:
        """Call ``listener`` with each new line, until the returned function is called.

        One that raises is called no more.
        """

        # A function of its own, so that whoever registers twice can stop each by itself.
        def call(line: JournalLine) -> None:
            listener(line)

        self._listeners.append(call)

        def stop() -> None:
            if call in self._listeners:
                self._listeners.remove(call)

        return stop

    def said(
        self, session: int, direction: Literal["gateway", "boiler", "bridge"], text: str
    ) -> None:
        """A line was said in a session; its secrets are masked already."""
        line = DialogueLine(self.now(), session, direction, printable(text))
        self._dialogue.append(line)
        self._notify(line)

    def logged(self, line: LogLine) -> None:
        """A line was logged."""
        self._log.append(line)
        self._notify(line)

    def _notify(self, line: JournalLine) -> None:
        for each in tuple(self._listeners):
            try:
                each(line)
            except Exception:
                # The failure is a line itself: whoever failed must not get it.
                self._listeners.remove(each)
                log.failure("telling of a journal's line failed; this listener is told no more")


@implementer(IExchangeObserver)
class _SessionObserver:
    """Writes down what one session says."""

    __slots__ = (
        "_boiler_lines",
        "_gateway_lines",
        "_journal",
        "_masking",
        "_session",
        "_token_due",
    )

    def __init__(self, journal: Journal, session: Session) -> None:
        self._journal = journal
        self._session = session.number
        self._gateway_lines = LineSplitter()
        self._boiler_lines = LineSplitter()
        self._masking = Masking()
        self._token_due = False
        journal.said(self._session, "bridge", f"{session.address} connected")

    def gateway_sent(self, data: bytes) -> None:
        for line in self._gateway_lines.feed(data):
            said = line.beginning if isinstance(line, TooLong) else line
            words = said.lower()
            if b"login" in words:
                # Until the gateway comes with its key, any reply may be the token.
                self._token_due = b"key" not in words
            self._journal.said(self._session, "gateway", self._masking.request(said))

    def boiler_sent(self, data: bytes) -> None:
        for line in self._boiler_lines.feed(data):
            said = line.beginning if isinstance(line, TooLong) else line
            self._journal.said(self._session, "boiler", self._shown(said))

    def bridge_sent(self, data: bytes) -> None:
        for line in data.splitlines():
            self._journal.said(self._session, "bridge", self._masking.request(line))

    def bridge_received(self, data: bytes) -> None:
        for line in data.splitlines():
            self._journal.said(self._session, "boiler", self._masking.excerpt(line))

    def notice_follows(self, of_bridge: bool) -> None:
        """The notice is told as one that passes."""

    def over(self, reason: str) -> None:
        self._journal.said(self._session, "bridge", f"over: {reason}")

    def _shown(self, line: bytes) -> str:
        if line.startswith(b"pm "):
            return _telemetry(line)
        if self._token_due and not line.startswith(b"z"):
            if not refuses(line[1:]):
                self._masking.remember(line[1:])
                return _HIDDEN
            self._token_due = False
        return self._masking.excerpt(line)


def _telemetry(line: bytes) -> str:
    text = line[:_TELEMETRY_SHOWN].decode("latin-1")
    return text if len(line) <= _TELEMETRY_SHOWN else f"{text}{_HIDDEN}"


@implementer(ILogObserver)
class JournalKeeping(Service):
    """Writes the program's log into the journal while it runs; debugging lines are left out.

    Args:
        journal: where to.
        reactor: takes lines over from other threads.
        publisher: whose events they are.
    """

    name = "journal"

    def __init__(
        self,
        journal: Journal,
        reactor: IReactorFromThreads,
        publisher: LogPublisher = globalLogPublisher,
    ) -> None:
        self._journal = journal
        self._reactor = reactor
        self._publisher = publisher
        self._thread = 0

    def startService(self) -> None:
        """Listen; this is done in the reactor's thread."""
        super().startService()
        self._thread = threading.get_ident()
        self._publisher.addObserver(self)

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()
        self._publisher.removeObserver(self)

    def __call__(self, event: LogEvent) -> None:
        """Something was logged, perhaps in a thread that writes to the disk."""
        level = event.get("log_level", LogLevel.info)
        if level is LogLevel.debug:
            return
        text = _text(event)
        # Not the event's date: that one stays wrong when the wall clock is set right.
        line = LogLine(
            self._journal.now(), level.name, event.get("log_namespace", ""), printable(text)
        )
        if threading.get_ident() == self._thread:
            self._journal.logged(line)
        else:
            self._reactor.callFromThread(self._journal.logged, line)


def _text(event: LogEvent) -> str:
    """What was logged, with what failed, no longer than a line may be."""
    text = formatEvent(event)
    failure = event.get("log_failure")
    if failure is not None:
        text = f"{text}: {failure.type.__name__}: {failure.getErrorMessage()}"
    return text if len(text) <= LONGEST_LOG_LINE else f"{text[:LONGEST_LOG_LINE]}…"
