"""What one connection reads is written to another: at once, in order, no more than it takes."""

import socket
from typing import cast

from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

from hargassner.network.connecting import IStreamTransport
from hargassner.network.writing import joined
from tests.cases import SocketCase

MUCH = 20_000_000


class WritingTests(SocketCase):
    """One transport, whose far end the test reads; and what is read for it."""

    def setUp(self) -> None:
        super().setUp()
        self.reading = True
        near, self.far = socket.socketpair()
        self.opened(near).setblocking(False)
        self.opened(self.far).setblocking(False)
        protocol = Protocol()
        self.tcp = Connection(near, protocol, self.reactor)
        self.tcp.connected = True
        protocol.makeConnection(self.tcp)
        self.write = joined(cast("IStreamTransport", self), cast("IStreamTransport", self.tcp))

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def stopProducing(self) -> None:
        self.reading = False

    def arrived(self) -> bytes:
        """What the far end can read now."""
        try:
            return self.far.recv(MUCH)
        except BlockingIOError:
            return b""

    def test_it_has_left_when_it_is_written(self) -> None:
        self.write(b"$uptime\r\n")
        self.assertEqual(b"$uptime\r\n", self.arrived())
        self.assertEqual([], self.reactor.getWriters())

    def test_a_slow_peer_gets_all_in_order_while_nothing_more_is_read_for_it(self) -> None:
        data = b"".join(b"%07d " % number for number in range(MUCH // 8))
        self.write(data)
        self.assertFalse(self.reading)
        self.write(b"behind it")
        received = b""
        while len(received) < len(data) + 9:
            received += self.arrived()
            self.reactor.turn()
        self.assertTrue(self.reading)
        self.assertTrue(received == data + b"behind it", "it is not what was written")
        self.write(b"later")
        self.assertEqual(b"later", self.arrived())

    def test_a_peer_that_is_gone_is_left_to_the_reactor(self) -> None:
        self.far.close()
        self.write(b"x")
        self.assertEqual(self.reactor.getWriters(), [self.tcp])
        self.assertIsInstance(self.tcp.doWrite(), ConnectionLost)
        self.reactor.removeAll()

    def test_with_the_transport_ends_the_reading_for_it(self) -> None:
        self.tcp.connectionLost(Failure(ConnectionLost()))
        self.assertFalse(self.reading)
