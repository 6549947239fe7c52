"""The far end of a connection, which does what the test says, and the transport that we hold."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer


class ScriptedTransport(StringTransport):
    """A connection of a protocol's; what the far end does is up to the test.

    Args:
        closes: whether the far end takes all that it is sent, so that the connection is lost as
            soon as it is closed; otherwise it is when the test says so.
    """

    protocol: Any = None

    def __init__(self, closes: bool = False) -> None:
        # As a real one it may be paused after it was closed.
        super().__init__(lenient=True)
        self.closes = closes
        self.aborted = False
        self.lost = False
        self.no_delay = False
        self.keep_alive = False
        self.segments: list[bytes] = []
        """What was written, each call by itself."""

    def carry(self, protocol: Any) -> None:
        """Make this the protocol's connection."""
        self.protocol = protocol
        protocol.makeConnection(self)

    # What a Twisted transport offers.

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.keep_alive = enabled

    def write(self, data: bytes) -> None:
        super().write(data)
        self.segments.append(data)

    def loseConnection(self) -> None:
        super().loseConnection()
        if self.closes:
            self.gone()

    def abortConnection(self) -> None:
        self.aborted = self.disconnecting = True
        self.gone(ConnectionLost())

    def unregisterProducer(self) -> None:
        if self.producer is not None:
            super().unregisterProducer()

    # What the far end does.

    def says(self, data: bytes) -> None:
        """It sends something."""
        assert self.producerState == "producing", "nothing is read while the transport is paused"
        self.protocol.dataReceived(data)

    def taken(self) -> bytes:
        """What it received since it was asked last."""
        data = self.value()
        self.clear()
        self.segments.clear()
        return data

    def gone(self, why: Exception | None = None) -> None:
        """The connection is lost, closed unless there is another reason."""
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(why or ConnectionDone()))


@implementer(IStreamClientEndpoint)
class ScriptedEndpoint:
    """Connects, or doesn't, when the test says so.

    Args:
        closes: whether connections are lost as soon as they are closed.
    """

    def __init__(self, closes: bool = True) -> None:
        self.closes = closes
        self.attempts: list[tuple[Deferred[Any], Any]] = []
        self.cancelled = 0

    def connect(self, protocolFactory: Any) -> Deferred[Any]:
        def cancel(_: object) -> None:
            self.cancelled += 1
            self.attempts.remove(pending)

        attempt: Deferred[Any] = Deferred(cancel)
        pending = (attempt, protocolFactory)
        self.attempts.append(pending)
        return attempt

    def transport(self) -> Any:
        """The transport of the next connection."""
        return ScriptedTransport(self.closes)

    def accept(self) -> Any:
        """The oldest attempt succeeds; its transport."""
        attempt, factory = self.attempts.pop(0)
        transport = self.transport()
        transport.carry(factory.buildProtocol(None))
        attempt.callback(transport.protocol)
        return transport

    def refuse(self, why: Exception | None = None) -> None:
        """The oldest attempt fails."""
        attempt, _ = self.attempts.pop(0)
        attempt.errback(Failure(why or ConnectError()))
