"""The manhole: a Python console inside the running bridge, over telnet.

A connection's life::

    connected ── four consoles, or two logins of this address, already? ──yes──▶ closed at once
      ▼          the address has to wait after wrong passwords? ──yes──▶ told so, closed
    login ── wrong the third time, a wait of more than 4 s, a minute, or no telnet ──▶ closed
      ▼
    console: line editing, history, one namespace a connection

Whoever is in can do what the program itself can do; the console keeps its exceptions to itself.
How long an address has to wait is in ``attempts``.
"""

import hmac
import ipaddress
from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from math import ceil
from typing import Any, cast

from twisted.conch.telnet import (
    ECHO,
    StatefulTelnetProtocol,
    TelnetTransport,
)
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocolFactory,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.admin.attempts import Attempts
from hargassner.admin.terminal_protocol import Terminal, refused
from hargassner.config import ManholeConfig, is_on_loopback
from hargassner.network.connecting import notice_its_loss
from hargassner.network.reopening import EndpointOpening

log = Logger()

MOST_CONSOLES = 4
MOST_LOGINS = 8
"""Connections that are not logged in; one more takes the place of one."""
MOST_LOGINS_PER_ADDRESS = 2
MOST_ATTEMPTS = 3
"""Logins that one connection may try."""
LONGEST_HELD = 4.0
"""Seconds of waiting for which a connection is kept; a longer wait ends it."""
LOGIN_PATIENCE = 60.0
"""Seconds that a login may take altogether."""
LONGEST_LOGIN = 4096
"""Bytes that it may take."""
SAID_AGAIN_AFTER = 3600.0
"""Seconds after which the same is said again of an address."""
MOST_SAID = 256
"""Things that are remembered as said; more than these are not said."""

_LOCAL = "this machine"
"""What all addresses of the loopback interface are taken for."""


class Login(StatefulTelnetProtocol):
    """Asks for user and password, and lets whoever knows them to the console."""

    transport: Any  # It is the telnet layer, which can do more than a transport.
    state = "user"

    def __init__(self, manhole: "ManholeFactory", client: str) -> None:
        self._manhole = manhole
        self._client = client
        self._username = b""
        self._attempts = 0
        self._timer: IDelayedCall | None = None
        self._deadline: IDelayedCall | None = None
        self._inside: Terminal | None = None

    def connectionMade(self) -> None:
        """Ask who is there."""
        if self._has_to_wait():
            return
        self._deadline = self._manhole.clock.callLater(
            LOGIN_PATIENCE, self.transport.loseConnection
        )
        self.transport.write(b"Username: ")

    def dataReceived(self, data: bytes) -> None:
        """Take what was typed; the return key is CR NUL with some clients, CR LF with others."""
        super().dataReceived(data.replace(b"\r", b"\n"))  # type: ignore[no-untyped-call]

    def telnet_user(self, line: bytes) -> str:
        """Take the name, and ask for the password, which is not echoed."""
        self._username = line
        self.transport.will(ECHO).addErrback(refused)
        self.transport.write(b"Password: ")
        return "password"

    def telnet_password(self, line: bytes) -> str:
        """Take the password."""
        self.transport.write(b"\n")
        if self._has_to_wait():
            return "Discard"
        if self._manhole.admits(self._username, line):
            self._manhole.attempts.succeeded(self._client)
            self._enter()
            return "Discard"
        self._attempts += 1
        wrong = self._manhole.attempts.failed(self._client)
        wait = self._manhole.attempts.wait(self._client)
        # However long it goes on, there are not many powers of two.
        if wrong & (wrong - 1) == 0:
            self.transport.warn_of_guess(wrong)
        if self._attempts >= MOST_ATTEMPTS or wait > LONGEST_HELD:
            self.transport.write(b"Login incorrect\n")
            self._has_to_wait()
        else:
            self._timer = self._manhole.clock.callLater(wait, self._ask_again)
        return "Discard"

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self._stop_timers()

    def _has_to_wait(self) -> bool:
        """Whether this address may not try now; then it is told so, and the connection ends."""
        wait = self._manhole.attempts.wait(self._client)
        if wait:
            self.transport.write(b"The next login is possible in %d s.\n" % ceil(wait))
            self.transport.loseConnection()
        return wait > 0

    def _ask_again(self) -> None:
        self.transport.write(b"Login incorrect\n")
        self.transport.wont(ECHO).addErrback(refused)
        self.transport.write(b"Username: ")
        self.state = "user"

    def _enter(self) -> None:
        self._stop_timers()
        log.info("manhole: {client} logged in", client=self._client)
        inside = Terminal(self._manhole.namespace)
        self.transport.protocol = inside
        inside.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def _stop_timers(self) -> None:
        for each in (self._timer, self._deadline):
            if each is not None and each.active():
                each.cancel()


class _Connection(TelnetTransport):
    """One client's connection."""

    protocol: object

    def __init__(self, manhole: "ManholeFactory", client: str) -> None:
        super().__init__(Login, manhole, client)  # type: ignore[no-untyped-call]
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
        # Otherwise a client that lost its network would keep its place for ever.
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

    def warn_of_guess(self, count: int) -> None:
        """Say that a password was wrong, one of so many in a row; once a connection."""
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
    """

    noisy = False

    def __init__(
        self, config: ManholeConfig, clock: IReactorTime, namespace: Mapping[str, object]
    ) -> None:
        self.clock = clock
        self.namespace = namespace
        self.attempts = Attempts(clock, _LOCAL)
        # Keys in the order in which they came.
        self.connections: dict[_Connection, None] = {}
        self._username = sha256(config.username.encode()).digest()
        self._password = sha256(config.password.encode()).digest()
        self._said: dict[tuple[str, str], float] = {}
        if not config.password:
            raise ValueError("a manhole needs a password")

    def admits(self, username: bytes, password: bytes) -> bool:
        """Whether these are the name and the password; it always takes as long."""
        right = [
            hmac.compare_digest(sha256(username).digest(), self._username),
            hmac.compare_digest(sha256(password).digest(), self._password),
        ]
        return all(right)

    def buildProtocol(self, addr: IAddress | None) -> TelnetTransport | None:
        """A login, or nothing where enough are connected."""
        client = _client(addr)
        consoles = sum(each.is_inside for each in self.connections)
        logins = Counter(each.client for each in self.connections if not each.is_inside)
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
        """Say something of an address, unless it has been said within the last hour."""
        now = self.clock.seconds()
        self._said = {each: at for each, at in self._said.items() if now - at < SAID_AGAIN_AFTER}
        if (client, text) not in self._said and len(self._said) < MOST_SAID:
            self._said[client, text] = now
            log.warn(text, client=client, **fields)

    def _make_room(self, logins: Mapping[str, int]) -> None:
        """End the oldest login of an address that has most of them, and was never let in."""
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
    address = ipaddress.ip_address(addr.host.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    return _LOCAL if address.is_loopback else str(address)


class Manhole(EndpointOpening):
    """The manhole, open while it runs.

    Args:
        config: where it listens, name and password.
        reactor: listens, and tells the time.
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
