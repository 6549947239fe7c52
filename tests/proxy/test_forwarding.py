"""Further ports of the boiler, passed on between real sockets on loopback."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from hargassner.network.interface import NetworkInterface
from hargassner.proxy import forwarding
from hargassner.proxy.forwarding import ForwardAccess, ForwardFactory, Forwards
from tests.cases import DescriptorCase

ANYBODY = ForwardAccess(["any"], NetworkInterface())
SECONDS = 10
LARGE = 4_000_000


def received(connection: socket.socket) -> bytes:
    """All that comes until the other end says that it is all."""
    pieces = iter(lambda: connection.recv(65536), b"")
    return b"".join(pieces)


class ForwardCase(DescriptorCase):
    """A port that is forwarded to one of a boiler's; both ends are blocking sockets in threads."""

    @inlineCallbacks
    def setUp(self) -> Any:
        yield super().setUp()
        self.boiler = socket.create_server(("127.0.0.1", 0))
        self.boiler.settimeout(SECONDS)
        self.addCleanup(self.boiler.close)
        self.forward(ANYBODY)

    def forward(self, access: ForwardAccess) -> None:
        """Forward a port to the boiler's for whoever has access."""
        number = self.boiler.getsockname()[1]
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", number)
        self.factory = ForwardFactory(80, endpoint.connect, access)
        self.service = Forwards([self.factory])
        listening = reactor.listenTCP(0, self.factory, interface="127.0.0.1")
        self.addCleanup(self.service.stopService)
        self.addCleanup(listening.stopListening)
        self.port = listening.getHost().port

    @contextmanager
    def connected(self) -> Iterator[tuple[socket.socket, socket.socket]]:
        """A client, and the boiler's end of the same connection; for use in a thread."""
        with (
            socket.create_connection(("127.0.0.1", self.port), SECONDS) as client,
            self.boiler.accept()[0] as boiler,
        ):
            boiler.settimeout(SECONDS)
            yield client, boiler

    def in_thread(self, talk: Any) -> Deferred[Any]:
        """Talk over a connection, in a thread; the result is what the talk returns."""

        def run() -> Any:
            with self.connected() as ends:
                return talk(*ends)

        return deferToThread(run)


class PassingTests(ForwardCase):
    """What one end says reaches the other as it is."""

    @inlineCallbacks
    def test_bytes_pass_both_ways(self) -> Any:
        def talk(client: socket.socket, boiler: socket.socket) -> tuple[bytes, bytes]:
            client.sendall(b"\x00\x01GET\r\n")
            asked = boiler.recv(100)
            boiler.sendall(b"\xff200")
            return asked, client.recv(100)

        said = yield self.in_thread(talk)
        self.assertEqual((b"\x00\x01GET\r\n", b"\xff200"), said)

    @inlineCallbacks
    def test_a_reply_still_comes_when_the_request_has_ended(self) -> Any:
        def talk(client: socket.socket, boiler: socket.socket) -> tuple[bytes, bytes]:
            client.sendall(b"request")
            client.shutdown(socket.SHUT_WR)
            asked = received(boiler)
            boiler.sendall(b"x" * LARGE)
            boiler.shutdown(socket.SHUT_WR)
            return asked, received(client)

        asked, answer = yield self.in_thread(talk)
        self.assertEqual((b"request", LARGE), (asked, len(answer)))
        counters = self.factory.counters
        self.assertEqual((7, LARGE), (counters.bytes_from_client, counters.bytes_from_boiler))

    @inlineCallbacks
    def test_a_client_that_takes_nothing_pauses_the_boiler(self) -> Any:
        def talk(client: socket.socket, boiler: socket.socket) -> int:
            boiler.settimeout(0.5)
            sent = 0
            try:
                while sent < 20 * LARGE:
                    sent += boiler.send(b"x" * 65536)
            except TimeoutError:
                return sent
            return sent

        sent = yield self.in_thread(talk)
        self.assertLess(sent, 20 * LARGE)
        self.assertLess(self.factory.counters.bytes_from_boiler, sent)


