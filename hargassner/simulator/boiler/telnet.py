"""The simulated boiler's telnet port: several connections at once, and the segments of a boiler."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twisted.internet.defer import Deferred, DeferredQueue, gatherResults, succeed
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.delayed import Delayed
from hargassner.network.connecting import IStreamTransport
from hargassner.simulator.boiler.engine import BoilerEngine, Message
from hargassner.simulator.coroutines import log_failure
from hargassner.simulator.segments import segments

log = Logger()

LONGEST_REQUEST = 4096
"""Bytes; what is longer is no request and is answered as an unknown one."""

_MOST_WAITING = 64
_STOP_TIMEOUT = 1.0


@implementer(IPushProducer)
class _ReaderPace:
    """Whether a client reads what it is sent; its transport says when it stops and goes on."""

    def __init__(self) -> None:
        self.slow = False
        self._waiting: list[Deferred[None]] = []

    def pauseProducing(self) -> None:
        """The client does not keep up."""
        self.slow = True

    def resumeProducing(self) -> None:
        """The client has caught up."""
        self.slow = False
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    def stopProducing(self) -> None:
        """The connection is going down."""
        self.slow = True

    def kept_up(self) -> "Deferred[None]":
        """Fires when the client reads what it is sent, at once if it does."""
        if not self.slow:
            return succeed(None)
        caught_up: Deferred[None] = Deferred()
        self._waiting.append(caught_up)
        return caught_up


@implementer(IHalfCloseableProtocol)
class BoilerProtocol(Protocol):
    """One connection to the simulated boiler.

    Requests are answered one after the other, each after the boiler has thought about it.
    Messages are sent one after the other, each cut in segments that follow each other after
    ``segment_gap`` seconds.  A reader that does not keep up misses telemetry and notices, and is
    answered when it has caught up, so that its memory here stays bounded.  Either is a coroutine
    that owns its timer and ends with the connection.
    """

    transport: IStreamTransport

    def __init__(self, factory: "BoilerFactory") -> None:
        self.number = 0
        self._factory = factory
        self._rest = b""
        # None stands for the end, when the client has said everything.
        self._requests: DeferredQueue[bytes | None] = DeferredQueue()
        self._messages: DeferredQueue[bytes | None] = DeferredQueue()
        self._pace = _ReaderPace()
        self._work: list[Deferred[None]] = []
        self.lost: Deferred[None] = Deferred()
        """Fires when this connection is over."""

    def connectionMade(self) -> None:
        """Take part in the boiler's dialogue."""
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self._pace, streaming=True)
        for coroutine in (self._answer(), self._send()):
            work = Deferred.fromCoroutine(coroutine)
            work.addErrback(log_failure)
            self._work.append(work)
        self._factory.opened(self)

    def dataReceived(self, data: bytes) -> None:
        """Take requests, in any segmentation."""
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        # The end of an endless line is still needed: a line end may come yet.
        self._rest = self._rest[: LONGEST_REQUEST + 1] + self._rest[LONGEST_REQUEST + 1 :][-1:]
        for line in filter(None, lines):
            self._requests.put(line)
        if len(self._requests.pending) >= _MOST_WAITING:
            self.transport.pauseProducing()

    def readConnectionLost(self) -> None:
        """The client has said everything: answer it, and close."""
        self._requests.put(None)

    def writeConnectionLost(self) -> None:
        """Nothing can be sent any more."""
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Forget the connection."""
        for each in self._work:
            each.cancel()
        self._factory.closed(self)
        self.lost.callback(None)

    def send(self, data: bytes) -> None:
        """Send a message when those before it are out; a slow reader misses it."""
        if not self._pace.slow:
            self._messages.put(data)

    async def _answer(self) -> None:
        """Answer each request; after the last one there is nothing more to send."""
        while (request := await self._requests.get()) is not None:
            await self._think(request)
            if len(self._requests.pending) == _MOST_WAITING:
                self.transport.resumeProducing()
            self._factory.asked(self, request[: LONGEST_REQUEST + 1])
        self._messages.put(None)

    async def _think(self, request: bytes) -> None:
        """Think about a request; once more for a client that fell behind meanwhile."""
        await self._pace.kept_up()
        await self._pause(self._factory.thinking_time(request))
        if self._pace.slow:
            await self._think(request)

    async def _send(self) -> None:
        """Send the segments of each message, and close after the last one."""
        while (message := await self._messages.get()) is not None:
            for each in segments(message):
                self.transport.write(each)
                await self._pause(self._factory.segment_gap)
        self.transport.loseConnection()

    def _pause(self, seconds: float) -> "Deferred[None]":
        return deferLater(self._factory.clock, seconds)


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast the simulated boiler is; the arguments are those of ``SimulatedBoiler``."""

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
        over = gatherResults([each.lost for each in self._connections.values()])
        self.drop()
        reset = Delayed(self.clock, _STOP_TIMEOUT, lambda: self.drop(reset=True))
        reset.start()
        return over.addCallback(lambda _: reset.cancel())

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
