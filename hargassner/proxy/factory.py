"""The factory behind the telnet port: it builds a fresh session for each connection."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from hargassner.observers import Observers, Once
from hargassner.proxy.access import Access
from hargassner.proxy.handover import Handover
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.protocols import ProxyProtocol
from hargassner.proxy.session import Session

log = Logger()


@dataclass(slots=True)
class ProxyCounters:
    """What the proxy did since it started."""

    sessions: int = 0
    refused: int = 0
    unreachable: int = 0
    bytes_from_gateway: int = 0
    bytes_from_boiler: int = 0


class ProxyFactory(ServerFactory[ProxyProtocol]):
    """Builds a fresh session for each connection to the telnet port.

    Args:
        clock: time.
        connect_boiler: connects a factory's protocol to the boiler; its Deferred can be
            cancelled.
        access: who may connect.
        observers: makes the observers of a session.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        connect_boiler: Callable[[IProtocolFactory], "Deferred[IProtocol]"],
        access: Access,
        observers: Callable[[Session], Iterable[ISessionObserver]] = lambda _session: (),
    ) -> None:
        self.clock = clock
        self.handover = Handover(clock)
        self.connect_boiler = connect_boiler
        self.observers = observers
        self.counters = ProxyCounters()
        self.sessions: dict[int, Session] = {}
        self._access = access
        self.unreachable = ""
        """Why the last session did not reach the boiler, empty if it did."""
        self._refusals = Once()
        self._on_login: Observers[Callable[[Session], None]] = Observers("a gateway's login")
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
        return session.protocol()

    def on_login(self, listener: Callable[[Session], None]) -> None:
        """Have ``listener`` called with each session in which a gateway has logged in."""
        self._on_login.add(listener)

    def logged_in(self, session: Session) -> None:
        """The boiler took the login of a session's gateway."""
        self._on_login.notify(lambda listener: listener(session))

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

    def boiler_not_reached(self) -> None:
        """Count a session that did not reach the boiler."""
        self.counters.unreachable += 1

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
        if self._refusals.first(address):
            log.warn(
                "{client} may not connect and is closed at once: {why}",
                client=address,
                why=self._access.why_not(address),
            )