class EndingTests(ForwardCase):
    """A connection that ends at one end ends at the other."""

    @inlineCallbacks
    def test_the_boilers_end_closes_with_the_clients(self) -> Any:
        def talk(client: socket.socket, boiler: socket.socket) -> bytes:
            client.close()
            return boiler.recv(100)

        self.assertEqual(b"", (yield self.in_thread(talk)))

    @inlineCallbacks
    def test_the_clients_end_closes_with_the_boilers(self) -> Any:
        def talk(client: socket.socket, boiler: socket.socket) -> bytes:
            boiler.close()
            return client.recv(100)

        self.assertEqual(b"", (yield self.in_thread(talk)))

    @inlineCallbacks
    def test_all_end_when_the_bridge_stops(self) -> Any:
        def talk(client: socket.socket, boiler: socket.socket) -> bytes:
            reactor.callFromThread(self.service.stopService)
            try:
                return client.recv(100)
            except ConnectionResetError:
                return b""

        self.assertEqual(b"", (yield self.in_thread(talk)))
        self.assertEqual(set(), self.factory.connections)

    @inlineCallbacks
    def test_a_client_is_closed_where_the_boiler_does_not_serve_the_port(self) -> Any:
        self.boiler.close()

        def connect() -> bytes:
            with socket.create_connection(("127.0.0.1", self.port), SECONDS) as client:
                return client.recv(100)

        for _ in range(3):
            self.assertEqual(b"", (yield deferToThread(connect)))
        self.assertEqual(3, self.factory.counters.unreachable)
        said = [each for each in self.log.lines if "port 80 of the boiler" in each]
        self.assertEqual(["port 80 of the boiler: connection refused"], said)


class AccessTests(ForwardCase):
    """Who may use the port."""

    def refused(self) -> bytes:
        """What somebody gets who connects."""
        with socket.create_connection(("127.0.0.1", self.port), SECONDS) as client:
            try:
                return client.recv(100)
            except ConnectionResetError:
                return b""

    @inlineCallbacks
    def test_whoever_is_not_allowed_is_closed_at_once_and_named_once(self) -> Any:
        self.forward(ForwardAccess(["192.0.2.0/24"], NetworkInterface()))
        for _ in range(3):
            self.assertEqual(b"", (yield deferToThread(self.refused)))
        self.assertEqual((0, 3), (self.factory.counters.connections, self.factory.counters.refused))
        self.assertEqual(
            [
                "127.0.0.1 may not use port 80 of the boiler: "
                "gateway.forward_allow does not have its address"
            ],
            [each for each in self.log.lines if "may not use" in each],
        )

    @inlineCallbacks
    def test_one_connection_too_many_is_closed(self) -> Any:
        self.patch(forwarding, "MOST_CONNECTIONS", 1)

        def talk(client: socket.socket, boiler: socket.socket) -> bytes:
            client.sendall(b"first")
            boiler.recv(100)
            return self.refused()

        self.assertEqual(b"", (yield self.in_thread(talk)))
        self.assertEqual((1, 1), (self.factory.counters.connections, self.factory.counters.refused))


class OwnNetworkTests(SynchronousTestCase):
    """Without ``forward_allow`` the network of the gateway's interface may use the ports."""

    def test_the_interfaces_network_may(self) -> None:
        access = ForwardAccess([], NetworkInterface("lo"))
        self.assertTrue(access.admits("127.3.2.1"))
        self.assertFalse(access.admits("192.0.2.1"))

    def test_nobody_may_while_the_interface_is_absent(self) -> None:
        self.assertFalse(ForwardAccess([], NetworkInterface("absent0")).admits("127.0.0.1"))

    @given(st.ip_addresses(v=4))
    def test_any_is_everybody_and_a_network_is_nobody_else(self, address: Any) -> None:
        self.assertTrue(ANYBODY.admits(str(address)))
        access = ForwardAccess(["10.0.0.0/8"], NetworkInterface("lo"))
        self.assertEqual(str(address).startswith("10."), access.admits(str(address)))


class GoneMeanwhileTests(SynchronousTestCase):
    """A client that leaves while the boiler is being connected."""

    def test_the_attempt_is_given_up(self) -> None:
        given_up: list[object] = []
        attempt: Deferred[Any] = Deferred(given_up.append)
        factory = ForwardFactory(80, lambda _factory: attempt, ANYBODY)
        client = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5))
        transport: Any = StringTransportWithDisconnection()
        transport.setTcpNoDelay = transport.setTcpKeepAlive = lambda _on: None
        transport.protocol = client
        client.makeConnection(transport)
        self.assertEqual(1, len(factory.connections))
        transport.loseConnection()
        self.assertEqual([attempt], given_up)
        self.assertEqual((set(), 0), (factory.connections, factory.counters.unreachable))
        self.assertIsNone(self.successResultOf(attempt))
