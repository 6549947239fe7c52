"""A connection that is made again whenever it is lost.

Twisted's own service for that logs each attempt, with the names and addresses of objects, and
cannot be told not to. This one says nothing: whoever uses it knows what an attempt means to the
owner.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import cast

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.services import Service

log = Logger()

SETTLED = 10.0
"""Seconds that a connection must last for the next attempt to be a first one again."""


@implementer(IProtocol)
class _Watched:
    """A protocol, and word of its end."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.over: Deferred[None] = Deferred()

    @property
    def transport(self) -> ITransport | None:
        return self._protocol.transport

    def makeConnection(self, transport: ITransport) -> None:  # noqa: N802
        self._protocol.makeConnection(transport)

    def connectionMade(self) -> None:
        """The protocol itself is told by ``makeConnection``."""

    def dataReceived(self, data: bytes) -> None:
        self._protocol.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        try:
            self._protocol.connectionLost(reason)
        finally:
            self.over.callback(None)


@implementer(IProtocolFactory)
class _Watching:
    """Builds watched protocols."""

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        protocol = self._factory.buildProtocol(addr)
        return None if protocol is None else _Watched(cast("Protocol", protocol))

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()


class Reconnecting(Service):
    """Keeps one connection up while it runs.

    Args:
        connect: connects, as endpoints do; a failure of it is followed by another attempt.
        factory: builds the protocol of each connection.
        delay: the seconds until the next attempt, after so many failures in a row; a connection
            that lasted shorter than ``SETTLED`` is a failure too.
        clock: time.
    """

    def __init__(
        self,
        connect: Callable[[IProtocolFactory], Awaitable[IProtocol]],
        factory: IProtocolFactory,
        delay: Callable[[int], float],
        clock: IReactorTime,
    ) -> None:
        self._connect = connect
        self._factory = _Watching(factory)
        self._delay = delay
        self._clock = clock
        self._connected: _Watched | None = None
        self._kept: Deferred[None] = succeed(None)

    def startService(self) -> None:
        """Connect now, and again whenever it is necessary."""
        if not self.running:
            super().startService()
            self._kept = Deferred.fromCoroutine(self._keep())
            self._kept.addErrback(lambda why: log.failure("reconnecting failed", why))

    def stopService(self) -> "Deferred[None]":
        """Disconnect; the result comes when the connection is gone."""
        if self.running:
            super().stopService()
            if self._connected is None:
                self._kept.cancel()
            elif self._connected.transport is not None:
                self._connected.transport.loseConnection()
        stopped: Deferred[None] = Deferred()
        self._kept.addCallback(stopped.callback)
        return stopped

    async def _keep(self) -> None:
        failures = 0
        while self.running:
            failures = 0 if await self._has_lasted() else failures + 1
            if self.running:
                with suppress(CancelledError):  # It was stopped.
                    await deferLater(self._clock, self._delay(failures))

    async def _has_lasted(self) -> bool:
        """Connect, and wait for the end of that; whether it was longer than a failure."""
        try:
            connected = await self._connect(self._factory)
        except Exception:
            # Whoever connects has been told why; nothing else can be done about it.
            return False
        self._connected = cast("_Watched", connected)
        began = self._clock.seconds()
        await self._connected.over
        self._connected = None
        return self._clock.seconds() - began >= SETTLED
