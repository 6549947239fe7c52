"""The login of the manhole: it asks for name and password, and puts the console in its place.

::

    connected ──▶ asking name ──▶ asking password ──▶ checking ──▶ inside
        │              ▲                                │  │
        │              └──────────── pausing ◀──────────┘  │ the third wrong one, a wait of more
        │ has to wait                (wrong)               ▼ than 4 s, or too early
        └──────────────────────────────────────────────▶ over

A minute after the beginning each of them is over, apart from ``inside``.

Twisted's ``AuthenticatingTelnetProtocol`` is not used: it asks the next time at once, gives its
own texts, waits for a client that does not negotiate about echo for ever, and logs an error for
one that refuses.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any
from typing import Protocol as Interface

from automat import TypeMachineBuilder
from twisted.conch.telnet import ECHO, ITelnetProtocol, StatefulTelnetProtocol
from twisted.cred.portal import Portal
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from hargassner.admin.attempts import Attempts
from hargassner.admin.credentials import AddressedPassword, TooEarlyError, WrongPasswordError
from hargassner.admin.terminal_protocol import Terminal, refused

log = Logger()

MOST_ATTEMPTS = 3
"""Logins that one connection may try."""
LONGEST_HELD = 4.0
"""Seconds of waiting for which a connection is kept open; a longer wait ends it."""
LOGIN_TIMEOUT = 60.0
"""Seconds that a login may take altogether."""


class _Course(Interface):
    """What happens to a login."""

    def begin(self) -> None:
        """The client may try."""

    def line(self, line: bytes) -> None:
        """The client typed a line."""

    def admitted(self, console: Terminal) -> None:
        """Name and password are right."""

    def wrong(self, wait: float) -> None:
        """One of them is wrong; the next attempt is possible after so many seconds."""

    def turned_away(self, wait: float, before: bytes = b"") -> None:
        """The client may not try for so many seconds; ``before`` is what it is shown first."""

    def ask_again(self) -> None:
        """The pause after a wrong password is over."""

    def ended(self) -> None:
        """The connection is gone, or has to go: the login took too long."""


@dataclass(frozen=True, slots=True)
class _Core:
    """What the states share.

    Args:
        clock: time.
        transport: the telnet layer.
        check: checks a name and a password, and says what came of it.
        enter: puts a console in the place of the login.
    """

    clock: IReactorTime
    transport: Any
    check: Callable[[bytes, bytes], None]
    enter: Callable[[Terminal], None]


def _asking_password(_course: _Course, core: _Core, line: bytes) -> bytes:
    """Take the name, and ask for the password, which is not echoed."""
    core.transport.will(ECHO).addErrback(refused)
    core.transport.write(b"Password: ")
    return line


def _pausing(course: _Course, core: _Core, wait: float) -> IDelayedCall:
    return core.clock.callLater(wait, course.ask_again)


def _ask_name(_course: _Course, core: _Core) -> None:
    core.transport.write(b"Username: ")


def _ask_again(_course: _Course, core: _Core, _pause: IDelayedCall) -> None:
    core.transport.write(b"Login incorrect\n")
    core.transport.wont(ECHO).addErrback(refused)
    core.transport.write(b"Username: ")


def _check(_course: _Course, core: _Core, username: bytes, line: bytes) -> None:
    core.transport.write(b"\n")
    core.check(username, line)


def _enter(_course: _Course, core: _Core, console: Terminal) -> None:
    core.enter(console)


def _turn_away(_course: _Course, core: _Core, wait: float, before: bytes = b"") -> None:
    core.transport.write(before + b"The next login is possible in %d s.\n" % ceil(wait))
    core.transport.loseConnection()


def _end_pause(_course: _Course, _core: _Core, pause: IDelayedCall) -> None:
    pause.cancel()


def _machine() -> Callable[[_Core], _Course]:
    builder = TypeMachineBuilder(_Course, _Core)
    connected, asking_name, checking, inside, over = map(
        builder.state, ["connected", "asking name", "checking", "inside", "over"]
    )
    asking_password = builder.state("asking password", _asking_password)
    pausing = builder.state("pausing", _pausing)

    connected.upon(_Course.begin).to(asking_name)(_ask_name)
    asking_name.upon(_Course.line).to(asking_password).returns(None)
    asking_password.upon(_Course.line).to(checking)(_check)
    checking.upon(_Course.admitted).to(inside)(_enter)
    checking.upon(_Course.wrong).to(pausing).returns(None)
    pausing.upon(_Course.ask_again).to(asking_name)(_ask_again)
    for state in (connected, checking):
        state.upon(_Course.turned_away).to(over)(_turn_away)

    for state in (connected, asking_name, checking):
        state.upon(_Course.ended).to(over).returns(None)
    asking_password.upon(_Course.ended).to(over).returns(None)
    pausing.upon(_Course.ended).to(over)(_end_pause)
    # The console has taken over, or the connection is going down.
    for state in (inside, over):
        state.upon(_Course.ended).loop().returns(None)
    for state in (connected, checking, inside, over):
        state.upon(_Course.line).loop().returns(None)
    # A check whose client is gone.
    for late in (_Course.admitted, _Course.wrong, _Course.turned_away):
        over.upon(late).loop().returns(None)
    # What is typed during the pause is dropped.
    pausing.upon(_Course.line).loop().returns(None)
    return builder.build()


_new_course = _machine()


class LoginProtocol(TimeoutMixin, StatefulTelnetProtocol):
    """Asks for name and password, and gives the console to clients that know them.

    Args:
        clock: time.
        portal: gives the console for a name and a password.
        attempts: how long an address has to wait.
        client: the client's address.
        on_guess: called with the number of wrong passwords in a row, at powers of two.
    """

    transport: Any  # It is the telnet layer, which can do more than a transport.

    def __init__(
        self,
        clock: IReactorTime,
        portal: Portal,
        attempts: Attempts,
        client: str,
        on_guess: Callable[[int], None],
    ) -> None:
        self._clock = clock
        self._portal = portal
        self._waiting = attempts.wait
        self._client = client
        self._on_guess = on_guess
        self._wrong = 0

    def connectionMade(self) -> None:
        """Ask who is there, or say that this address may not try now."""
        core = _Core(self._clock, self.transport, self._check, self._enter)
        self._course = _new_course(core)
        wait = self._waiting(self._client)
        if wait:
            self._course.turned_away(wait)
        else:
            self.setTimeout(LOGIN_TIMEOUT)  # type: ignore[no-untyped-call]
            self._course.begin()

    def dataReceived(self, data: bytes) -> None:
        """Take what was typed; the return key is CR NUL with some clients, CR LF with others."""
        super().dataReceived(data.replace(b"\r", b"\n"))  # type: ignore[no-untyped-call]

    def lineReceived(self, line: bytes) -> None:
        """Take a name or a password."""
        self._course.line(line)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The client is gone."""
        super().connectionLost(reason)  # type: ignore[no-untyped-call]
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self._course.ended()

    def timeoutConnection(self) -> None:  # noqa: N802
        """The login takes too long."""
        self._course.ended()
        self.transport.loseConnection()

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:  # noqa: N802
        """Have the timeout run on the clock that was given."""
        return self._clock.callLater(period, func)

    def _check(self, username: bytes, password: bytes) -> None:
        login = self._portal.login(
            AddressedPassword(username, password, self._client), None, ITelnetProtocol
        )
        login.addCallbacks(self._admitted, self._rejected)
        login.addErrback(lambda why: log.failure("a login to the manhole failed", failure=why))

    def _admitted(self, avatar: tuple[object, Terminal, object]) -> None:
        _, console, _ = avatar
        self._course.admitted(console)

    def _rejected(self, why: Failure) -> None:
        match why.value:
            case WrongPasswordError() as wrong:
                self._guessed(wrong)
            case TooEarlyError() as early:
                self._course.turned_away(early.wait)
            case _:
                why.raiseException()

    def _guessed(self, wrong: WrongPasswordError) -> None:
        self._wrong += 1
        # However long it goes on, there are not many powers of two.
        if wrong.count & (wrong.count - 1) == 0:
            self._on_guess(wrong.count)
        if self._wrong >= MOST_ATTEMPTS or wrong.wait > LONGEST_HELD:
            self._course.turned_away(wrong.wait, b"Login incorrect\n")
        else:
            self._course.wrong(wrong.wait)

    def _enter(self, console: Terminal) -> None:
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        log.info("manhole: {client} logged in", client=self._client)
        self.transport.protocol = console
        console.makeConnection(self.transport)  # type: ignore[no-untyped-call]
