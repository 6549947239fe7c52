"""The proxy's sessions in memory: two far ends of connections, a clock, and observers."""

from collections.abc import Iterable

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hargassner.discovery import Announcement, Devices, ServiceList
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session
from hargassner.proxy.session_states import FLUSH_TIMEOUT
from tests.cases import Log
from tests.doubles.transports import ScriptedTransport

GATEWAY = "192.0.2.7"
OTHER = "192.0.2.8"
BOILER = "198.51.100.2"


class Connection(ScriptedTransport):
    """The far end of a connection, and the transport that the proxy holds of it."""

    def __init__(self) -> None:
        super().__init__()
        self.fin = False
        self.full = False
        """Whether the far end takes nothing, so that whatever is written pauses the producer."""

    @property
    def received(self) -> bytes:
        """All that the far end got."""
        return self.value()

    @property
    def paused(self) -> bool:
        """Whether the proxy reads nothing from it."""
        return self.producerState == "paused"

    @property
    def closing(self) -> bool:
        """Whether the proxy closes it."""
        return self.disconnecting

    def write(self, data: bytes) -> None:
        assert not self.lost, "a real one raises when it is written to at once and is gone"
        super().write(data)
        if self.full and self.producer is not None:
            self.producer.pauseProducing()

    def loseWriteConnection(self) -> None:
        assert self.producer is None, "TCP never finishes while a producer is registered"
        self.fin = True

    def loseConnection(self) -> None:
        assert self.producer is None, "TCP never finishes while a producer is registered"
        super().loseConnection()

    def sends_fin(self) -> None:
        """The far end says nothing more."""
        self.protocol.readConnectionLost()


@implementer(ISessionObserver)
class RecordingObserver:
    """Keeps what it observes."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []

    def gateway_sent(self, data: bytes) -> None:
        self.heard.append(("gateway", data))

    def boiler_sent(self, data: bytes) -> None:
        self.heard.append(("boiler", data))

    def over(self, reason: str) -> None:
        self.heard.append(("over", reason))


@implementer(ISessionObserver)
class FailingObserver:
    """Raises whatever happens."""

    def gateway_sent(self, data: bytes) -> None:
        raise ZeroDivisionError

    boiler_sent = gateway_sent

    def over(self, reason: str) -> None:
        raise ZeroDivisionError


class ProxyCase(SynchronousTestCase):
    """A proxy between clients and a boiler that the test connects by hand."""

    allow: Iterable[str] = ("igw", OTHER)

    def setUp(self) -> None:
        self.clock = Clock()
        self.devices = Devices(self.clock)
        self.devices.gateway_announced(GATEWAY, Announcement("6.4.1", "0012345"))
        self.devices.boiler_answered(BOILER, ServiceList("HSV/CL", "V14.0n3", "0BADCAFE"))
        self.connecting: list[tuple[Deferred[IProtocol], IProtocolFactory]] = []
        self.cancelled = 0
        self.observers: list[ISessionObserver] = []
        self.factory = ProxyFactory(
            self.clock, self.connect, Access(self.allow, self.devices), self.observers_of
        )
        self.devices.on_announcement(self.factory.gateway_announced)
        self.factory.on_login(lambda session: self.devices.gateway_logged_in(session.address))
        self.log = Log(self)
        self.addCleanup(self.nothing_is_left)

    def nothing_is_left(self) -> None:
        for session in list(self.factory.sessions.values()):
            session.end("the test is over")
        self.clock.advance(FLUSH_TIMEOUT)
        self.assertEqual({}, self.factory.sessions)
        self.assertEqual([], self.clock.getDelayedCalls())

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        def cancel(_: object) -> None:
            self.cancelled += 1

        attempt: Deferred[IProtocol] = Deferred(cancel)
        self.connecting.append((attempt, factory))
        return attempt

    def observers_of(self, session: Session) -> list[ISessionObserver]:
        return self.observers

    def client(self, address: str = GATEWAY, port: int = 51975) -> Connection:
        connection = Connection()
        connection.carry(self.factory.buildProtocol(IPv4Address("TCP", address, port)))
        return connection

    def boiler(self) -> Connection:
        """The boiler takes the connection that was asked for last."""
        attempt, factory = self.connecting.pop()
        connection = Connection()
        connection.carry(factory.buildProtocol(IPv4Address("TCP", BOILER, 23)))
        attempt.callback(connection.protocol)
        return connection

    def session(self, address: str = GATEWAY) -> tuple[Connection, Connection]:
        client = self.client(address)
        return client, self.boiler()

    def catch_up(self) -> None:
        """Have the observers get what has passed so far."""
        for session in list(self.factory.sessions.values()):
            session.catch_up()

    def announce(self, address: str = GATEWAY, serial: str = "0012345") -> None:
        trusted = self.devices.trusted_gateway
        silence = None if trusted is None else self.factory.silence(trusted.address)
        self.devices.gateway_announced(address, Announcement("6.4.1", serial), silence)
