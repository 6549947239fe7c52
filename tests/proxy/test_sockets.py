"""The proxy between real sockets on loopback: bytes, back-pressure, and every way to end."""

import gc
import socket
import struct
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import DeferredList, inlineCallbacks

from hargassner.boiler.model import Boiler
from hargassner.dialogue.dialogue import Dialogue
from hargassner.discovery import ServiceList
from hargassner.monitor.interpreter import Interpreter
from hargassner.proxy.exchange import BridgeRequest, SessionOverError
from hargassner.proxy.session import Session
from tests.cases import forget
from tests.proxy.case import FailingObserver
from tests.proxy.socket_case import (
    HalfCloseablePeer,
    Passing,
    Peer,
    SocketCase,
    arrived,
    descriptors,
    resident_kib,
    timers,
)


class PassingTests(Passing, SocketCase):
    """What one side says reaches the other."""


class AtOnceTests(SocketCase):
    """An observer of what passes cannot delay it."""

    def observers_of(self, session: Session) -> list[Any]:
        return [self]

    def gateway_sent(self, data: bytes) -> None:
        self.there_already.append(arrived(self.at_boiler))

    def boiler_sent(self, data: bytes) -> None:
        self.there_already.append(arrived(self.at_client))

    def over(self, reason: str) -> None:
        """Nothing passes any more."""

    @inlineCallbacks
    def test_bytes_have_left_when_they_are_observed(self) -> Any:
        self.there_already: list[bytes] = []
        self.at_client, self.at_boiler = client, boiler = yield self.session()
        client.transport.write(b"$setkomm\r\n")
        yield boiler.when_received(10)
        boiler.transport.write(b"$1 ack\r\n")
        yield client.when_received(8)
        for session in self.proxy.sessions.values():
            session.catch_up()
        self.assertEqual([b"$setkomm\r\n", b"$1 ack\r\n"], self.there_already)

    @inlineCallbacks
    def test_a_peer_that_reset_meanwhile_is_the_end_and_nothing_else(self) -> Any:
        self.there_already = []
        self.at_client, self.at_boiler = client, boiler = yield self.session()
        # The reset is there before the bytes are passed on, and the reactor knows of neither.
        handle = boiler.transport.getHandle()
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        boiler.transport.abortConnection()
        client.transport.getHandle().send(b"$setkomm\r\n")
        yield client.over
        self.assertEqual({}, self.proxy.sessions)


class ObservedTests(PassingTests):
    """The same bytes while they are understood."""

    def observers_of(self, session: Session) -> list[Any]:
        return [Interpreter(Boiler(), reactor, lambda _: None).observe(session)]


class ObservedByAFailingOneTests(PassingTests):
    """The same bytes while their observer fails each time."""

    def observers_of(self, session: Session) -> list[Any]:
        return [FailingObserver()]

    @inlineCallbacks
    def tearDown(self) -> Any:
        yield super().tearDown()
        self.flushLoggedErrors(ZeroDivisionError)


class HalfClosedTests(SocketCase):
    """Whoever closes first still gets what the other has to say."""

    peer = HalfCloseablePeer

    @inlineCallbacks
    def test_it_gets_the_whole_answer(self) -> Any:
        """From either side, and more of it than fits into any buffer."""
        for client_first in (True, False):
            client, boiler = yield self.session()
            first, second = (client, boiler) if client_first else (boiler, client)
            first.transport.write(b"$uptime\r\n")
            first.transport.loseWriteConnection()
            yield second.finished
            self.assertEqual(b"$uptime\r\n", bytes(second.received))
            second.transport.write(b"x" * 2_000_000)
            second.transport.loseConnection()
            yield first.finished
            self.assertEqual(b"x" * 2_000_000, bytes(first.received))
            first.transport.loseConnection()
            yield DeferredList([client.over, boiler.over])

    @inlineCallbacks
    def test_it_may_have_closed_before_the_boiler_is_reached(self) -> Any:
        client = yield self.client()
        client.transport.write(b"$uptime\r\n")
        client.transport.loseWriteConnection()
        boiler = yield self.boiler.next()
        yield boiler.finished
        self.assertEqual(b"$uptime\r\n", bytes(boiler.received))
        boiler.transport.write(b"$666151\r\n")
        boiler.transport.loseConnection()
        yield client.finished
        self.assertEqual(b"$666151\r\n", bytes(client.received))
        client.transport.loseConnection()
        yield client.over


