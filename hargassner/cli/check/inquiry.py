"""Asking a broker what it lets the bridge publish, in MQTT 5.

A broker that does not let a client publish says nothing in MQTT 3.1.1, which the bridge speaks: it
takes the message and forgets it.  In MQTT 5 it answers each message with a reason, and tells how
large a packet it takes at most.
"""

from collections.abc import Iterable
from typing import cast

from twisted.internet.interfaces import IProtocolFactory, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from hargassner.mqtt.endpoint import BrokerEndpoint
from hargassner.mqtt.engine import Engine
from hargassner.mqtt.events import Admitted, ConnectionProblem, Delivered
from hargassner.mqtt.messages import Message
from hargassner.network.connecting import SingleFactory


class Inquiry(Protocol):
    """One connection in MQTT 5, which publishes some messages and takes the answer to each.

    Args:
        messages: what to publish; nobody retains it.
    """

    def __init__(self, messages: Iterable[Message]) -> None:
        self.reasons: dict[str, str] = {}
        """Why the broker does not take a message, by its topic; empty where it does."""
        self.largest = 0
        """Bytes of a packet that the broker takes at most; 0 where it tells no limit."""
        self.over = False
        self._messages = list(messages)

    async def make(self, endpoint: BrokerEndpoint, engine: Engine) -> None:
        """Connect; ``over`` tells whether that came to nothing.

        Args:
            endpoint: the broker's.
            engine: speaks MQTT 5.
        """
        self._engine = engine
        try:
            await endpoint.connect(cast("IProtocolFactory", SingleFactory(self)))
        except Exception:
            # What comes back on the other connection tells the most.
            self.over = True

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
        if self.transport is not None:
            self._flush()
            self.transport.loseConnection()

    def _flush(self) -> None:
        cast("ITransport", self.transport).write(self._engine.take())
