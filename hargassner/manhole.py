"""The manhole: a Python console inside the running bridge, over telnet.

A connection's life::

    connected ── four there already? ──yes──▶ closed at once
      ▼
    login ──wrong: 2 s until the next attempt; the third time, or after a minute──▶ closed
      ▼
    console: line editing, history, one namespace a connection

Whoever is in can do what the program itself can do; the console keeps its exceptions to itself.
"""

import hmac
from collections.abc import Mapping
from typing import Any, cast

from twisted.conch.insults.insults import ServerProtocol
from twisted.conch.manhole import Manhole as TwistedManhole
from twisted.conch.telnet import (
    ECHO,
    NAWS,
    SGA,
    StatefulTelnetProtocol,
    TelnetBootstrapProtocol,
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

from hargassner.config import ManholeConfig
from hargassner.network.connecting import notice_its_loss
from hargassner.network.listening import Listener
from hargassner.terminal import harmless

log = Logger()

MOST_CONNECTIONS = 4
MOST_ATTEMPTS = 3
"""Logins that one connection may try."""
WRONG_PASSWORD_DELAY = 2.0
"""Seconds between a wrong password and the next attempt."""
LOGIN_PATIENCE = 60.0
"""Seconds that a login may take altogether."""

_GREETING = b"The inside of hargassner-bridge; help() tells what there is, Ctrl-D leaves.\n"


class Console(TwistedManhole):
    """The console of whoever is logged in.

    What it shows is harmless to a terminal, control characters from the wire included.

    Args:
        namespace: the names that there are; the console works on a copy.
    """

    def initializeScreen(self) -> None:  # noqa: N802
        """Say where one is, below what is on the screen already."""
        self.terminal.write(_GREETING + self.ps[0])
        self.setInsertMode()  # type: ignore[no-untyped-call]

    def terminalSize(self, width: int, height: int) -> None:  # noqa: N802
        """Take note of the terminal's size, and leave its screen alone."""
        self.width, self.height = width, height

    def keystrokeReceived(self, keyID: Any, modifier: object) -> None:  # noqa: N802, N803
        """Take a key; those that are no ASCII are refused with a beep."""
        if isinstance(keyID, bytes) and keyID >= b"\x80":
            self.terminal.write(b"\a")
        else:
            super().keystrokeReceived(keyID, modifier)  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:
        """Run a line; what would end the program ends the console only."""
        try:
            super().lineReceived(line)  # type: ignore[no-untyped-call]
        except (SystemExit, KeyboardInterrupt):
            self.handle_QUIT()  # type: ignore[no-untyped-call]

    def addOutput(self, data: str, isAsync: bool | None = None) -> None:  # noqa: N802, N803
        """Show text."""
        # A tab is a control character too.
        lines = data.expandtabs().split("\n")
        super().addOutput("\n".join(map(harmless, lines)), isAsync)  # type: ignore[no-untyped-call]


class _Terminal(TelnetBootstrapProtocol):
    """Agrees with the client on a terminal that sends each key, and puts the console on it."""

    transport: Any  # It is the telnet layer, which can do more than a transport.

    def __init__(self, namespace: Mapping[str, object]) -> None:
        super().__init__(ServerProtocol, Console, dict(namespace))  # type: ignore[no-untyped-call]

    def connectionMade(self) -> None:
        self.transport.negotiationMap[NAWS] = self.telnet_NAWS
        # Echo was agreed on for the password; with these two each key is sent as it is pressed.
        self.transport.will(SGA).addErrback(_refused)
        self.transport.do(SGA).addErrback(_refused)
        self.transport.do(NAWS).addErrback(_refused)
        self.protocol = self.protocolFactory(*self.protocolArgs)
        self.protocol.makeConnection(self)


def _refused(_why: Failure) -> None:
    """A client that refuses an option is used as it is."""


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
        self._inside: _Terminal | None = None

    def connectionMade(self) -> None:
        """Ask who is there."""
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
        self.transport.will(ECHO).addErrback(_refused)
        self.transport.write(b"Password: ")
        return "password"

    def telnet_password(self, line: bytes) -> str:
        """Take the password."""
        self.transport.write(b"\n")
        if self._manhole.admits(self._username, line):
            self._enter()
        else:
            self._attempts += 1
            log.warn(
                "manhole: {client} gave a wrong name or password, attempt {attempt}",
                client=self._client,
                attempt=self._attempts,
            )
            self._timer = self._manhole.clock.callLater(WRONG_PASSWORD_DELAY, self._ask_again)
        return "Discard"

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self._stop_timers()

    def _ask_again(self) -> None:
        self.transport.write(b"Login incorrect\n")
        if self._attempts >= MOST_ATTEMPTS:
            self.transport.loseConnection()
            return
        self.transport.wont(ECHO).addErrback(_refused)
        self.transport.write(b"Username: ")
        self.state = "user"

    def _enter(self) -> None:
        self._stop_timers()
        log.info("manhole: {client} logged in", client=self._client)
        inside = _Terminal(self._manhole.namespace)
        self.transport.protocol = inside
        inside.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    def _stop_timers(self) -> None:
        for each in (self._timer, self._deadline):
            if each is not None and each.active():
                each.cancel()


class _Connection(TelnetTransport):
    """One client's connection."""

    def __init__(self, manhole: "ManholeFactory", client: str) -> None:
        super().__init__(Login, manhole, client)  # type: ignore[no-untyped-call]
        self._manhole = manhole
        self._client = client

    def connectionMade(self) -> None:
        self._manhole.connections.add(self)
        # Otherwise a client that lost its network would keep its place for ever.
        notice_its_loss(self.transport)
        super().connectionMade()  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:
        try:
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        except Exception:
            log.failure("manhole: {client} is cut off", client=self._client)
            self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._manhole.connections.discard(self)
        super().connectionLost(reason)  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """End it at once."""
        cast("ITCPTransport", self.transport).abortConnection()


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
        self.connections: set[_Connection] = set()
        self._username = config.username.encode()
        self._password = config.password.encode()
        if not self._password:
            raise ValueError("a manhole needs a password")

    def admits(self, username: bytes, password: bytes) -> bool:
        """Whether these are the name and the password; both are always compared."""
        right = [
            hmac.compare_digest(username, self._username),
            hmac.compare_digest(password, self._password),
        ]
        return all(right)

    def buildProtocol(self, addr: IAddress | None) -> TelnetTransport | None:
        """A login, or nothing where enough are connected."""
        client = addr.host if isinstance(addr, IPv4Address | IPv6Address) else "a local socket"
        if len(self.connections) >= MOST_CONNECTIONS:
            log.warn(
                "manhole: {client} is refused, {count} are connected",
                client=client,
                count=len(self.connections),
            )
            return None
        return _Connection(self, client)

    def end_all(self) -> None:
        """End every connection at once."""
        for each in tuple(self.connections):
            each.abort()


class Manhole(Listener):
    """The manhole, open while it runs.

    Args:
        config: where it listens, name and password.
        reactor: listens, and tells the time.
        namespace: the names that there are in the console.
    """

    def __init__(
        self, config: ManholeConfig, reactor: IReactorTime, namespace: Mapping[str, object]
    ) -> None:
        self._consoles = ManholeFactory(config, reactor, namespace)
        super().__init__(
            reactor,
            serverFromString(reactor, config.listen),
            config.listen,
            cast("IProtocolFactory", self._consoles),
            "the manhole",
        )

    def stopService(self) -> "Deferred[None] | None":
        """Close it, and end every connection."""
        closed = super().stopService()
        self._consoles.end_all()
        return closed
