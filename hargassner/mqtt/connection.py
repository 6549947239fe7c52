"""One connection to the broker: moves bytes between the transport and the engine.

A broker can send faster than anything can be done about it, and the reactor has a gateway's session
to serve. So what came is taken in slice by slice, one in a turn of the reactor, and nothing more is
read meanwhile: the rest waits where TCP has it wait, at the broker.
"""

from collections import deque
from typing import cast

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from hargassner.mqtt.engine import Engine
from hargassner.mqtt.events import (
    Admitted,
    Answered,
    ConnectionProblem,
    Event,
    NotSubscribed,
    Received,
    Unreadable,
)
from hargassner.mqtt.messages import Message
from hargassner.mqtt.problems import connection_problem
from hargassner.network.connecting import IStreamTransport

PATIENCE = 15.0
"""Seconds from the connection to the broker's answer, the TLS handshake included."""
GRACE = 3.0
"""Seconds that a broker has to take our goodbye."""
MOST_UNREAD = 65_536
"""Bytes that we owe a broker that does not read; past it the connection is given up."""

SLICE = 1024
"""Bytes of the broker's that are taken in in one turn of the reactor."""
MOST_AT_ONCE = 20
"""Events among them of which the owner is told in one turn."""

_UNANSWERED = ConnectionProblem("the broker closed the connection instead of answering")


class IConnectionOwner(Interface):
    """Whoever made the connection."""

    def admitted() -> None:
        """The broker has let us in."""

    def received(topic: str, payload: str) -> None:
        """A message came."""

    def unreadable(topic: str, why: str) -> None:
        """A message came whose payload is too large, or no text; ``why`` says which."""

    def dropped(count: int) -> None:
        """So many messages came that were too large, or no text."""

    def is_ready() -> bool:
        """Whether more may come; if not, ``Connection.go_on`` is called when it may."""

    def not_subscribed(topic_filter: str) -> None:
        """The broker does not let us subscribe to this."""

    def answered() -> None:
        """The broker has taken what was sent before ``Connection.ask``, which was called once more
        than this was."""

    def writable() -> None:
        """More can be published."""

    def lost(why: ConnectionProblem) -> None:
        """The connection is gone."""


