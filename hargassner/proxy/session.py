"""The proxy: the gateway's telnet connection, passed to the boiler byte for byte.

One session object a connection, nothing carried over, no restart logic inside: whatever ends a
session ends both of its connections, and the gateway's next broadcast or connection starts a new
one from nothing (docs/protocol.md, section 5).

A session's life::

    a client connects ── allowed? ──no──▶ closed at once
      │ nothing is read from it
      ▼
    connecting to the boiler ──refused, 10 s──▶ closed
      │
      ▼
    relaying: what one says is written to the other, which pauses it when it is full
      │ FIN on one side: FIN to the other, whose bytes still pass
      ▼
    ending: FIN to both, RST a second later to whoever has not closed

While a request of the bridge's own is out, an exchange decides what passes
(hargassner/proxy/exchange.py).
"""

from collections.abc import Callable, Iterable
from typing import Protocol, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IProtocol, IProtocolFactory, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.network.connecting import writing_at_once
from hargassner.network.reasons import plain_reason
from hargassner.proxy.exchange import Exchange, IWay
from hargassner.proxy.observers import Guard, ISessionObserver
from hargassner.proxy.protocols import BoilerClientFactory, BoilerProtocol, Leg, ProxyProtocol

log = Logger()

START_OVER_PATIENCE = 3.0
"""Seconds that a session has to end by itself when its gateway starts over."""
CLOSE_PATIENCE = 1.0
"""Seconds between the FIN that ends a session and the RST, if need be."""
FLUSH_PATIENCE = 30.0
"""Seconds that a slow peer has for what was said before both sides closed."""
HALF_CLOSED_PATIENCE = 30.0
"""Seconds of silence after which a half-closed session is over."""


class SessionOwner(Protocol):
    """What a session belongs to."""

    clock: IReactorTime
    unreachable: str
    """Why the last session did not reach the boiler, empty if it did."""

    def connect_boiler(self, factory: IProtocolFactory, /) -> "Deferred[IProtocol]":
        """Connect a factory's protocol to the boiler; the result can be cancelled."""

    def watch(self, session: "Session", /) -> Iterable[ISessionObserver]:
        """Make those who observe a session."""

    def boiler_not_reached(self) -> None:
        """Count a session that did not reach the boiler."""

    def logged_in(self, session: "Session") -> None:
        """The boiler took the login of a session's gateway."""

    def session_over(self, session: "Session") -> None:
        """A session is over."""


