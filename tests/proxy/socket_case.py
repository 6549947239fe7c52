"""The proxy between real sockets on loopback: peers, and what holds whoever observes it."""

import os
import random
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from hargassner.discovery import Announcement, Devices, ServiceList
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.session import Session

GATEWAY = "127.0.0.1"
OTHER = "127.0.0.2"


class Peer(Protocol):
    """One end of a connection, whose doings a test can wait for."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.over: Deferred[None] = Deferred()
        self.lost: str | None = None
        self._awaited: list[tuple[int, Deferred[bytes]]] = []

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        ready = [each for each in self._awaited if each[0] <= len(self.received)]
        for each in ready:
            self._awaited.remove(each)
            each[1].callback(bytes(self.received))

    def when_received(self, size: int) -> Deferred[bytes]:
        """Everything received, as soon as it is this many bytes."""
        awaited: Deferred[bytes] = Deferred()
        self._awaited.append((size, awaited))
        self.dataReceived(b"")
        return awaited

    def connectionLost(self, reason: Any) -> None:
        self.lost = reason.type.__name__
        self.over.callback(None)

    def reset(self) -> None:
        self.transport.abortConnection()


@implementer(IHalfCloseableProtocol)
class HalfCloseablePeer(Peer):
    """One that goes on when the other end has closed; a test can wait for that."""

    def __init__(self) -> None:
        super().__init__()
        self.finished: Deferred[None] = Deferred()

    def readConnectionLost(self) -> None:
        self.finished.callback(None)

    def writeConnectionLost(self) -> None:
        """What this end had to say has been sent."""


class ScriptedBoiler(Factory):
    """Takes connections, and says what the test makes it say."""

    noisy = False

    def __init__(self, peer: type[Peer]) -> None:
        self.protocol = peer
        self.connections: list[Peer] = []
        self._waiting: list[Deferred[Peer]] = []

    def buildProtocol(self, addr: object) -> Peer:
        peer = self.protocol()
        if self._waiting:
            reactor.callLater(0, self._waiting.pop(0).callback, peer)
        else:
            self.connections.append(peer)
        return peer

    def next(self) -> Deferred[Peer]:
        """The next connection that was or will be made."""
        coming: Deferred[Peer] = Deferred()
        if self.connections:
            coming.callback(self.connections.pop(0))
        else:
            self._waiting.append(coming)
        return coming


def descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def resident_kib() -> int:
    """How much memory this process uses, KiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def arrived(peer: Peer) -> bytes:
    """What has come to a peer, whether it has read it or not."""
    unread = b""
    if peer.lost is None:
        with suppress(BlockingIOError):
            unread = peer.transport.getHandle().recv(100, socket.MSG_PEEK)
    return bytes(peer.received) + unread


def timers() -> int:
    """How many calls the reactor has yet to make."""
    return len(reactor.getDelayedCalls())


class Observed(ProxyFactory):
    """The proxy, which lets a test see its connections."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.built: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        self.built.append(protocol)
        return protocol


class SocketCase(TestCase):
    """A proxy and a boiler on loopback; the gateway connects from 127.0.0.1."""

    timeout = 120
    allow: Iterable[str] = ("igw", OTHER)
    peer: type[Peer] = Peer

    def setUp(self) -> None:
        self.boiler = ScriptedBoiler(self.peer)
        self.to_boiler: list[Any] = []
        self.boiler_port = reactor.listenTCP(0, self.boiler, interface="127.0.0.1")
        self.boiler_number = self.boiler_port.getHost().port
        self.devices = Devices(reactor)
        self.devices.boiler_answered("127.0.0.1", ServiceList("", "", ""))
        self.announce()
        self.proxy = Observed(
            reactor, self.connect, Access(self.allow, self.devices), self.observers_of
        )
        self.devices.on_announcement(self.proxy.gateway_announced)
        self.port = reactor.listenTCP(0, self.proxy, interface="127.0.0.1")

    @inlineCallbacks
    def tearDown(self) -> Any:
        yield self.port.stopListening()
        yield self.boiler_port.stopListening()
        yield self.proxy.close()
        self.proxy.built.clear()
        self.to_boiler.clear()

    def observers_of(self, session: Session) -> list[Any]:
        return []

    def announce(self) -> None:
        self.devices.gateway_announced(GATEWAY, Announcement("6.4.1", "0012345"))

    def connect(self, factory: Any) -> Deferred[Any]:
        def connect(host: str) -> Deferred[Any]:
            return TCP4ClientEndpoint(reactor, host, self.boiler_number).connect(factory)

        def keep(protocol: Any) -> Any:
            self.to_boiler.append(protocol)
            return protocol

        return self.devices.boiler_address(10).addCallback(connect).addCallback(keep)

    def client(self, address: str = GATEWAY) -> Deferred[Peer]:
        endpoint = TCP4ClientEndpoint(
            reactor, "127.0.0.1", self.port.getHost().port, bindAddress=(address, 0)
        )
        return endpoint.connect(Factory.forProtocol(self.peer))

    @inlineCallbacks
    def session(self, address: str = GATEWAY) -> Any:
        client = yield self.client(address)
        boiler = yield self.boiler.next()
        return client, boiler

    def pause(self, seconds: float) -> Deferred[None]:
        return deferLater(reactor, seconds)


class Passing:
    """Bytes, whatever they are and however they are cut."""

    @inlineCallbacks
    def test_any_bytes_cut_anywhere_arrive_whole_and_in_order(self) -> Any:
        """Both directions at once, in random pieces, some of them large."""
        chance = random.Random(7)
        client, boiler = yield self.session()
        there = chance.randbytes(300_000)
        back = chance.randbytes(300_000)
        for sender, data in ((client, there), (boiler, back)):
            place = 0
            while place < len(data):
                size = chance.choice((1, 2, 4, 37, 1456, 20_000))
                sender.transport.write(data[place : place + size])
                place += size
                if chance.random() < 0.05:
                    yield self.pause(0)
        received = yield boiler.when_received(len(there))
        answered = yield client.when_received(len(back))
        self.assertEqual(received, there)
        self.assertEqual(answered, back)

    @inlineCallbacks
    def test_what_is_sent_before_the_boiler_is_reached_is_not_lost(self) -> Any:
        client = yield self.client()
        client.transport.write(b"$login token\r\n")
        boiler = yield self.boiler.next()
        received = yield boiler.when_received(14)
        self.assertEqual(b"$login token\r\n", received)

    @inlineCallbacks
    def test_the_last_bytes_before_a_fin_arrive(self) -> Any:
        client, boiler = yield self.session()
        boiler.transport.write(b"x" * 500_000)
        boiler.transport.loseConnection()
        yield client.over
        self.assertEqual(500_000, len(client.received))
        self.assertEqual("ConnectionDone", client.lost)
