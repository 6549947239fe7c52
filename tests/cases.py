"""What many tests need: a clock that must end empty, a log to look into, descriptors to count."""

import gc
import os
import random
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor, IWriteDescriptor
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from tests.doubles.clocks import TwoClocks

# Below the range that Linux and macOS take from for whoever names no port.
_LOWEST_PORT, _HIGHEST_PORT = 10_000, 32_768
_POLL = 0.02
_CHANCE = random.SystemRandom()


def open_descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def forget() -> None:
    """Collect what earlier tests in this process forgot, which is not the next one's.

    What is alive then, such as all modules, is not looked at again: that would take a tenth of a
    second each time.
    """
    gc.collect()
    gc.freeze()


@inlineCallbacks
def until(condition: Callable[[], object]) -> Any:
    """Wait until a condition holds; the test's time-out ends it where it never does."""
    while not condition():
        yield deferLater(reactor, _POLL)


def free_ports(count: int) -> list[int]:
    """Different ports that nobody holds now, neither for UDP nor for TCP.

    They are not of those that the system hands out itself, so that nobody gets one by chance
    before the test opens it.
    """
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < count:
            port = _CHANCE.randrange(_LOWEST_PORT, _HIGHEST_PORT)
            try:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    sock = socket.socket(socket.AF_INET, kind)
                    held.append(sock)
                    sock.bind(("", port))
            except OSError:
                continue
            ports.append(port)
    finally:
        for each in held:
            each.close()
    return ports


def loopback_addresses(count: int) -> list[str]:
    """Different addresses of this machine that no other test process uses, four at most.

    On Linux every address of 127.0.0.0/8 is there.
    """
    pid = os.getpid()
    last = f"{pid >> 8 & 255}.{pid & 255}"
    return [f"127.{number << 6 | pid >> 16}.{last}" for number in range(count)]


@implementer(IReactorFDSet)
class ManualReactor(Clock):
    """Watches descriptors, and looks at them when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: list[IReadDescriptor] = []
        self.writers: list[IWriteDescriptor] = []

    def addReader(self, reader: IReadDescriptor) -> None:
        if reader not in self.readers:
            self.readers.append(reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        if writer not in self.writers:
            self.writers.append(writer)

    def removeReader(self, reader: IReadDescriptor) -> None:
        if reader in self.readers:
            self.readers.remove(reader)

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        if writer in self.writers:
            self.writers.remove(writer)

    def removeAll(self) -> list[IReadDescriptor | IWriteDescriptor]:
        everything = [*self.readers, *self.writers]
        self.readers.clear()
        self.writers.clear()
        return everything

    def getReaders(self) -> list[IReadDescriptor]:
        return list(self.readers)

    def getWriters(self) -> list[IWriteDescriptor]:
        return list(self.writers)

    def turn(self) -> bool:
        """Serve every descriptor that is ready, once; false when none was."""
        readable, writable, _ = select.select(self.readers, self.writers, [], 0)
        for each in readable:
            if each in self.readers:
                each.doRead()
        for each in writable:
            if each in self.writers:
                each.doWrite()
        return bool(readable or writable)

    def settle(self, turns: int = 100) -> None:
        """Serve what is ready until nothing is."""
        for _ in range(turns):
            if not self.turn():
                return
        raise AssertionError(f"it does not settle within {turns} turns")


class Log:
    """What was logged while a test ran."""

    def __init__(self, case: SynchronousTestCase) -> None:
        self._observer = EventLoggingObserver.createWithCleanup(case, globalLogPublisher)

    @property
    def everything(self) -> list[LogEvent]:
        """The events, in order, and those of Twisted's own among them."""
        return list(self._observer)

    @property
    def events(self) -> list[LogEvent]:
        """The events, in order; those of Twisted's own are left out."""
        return [each for each in self._observer if each["log_namespace"].startswith("hargassner.")]

    @property
    def lines(self) -> list[str]:
        """The events as their readers see them."""
        return [formatEvent(each) for each in self.events]

    def at(self, level: LogLevel) -> list[str]:
        """The lines of one level."""
        return [formatEvent(each) for each in self.events if each["log_level"] is level]


class ClockCase(SynchronousTestCase):
    """A test with a clock of its own; it fails when a timer is left at the end."""

    def setUp(self) -> None:
        self.clock = TwoClocks()
        self.log = Log(self)
        self.addCleanup(self._no_timer_is_left)

    def _no_timer_is_left(self) -> None:
        self.assertEqual([], self.clock.getDelayedCalls())


class SocketCase(ClockCase):
    """A test of sockets, without a running reactor; it fails when one is left open at the end.

    What is sent on the loopback interface is there at once, so nothing has to be waited for.
    """

    def setUp(self) -> None:
        super().setUp()
        self.reactor = self.clock = ManualReactor()
        before = open_descriptors()
        self.addCleanup(lambda: self.assertEqual(open_descriptors(), before))

    def opened(self, sock: socket.socket) -> socket.socket:
        """The same socket; it is closed at the end."""
        self.addCleanup(sock.close)
        return sock


class DescriptorCase(TestCase):
    """A test on the real reactor; it fails when a file descriptor is left open at the end."""

    timeout = 120

    @inlineCallbacks
    def setUp(self) -> Any:
        self.log = Log(self)
        # A running reactor has descriptors of its own, and the first port that listens has Twisted
        # put one by for the day when there are none left.
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        yield port.stopListening()
        yield deferLater(reactor, 0)
        forget()
        self._before = open_descriptors()
        self.addCleanup(self._no_descriptor_is_left)

    @inlineCallbacks
    def _no_descriptor_is_left(self) -> Any:
        # What was just lost is closed in the reactor's next turn, and a file that a thread is just
        # writing soon; what leaks stays.
        yield deferLater(reactor, 0)
        for _ in range(100):
            if open_descriptors() <= self._before:
                break
            yield deferLater(reactor, 0.02)
        self.assertLessEqual(open_descriptors(), self._before)