class EndingTests(SocketCase):
    """FIN and RST from either side, again and again."""

    def setUp(self) -> None:
        super().setUp()
        forget()

    def observers_of(self, session: Session) -> list[Any]:
        return [Interpreter(Boiler(), reactor, lambda _: None).observe(session)]

    @inlineCallbacks
    def end_by(self, how: str, client: Peer, boiler: Peer) -> Any:
        if how == "client closes":
            client.transport.loseConnection()
        elif how == "client resets":
            client.reset()
        elif how == "boiler closes":
            boiler.transport.loseConnection()
        else:
            boiler.reset()
        yield DeferredList([client.over, boiler.over])

    def counted(self) -> tuple[int, int, int, int]:
        """Descriptors, timers, sessions, and objects that belong to sessions."""
        self.proxy.built.clear()
        self.to_boiler.clear()
        gc.collect()
        kept = [each for each in gc.get_objects() if isinstance(each, Session | Dialogue)]
        return descriptors(), timers(), len(self.proxy.sessions), len(kept)

    @inlineCallbacks
    def assert_nothing_is_left(self, before: tuple[int, int, int, int]) -> Any:
        """Everything is as it was before, or soon will be."""
        for _ in range(500):
            if self.counted() == before:
                break
            yield self.pause(0.01)
        self.assertEqual(self.counted(), before)

    @inlineCallbacks
    def test_two_hundred_sessions_leave_nothing(self) -> Any:
        """Descriptors, timers and objects are as before the first, wherever a session broke off."""
        ways = ["client closes", "client resets", "boiler closes", "boiler resets"]
        yield self.pause(0)
        before = self.counted()
        for turn in range(200):
            client, boiler = yield self.session()
            client.transport.write(b"$dhcp renew\r\n$igw clear\r\n")
            if turn % 5:  # Else the end comes with the first bytes still under way.
                yield boiler.when_received(25)
                boiler.transport.write(b"$ack\r\n")
            if turn % 3 == 0:  # The end comes in the middle of a descriptor.
                boiler.transport.write(b"$<<<DAQPRJ><ANALOG><CHANNEL id='0' " * 200)
            yield self.end_by(ways[turn % 4], client, boiler)
            self.announce()
        yield self.assert_nothing_is_left(before)

    @inlineCallbacks
    def test_two_hundred_clients_that_go_during_connecting_leave_nothing(self) -> Any:
        """With FIN or RST, before the boiler's side is up."""
        yield self.pause(0)
        before = self.counted()
        for turn in range(200):
            client = yield self.client()
            if turn % 2:
                client.reset()
            else:
                client.transport.loseConnection()
            yield client.over
            boiler = yield self.boiler.next()
            yield boiler.over
            self.announce()
        yield self.assert_nothing_is_left(before)

    @inlineCallbacks
    def test_two_hundred_clients_while_the_boiler_is_away_leave_nothing(self) -> Any:
        """It refuses, or has not been found yet; when it is back, clients are served again."""
        yield self.boiler_port.stopListening()
        yield self.pause(0)
        before = self.counted()
        for turn in range(200):
            if turn % 2:
                client = yield self.client()
            else:
                self.devices.recall(self.devices.gateway, None)
                client = yield self.client()
                if turn % 4:
                    client.reset()
                else:
                    client.transport.loseConnection()
                self.devices.boiler_answered("127.0.0.1", ServiceList("", "", ""))
            yield client.over
            self.announce()
        yield self.assert_nothing_is_left(before)
        self.assertGreaterEqual(self.proxy.counters.unreachable, 100)
        self.boiler_port = reactor.listenTCP(self.boiler_number, self.boiler, interface="127.0.0.1")
        client, boiler = yield self.session()
        client.transport.write(b"$login token\r\n")
        yield boiler.when_received(14)

    @inlineCallbacks
    def test_the_bytes_of_one_session_never_reach_the_next(self) -> Any:
        client, boiler = yield self.session()
        client.transport.write(b"$login tok")
        yield boiler.when_received(10)
        yield self.end_by("client resets", client, boiler)
        client, boiler = yield self.session()
        client.transport.write(b"$apiversion\r\n")
        received = yield boiler.when_received(13)
        self.assertEqual(b"$apiversion\r\n", received)