@implementer(IPushProducer)
class Connection(Protocol):
    """One connection, from its first byte to its last.

    Args:
        engine: this connection's own.
        clock: time.
        owner: is told what happens.
    """

    def __init__(self, engine: Engine, clock: IReactorTime, owner: IConnectionOwner) -> None:
        self._engine = engine
        self._clock = clock
        self._owner = owner
        self._admitted = False
        self._ended: ConnectionProblem | None = None
        self._timer: IDelayedCall | None = None
        self._tick = LoopingCall(self._keep_alive)
        self._tick.clock = clock
        self._unread = bytearray()
        self._events: deque[Event] = deque()
        self._turn: IDelayedCall | None = None
        self._reading = True
        self._left = False
        self.paused = False

    @property
    def tcp(self) -> IStreamTransport:
        """The transport, known to be TCP, or TLS over it."""
        return cast("IStreamTransport", self.transport)

    def connectionMade(self) -> None:
        """Introduce ourselves."""
        if ITCPTransport.providedBy(self.transport):
            self.tcp.setTcpNoDelay(True)
        self.tcp.registerProducer(self, True)
        # A TLS handshake may be still to come: the endpoint's patience is over by now.
        self._timer = self._clock.callLater(
            PATIENCE,
            self._give_up,
            ConnectionProblem("the broker accepts connections and does not answer"),
        )
        self._engine.begin()
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        """Take in the first slice, unless others wait."""
        if self._ended is None and not self._left:
            behind = self._is_behind
            self._unread += data
            if not behind:
                self._take_in()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; a new one is another's business."""
        self._stop_timers()
        self._forget_unread()
        if self._ended is None:
            unanswered = not self._admitted and reason.check(ConnectionDone, ConnectionLost)
            self._ended = _UNANSWERED if unanswered else connection_problem(reason)
        self._owner.lost(self._ended)

    def pauseProducing(self) -> None:
        """The transport is full."""
        self.paused = True

    def resumeProducing(self) -> None:
        """The transport is empty."""
        self.paused = False
        self._flush()
        if self._admitted:
            self._owner.writable()

    def stopProducing(self) -> None:
        """The transport is gone; ``connectionLost`` tells why."""
        self.paused = True

    def publish(self, message: Message) -> None:
        """Publish; only while not paused."""
        self._engine.publish(message)
        self._flush()

    def subscribe(self, topic_filter: str) -> None:
        """Ask for the messages that match."""
        self._engine.subscribe(topic_filter)
        self._flush()

    def ask(self) -> None:
        """Have the broker answer when it has taken what was sent so far."""
        self._engine.ask()
        self._flush()

    def go_on(self) -> None:
        """The owner is ready for more."""
        if self._is_behind and self._turn is None:
            self._turn = self._clock.callLater(0, self._take_in)

    def leave(self, last: Message) -> None:
        """Publish one more message, say goodbye and close, all within ``GRACE`` seconds."""
        self._stop_timers()
        self._forget_unread()
        if not self._admitted or self._ended is not None:
            self.tcp.abortConnection()
            return
        self._timer = self._clock.callLater(GRACE, self.tcp.abortConnection)
        self._left = True
        # Who closes with something unread resets the connection, and our goodbye is lost.
        self._read(True)
        self._engine.publish(last)
        self._engine.leave()
        # The transport closes as soon as it is empty, and with a producer it never is.
        self.tcp.unregisterProducer()
        self.tcp.write(self._engine.take())
        self.tcp.loseConnection()

    @property
    def _is_behind(self) -> bool:
        """Whether anything waits to be taken in."""
        return not self._reading or self._turn is not None or bool(self._unread or self._events)

    def _take_in(self) -> None:
        """Take in one slice of what came; the next one has its turn later."""
        self._turn = None
        if not self._events:
            piece = bytes(self._unread[:SLICE])
            del self._unread[:SLICE]
            before = self._engine.dropped
            self._events.extend(self._engine.feed(piece))
            self._flush()
            if self._engine.dropped > before:
                self._owner.dropped(self._engine.dropped - before)
        for _ in range(MOST_AT_ONCE):
            if not self._events or self._ended is not None or self._left:
                break
            self._take_note(self._events.popleft())
        if self._ended is not None or self._left:
            return
        behind, ready = bool(self._unread or self._events), self._owner.is_ready()
        self._read(ready and not behind)
        if ready and behind:
            self.go_on()

    def _read(self, reading: bool) -> None:
        if reading is not self._reading:
            self._reading = reading
            if reading:
                self.tcp.resumeProducing()
            else:
                self.tcp.pauseProducing()

    def _forget_unread(self) -> None:
        self._unread.clear()
        self._events.clear()
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.cancel()

    def _keep_alive(self) -> None:
        events = self._engine.tick()
        self._flush()
        for event in events:
            if self._ended is None:
                self._take_note(event)

    def _take_note(self, event: Event) -> None:
        match event:
            case Admitted():
                self._stop_timers()
                self._admitted = True
                self._tick.start(1.0, now=False)
                self._owner.admitted()
            case Received(topic, payload):
                self._owner.received(topic, payload)
            case Unreadable(topic, why):
                self._owner.unreadable(topic, why)
            case NotSubscribed(topic_filter):
                self._owner.not_subscribed(topic_filter)
            case Answered():
                self._owner.answered()
            case ConnectionProblem():
                self._give_up(event)

    def _flush(self) -> None:
        if not self.paused:
            data = self._engine.take()
            if data:
                self.tcp.write(data)
        elif self._engine.pending > MOST_UNREAD:
            self._give_up(ConnectionProblem("the broker sends and does not read"))

    def _give_up(self, why: ConnectionProblem) -> None:
        if self._ended is None:
            self._ended = why
            self._stop_timers()
            self._forget_unread()
            self.tcp.abortConnection()

    def _stop_timers(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._tick.running:
            self._tick.stop()
