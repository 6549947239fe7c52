"""A listening port, and file descriptors that run out."""

import errno
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Protocol, ServerFactory

from hargassner.network import accepting
from hargassner.network.accepting import (
    ACCEPT_AGAIN_AFTER,
    LOOK_EVERY,
    AcceptingPort,
    DescriptorWatch,
)
from hargassner.network.interface import NetworkInterface
from hargassner.network.sockets import listening_socket
from tests.cases import ClockCase, ManualReactor, SocketCase, free_ports


class Serving(ServerFactory[Protocol]):
    """Serves everybody, unless the test refuses them."""

    noisy = False

    def __init__(self) -> None:
        self.served: list[Protocol] = []
        self.refuses = False

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        if self.refuses:
            raise ZeroDivisionError
        self.served.append(Protocol())
        return self.served[-1]


class AdoptingReactor(ManualReactor):
    """Adopts connections as the real one does: with a file descriptor of its own for each."""

    def __init__(self) -> None:
        super().__init__()
        self.adopted: list[socket.socket] = []

    def adoptStreamConnection(self, fileno: int, family: int, factory: Any) -> None:
        sock = socket.socket(family, socket.SOCK_STREAM, fileno=os.dup(fileno))
        self.adopted.append(sock)
        factory.buildProtocol(IPv4Address("TCP", *sock.getpeername()))


@contextmanager
def without_descriptors(but: int = 0) -> Iterator[None]:
    """A process with no file descriptor left, or so many."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1 + but)]
    for each in held[1:]:
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[-1] + 1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        os.close(held[0])


class AcceptingPortTests(SocketCase):
    """Newcomers, served or waiting."""

    def setUp(self) -> None:
        super().setUp()
        self.reactor: Any = AdoptingReactor()
        self.clock = self.reactor
        [self.number] = free_ports(1)
        self.factory = Serving()
        factory: Any = self.factory
        sock = listening_socket(NetworkInterface("", "127.0.0.1"), self.number)
        self.port = AcceptingPort(self.reactor, sock, factory)
        self.addCleanup(lambda: [each.close() for each in self.reactor.adopted])
        self.addCleanup(self.port.close)

    def connect(self) -> socket.socket:
        return self.opened(socket.create_connection(("127.0.0.1", self.number), timeout=1))

    def test_whoever_connects_is_served_and_nobody_blocks(self) -> None:
        for _ in range(3):
            self.connect()
        self.reactor.settle()
        self.assertEqual(3, len(self.factory.served))
        self.assertFalse(any(os.get_blocking(each.fileno()) for each in self.reactor.adopted))

    def test_a_closed_port_accepts_nobody(self) -> None:
        """It can be closed twice."""
        for _ in range(2):
            self.port.close()
        self.assertRaises(ConnectionRefusedError, self.connect)
        self.assertEqual([], self.reactor.readers)

    def test_a_factory_that_fails_closes_no_port(self) -> None:
        self.factory.refuses = True
        self.connect()
        self.reactor.settle()
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.factory.refuses = False
        self.connect()
        self.reactor.settle()
        self.assertEqual(1, len(self.factory.served))

    def test_without_descriptors_newcomers_wait_and_the_reactor_rests(self) -> None:
        """Neither for the connection itself, nor, with one left, for the reactor's copy of it."""
        for left in (0, 1):
            served = len(self.factory.served)
            self.connect()
            with without_descriptors(but=left):
                self.reactor.turn()
                self.assertEqual([], self.reactor.readers)
                for _ in range(3):
                    self.reactor.advance(ACCEPT_AGAIN_AFTER)
                    self.reactor.turn()
            self.connect()
            self.reactor.advance(ACCEPT_AGAIN_AFTER)
            self.reactor.settle()
            self.assertGreater(len(self.factory.served), served)

    def test_who_took_the_last_descriptor_is_served_once_there_is_another(self) -> None:
        """Before those who came after; until then they wait where the system has them."""
        clients = [self.connect() for _ in range(3)]
        with without_descriptors(but=1):
            self.reactor.turn()
            self.reactor.pump([ACCEPT_AGAIN_AFTER] * 3)
            self.assertEqual([], self.reactor.adopted)
        self.reactor.advance(ACCEPT_AGAIN_AFTER)
        self.reactor.settle()
        self.assertEqual(
            [each.getsockname() for each in clients],
            [each.getpeername() for each in self.reactor.adopted],
        )

    def test_a_port_that_waits_can_be_closed(self) -> None:
        self.connect()
        with without_descriptors():
            self.reactor.turn()
        self.port.close()

    def test_a_closed_port_keeps_nobody_whom_it_accepted(self) -> None:
        client = self.connect()
        with without_descriptors(but=1):
            self.reactor.turn()
        self.port.close()
        self.assertEqual(b"", client.recv(1))


class DescriptorWatchTests(ClockCase):
    """It is said when descriptors run out, and when they are free again."""

    def test_each_is_said_once(self) -> None:
        watch = DescriptorWatch(self.clock)
        watch.startService()
        for _ in range(2):
            with without_descriptors():
                self.clock.pump([LOOK_EVERY] * 5)
            self.clock.pump([LOOK_EVERY] * 5)
        watch.stopService()
        self.assertEqual(
            [
                "the bridge has no file descriptor left: what is open stays open, "
                "and new connections wait until some are free",
                "file descriptors are free again: new connections are taken",
            ]
            * 2,
            self.log.lines,
        )

    def test_it_is_told_whose_they_are(self) -> None:
        """The whole machine may have none."""

        def none_left(*_: object) -> int:
            raise OSError(errno.ENFILE, "Too many open files in system")

        self.patch(accepting.os, "open", none_left)
        watch = DescriptorWatch(self.clock)
        watch.startService()
        watch.stopService()
        self.assertIn("this machine has no file descriptor left", self.log.lines[0])
