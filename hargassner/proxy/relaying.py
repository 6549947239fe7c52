"""What passes between both sides of a session, and who observes it."""

from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from hargassner.network.writing import joined
from hargassner.proxy.exchange import BridgeRequest, Exchanges
from hargassner.proxy.exchange_states import IRelay
from hargassner.proxy.handover import Backlog
from hargassner.proxy.observers import Guard
from hargassner.proxy.protocols import BoilerProtocol, Leg, ProxyProtocol, ignore

HALF_CLOSED_TIMEOUT = 30.0
"""Seconds of silence after which a half-closed session is over."""


@dataclass(slots=True)
class Traffic:
    """What came so far: bytes from the client, the time of the last of them, and the boiler's."""

    heard: float
    from_client: int = 0
    from_boiler: int = 0


@implementer(IRelay)
class Relaying:
    """Both sides are up: what one says is written to the other, which pauses it when it is full.

    Args:
        clock: time.
        client: the client's side.
        boiler: the boiler's side.
        traffic: what came so far is counted here.
        backlog: hands over to the observers what has passed.
        exchanges: while one of them is under way, it decides what passes.
    """

    __slots__ = (
        "_backlog",
        "_boiler",
        "_client",
        "_exchanges",
        "_seconds",
        "_to_boiler",
        "_to_client",
        "_traffic",
    )

    def __init__(
        self,
        clock: IReactorTime,
        client: ProxyProtocol,
        boiler: BoilerProtocol,
        traffic: Traffic,
        backlog: Backlog,
        exchanges: Exchanges,
    ) -> None:
        self._seconds = clock.seconds
        self._client = client
        self._boiler = boiler
        self._traffic = traffic
        self._backlog = backlog
        self._exchanges = exchanges
        # Each is the other's producer: whoever is full pauses the other.
        self._to_boiler = joined(client.tcp, boiler.tcp)
        self._to_client = joined(boiler.tcp, client.tcp)

    def begin(self) -> None:
        """Let the bytes pass."""
        self._client.pass_on, self._boiler.pass_on = self.client_said, self.boiler_said
        self._client.tcp.resumeProducing()

    def client_said(self, data: bytes) -> None:
        """Pass the client's bytes to the boiler; the observers get them before long."""
        exchange = self._exchanges.current
        if exchange is None:
            self._to_boiler(data)
        traffic = self._traffic
        traffic.from_client += len(data)
        traffic.heard = now = self._seconds()
        if exchange is not None:
            exchange.client_said(data)
            return
        self._backlog.passed(Guard.gateway_sent, data, now)

    def boiler_said(self, data: bytes) -> None:
        """Pass the boiler's bytes to the client; the observers get them before long."""
        exchange = self._exchanges.current
        if exchange is None:
            self._to_client(data)
        self._traffic.from_boiler += len(data)
        if exchange is not None:
            exchange.boiler_said(data)
            return
        self._backlog.passed(Guard.boiler_sent, data, self._seconds())

    def exchange(self, request: BridgeRequest) -> "Deferred[bytes]":
        """Write a request of the bridge's own; see ``Session.exchange``."""
        self._to_boiler(request.line)
        reply = self._exchanges.begin(self, request)
        self._backlog.tell(Guard.bridge_sent, request.line)
        return reply

    def other(self, leg: Leg) -> Leg:
        """The side that is not this one."""
        return self._boiler if leg is self._client else self._client

    def half_close(self, leg: Leg) -> None:
        """One side sent FIN: so does the other, behind what waited for an exchange."""
        self._backlog.catch_up()
        exchange = self._exchanges.current
        if exchange is not None:
            # From a client that closed the boiler's answer can still be kept; from a boiler that
            # closed none can come.
            if leg is self._client:
                exchange.go_on()
            else:
                exchange.let_pass()
        other = self.other(leg)
        other.tcp.unregisterProducer()
        other.tcp.loseWriteConnection()

    def end(self) -> None:
        """Nothing more passes but what waited for an exchange."""
        self._backlog.catch_up()
        if self._exchanges.current is not None:
            self._exchanges.current.let_pass()
        self._client.pass_on = self._boiler.pass_on = ignore

    # What an exchange decides; the observers get it at once, since it rests on what they know.

    def pass_to_boiler(self, data: bytes) -> None:
        """Pass bytes of the client's that waited for an exchange."""
        if not self._boiler.lost:
            self._to_boiler(data)
        self._backlog.tell(Guard.gateway_sent, data)

    def pass_to_client(self, data: bytes) -> None:
        """Pass bytes of the boiler's that came while there is an exchange."""
        if not self._client.lost:
            self._to_client(data)
        self._backlog.tell(Guard.boiler_sent, data)

    def keep(self, data: bytes) -> None:
        """The boiler answered the bridge."""
        self._backlog.tell(Guard.bridge_received, data)

    def notice_follows(self, *, of_bridge: bool) -> None:
        """The notice that passes next is not the next one by its place."""
        self._backlog.tell(lambda each, _: each.notice_follows(of_bridge))

    def pause_client(self) -> None:
        """Read no more from a client whose bytes wait."""
        self._client.tcp.pauseProducing()

    def resume_client(self) -> None:
        """Read from the client again, if it has anything more to say."""
        if not self._client.lost and not self._client.finished:
            self._client.tcp.resumeProducing()


class HalfClosed:
    """One side sent FIN: what the other says still passes, until it is done or falls silent.

    Args:
        relaying: passes it.
        other: the side that has not sent FIN.
        silence: ends the session; it is put off by whatever passes.
    """

    def __init__(self, relaying: Relaying, other: Leg, silence: IDelayedCall) -> None:
        self.relaying = relaying
        self._silence = silence
        self._pass = other.pass_on
        other.pass_on = self._pass_on

    def _pass_on(self, data: bytes) -> None:
        self._silence.reset(HALF_CLOSED_TIMEOUT)
        self._pass(data)

    def end(self) -> None:
        """The session ends."""
        if self._silence.active():
            self._silence.cancel()
        self.relaying.end()
