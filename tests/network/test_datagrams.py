"""UDP ports that know what was broadcast, and from which address they answer."""

import errno
import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.logger import LogLevel
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from hargassner.network.datagrams import DatagramPort
from tests.cases import SocketCase


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.datagrams: list[tuple[bytes, tuple[str, int], int, bool | None]] = []
        self.then: Callable[[], object] = lambda: None

    def __call__(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        self.datagrams.append((data, source, port, broadcast))
        self.then()


class Reluctant(socket.socket):
    """A socket that sends nothing while it is told so."""

    error = 0

    def sendmsg(self, *arguments: Any) -> int:
        if self.error:
            raise OSError(self.error, os.strerror(self.error))
        return super().sendmsg(*arguments)


class PortCase(SocketCase):
    """A port on every address, and a peer at 127.0.0.9."""

    address = ""

    def setUp(self) -> None:
        super().setUp()
        self.heard = Heard()
        self.sock = Reluctant(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.sock.bind(("", 0))
        self.port = DatagramPort(self.reactor, self.sock, self.heard, self.address)
        self.addCleanup(self.port.close)
        self.peer = self.opened(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self.peer.bind(("127.0.0.9", 0))
        self.peer.setblocking(False)

    def tell(self, data: bytes, host: str = "127.0.0.1") -> None:
        self.peer.sendto(data, (host, self.port.port))

    def told(self) -> list[bytes]:
        """What the peer has received."""
        received = []
        while True:
            try:
                received.append(self.peer.recv(65536))
            except BlockingIOError:
                return received


class HearingTests(PortCase):
    """What comes in."""

    def test_it_is_what_the_reactor_wants(self) -> None:
        verifyObject(IReadWriteDescriptor, self.port)
        self.assertEqual(f"UDP port {self.port.port}", self.port.logPrefix())

    def test_a_datagram_is_handed_over_with_its_source(self) -> None:
        self.tell(b"hello")
        self.reactor.settle()
        self.assertEqual(
            self.heard.datagrams, [(b"hello", self.peer.getsockname(), self.port.port, False)]
        )

    def test_a_broadcast_is_known_as_one(self) -> None:
        self.tell(b"everybody", "127.255.255.255")
        self.tell(b"you", "127.0.0.1")
        self.reactor.settle()
        heard = [(each[0], each[3]) for each in self.heard.datagrams]
        self.assertEqual([(b"everybody", True), (b"you", False)], heard)

    def test_empty_and_largest_datagrams_are_whole(self) -> None:
        for data in (b"", bytes(65507), b"\xff" * 1400):
            self.tell(data)
        self.reactor.settle()
        self.assertEqual(
            [each[0] for each in self.heard.datagrams], [b"", bytes(65507), b"\xff" * 1400]
        )

    def test_a_flood_leaves_the_reactor_its_turn(self) -> None:
        """At most 32 datagrams are read in one turn; the rest in the next ones."""
        for _ in range(70):
            self.tell(b"flood")
        counts = []
        while self.reactor.turn():
            counts.append(len(self.heard.datagrams))
        self.assertEqual([32, 64, 70], counts)

    def test_a_receiver_that_raises_is_logged_and_gets_the_next(self) -> None:
        def fail() -> None:
            raise RuntimeError("on purpose")

        self.heard.then = fail
        self.tell(b"one")
        self.tell(b"two")
        self.reactor.settle()
        self.assertEqual([b"one", b"two"], [each[0] for each in self.heard.datagrams])
        self.assertEqual(2, len(self.flushLoggedErrors(RuntimeError)))
        self.assertIn("taking a datagram from 127.0.0.9", self.log.at(LogLevel.critical)[0])

    def test_a_receiver_may_close_the_port(self) -> None:
        self.heard.then = self.port.close
        self.tell(b"one")
        self.tell(b"two")
        self.reactor.settle()
        self.assertEqual([b"one"], [each[0] for each in self.heard.datagrams])


class SendingTests(PortCase):
    """What goes out."""

    def test_a_datagram_leaves_at_once(self) -> None:
        self.port.send(b"hello", self.peer.getsockname())
        self.assertEqual([b"hello"], self.told())
        self.assertEqual([], self.reactor.writers)

    def test_what_the_system_refuses_is_raised(self) -> None:
        wrong = self.assertRaises(OSError, self.port.send, bytes(70_000), self.peer.getsockname())
        self.assertEqual(wrong.errno, errno.EMSGSIZE)

    def test_what_the_system_does_not_take_now_waits_in_order(self) -> None:
        self.sock.error = errno.EAGAIN
        self.port.send(b"one", self.peer.getsockname())
        self.port.send(b"two", self.peer.getsockname())
        self.reactor.turn()
        self.assertEqual([], self.told())
        self.sock.error = 0
        self.port.send(b"three", self.peer.getsockname())
        self.reactor.settle()
        self.assertEqual([b"one", b"two", b"three"], self.told())
        self.assertEqual([], self.reactor.writers)

    def test_what_waits_is_bounded_and_the_newest_stays(self) -> None:
        self.sock.error = errno.EAGAIN
        for number in range(200):
            self.port.send(b"%d" % number, self.peer.getsockname())
        self.sock.error = 0
        self.reactor.settle()
        self.assertEqual(self.told(), [b"%d" % number for number in range(136, 200)])

    def test_a_waiting_datagram_that_is_refused_is_lost_with_a_line(self) -> None:
        self.sock.error = errno.EAGAIN
        self.port.send(bytes(70_000), self.peer.getsockname())
        self.port.send(b"two", self.peer.getsockname())
        self.sock.error = 0
        self.reactor.settle()
        self.assertEqual([b"two"], self.told())
        self.assertEqual(1, len(self.log.lines))
        self.assertIn("is lost", self.log.lines[0])


class AddressTests(PortCase):
    """The gateway connects to the address that the answer came from."""

    address = "127.0.5.1"

    def test_a_datagram_leaves_from_the_configured_address(self) -> None:
        self.port.send(b"hello", self.peer.getsockname())
        self.assertEqual(self.peer.recvfrom(100), (b"hello", ("127.0.5.1", self.port.port)))

    def test_so_does_one_that_waited(self) -> None:
        self.sock.error = errno.EAGAIN
        self.port.send(b"hello", self.peer.getsockname())
        self.sock.error = 0
        self.reactor.settle()
        self.assertEqual(self.peer.recvfrom(100), (b"hello", ("127.0.5.1", self.port.port)))


class ClosingTests(PortCase):
    """Giving the port back."""

    def test_nothing_is_left(self) -> None:
        self.sock.error = errno.EAGAIN
        self.port.send(b"one", self.peer.getsockname())
        self.port.close()
        self.port.close()
        self.assertEqual(([], []), (self.reactor.readers, self.reactor.writers))
        self.assertEqual(-1, self.port.fileno())

    def test_the_reactor_may_close_it_too(self) -> None:
        self.port.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(-1, self.port.fileno())
        self.assertEqual([], self.reactor.readers)
