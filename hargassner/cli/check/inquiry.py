"""Asking a broker what it lets the bridge publish, in MQTT 5.

A broker that does not let a client publish says nothing in MQTT 3.1.1, which the bridge speaks: it
takes the message and forgets it.  In MQTT 5 it answers each message with a reason, and tells how
large a packet it takes at most.
"""

from collections.abc import Iterable

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from hargassner.mqtt.engine import Engine
from hargassner.mqtt.events import Admitted, ConnectionProblem, Delivered
from hargassner.mqtt.messages import Message


class Inquiry(Protocol):
    """One connection in MQTT 5, which publishes some messages and takes the answer to each.

    Args:
        engine: speaks MQTT 5.
        messages: what to publish; nobody retains it.
    """

    def __init__(self, engine: Engine, messages: Iterable[Message]) -> None:
        self.reasons: dict[str, str] = {}
        """Why the broker does not take a message, by its topic; empty where it does."""
        self.largest = 0
        """Bytes of a packet that the broker takes at most; 0 where it tells no limit."""
        self.over = False
        self._engine = engine
        self._messages = list(messages)

    def connectionMade(self) -> None:
        """Send the CONNECT packet."""
        self._engine.begin()
        self._flush()

    def dataReceived(self, data: bytes) -> None:
        """Publish when admitted, and leave with the last answer."""
        if self.over:
            return
        for event in self._engine.feed(data):
            self._happened(event)
        if len(self.reasons) == len(self._messages):
            self._engine.leave()
            self.end()
        self._flush()

    def _happened(self, event: object) -> None:
        match event:
            case Admitted(largest):
                self.largest = largest
                for each in self._messages:
                    self._engine.publish_answered(each)
            case Delivered(topic, reason):
                self.reasons[topic] = reason
            case ConnectionProblem():
                self.end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """A broker that speaks no MQTT 5 may close."""
        self.over = True

    def end(self) -> None:
        """Close, whatever was answered so far."""
        self.over = True
        self._flush()
        if self.transport is not None:
            self.transport.loseConnection()

    def _flush(self) -> None:
        if self.transport is not None:
            self.transport.write(self._engine.take())