class CrowdTests(SocketCase):
    """Many clients at once."""

    allow = ("any",)

    def announce(self) -> None:
        """No gateway: every client is just a client."""

    @inlineCallbacks
    def test_a_stalled_client_among_a_hundred_harms_nobody(self) -> Any:
        """It pauses its own boiler connection, and memory stays bounded."""
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", self.port.getHost().port))
        self.addCleanup(stalled.close)
        stalled_boiler = yield self.boiler.next()
        pairs = []
        for _ in range(99):
            pair = yield self.session()
            pairs.append(pair)
        before = resident_kib()
        flood = Flood(stalled_boiler.transport, total=200_000_000)
        stalled_boiler.transport.registerProducer(flood, True)
        flood.resumeProducing()
        line = b"pm " + b"1.0 " * 100 + b"\r\n"
        for _ in range(20):
            for _client, boiler in pairs:
                boiler.transport.write(line)
            yield self.pause(0.01)
        yield DeferredList([client.when_received(20 * len(line)) for client, _ in pairs])
        sent = -1
        while sent != flood.sent:  # The kernel's buffers take their time to fill.
            sent = flood.sent
            yield self.pause(0.5)
        grown = resident_kib() - before
        self.assertTrue(flood.paused, "the boiler's side of the stalled client was not paused")
        # The kernel may hold some 40 MB, of which none is the bridge's.
        self.assertLess(flood.sent, 100_000_000)
        self.assertLess(grown, 40_000)
        stalled_boiler.transport.unregisterProducer()
        stalled_boiler.transport.abortConnection()

    @inlineCallbacks
    def test_garbage_of_every_kind_passes_and_raises_nothing(self) -> Any:
        for garbage in (b"\0" * 65_536, b"\xff" * 65_536, b"\r\n" * 1000, bytes(range(256)) * 300):
            client, boiler = yield self.session()
            client.transport.write(garbage)
            boiler.transport.write(garbage)
            received = yield boiler.when_received(len(garbage))
            answered = yield client.when_received(len(garbage))
            self.assertEqual((received, answered), (garbage, garbage))
            client.transport.loseConnection()
            yield DeferredList([client.over, boiler.over])
        self.assertEqual([], self.flushLoggedErrors())


class Flood:
    """Writes as long as nobody pauses it."""

    def __init__(self, transport: Any, total: int) -> None:
        self.sent = 0
        self.paused = False
        self._transport = transport
        self._total = total

    def resumeProducing(self) -> None:
        self.paused = False
        self._write()

    def pauseProducing(self) -> None:
        self.paused = True

    def stopProducing(self) -> None:
        self.paused = True
        self._total = 0

    def _write(self) -> None:
        if not self.paused and self.sent < self._total:
            self.sent += 65_536
            self._transport.write(bytes(65_536))
            reactor.callLater(0, self._write)


class LossTests(SocketCase):
    """What the kernel is told, so that a vanished peer is noticed within a minute."""

    @inlineCallbacks
    def test_both_sockets_are_probed_and_do_not_wait_for_acknowledgements_for_ever(self) -> Any:
        yield self.session()
        [client_side] = self.proxy.built
        [boiler_side] = self.to_boiler
        for each in (client_side.transport.getHandle(), boiler_side.transport.getHandle()):

            def option(level: int, name: int, sock: Any = each) -> int:
                return int(sock.getsockopt(level, name))

            self.assertTrue(option(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
            self.assertTrue(option(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            idle = option(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            between = option(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
            probes = option(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
            self.assertLess(idle + between * probes, 60)
            self.assertLess(option(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 60_000)


class ResetTests(SocketCase):
    """A client that resets with bytes still unread."""

    @inlineCallbacks
    def test_a_reset_is_the_end_for_the_boiler_too(self) -> Any:
        plain = socket.create_connection(("127.0.0.1", self.port.getHost().port))
        boiler = yield self.boiler.next()
        boiler.transport.write(b"pm 1 2 3\r\n")
        yield self.pause(0.05)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        plain.close()
        yield boiler.over
        self.assertEqual({}, self.proxy.sessions)

    @inlineCallbacks
    def test_a_reset_in_the_middle_of_a_reply_to_the_bridge_is_the_end_too(self) -> Any:
        """What is held of the reply must not be written to a socket that is gone."""
        client, boiler = yield self.session()
        [session] = self.proxy.sessions.values()
        reply = session.exchange(BridgeRequest(b"$par get 4\r\n", 5.0))
        yield boiler.when_received(12)
        boiler.transport.write(b"$4;3")
        yield self.pause(0.05)
        client.reset()
        yield boiler.over
        yield self.assertFailure(reply, SessionOverError)
        self.assertEqual({}, self.proxy.sessions)
