"""The simulated boiler's telnet port: several connections at once, and the segments of a boiler."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.network.connecting import IStreamTransport
from hargassner.simulator.boiler.engine import BoilerEngine, Message
from hargassner.simulator.segments import segments

log = Logger()

LONGEST_REQUEST = 4096
"""Bytes; what is longer is no request and is answered as an unknown one."""

_MOST_WAITING = 64
_STOP_TIMEOUT = 1.0


@implementer(IHalfCloseableProtocol, IPushProducer)
class BoilerProtocol(Protocol):
    """One connection to the simulated boiler.

    Requests are answered one after the other, each after the boiler has thought about it.
    Messages are sent one after the other, each cut in segments that follow each other after
    ``segment_gap`` seconds.  A reader that does not keep up misses telemetry and notices, and is
    answered when it has caught up, so that its memory here stays bounded.
    """

    transport: IStreamTransport

    def __init__(self, factory: "BoilerFactory") -> None:
        self.number = 0
        self._factory = factory
        self._rest = b""
        self._requests: deque[bytes] = deque()
        self._messages: deque[bytes] = deque()
        self._segments: deque[bytes] = deque()
        self._timers: dict[str, IDelayedCall] = {}
        self._slow = False
        self._leaving = False
        self._lost: list[Deferred[None]] = []

    def connectionMade(self) -> None:
        """Take part in the boiler's dialogue."""
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, streaming=True)
        self._factory.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """Take requests, in any segmentation."""
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        # The end of an endless line is still needed: a line end may come yet.
        self._rest = self._rest[: LONGEST_REQUEST + 1] + self._rest[LONGEST_REQUEST + 1 :][-1:]
        self._requests += [line for line in lines if line]
        if len(self._requests) > _MOST_WAITING:
            self.transport.pauseProducing()
        self._work()

    def readConnectionLost(self) -> None:
        """The client has said everything: answer it, and close."""
        self._leaving = True
        self._work()

    def writeConnectionLost(self) -> None:
        """Nothing can be sent any more."""
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Forget the connection."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._factory.closed(self)
        for waiting in self._lost:
            waiting.callback(None)

    def when_lost(self) -> "Deferred[None]":
        """Fires when this connection, which must stand, is over."""
        lost: Deferred[None] = Deferred()
        self._lost.append(lost)
        return lost

    def send(self, data: bytes) -> None:
        """Send a message when those before it are out; a slow reader misses it."""
        if not self._slow:
            self._messages.append(data)
            self._pump()

    def pauseProducing(self) -> None:
        """The client does not keep up."""
        self._slow = True

    def resumeProducing(self) -> None:
        """The client has caught up."""
        self._slow = False
        self._work()

    def stopProducing(self) -> None:
        """The connection is going down."""
        self._slow = True

    def _work(self) -> None:
        if self._requests and not self._slow:
            if "answer" not in self._timers:
                self._later("answer", self._factory.thinking_time(self._requests[0]))
        elif self._leaving and not any((self._requests, self._messages, self._segments)):
            self.transport.loseConnection()

    def _answer(self) -> None:
        if self._slow:
            return
        request = self._requests.popleft()
        if len(self._requests) == _MOST_WAITING:
            self.transport.resumeProducing()
        self._factory.asked(self, request[: LONGEST_REQUEST + 1])
        self._work()

    def _pump(self) -> None:
        """Send the next segment, unless the one before has just gone."""
        if "segment" in self._timers:
            return
        if not self._segments and self._messages:
            self._segments += segments(self._messages.popleft())
        if self._segments:
            self.transport.write(self._segments.popleft())
            self._later("segment", self._factory.segment_gap)
        else:
            self._work()

    def _later(self, what: str, seconds: float) -> None:
        act = self._answer if what == "answer" else self._pump

        def now() -> None:
            del self._timers[what]
            act()

        self._timers[what] = self._factory.clock.callLater(seconds, now)


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast the simulated boiler is.

    Args:
        period: seconds between two telemetry lines.
        speed: how many seconds of the plant's life pass in one.
        segment_gap: seconds between two segments of a message.
        reply_delay: seconds that the boiler thinks about a request.
        hesitation: how many seconds longer it thinks about this one.
    """

    period: float
    speed: float
    segment_gap: float
    reply_delay: float
    hesitation: Callable[[bytes], float] = lambda _request: 0.0


class BoilerFactory(ServerFactory[BoilerProtocol]):
    """All connections to the simulated boiler, and the clockwork that they share.

    Args:
        clock: measures when the next line is due.
        engine: answers.
        timing: how fast the boiler is.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, engine: BoilerEngine, timing: Timing) -> None:
        self.clock = clock
        self.engine = engine
        self.segment_gap = timing.segment_gap
        self.silent = False
        self._timing = timing
        self._connections: dict[int, BoilerProtocol] = {}
        self._delayed: set[IDelayedCall] = set()
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = clock
        self._last = 0.0

    @property
    def connections(self) -> int:
        """How many connections stand now."""
        return len(self._connections)

    def buildProtocol(self, addr: IAddress | None) -> BoilerProtocol:
        """A connection of its own for each client."""
        return BoilerProtocol(self)

    def start(self) -> None:
        """Let time pass."""
        self._last = self.clock.seconds()
        self._ticking.start(self._timing.period, now=False)

    def stop(self) -> "Deferred[None]":
        """Stop the time and end every connection; the result comes when all are over."""
        if self._ticking.running:
            self._ticking.stop()
        for call in self._delayed:
            call.cancel()
        self._delayed.clear()
        standing = list(self._connections.values())
        over = gatherResults([each.when_lost() for each in standing])
        self.drop()
        timeout = self.clock.callLater(_STOP_TIMEOUT, self.drop, reset=True)

        def done(_: object) -> None:
            if timeout.active():
                timeout.cancel()

        return over.addCallback(done)

    def drop(self, *, reset: bool = False) -> None:
        """End every connection, with FIN or with RST."""
        for each in list(self._connections.values()):
            if reset:
                each.transport.abortConnection()
            else:
                each.transport.loseConnection()

    def opened(self, protocol: BoilerProtocol) -> None:
        """A client has connected."""
        protocol.number, messages = self.engine.connect()
        self._connections[protocol.number] = protocol
        log.info(
            "connection {number} from {client}",
            number=protocol.number,
            client=protocol.transport.getPeer(),
        )
        self.deliver(messages)

    def closed(self, protocol: BoilerProtocol) -> None:
        """A client's connection is over."""
        del self._connections[protocol.number]
        log.info("connection {number} is over", number=protocol.number)
        self.deliver(self.engine.disconnect(protocol.number))

    def thinking_time(self, request: bytes) -> float:
        """Seconds from a request, or from the answer before, to the answer."""
        return self._timing.reply_delay + self._timing.hesitation(request)

    def asked(self, protocol: BoilerProtocol, request: bytes) -> None:
        """A client wants an answer."""
        if not self.silent:
            self.deliver(self.engine.received(protocol.number, request))

    def deliver(self, messages: Iterable[Message]) -> None:
        """Send messages to whom they are for, now or when they are due."""
        for message in messages:
            if message.after:
                self._deliver_later(message)
            else:
                self._deliver(message)

    def _deliver_later(self, message: Message) -> None:
        def due() -> None:
            self._delayed.discard(call)
            self._deliver(message)

        call = self.clock.callLater(message.after, due)
        self._delayed.add(call)

    def _deliver(self, message: Message) -> None:
        protocol = self._connections.get(message.connection)
        if protocol is not None and not self.silent:
            protocol.send(message.data)

    def _tick(self) -> None:
        now = self.clock.seconds()
        passed, self._last = now - self._last, now
        self.deliver(self.engine.advance(passed * self._timing.speed))
        self.deliver(self.engine.telemetry())
