"""One connection to the broker: moves bytes between the transport and the engine."""

from typing import cast

from twisted.internet.interfaces import IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from hargassner.mqtt.connection_life import Timed, new_life
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
from hargassner.mqtt.intake import Intake
from hargassner.mqtt.messages import Message
from hargassner.network.connecting import IStreamTransport

MOST_UNREAD = 65_536
"""Bytes that we owe a broker that does not read; past it the connection is given up."""


class IConnectionOwner(Interface):
    """Whoever made the connection."""

    def admitted() -> None:
        """The broker has accepted us."""

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
        """The transport is empty; once we are accepted, more can be published."""

    def lost(why: ConnectionProblem) -> None:
        """The connection is gone."""


@implementer(IPushProducer)
class Connection(Protocol):
    """A connection from the TCP handshake to the goodbye, or whatever ends it before.

    ``paused`` is whether the transport is full or gone, and nothing may be published.

    Args:
        engine: this connection's own.
        clock: time.
        owner: is called when something happens.
    """

    def __init__(self, engine: Engine, clock: IReactorTime, owner: IConnectionOwner) -> None:
        self.paused = False
        self._engine = engine
        self._clock = clock
        self._owner = owner
        self._life = new_life(Timed(clock, self.give_up, self._keep_alive, self._abort))

    @property
    def tcp(self) -> IStreamTransport:
        """The transport, known to be TCP, or TLS over it."""
        return cast("IStreamTransport", self.transport)

    def connectionMade(self) -> None:
        """Introduce ourselves."""
        if ITCPTransport.providedBy(self.transport):
            self.tcp.setTcpNoDelay(True)
        self.tcp.registerProducer(self, True)
        self._intake = Intake(
            self._clock, self.tcp, self._parse, self._handle, self._owner.is_ready
        )
        self._life.connected()
        self._engine.begin()
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        """Take in the first slice, unless others wait."""
        self._intake.received(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; a new one is another's business."""
        problem = self._life.lost(reason)
        self.paused = True
        self._intake.close()
        self._owner.lost(problem)

    def pauseProducing(self) -> None:
        """The transport is full."""
        self.paused = True

    def resumeProducing(self) -> None:
        """The transport is empty."""
        self.paused = False
        self._flush()
        self._owner.writable()

    def stopProducing(self) -> None:
        """The transport is gone; ``connectionLost`` gives the reason."""
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
        self._intake.go_on()

    def leave(self, last: Message) -> None:
        """Publish one more message, say goodbye and close, all within a few seconds."""
        if not self._life.leave():
            self._abort()
            return
        # Who closes with something unread resets the connection, and our goodbye is lost.
        self._intake.discard()
        self._engine.publish(last)
        self._engine.leave()
        # The transport closes as soon as it is empty, and with a producer it never is.
        self.tcp.unregisterProducer()
        self.tcp.write(self._engine.take())
        self.tcp.loseConnection()

    def give_up(self, why: ConnectionProblem) -> None:
        """Close at once, since the connection is of no use any more."""
        if self._life.give_up(why):
            self._abort()

    def _keep_alive(self) -> None:
        """Do what is to be done every second."""
        events = self._engine.tick()
        self._flush()
        for event in events:
            self._handle(event)

    def _abort(self) -> None:
        self._intake.close()
        self.tcp.abortConnection()

    def _parse(self, piece: bytes) -> list[Event]:
        before = self._engine.dropped
        events = self._engine.feed(piece)
        self._flush()
        if self._engine.dropped > before:
            self._owner.dropped(self._engine.dropped - before)
        return events

    def _handle(self, event: Event) -> None:
        match event:
            case Admitted():
                self._life.accepted()
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
                self.give_up(event)

    def _flush(self) -> None:
        if not self.paused:
            data = self._engine.take()
            if data:
                self.tcp.write(data)
        elif self._engine.pending > MOST_UNREAD:
            self.give_up(ConnectionProblem("the broker sends and does not read"))
