"""The page's connections: how many there may be, how long each may take, what it may send.

A connection's life::

    reading ── the header is complete ──▶ serving ── answered ──▶ idle ── first byte ──▶ reading
      │ 10 s, or too much, or a body        │ (a stream stays)      │ 60 s
      ▼                                     ▼                       ▼
    closing                               closing                 closing

One too many, of an address or in all, takes the place of the one that has been reading or idle for
longest; where all are being served it is closed. So whoever only opens connections keeps nobody
out. What a client does wrong is counted, and said once for each kind.
"""

from enum import Enum
from operator import attrgetter
from typing import Any, cast

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, HTTPFactory, Request

from hargassner.observers import Once
from hargassner.terminal import printable
from hargassner.web.hosts import plain_address
from hargassner.web.requests import Answer, PageRequest

log = Logger()

CONNECTIONS = 100
"""Open connections at most, streams included."""
CONNECTIONS_PER_ADDRESS = 12
"""Of these from one address; a reverse proxy on this machine may have all of them."""
HEADER_TIMEOUT = 10.0
"""Seconds that a request may take from the connection, or its first byte, to the header's end."""
IDLE = 60.0
"""Seconds that a connection may be idle, and that an answer may take to be read."""

_BODY_REFUSED = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n"
    b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nServer: hargassner\r\n\r\n"
)


class Fault(Enum):
    """What a client can do wrong; the value is the metric's label."""

    BODY = "body"
    HOST = "host"
    MALFORMED = "malformed"
    LATE = "late"
    CROWDED = "crowded"


_SAID = {
    Fault.BODY: "{client} sent the web page a request with a body: refused",
    Fault.HOST: (
        "{client} asked for the web page by the name {detail}, which is none of this machine's: "
        "refused; if it is meant, put it into hosts in [web]"
    ),
    Fault.MALFORMED: "{client} sent the web page a request that cannot be read: {detail}",
    Fault.CROWDED: (
        "{client} is one too many for the web page: it has {detail} connections open, all in use"
    ),
}
"""What is said of it the first time; browsers open connections in vain, so being late is not."""


class Stage(Enum):
    """What a connection does now."""

    READING = "reading"
    SERVING = "serving"
    ANSWERED = "answered"
    """It is idle, if nothing came along with the request."""
    IDLE = "idle"
    CLOSING = "closing"


