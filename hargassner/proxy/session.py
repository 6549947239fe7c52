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

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
)
from twisted.internet.protocol import ClientFactory, Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from hargassner.discovery import Devices
from hargassner.network.connecting import IStreamTransport, notice_its_loss, writing_at_once
from hargassner.network.reasons import plain_reason
from hargassner.observers import Observers
from hargassner.proxy.exchange import Exchange, IWay, NoReplyError, SessionOverError

log = Logger()

START_OVER_PATIENCE = 3.0
"""Seconds that a session has to end by itself when its gateway starts over."""
CLOSE_PATIENCE = 1.0
"""Seconds between the FIN that ends a session and the RST, if need be."""
FLUSH_PATIENCE = 30.0
"""Seconds that a slow peer has for what was said before both sides closed."""
HALF_CLOSED_PATIENCE = 30.0
"""Seconds of silence after which a half-closed session is over."""

_REMEMBERED_SOURCES = 256


class ISessionObserver(Interface):
    """Whoever overhears one session.  The bytes have passed already when it is told."""

    def gateway_sent(data: bytes) -> None:
        """Bytes from the gateway passed to the boiler."""

    def boiler_sent(data: bytes) -> None:
        """Bytes from the boiler passed to the gateway."""

    def over(reason: str) -> None:
        """The session is over; nothing follows."""


class IExchangeObserver(ISessionObserver):
    """A watcher that is also told what passes between the bridge itself and the boiler."""

    def bridge_sent(data: bytes) -> None:
        """A request of the bridge's own was sent to the boiler: whole lines."""

    def bridge_received(data: bytes) -> None:
        """The boiler's answer to the bridge came, and did not pass: whole lines."""


class _Guard:
    """Keeps a watcher's exceptions from the proxy, and says the first."""

    def __init__(self, watcher: ISessionObserver, session: int) -> None:
        self._watcher = watcher
        self._exchanges = watcher if IExchangeObserver.providedBy(watcher) else None
        self._session = session
        self._failed = False

    def gateway_sent(self, data: bytes) -> None:
        try:
            self._watcher.gateway_sent(data)
        except Exception:
            self._say()

    def boiler_sent(self, data: bytes) -> None:
        try:
            self._watcher.boiler_sent(data)
        except Exception:
            self._say()

    def bridge_sent(self, data: bytes) -> None:
        if self._exchanges is not None:
            try:
                self._exchanges.bridge_sent(data)
            except Exception:
                self._say()

    def bridge_received(self, data: bytes) -> None:
        if self._exchanges is not None:
            try:
                self._exchanges.bridge_received(data)
            except Exception:
                self._say()

    def over(self, reason: str) -> None:
        try:
            self._watcher.over(reason)
        except Exception:
            self._say()

    def _say(self) -> None:
        if not self._failed:
            self._failed = True
            log.failure(
                "session {session}: overhearing failed; the bytes passed, "
                "and further failures in this session are not logged",
                session=self._session,
            )


class Access:
    """Who may connect to the telnet port.

    Args:
        allow: "igw", "any", IPv4 addresses and networks.
        devices: knows the gateway.
    """

    def __init__(self, allow: Iterable[str], devices: Devices) -> None:
        allow = tuple(allow)
        self._anyone = "any" in allow
        self._gateway = "igw" in allow
        self._networks = [
            ipaddress.IPv4Network(each) for each in allow if each not in ("any", "igw")
        ]
        self._devices = devices

    def admits(self, address: str) -> bool:
        """Whether this address may connect now."""
        if self._anyone or (self._gateway and self.may_be_gateway(address)):
            return True
        parsed = ipaddress.IPv4Address(address)
        return any(parsed in network for network in self._networks)

    def why_not(self, address: str) -> str:
        """Why an address may not connect, for the log."""
        if self._gateway and self._devices.gateway is None:
            return "no gateway has announced itself yet"
        return f"gateway.allow does not have {address}, and no gateway announced itself from there"

    def may_be_gateway(self, address: str) -> bool:
        """Whether a gateway announced itself from this address, trusted or not yet."""
        return self._devices.may_be_gateway(address)


