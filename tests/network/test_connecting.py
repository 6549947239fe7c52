"""Connecting through one interface."""

import gc
import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import ConnectError, NoProtocol, UserError
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from zope.interface.verify import verifyObject

from hargassner.network.connecting import BoundClientEndpoint
from hargassner.network.interface import NetworkInterface, NotThereYetError
from tests.cases import DescriptorCase, SocketCase, free_ports
from tests.network.binding import need_device_binding

LOOPBACK = NetworkInterface("lo")


class Peer(Protocol):
    """Keeps what it hears, and tells when it is over."""

    def __init__(self) -> None:
        self.heard = b""
        self.over: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Any) -> None:
        self.over.callback(None)


def peers() -> Factory:
    """Builds peers, silently."""
    factory = Factory.forProtocol(Peer)
    factory.noisy = False
    return factory


class AttemptTests(SocketCase):
    """Attempts that do not succeed: each says why, and leaves nothing behind."""

    def setUp(self) -> None:
        super().setUp()
        need_device_binding()
        self.listener = self.opened(socket.create_server(("127.0.0.1", 0)))
        self.port = self.listener.getsockname()[1]
        # Even a failed attempt leaves no descriptor to the garbage collector.
        gc.disable()
        self.addCleanup(gc.enable)

    def connect(self, port: int, interface: NetworkInterface = LOOPBACK) -> Deferred[Any]:
        reactor: Any = self.reactor
        return BoundClientEndpoint(reactor, "127.0.0.1", port, interface, 10).connect(peers())

    def nothing_is_watched(self) -> None:
        self.assertEqual(([], []), (self.reactor.readers, self.reactor.writers))
        self.assertEqual([], self.reactor.getDelayedCalls())

    def test_it_is_an_endpoint(self) -> None:
        real: Any = self.reactor
        verifyObject(IStreamClientEndpoint, BoundClientEndpoint(real, "127.0.0.1", 1, LOOPBACK, 1))

    def test_the_socket_is_tied_before_it_connects(self) -> None:
        connecting = self.connect(self.port)
        [attempt] = self.reactor.writers
        with socket.socket(fileno=socket.dup(attempt.fileno())) as sock:
            device = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        self.assertEqual(b"lo", device.rstrip(b"\0"))
        connecting.cancel()
        self.failureResultOf(connecting, UserError)

    def test_a_refusal_is_told_as_one(self) -> None:
        [nobody] = free_ports(1)
        connecting = self.connect(nobody)
        self.reactor.turn()
        self.failureResultOf(connecting, Refused)
        self.nothing_is_watched()

    def test_no_answer_ends_the_attempt_in_time(self) -> None:
        """Nobody looks at the socket here, as if nothing came."""
        connecting = self.connect(self.port)
        self.reactor.advance(9.9)
        self.assertNoResult(connecting)
        self.reactor.advance(0.1)
        self.failureResultOf(connecting, ConnectTimeout)
        self.nothing_is_watched()

    def test_an_attempt_can_be_cancelled(self) -> None:
        connecting = self.connect(self.port)
        connecting.cancel()
        self.failureResultOf(connecting, UserError)
        self.nothing_is_watched()

    def test_an_absent_interface_is_told(self) -> None:
        failed = self.failureResultOf(
            self.connect(self.port, NetworkInterface("absent0")), NotThereYetError
        )
        self.assertEqual("there is no interface absent0", failed.getErrorMessage())
        self.nothing_is_watched()

    def test_an_absent_address_is_told(self) -> None:
        connecting = self.connect(self.port, NetworkInterface("lo", "192.0.2.77"))
        self.failureResultOf(connecting, ConnectError)
        self.nothing_is_watched()

    def test_an_address_out_of_reach_is_told(self) -> None:
        """Routes to elsewhere do not count: the interface does."""
        real: Any = self.reactor
        endpoint = BoundClientEndpoint(real, "255.255.255.255", 23, LOOPBACK, 10)
        self.failureResultOf(endpoint.connect(peers()), ConnectError)
        self.nothing_is_watched()


class ConnectionTests(DescriptorCase):
    """Attempts that succeed."""

    @inlineCallbacks
    def setUp(self) -> Any:
        need_device_binding()
        yield super().setUp()
        self.accepted: Deferred[Peer] = Deferred()
        accepting = peers()
        build = accepting.buildProtocol

        def accept(address: object) -> Any:
            peer = build(address)
            reactor.callLater(0, self.accepted.callback, peer)
            return peer

        accepting.buildProtocol = accept
        self.listening = reactor.listenTCP(0, accepting, interface="127.0.0.1")
        self.addCleanup(self.listening.stopListening)

    def connect(self, factory: Any, interface: NetworkInterface = LOOPBACK) -> Deferred[Any]:
        number = self.listening.getHost().port
        return BoundClientEndpoint(reactor, "127.0.0.1", number, interface, 10).connect(factory)

    @inlineCallbacks
    def test_the_connected_protocol_is_the_result(self) -> Any:
        ours = yield self.connect(peers())
        theirs = yield self.accepted
        self.assertIsInstance(ours, Peer)
        theirs.transport.write(b"$666151\r\n")
        theirs.transport.loseConnection()
        yield ours.over
        self.assertEqual(b"$666151\r\n", ours.heard)
        yield theirs.over

    @inlineCallbacks
    def test_it_connects_from_the_given_address(self) -> Any:
        ours = yield self.connect(peers(), NetworkInterface("lo", "127.0.0.9"))
        theirs = yield self.accepted
        self.assertEqual("127.0.0.9", theirs.transport.getPeer().host)
        ours.transport.loseConnection()
        yield ours.over
        yield theirs.over

    @inlineCallbacks
    def test_a_factory_without_a_protocol_closes_the_connection(self) -> Any:
        nobody = peers()
        nobody.buildProtocol = lambda _address: None
        yield self.assertFailure(self.connect(nobody), NoProtocol)
        theirs = yield self.accepted
        yield theirs.over

    @inlineCallbacks
    def test_a_factory_that_raises_closes_the_connection(self) -> Any:
        broken = peers()

        def fail(_address: object) -> None:
            raise RuntimeError("on purpose")

        broken.buildProtocol = fail
        yield self.assertFailure(self.connect(broken), RuntimeError)
        theirs = yield self.accepted
        yield theirs.over