class Channel(HTTPChannel):
    """One connection.

    ``client`` is its address, "" over a UNIX socket; ``since`` when its stage began.
    """

    requestFactory = PageRequest  # noqa: N815
    totalHeadersSize = 16384  # noqa: N815
    maxHeaders = 100  # noqa: N815

    transport: Any  # Whatever it is, it says whether it is being closed, and can be aborted.
    factory: "PageSite"
    client = ""
    since = 0.0
    paused = False
    stage = Stage.READING

    def connectionMade(self) -> None:
        """Wait for a request."""
        self.factory.connections.add(self)
        super().connectionMade()  # type: ignore[no-untyped-call]
        self._enter(Stage.READING)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes; none of them gives the request more time."""
        if self.stage is Stage.CLOSING:
            return
        if self.stage is Stage.IDLE:
            self._enter(Stage.READING)
        try:
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        except ValueError as wrong:
            # Twisted's own parser lets one escape: a Content-Length of 5,000 digits.
            self.factory.refused(Fault.MALFORMED, self.client, str(wrong))
            self.drop()
            return
        match self.stage:
            case Stage.READING if self.transport.disconnecting:
                # Twisted has answered 400, or has met a line without an end.
                self.factory.refused(Fault.MALFORMED, self.client, "it is no HTTP")
                self._enter(Stage.CLOSING)
            case Stage.ANSWERED:
                self._wait_for_next()

    def _wait_for_next(self) -> None:
        """Be idle, or close if a request came along with the one that was answered."""
        self.paused = False
        if self.clearLineBuffer().strip(b"\r\n"):  # type: ignore[no-untyped-call]
            self._enter(Stage.CLOSING)
            if not self.transport.disconnecting:
                self.loseConnection()  # type: ignore[no-untyped-call]
        else:
            self._enter(Stage.IDLE)

    def resetTimeout(self) -> None:  # noqa: N802
        """Nothing: a byte now and then does not make a request."""

    def allHeadersReceived(self) -> None:  # noqa: N802
        """Serve the request, or refuse its body before any of it is kept."""
        if self.length != 0:
            self._enter(Stage.CLOSING)
            self.factory.refused(Fault.BODY, self.client)
            self.transport.write(_BODY_REFUSED)
            self.loseConnection()  # type: ignore[no-untyped-call]
            return
        self._enter(Stage.SERVING)
        super().allHeadersReceived()  # type: ignore[no-untyped-call]

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802
        """Take what follows a stream's request, or is a body: nothing of it is kept."""

    def requestDone(self, request: Request) -> None:  # noqa: N802
        """Wait for the next request, or for the answer to be read.

        A request that came along with this one is not answered, and the connection closed, for
        which clients have to be ready: in 64 kB there can be 1,500, and answering them all in one
        turn of the reactor would hold up everything else.
        """
        self._enter(Stage.ANSWERED)
        self.paused = True  # Twisted's own flag: it reads no further line.
        super().requestDone(request)  # type: ignore[no-untyped-call]

    def timeoutConnection(self) -> None:  # noqa: N802
        """End a connection on which nothing useful has come, or gone, for too long."""
        if self.stage is Stage.READING:
            self.factory.refused(Fault.LATE, self.client)
        self.drop()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        self.stage = Stage.CLOSING
        self.factory.connections.discard(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def drop(self) -> None:
        """End it at once."""
        self._enter(Stage.CLOSING)
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self.factory.connections.discard(self)
        self.transport.abortConnection()

    def _enter(self, stage: Stage) -> None:
        self.stage = stage
        self.since = self.factory.reactor.seconds()
        self.setTimeout(_TIMEOUTS[stage])  # type: ignore[no-untyped-call]


_TIMEOUTS = {
    Stage.READING: HEADER_TIMEOUT,
    Stage.SERVING: None,
    Stage.ANSWERED: IDLE,
    Stage.IDLE: IDLE,
    Stage.CLOSING: HEADER_TIMEOUT,
}


class PageSite(HTTPFactory):
    """Serves the page; it does not log each request, since a page that is open asks often.

    Args:
        answer: answers every request.
        clock: timers.
    """

    noisy = False
    protocol = Channel  # type: ignore[assignment]
    connections: set[Channel]

    def __init__(self, answer: Answer, clock: IReactorTime) -> None:
        super().__init__(timeout=IDLE, reactor=clock)
        self.answer = answer
        self.connections = set()
        self._once = Once()
        self.refusals = dict.fromkeys(Fault, 0)
        """How often what was refused."""

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection's protocol, None for one too many."""
        client = _client(addr)
        if not self._has_room(client):
            return None
        channel = cast("Channel", super().buildProtocol(addr))
        channel.client = client
        return channel

    def acceptableProtocols(self) -> list[bytes]:  # noqa: N802
        """No HTTP/2, which has other bounds than these."""
        return [b"http/1.1"]

    def log(self, request: Request) -> None:
        """Nothing to say."""

    def refused(self, fault: Fault, client: str, detail: str = "") -> None:
        """Count what a client did wrong, and say it when it happens for the first time."""
        self.refusals[fault] += 1
        if fault in _SAID and self._once.first(fault):
            log.info(_SAID[fault], client=client or "somebody", detail=printable(detail[:80]))

    def drop_all(self) -> None:
        """End every connection at once."""
        for each in tuple(self.connections):
            each.drop()

    def _has_room(self, client: str) -> bool:
        """Whether there is room for one more, which is made where it can be."""
        crowd = self._crowd(client)
        dispensable = [each for each in crowd if each.stage is not Stage.SERVING]
        if dispensable:
            min(dispensable, key=attrgetter("since")).drop()
        elif crowd:
            self.refused(Fault.CROWDED, client, str(len(crowd)))
            return False
        return True

    def _crowd(self, client: str) -> list[Channel]:
        """The connections of which one has to go before there is another; none if there is room."""
        if len(self.connections) >= CONNECTIONS:
            return list(self.connections)
        same = [each for each in self.connections if each.client == client]
        is_full = len(same) >= CONNECTIONS_PER_ADDRESS and _is_elsewhere(client)
        return same if is_full else []


def _client(addr: IAddress | None) -> str:
    host = getattr(addr, "host", "")
    return str(plain_address(host)) if host else ""


def _is_elsewhere(client: str) -> bool:
    """Whether it is another machine; what comes over loopback may be many clients of a proxy."""
    return bool(client) and not plain_address(client).is_loopback
