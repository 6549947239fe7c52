"""The observer beside the proxy: what passes is interpreted, and given to the model."""

import re
from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from hargassner.boiler.model import Boiler
from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.dialogue import Dialogue
from hargassner.dialogue.events import (
    Announced,
    BoilerDescribed,
    Described,
    Event,
    Identified,
    LoggedIn,
    ModelEvent,
    Passthrough,
    Readings,
    Refused,
    SessionOpened,
    SessionOver,
    TelemetryLine,
    Unreadable,
)
from hargassner.discovery import FoundBoiler, FoundGateway
from hargassner.monitor.hidden import Hidden
from hargassner.monitor.meaning import Meaning
from hargassner.monitor.readings import LineReader
from hargassner.observers import Once
from hargassner.proxy.observers import IExchangeObserver
from hargassner.proxy.session import Session
from hargassner.terminal import printable

log = Logger()

_KINDS_SAID = 100
_REQUEST = re.compile(r"\$[A-Za-z]")
_WORDS = re.compile(r"\$?[A-Za-z]+(?: [A-Za-z]+)?")


class Interpreter:
    """Turns what passes into events for the model.

    Args:
        boiler: the model.
        clock: the time of each event.
        described: called with each descriptor that the boiler sends.
        hidden: places of values in a telemetry line that the descriptor leaves out; "auto" has
            them found.
        given: what the owner says that lines mean, for as long as the boiler does not.
    """

    def __init__(
        self,
        boiler: Boiler,
        clock: IReactorTime,
        described: Callable[[BoilerDescribed], object],
        hidden: Hidden = "auto",
        given: Descriptor | None = None,
    ) -> None:
        self.boiler = boiler
        self.unreadable = 0
        self._clock = clock
        self._described = described
        self._lines = LineReader(hidden)
        self._meaning = Meaning(given)
        self._said = Once(_KINDS_SAID)

    def words(self) -> tuple[str, ...]:
        """The digital words of the last line, as the boiler says them."""
        return self._lines.words

    def observe(self, session: Session) -> "SessionInterpreter":
        """An observer for a session that begins."""
        return SessionInterpreter(self, session)

    def take(self, events: Iterable[Event], session: int | None = None) -> None:
        """Give events to the model, and log what a human wants to know."""
        now = self._clock.seconds()
        for event in events:
            self.boiler.apply(self._for_the_model(event), now, session)

    def _for_the_model(self, event: Event) -> ModelEvent:
        """The event without bytes: a line's readings, a document's descriptor."""
        match event:
            case TelemetryLine():
                return self._read(event.line)
            case BoilerDescribed():
                self._described(event)
                return Described(event.descriptor)
            case Unreadable():
                self.unreadable += 1
                self._say_once(
                    "unreadable", event.reason, "cannot be read: {text} ({kind})", event.text
                )
            case Passthrough():
                self._say_passthrough(event)
            case Refused(asked_by="gateway"):
                # An older boiler refuses what the gateway asks every few seconds, for years.
                words = _WORDS.match(event.request)
                self._say_once(
                    "refused",
                    f"{words[0] if words else ''} {event.reply}",
                    "the boiler refused {text}; it is said once of each kind",
                    f"{event.request}: {event.reply}",
                )
        return event

    def _read(self, line: bytes) -> Readings:
        """A line's readings; where nobody has said what lines mean, it may tell that itself."""
        if self.boiler.descriptor is None:
            meaning = self._meaning.take(line)
            if meaning is not None:
                self.boiler.apply(meaning, self._clock.seconds())
        return self._lines.read(line, self.boiler.descriptor)

    def _say_passthrough(self, event: Passthrough) -> None:
        if _REQUEST.match(event.kind):
            self._say_once(
                "passthrough",
                event.kind,
                "the request {kind} is unknown: its replies pass without being understood",
            )
        else:
            self._say_once(
                "passthrough",
                "no request",
                "what is no request passes without being understood: {text}",
                event.request,
            )

    def gateway_announced(self, gateway: FoundGateway) -> None:
        """The gateway announced itself, or has become known by its login."""
        announcement = gateway.announcement
        self.take([Announced(gateway.address, announcement.software, announcement.serial)])

    def boiler_answered(self, found: FoundBoiler) -> None:
        """The boiler answered the gateway's broadcast."""
        facts = [
            Identified("boiler_address", found.address),
            Identified("system_code", found.services.system_code),
        ]
        # In a session the boiler gives its model more exactly.
        if not self.boiler.identity.model:
            facts.append(Identified("model", found.services.model))
        if not self.boiler.identity.firmware:
            facts.append(Identified("firmware", found.services.firmware))
        self.take(facts)

    def _say_once(self, what: str, kind: str, format_: str, text: str = "") -> None:
        if self._said.first((what, kind)):
            log.info(format_, kind=printable(kind), text=printable(text))


@implementer(IExchangeObserver)
class SessionInterpreter:
    """Understands one session.

    ``dialogue`` is what is understood of it. ``failed`` says that something raised, so that the
    dialogue cannot be relied on any more.
    """

    __slots__ = ("_interpreter", "_listeners", "_session", "dialogue", "failed")

    def __init__(self, interpreter: Interpreter, session: Session) -> None:
        self.dialogue = Dialogue()
        self.failed = False
        self._interpreter = interpreter
        self._session = session
        self._listeners: list[Callable[[Event], None]] = []
        self._take([SessionOpened(session.number, session.address)])

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have ``listener`` called with each event but telemetry, when the model has it."""
        self._listeners.append(listener)

    def gateway_sent(self, data: bytes) -> None:
        """Take in bytes from the gateway."""
        self._understand(self.dialogue.gateway_sent, data)

    def boiler_sent(self, data: bytes) -> None:
        """Take in bytes from the boiler."""
        self._understand(self.dialogue.boiler_sent, data)

    def bridge_sent(self, data: bytes) -> None:
        """Take in a request of the bridge's own."""
        self._understand(self.dialogue.bridge_sent, data)

    def bridge_received(self, data: bytes) -> None:
        """Take in the boiler's answer to it."""
        self._understand(self.dialogue.bridge_received, data)

    def notice_follows(self, of_bridge: bool) -> None:
        """Take in whether the notice which ends next refuses the bridge's request, or anybody's."""
        self.dialogue.notice_follows(of_bridge)

    def over(self, reason: str) -> None:
        """The session is over: the model takes that in."""
        self._take([SessionOver(self._session.number, reason)])

    def _understand(self, sent: Callable[[bytes], list[Event]], data: bytes) -> None:
        try:
            events = sent(data)
            # Nearly every message comes in two segments, and the first one completes nothing.
            if events:
                self._take(events)
        except Exception:
            self.failed = True
            raise

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, LoggedIn):
                self._session.said_login()
        self._interpreter.take(events, self._session.number)
        for event in events:
            if not isinstance(event, TelemetryLine):
                for listener in self._listeners:
                    listener(event)