@implementer(IWay)
class Session:
    """One client's connection and its connection to the boiler, from first byte to last.

    Args:
        number: names the session in the log.
        client: the client's address and port.
        factory: what the session belongs to.
    """

    def __init__(self, number: int, client: tuple[str, int], factory: SessionOwner) -> None:
        self.number = number
        self.address, self.port = client
        self.opened = factory.clock.seconds()
        self.heard = self.opened
        self.logged_in = False
        self._factory = factory
        self._clock = factory.clock
        self._client: ProxyProtocol | None = None
        self._boiler: BoilerProtocol | None = None
        self._connecting: Deferred[IProtocol] | None = None
        self._watchers: list[Guard] = []
        self._exchange: Exchange | None = None
        self._reason: str | None = None
        self._ending = False
        self._abort: IDelayedCall | None = None
        self._silence: IDelayedCall | None = None
        self._start_over: IDelayedCall | None = None
        self._asked_since_announcement = False
        # None before both sides are up, and as soon as the session ends.
        self._to_boiler: Callable[[bytes], None] | None = None
        self._to_client: Callable[[bytes], None] | None = None
        self._from_client = 0
        self._from_boiler = 0
        self._said = False

    @property
    def can_ask(self) -> bool:
        """Whether both sides are up and nothing is owed for a request of the bridge's own."""
        if self._exchange is not None or self._to_boiler is None:
            return False
        return not any(leg is None or leg.finished for leg in (self._client, self._boiler))

    @property
    def bytes_from_gateway(self) -> int:
        """How many bytes the client sent so far."""
        return self._from_client

    @property
    def bytes_from_boiler(self) -> int:
        """How many bytes the boiler sent so far."""
        return self._from_boiler

    def client_connected(self, client: ProxyProtocol) -> None:
        """The client is there: go and get the boiler."""
        self._client = client
        if not self._factory.unreachable:
            self._say_connected()
        with log.failuresHandled("session {session}: nobody overhears it", session=self.number):
            self._watchers = [Guard(each, self.number) for each in self._factory.watch(self)]
        connecting = self._factory.connect_boiler(
            cast("IProtocolFactory", BoilerClientFactory(self))
        )
        self._connecting = connecting
        connecting.addErrback(self._not_connected)

    def boiler_connected(self, boiler: BoilerProtocol) -> None:
        """The boiler is there: let the bytes pass."""
        self._connecting = None
        client = self._client
        if client is None or self._ending:
            boiler.tcp.abortConnection()
            return
        self._boiler = boiler
        self._factory.unreachable = ""
        self._say_connected()
        log.info("session {session}: the boiler is connected", session=self.number)
        self._to_boiler = writing_at_once(boiler.tcp)
        self._to_client = writing_at_once(client.tcp)
        # Each is the other's producer: whoever is full pauses the other.
        boiler.tcp.registerProducer(client.tcp, True)
        client.tcp.registerProducer(boiler.tcp, True)
        client.tcp.resumeProducing()

    def client_said(self, data: bytes) -> None:
        """Pass the client's bytes to the boiler, then let them be overheard."""
        write = self._to_boiler
        if write is None:
            return
        exchange = self._exchange
        if exchange is None:
            write(data)
        self._from_client += len(data)
        self.heard = self._clock.seconds()
        self._asked_since_announcement = True
        if self._silence is not None:
            self._silence.reset(HALF_CLOSED_PATIENCE)
        if exchange is not None:
            exchange.client_said(data)
            return
        for each in self._watchers:
            each.gateway_sent(data)

    def boiler_said(self, data: bytes) -> None:
        """Pass the boiler's bytes to the client, then let them be overheard."""
        write = self._to_client
        if write is None:
            return
        exchange = self._exchange
        if exchange is None:
            write(data)
        self._from_boiler += len(data)
        if self._silence is not None:
            self._silence.reset(HALF_CLOSED_PATIENCE)
        if exchange is not None:
            exchange.boiler_said(data)
            return
        for each in self._watchers:
            each.boiler_sent(data)

    def ask(
        self,
        request: bytes,
        patience: float,
        answered: Callable[[bytes | None], None],
        settled: Callable[[], None],
    ) -> None:
        """Send a request of the bridge's own to the boiler, and keep its answer from the client.

        The client's bytes wait for the answer. It is for the caller to see that the session
        ``can_ask``, and that nothing of the client's dialogue is disturbed. Neither function is
        called when the session is over.

        Args:
            request: a whole line.
            patience: seconds that the client waits at most.
            answered: called with the reply or the notice that refuses, without its line end, or
                with None when there was none in time.
            settled: called after that, when the session can be asked again.
        """
        write = self._to_boiler
        if write is None or not self.can_ask:
            raise RuntimeError("the session cannot be asked now")
        write(request)

        def over() -> None:
            self._exchange = None
            settled()

        self._exchange = Exchange(self._clock, self, request, patience, answered, over)
        for each in self._watchers:
            each.bridge_sent(request)

    def pass_to_boiler(self, data: bytes) -> None:
        """Pass bytes of the client's that waited for an exchange."""
        if self._to_boiler is not None:
            self._to_boiler(data)
            for each in self._watchers:
                each.gateway_sent(data)

    def pass_to_client(self, data: bytes) -> None:
        """Pass bytes of the boiler's that came while there is an exchange."""
        if self._to_client is not None:
            self._to_client(data)
            for each in self._watchers:
                each.boiler_sent(data)

    def keep(self, data: bytes) -> None:
        """The boiler answered the bridge."""
        for each in self._watchers:
            each.bridge_received(data)

    def pause_client(self) -> None:
        """Read no more from a client whose bytes wait."""
        if self._client is not None:
            self._client.tcp.pauseProducing()

    def resume_client(self) -> None:
        """Read from the client again."""
        if self._client is not None and not self._client.finished:
            self._client.tcp.resumeProducing()

    def said_login(self) -> None:
        """Whoever overhears the session saw the gateway log in."""
        if not self.logged_in:
            self.logged_in = True
            log.info("session {session}: logged in", session=self.number)
            self._factory.logged_in(self)

    def announced(self) -> None:
        """The gateway that this session belongs to says that it starts over.

        The session has a few seconds to end by itself; it stays only if the gateway goes on
        asking on it.
        """
        asked, self._asked_since_announcement = self._asked_since_announcement, False
        if self._start_over is not None and self._start_over.active():
            # One that says it again and again and asks nothing has had its time.
            if asked:
                self._start_over.reset(START_OVER_PATIENCE)
        elif not self._ending:
            self._start_over = self._clock.callLater(START_OVER_PATIENCE, self._start_over_due)

    def leg_finished(self, leg: Leg) -> None:
        """One side sent FIN: so does the other, whose bytes still pass until it is done."""
        if self._ending:
            return  # Both sides got their FIN already.
        self._because(f"{leg.name} closed")
        other = self._other(leg)
        if other is None or other.finished:
            self.end(f"{leg.name} closed", FLUSH_PATIENCE)
            return
        if self._exchange is not None:
            # What waits belongs before the FIN. From a client that closed the boiler's answer can
            # still be kept; from a boiler that closed none can come.
            if leg is self._client:
                self._exchange.go_on()
            else:
                self._exchange.let_pass()
        other.tcp.unregisterProducer()
        other.tcp.loseWriteConnection()
        self._silence = self._clock.callLater(HALF_CLOSED_PATIENCE, self.end, "half-closed, silent")

    def leg_lost(self, leg: Leg, reason: Failure) -> None:
        """One side is gone: the session is over."""
        if leg is self._client:
            self._client = None
        elif leg is self._boiler:
            self._boiler = None
        else:
            return  # It came too late to belong to the session.
        if reason.check(ConnectionDone) is None:
            self._because(f"{leg.name} was lost")
        # Where the session ends already, the other side keeps the time that it was given.
        self.end(f"{leg.name} closed", FLUSH_PATIENCE if self._ending else CLOSE_PATIENCE)

    def end(self, reason: str, patience: float = CLOSE_PATIENCE) -> None:
        """End both sides: FIN, and RST ``patience`` seconds later to whoever has not closed.

        A session that ends already is not given more time than this.
        """
        self._because(reason)
        if not self._ending:
            if self._exchange is not None:
                self._exchange.let_pass()
            self._ending = True
            self._to_boiler = self._to_client = None
            for each in (self._start_over, self._silence):
                if each is not None and each.active():
                    each.cancel()
            self._abort = self._clock.callLater(patience, self._abort_both)
            connecting, self._connecting = self._connecting, None
            if connecting is not None:
                connecting.cancel()
            for leg in (self._client, self._boiler):
                if leg is not None:
                    leg.tcp.unregisterProducer()
                    leg.tcp.loseConnection()
        elif self._abort is not None and self._abort.getTime() > self._clock.seconds() + patience:
            self._abort.reset(patience)
        if self._client is None and self._boiler is None:
            self._over()

    def _say_connected(self) -> None:
        if not self._said:
            self._said = True
            log.info(
                "session {session}: {client} port {port} connected",
                session=self.number,
                client=self.address,
                port=self.port,
            )

    def _because(self, reason: str) -> None:
        if self._reason is None:
            self._reason = reason

    def _other(self, leg: Leg) -> Leg | None:
        return self._boiler if leg is self._client else self._client

    def _start_over_due(self) -> None:
        self._start_over = None
        if self._asked_since_announcement:
            log.info(
                "session {session}: the gateway announced itself and goes on asking: it stays",
                session=self.number,
            )
        else:
            self.end("the gateway starts over")

    def _not_connected(self, why: Failure) -> None:
        self._connecting = None
        if why.check(CancelledError) is None and not self._ending:
            self._factory.boiler_not_reached()
            reason = f"the boiler cannot be reached: {plain_reason(why)}"
            # Gateways try again and again: the same reason is said with the first of them.
            self._said = self._said or reason != self._factory.unreachable
            self._factory.unreachable = reason
            self.end(reason)

    def _abort_both(self) -> None:
        for leg in (self._client, self._boiler):
            if leg is not None:
                leg.tcp.abortConnection()

    def _over(self) -> None:
        if self._abort is not None and self._abort.active():
            self._abort.cancel()
        if self._exchange is not None:
            self._exchange.stop()
            self._exchange = None
        reason = self._reason or ""
        if self._said:
            log.info(
                "session {session}: over after {seconds:.1f} s: {reason}; "
                "{from_client} bytes from the client, {from_boiler} from the boiler",
                session=self.number,
                seconds=self._clock.seconds() - self.opened,
                reason=reason,
                from_client=self._from_client,
                from_boiler=self._from_boiler,
            )
        watchers, self._watchers = self._watchers, []
        for each in watchers:
            each.over(reason)
        self._factory.session_over(self)
