"""Both ends of a session: the protocol that speaks with the client, and that with the boiler."""

from collections.abc import Callable
from typing import Protocol as Typed
from typing import cast

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.network.connecting import IStreamTransport, notice_its_loss


class SessionEvents(Typed):
    """What happens to the two connections of a session."""

    def client_connected(self, client: "ProxyProtocol", /) -> None:
        """The client connected."""

    def boiler_connected(self, boiler: "BoilerProtocol", /) -> None:
        """The boiler connected."""

    def leg_finished(self, leg: "Leg", /) -> None:
        """One side sent FIN; bytes still pass to it."""

    def leg_lost(self, leg: "Leg", reason: Failure, /) -> None:
        """One connection is gone."""


def ignore(_data: bytes) -> None:
    """Take bytes that pass to nobody."""


@implementer(IHalfCloseableProtocol)
class Leg(Protocol):
    """One of a session's two connections.

    Args:
        events: learns what happens to the connection.
    """

    name = ""

    def __init__(self, events: SessionEvents) -> None:
        self._events = events
        self.pass_on: Callable[[bytes], None] = ignore
        """Takes what the peer says; the session's state decides what it is."""
        self.finished = False
        """Whether the peer sent FIN."""
        self.lost = False

    @property
    def tcp(self) -> IStreamTransport:
        """The transport, known to be TCP."""
        return cast("IStreamTransport", self.transport)

    def connectionMade(self) -> None:
        """Make the connection quick, and its loss noticeable."""
        self.tcp.setTcpNoDelay(True)
        self.tcp.setTcpKeepAlive(True)
        notice_its_loss(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Pass it to the other side."""
        self.pass_on(data)

    def readConnectionLost(self) -> None:
        """The peer said all that it had to say."""
        self.finished = True
        self._events.leg_finished(self)

    def writeConnectionLost(self) -> None:
        """Our own FIN has been sent."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self.lost = True
        self._events.leg_lost(self, reason)


class ProxyProtocol(Leg):
    """The client's side of a session: the gateway, as a rule."""

    name = "the client"

    def connectionMade(self) -> None:
        """Read nothing before the boiler's side is up."""
        super().connectionMade()
        self.tcp.pauseProducing()
        self._events.client_connected(self)


class BoilerProtocol(Leg):
    """The boiler's side of a session."""

    name = "the boiler"

    def connectionMade(self) -> None:
        """Join it to the client's side."""
        super().connectionMade()
        self._events.boiler_connected(self)


class BoilerClientFactory(ClientFactory[BoilerProtocol]):
    """Connects one session to the boiler, once."""

    noisy = False

    def __init__(self, events: SessionEvents) -> None:
        self._events = events

    def buildProtocol(self, addr: IAddress | None) -> BoilerProtocol:
        """The boiler's side of this session."""
        return BoilerProtocol(self._events)
