"""One connection to the broker: moves bytes between the transport and the engine."""

from typing import cast

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from hargassner.mqtt.engine import Admitted, Engine, Message, NotSubscribed, Received, Setback
from hargassner.mqtt.way import setback_of
from hargassner.network.connecting import IStreamTransport

PATIENCE = 15.0
"""Seconds from the connection to the broker's answer, the TLS handshake included."""
GRACE = 3.0
"""Seconds that a broker has to take our goodbye."""
MOST_UNREAD = 65_536
"""Bytes that we owe a broker that does not read; past it the connection is given up."""

_UNANSWERED = Setback("the broker closed the connection instead of answering")


class IConnectionOwner(Interface):
    """Whoever made the connection."""

    def admitted() -> None:
        """The broker has let us in."""

    def received(topic: str, payload: str) -> None:
        """A message came."""

    def dropped(count: int) -> None:
        """So many messages came that were too large, or no text."""

    def not_subscribed(topic_filter: str) -> None:
        """The broker does not let us subscribe to this."""

    def writable() -> None:
        """More can be published."""

    def lost(why: Setback) -> None:
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
        self._ended: Setback | None = None
        self._timer: IDelayedCall | None = None
        self._tick = LoopingCall(self._keep_alive)
        self._tick.clock = clock
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
            PATIENCE, self._give_up, Setback("the broker accepts connections and does not answer")
        )
        self._engine.begin()
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        """Understand it."""
        before = self._engine.dropped
        events = self._engine.feed(data)
        if self._engine.dropped > before:
            self._owner.dropped(self._engine.dropped - before)
        self._take_note(events)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; a new one is another's business."""
        self._stop_timers()
        if self._ended is None:
            unanswered = not self._admitted and reason.check(ConnectionDone, ConnectionLost)
            self._ended = _UNANSWERED if unanswered else setback_of(reason)
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

    def leave(self, last: Message) -> None:
        """Publish one more message, say goodbye and close, all within ``GRACE`` seconds."""
        self._stop_timers()
        if not self._admitted or self._ended is not None:
            self.tcp.abortConnection()
            return
        self._timer = self._clock.callLater(GRACE, self.tcp.abortConnection)
        self._engine.publish(last)
        self._engine.leave()
        # The transport closes as soon as it is empty, and with a producer it never is.
        self.tcp.unregisterProducer()
        self.tcp.write(self._engine.take())
        self.tcp.loseConnection()

    def _keep_alive(self) -> None:
        self._take_note(self._engine.tick())

    def _take_note(self, events: list[Admitted | Received | NotSubscribed | Setback]) -> None:
        self._flush()
        for event in events:
            if self._ended is not None:
                return
            match event:
                case Admitted():
                    self._stop_timers()
                    self._admitted = True
                    self._tick.start(1.0, now=False)
                    self._owner.admitted()
                case Received(topic, payload):
                    self._owner.received(topic, payload)
                case NotSubscribed(topic_filter):
                    self._owner.not_subscribed(topic_filter)
                case Setback():
                    self._give_up(event)

    def _flush(self) -> None:
        if not self.paused:
            data = self._engine.take()
            if data:
                self.tcp.write(data)
        elif self._engine.pending > MOST_UNREAD:
            self._give_up(Setback("the broker sends and does not read"))

    def _give_up(self, why: Setback) -> None:
        if self._ended is None:
            self._ended = why
            self._stop_timers()
            self.tcp.abortConnection()

    def _stop_timers(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._tick.running:
            self._tick.stop()
