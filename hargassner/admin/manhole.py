"""The manhole: a Python console inside the running bridge, over telnet.

A connection's life::

    connected ── four consoles, or two logins of this address, already? ──yes──▶ closed at once
      ▼
    login (``login``) ── refused, or what came is no telnet ──▶ closed
      ▼
    console (``terminal_protocol``): line editing, history, one namespace a connection

Whoever is in can do what the program itself can do; an exception in the console stays there.
"""

from collections import Counter, deque
from collections.abc import Mapping
from typing import cast

from twisted.conch.telnet import TelnetTransport
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IAddress, IProtocolFactory, IReactorTime, ITCPTransport
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.admin.attempts import Attempts
from hargassner.admin.credentials import console_portal
from hargassner.admin.login import LoginProtocol
from hargassner.admin.terminal_protocol import Terminal
from hargassner.config import ManholeConfig, is_on_loopback
from hargassner.network.connecting import notice_its_loss
from hargassner.network.reopening import EndpointOpening
from hargassner.observers import Once
from hargassner.web.hosts import plain_address

log = Logger()

MOST_CONSOLES = 4
MOST_LOGINS = 8
"""Connections that are not logged in; one more takes the place of one."""
MOST_LOGINS_PER_ADDRESS = 2
LONGEST_LOGIN = 4096
"""Bytes that it may take."""
WARNED_AGAIN_AFTER = 3600.0
"""Seconds after which the same warning of an address is logged again."""

_LOCAL = "this machine"
"""What all addresses of the loopback interface are taken for."""


class _Connection(TelnetTransport):
    """One client's connection."""

    protocol: object

    def __init__(self, manhole: "ManholeFactory", client: str) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            LoginProtocol,
            manhole.clock,
            manhole.portal,
            manhole.attempts,
            client,
            self._warn_of_guess,
        )
        self.client = client
        self._manhole = manhole
        self._received = 0
        self._cut_off = False
        self._warned = False

    @property
    def is_inside(self) -> bool:
        """Whether it has logged in."""
        return isinstance(self.protocol, Terminal)

    def connectionMade(self) -> None:
        self._manhole.connections[self] = None
        # Otherwise a client that lost its network would count for ever.
        notice_its_loss(self.transport)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        if self._cut_off:
            return
        self._received += len(data)
        if self._received > LONGEST_LOGIN and not self.is_inside:
            self._refuse("so much is no login")
            return
        try:
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        except Exception as wrong:
            # Twisted's parser raises several kinds.
            self._refuse(repr(wrong))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._manhole.connections.pop(self, None)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """End it at once."""
        self._cut_off = True
        self._manhole.connections.pop(self, None)
        cast("ITCPTransport", self.transport).abortConnection()

    def _warn_of_guess(self, count: int) -> None:
        """Log that a password was wrong, one of so many in a row; once a connection."""
        if not self._warned:
            self._warned = True
            log.warn(
                "manhole: {client} gave a wrong name or password, {count} in a row",
                client=self.client,
                count=count,
            )

    def _refuse(self, why: str) -> None:
        if not self._warned:
            self._manhole.warn_once(self.client, "manhole: {client} is cut off: {why}", why=why)
        self.abort()


class ManholeFactory(ServerFactory[TelnetTransport]):
    """Builds a login for each connection, as long as there are few.

    Args:
        config: name and password.
        clock: time.
        namespace: the names that there are in the console.

    Raises:
        ValueError: the password is empty.
    """

    noisy = False

    def __init__(
        self, config: ManholeConfig, clock: IReactorTime, namespace: Mapping[str, object]
    ) -> None:
        self.clock = clock
        self.attempts = Attempts(clock, _LOCAL)
        self.portal = console_portal(config, self.attempts, namespace)
        # Keys in the order in which they came.
        self.connections: dict[_Connection, None] = {}
        self._once = Once()
        # What was logged, the oldest first, and when.
        self._warnings: deque[tuple[float, tuple[str, str]]] = deque()

    def buildProtocol(self, addr: IAddress | None) -> TelnetTransport | None:
        """A login, or nothing where enough are connected."""
        client = _client(addr)
        logins = Counter(each.client for each in self.connections if not each.is_inside)
        consoles = len(self.connections) - logins.total()
        if consoles >= MOST_CONSOLES or logins[client] >= MOST_LOGINS_PER_ADDRESS:
            self.warn_once(
                client,
                "manhole: {client} is refused, {count} are connected",
                count=len(self.connections),
            )
            return None
        if logins.total() >= MOST_LOGINS:
            self._make_room(logins)
        return _Connection(self, client)

    def warn_once(self, client: str, text: str, **fields: object) -> None:
        """Log a warning of an address, unless it was logged within the last hour."""
        now, warning = self.clock.seconds(), (client, text)
        while self._warnings and now - self._warnings[0][0] >= WARNED_AGAIN_AFTER:
            self._once.forget(self._warnings.popleft()[1])
        if self._once.first(warning):
            self._warnings.append((now, warning))
            log.warn(text, client=client, **fields)

    def _make_room(self, logins: Mapping[str, int]) -> None:
        """End the oldest login of an address that has most of them, and never logged in."""
        waiting = [
            each
            for each in self.connections
            if not each.is_inside and not self.attempts.is_known(each.client)
        ]
        if waiting:
            max(waiting, key=lambda each: logins[each.client]).abort()

    def end_all(self) -> None:
        """End every connection at once."""
        for each in tuple(self.connections):
            each.abort()


def _client(addr: IAddress | None) -> str:
    if not isinstance(addr, IPv4Address | IPv6Address):
        return _LOCAL
    address = plain_address(addr.host)
    return _LOCAL if address.is_loopback else str(address)


class Manhole(EndpointOpening):
    """The manhole, open while it runs.

    Args:
        config: where it listens, name and password.
        reactor: listens, and measures time.
        namespace: the names that there are in the console.
    """

    def __init__(
        self, config: ManholeConfig, reactor: IReactorTime, namespace: Mapping[str, object]
    ) -> None:
        self._listen = config.listen
        self._consoles = ManholeFactory(config, reactor, namespace)
        super().__init__(
            reactor,
            serverFromString(reactor, config.listen),
            config.listen,
            cast("IProtocolFactory", self._consoles),
            "the manhole",
        )

    def startService(self) -> None:
        """Open it, and say so where others than this machine can reach it."""
        super().startService()
        if not is_on_loopback(self._listen):
            log.warn(
                "the manhole listens on {endpoint}, where other machines can reach it: whoever has "
                "the password can do all that the bridge can, and telnet is not encrypted",
                endpoint=self._listen,
            )

    def stopService(self) -> "Deferred[None] | None":
        """Close it, and end every connection."""
        closed = super().stopService()
        self._consoles.end_all()
        return closed