@dataclass(slots=True)
class ProxyCounters:
    """What the proxy did since it started."""

    sessions: int = 0
    refused: int = 0
    unreachable: int = 0
    bytes_from_gateway: int = 0
    bytes_from_boiler: int = 0


@implementer(IHalfCloseableProtocol)
class _Leg(Protocol):
    """One of a session's two connections."""

    name = ""

    def __init__(self, session: "Session") -> None:
        self.session = session
        self.finished = False

    @property
    def tcp(self) -> IStreamTransport:
        """The transport, known to be TCP."""
        return cast("IStreamTransport", self.transport)

    def connectionMade(self) -> None:
        """Make the connection quick, and its loss noticeable."""
        self.tcp.setTcpNoDelay(True)
        self.tcp.setTcpKeepAlive(True)
        notice_its_loss(self.transport)

    def readConnectionLost(self) -> None:
        """The peer said all that it had to say."""
        self.finished = True
        self.session.leg_finished(self)

    def writeConnectionLost(self) -> None:
        """Our own FIN has been sent."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        self.session.leg_lost(self, reason)


class ProxyProtocol(_Leg):
    """The client's side of a session: the gateway, as a rule."""

    name = "the client"

    def connectionMade(self) -> None:
        """Read nothing before the boiler's side is up."""
        super().connectionMade()
        self.tcp.pauseProducing()
        self.session.client_connected(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it to the boiler."""
        self.session.client_said(data)


class BoilerProtocol(_Leg):
    """The boiler's side of a session."""

    name = "the boiler"

    def connectionMade(self) -> None:
        """Join it to the client's side."""
        super().connectionMade()
        self.session.boiler_connected(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass it to the client."""
        self.session.boiler_said(data)


class BoilerClientFactory(ClientFactory[BoilerProtocol]):
    """Connects one session to the boiler, once."""

    noisy = False

    def __init__(self, session: "Session") -> None:
        self._session = session

    def buildProtocol(self, addr: IAddress | None) -> BoilerProtocol:
        """The boiler's side of this session."""
        return BoilerProtocol(self._session)


@implementer(IWay)
class Session:
    """One client's connection and its connection to the boiler, from first byte to last.

    Args:
        number: names the session in the log.
        client: the client's address and port.
        factory: what the session belongs to.
    """

    def __init__(self, number: int, client: tuple[str, int], factory: "ProxyFactory") -> None:
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
        self._watchers: list[_Guard] = []
        self._exchange: Exchange | None = None
        self._awaited: Deferred[bytes] | None = None
        self._on_settled: Observers[Callable[[], None]] = Observers("a settled exchange")
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
            self._watchers = [_Guard(each, self.number) for each in self._factory.watch(self)]
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

    def exchange(self, request: bytes, timeout: float) -> "Deferred[bytes]":
        """Send a request of the bridge's own to the boiler, and wait for its reply.

        See ``ask`` for what happens to the client's bytes, and for what the caller has to see to.

        Args:
            request: a whole line.
            timeout: seconds that the client waits at most.

        Returns:
            The reply or the notice that refuses, without its line end.

        Errors: ``NoReplyError`` when there is none in time, ``SessionOverError``.
        """
        result: Deferred[bytes] = Deferred()

        def answered(reply: bytes | None) -> None:
            self._awaited = None
            if reply is None:
                result.errback(NoReplyError())
            else:
                result.callback(reply)

        self.ask(request, timeout, answered, lambda: self._on_settled.notify(lambda each: each()))
        self._awaited = result
        return result

    def on_settled(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called whenever the line can be used again after an exchange."""
        self._on_settled.add(listener)

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

    def leg_finished(self, leg: _Leg) -> None:
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

    def leg_lost(self, leg: _Leg, reason: Failure) -> None:
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

    def _other(self, leg: _Leg) -> _Leg | None:
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
            self._factory.counters.unreachable += 1
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
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            awaited.errback(SessionOverError())
        self._factory.session_over(self)


class ProxyFactory(ServerFactory[ProxyProtocol]):
    """Builds a fresh session for each connection to the telnet port.

    Args:
        clock: time.
        connect_boiler: connects a factory's protocol to the boiler; its Deferred can be
            cancelled.
        access: who may connect.
        watch: makes those who overhear a session.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        connect_boiler: Callable[[IProtocolFactory], "Deferred[IProtocol]"],
        access: Access,
        watch: Callable[[Session], Iterable[ISessionObserver]] = lambda _session: (),
    ) -> None:
        self.clock = clock
        self.connect_boiler = connect_boiler
        self.watch = watch
        self.counters = ProxyCounters()
        self.sessions: dict[int, Session] = {}
        self._access = access
        self.unreachable = ""
        """Why the last session did not reach the boiler, empty if it did."""
        self._said_refused: set[str] = set()
        self._on_login: list[Callable[[Session], None]] = []
        self._all_over: list[Deferred[None]] = []
        self._stopping = False

    def buildProtocol(self, addr: IAddress | None) -> ProxyProtocol | None:
        """A fresh session's client side, or nothing for whoever may not connect."""
        peer = cast("IPv4Address", addr)
        client = (peer.host, peer.port)
        if self._stopping:
            return None
        if not self._access.admits(client[0]):
            self._refuse(client[0])
            return None
        if self._access.may_be_gateway(client[0]):
            for old in self._sessions_of(client[0]):
                old.end("the gateway connected anew")
        self.counters.sessions += 1
        session = Session(self.counters.sessions, client, self)
        self.sessions[session.number] = session
        return ProxyProtocol(session)

    def on_login(self, listener: Callable[[Session], None]) -> None:
        """Have ``listener`` called with each session in which a gateway has logged in."""
        self._on_login.append(listener)

    def logged_in(self, session: Session) -> None:
        """The boiler took the login of a session's gateway."""
        for listener in self._on_login:
            with log.failuresHandled(
                "telling of the login in session {session}", session=session.number
            ):
                listener(session)

    def silence(self, address: str) -> float | None:
        """Seconds since a logged-in session from this address heard something of its client.

        None where there is no such session.
        """
        now = self.clock.seconds()
        since = [now - each.heard for each in self._sessions_of(address) if each.logged_in]
        return min(since, default=None)

    def gateway_announced(self, address: str, moved_from: str | None) -> None:
        """A gateway at this address starts over: what it still has open should end.

        What it had open at another address, where it ``moved_from``, should end as well.
        """
        for each in (address, moved_from):
            if each is not None:
                for session in self._sessions_of(each):
                    session.announced()

    def session_over(self, session: Session) -> None:
        """Forget a session."""
        del self.sessions[session.number]
        self.counters.bytes_from_gateway += session.bytes_from_gateway
        self.counters.bytes_from_boiler += session.bytes_from_boiler
        if not self.sessions:
            waiting, self._all_over = self._all_over, []
            for each in waiting:
                each.callback(None)

    def close(self) -> "Deferred[None]":
        """Admit nobody any more and end every session; the result comes when all are over."""
        self._stopping = True
        over: Deferred[None] = Deferred()
        if self.sessions:
            self._all_over.append(over)
            for session in list(self.sessions.values()):
                session.end("the bridge stops")
        else:
            over.callback(None)
        return over

    def _sessions_of(self, address: str) -> list[Session]:
        return [each for each in self.sessions.values() if each.address == address]

    def _refuse(self, address: str) -> None:
        self.counters.refused += 1
        if address not in self._said_refused and len(self._said_refused) < _REMEMBERED_SOURCES:
            self._said_refused.add(address)
            log.warn(
                "{client} may not connect and is closed at once: {why}",
                client=address,
                why=self._access.why_not(address),
            )
