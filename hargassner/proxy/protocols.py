"""Both ends of a session: the protocol that speaks with the client, and that with the boiler."""

from typing import Protocol as Typed
from typing import cast

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.network.connecting import IStreamTransport, notice_its_loss


class SessionSides(Typed):
    """A session, as its two connections see it."""

    def client_connected(self, client: "ProxyProtocol") -> None:
        """The client is there."""

    def boiler_connected(self, boiler: "BoilerProtocol") -> None:
        """The boiler is there."""

    def client_said(self, data: bytes) -> None:
        """Bytes came from the client."""

    def boiler_said(self, data: bytes) -> None:
        """Bytes came from the boiler."""

    def leg_finished(self, leg: "Leg") -> None:
        """One side sent FIN."""

    def leg_lost(self, leg: "Leg", reason: Failure) -> None:
        """One connection is gone."""


@implementer(IHalfCloseableProtocol)
class Leg(Protocol):
    """One of a session's two connections."""

    name = ""

    def __init__(self, session: SessionSides) -> None:
        self.session = session
        self.finished = False

    @property
    def tcp(self) -> IStreamTransport:
        """The transport, known to be TCP."""
        return cast("IStreamTransport", self.transport)

    def connectionMade(self) -> None:
        """Make the connection quick, and its loss noticeable."""
        self.tcp.setTcpNoDelay(True)
        self.tcp.setTcpKeepAlive(True)
        notice_its_loss(self.transport)

    def readConnectionLost(self) -> None:
        """The peer said all that it had to say."""
        self.finished = True
        self.session.leg_finished(self)

    def writeConnectionLost(self) -> None:
        """Our own FIN has been sent."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self.session.leg_lost(self, reason)


class ProxyProtocol(Leg):
    """The client's side of a session: the gateway, as a rule."""

    name = "the client"

    def connectionMade(self) -> None:
        """Read nothing before the boiler's side is up."""
        super().connectionMade()
        self.tcp.pauseProducing()
        self.session.client_connected(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it to the boiler."""
        self.session.client_said(data)


class BoilerProtocol(Leg):
    """The boiler's side of a session."""

    name = "the boiler"

    def connectionMade(self) -> None:
        """Join it to the client's side."""
        super().connectionMade()
        self.session.boiler_connected(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it to the client."""
        self.session.boiler_said(data)


class BoilerClientFactory(ClientFactory[BoilerProtocol]):
    """Connects one session to the boiler, once."""

    noisy = False

    def __init__(self, session: SessionSides) -> None:
        self._session = session

    def buildProtocol(self, addr: IAddress | None) -> BoilerProtocol:
        """The boiler's side of this session."""
        return BoilerProtocol(self._session)
