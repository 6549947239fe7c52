"""Telemetry over a connection of the bridge's own, while no gateway session runs.

The boiler takes several connections at once and sends telemetry to each without a login
(docs/protocol.md, section 2), so that the owner's values do not depend on the maker's gateway.
"""

from collections.abc import Callable
from typing import Protocol as Interface
from typing import cast

from twisted.application.internet import backoffPolicy
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.dialogue.dialogue import Dialogue
from hargassner.discovery import BoilerUnknownError
from hargassner.monitor.interpreter import Interpreter
from hargassner.network.connecting import notice_its_loss
from hargassner.network.reasons import UnreachableError, plain_reason
from hargassner.network.reconnecting import Reconnecting
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session
from hargassner.services import Service

log = Logger()

SILENCE_TIMEOUT = 60.0
"""Seconds without a byte after which the connection is given up; a line comes every second."""
ASK_AGAIN = 86_400.0
"""Seconds between two requests for the descriptor; a boiler may refuse every one."""
RETRY_LONGEST = 60.0
"""Seconds between two attempts at most."""

_DESCRIBE = b"$daq desc\r\n"


class _Owner(Interface):
    """The owner of a connection, notified of what becomes of it."""

    def reads(self) -> None:
        """The first bytes came."""

    def ended(self, reason: str) -> None:
        """The connection is gone."""


class TelemetryReader(TimeoutMixin, Protocol):
    """Reads one connection of the bridge's own.

    Args:
        interpreter: gets what the boiler sends.
        clock: notices silence.
        describe: whether to ask the boiler for its descriptor; it may refuse.
        owner: notified when something comes, and of the end.
    """

    def __init__(
        self, interpreter: Interpreter, clock: IReactorTime, describe: bool, owner: _Owner
    ) -> None:
        self._interpreter = interpreter
        self._clock = clock
        self._describe = describe
        self._owner = owner
        self._dialogue = Dialogue(client="bridge")
        self._silent = False

    def connectionMade(self) -> None:
        """Ask what there is to ask, and listen."""
        transport = cast("ITCPTransport", self.transport)
        notice_its_loss(transport)
        self.setTimeout(SILENCE_TIMEOUT)  # type: ignore[no-untyped-call]
        if self._describe:
            self._interpreter.take(self._dialogue.gateway_sent(_DESCRIBE))
            transport.write(_DESCRIBE)

    def dataReceived(self, data: bytes) -> None:
        """Understand it."""
        self._owner.reads()
        self.resetTimeout()  # type: ignore[no-untyped-call]
        with log.failuresHandled("understanding {size} bytes", size=len(data)):
            self._interpreter.take(self._dialogue.boiler_sent(data))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone; the service makes another."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        silence = f"nothing came for {SILENCE_TIMEOUT:g} seconds"
        self._owner.ended(silence if self._silent else plain_reason(reason))

    def timeoutConnection(self) -> None:  # noqa: N802
        """Nothing came for too long: give the connection up."""
        self._silent = True
        cast("ITCPTransport", self.transport).abortConnection()

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:  # noqa: N802
        """Have the timeout run on the clock that was given."""
        return self._clock.callLater(period, func)


class _ReaderFactory(Factory[TelemetryReader]):
    noisy = False

    def __init__(self, interpreter: Interpreter, clock: IReactorTime, owner: _Owner) -> None:
        self._interpreter = interpreter
        self._clock = clock
        self._owner = owner
        self._asked = float("-inf")
        self.connections = 0

    def buildProtocol(self, addr: IAddress | None) -> TelemetryReader:
        self.connections += 1
        now = self._clock.seconds()
        known = self._interpreter.boiler.understanding.boilers_own
        describe = not known and now - self._asked >= ASK_AGAIN
        if describe:
            self._asked = now
        return TelemetryReader(self._interpreter, self._clock, describe, self._owner)


class DirectTelemetry(Service):
    """Keeps a connection of its own to the boiler whenever no gateway session runs.

    Args:
        clock: time.
        boiler: the way to the boiler.
        interpreter: gets what the boiler sends.
    """

    name = "direct telemetry"

    def __init__(
        self, clock: IReactorTime, boiler: IStreamClientEndpoint, interpreter: Interpreter
    ) -> None:
        self._clock = clock
        self._boiler = boiler
        self._factory = _ReaderFactory(interpreter, clock, self)
        self._client: Reconnecting | None = None
        self._stopping: Deferred[None] | None = None
        self._sessions: set[int] = set()
        self._reads = False
        self._said = ""

    @property
    def connections(self) -> int:
        """How often it connected so far."""
        return self._factory.connections

    def reads(self) -> None:
        """The boiler says something."""
        if not self._reads:
            self._reads = True
            self._said = ""
            log.info("reading telemetry over a connection of our own")

    def ended(self, reason: str) -> None:
        """The connection is gone; it is made again if it is still wanted."""
        self._reads = False
        if self._client is not None:
            self._say("our own telemetry connection ended, it is made again: {why}", why=reason)

    def unreachable(self, why: Failure) -> None:
        """An attempt to connect failed."""
        if self._client is None:
            return  # It is not wanted any more.
        match why.value:
            case BoilerUnknownError():
                self._say("no boiler has answered yet: telemetry is read as soon as one does")
            case UnreachableError() as wrong:
                self._say(
                    "the boiler does not answer at {host}: {why}; "
                    "trying again every {seconds:g} seconds",
                    host=wrong.host,
                    why=wrong.reason,
                    seconds=RETRY_LONGEST,
                )
            case _:
                self._say("the boiler cannot be reached: {why}", why=plain_reason(why))

    def _say(self, format_: str, **fields: object) -> None:
        """Say it, unless it was the last that was said."""
        said = format_.format(**fields)
        if said != self._said:
            self._said = said
            log.info(format_, **fields)

    def startService(self) -> None:
        """Connect, unless a gateway session runs."""
        super().startService()
        self._decide()

    def stopService(self) -> "Deferred[None] | None":
        """Disconnect; the result comes when the connection is closed."""
        super().stopService()
        self._decide()
        return self._stopping

    def observe(self, session: Session, *, is_gateway: bool) -> ISessionObserver:
        """Give way to a session of the gateway until it is over.

        Args:
            session: begins now.
            is_gateway: whether it is known to be the gateway's; if not, its login tells.
        """
        if is_gateway:
            self.give_way(session)
        return _Way(self, session.number)

    def give_way(self, session: Session) -> None:
        """A session is the gateway's, as its login tells."""
        self._sessions.add(session.number)
        self._decide()

    def session_over(self, number: int) -> None:
        """Read telemetry again when no session of the gateway is left."""
        self._sessions.discard(number)
        self._decide()

    def _decide(self) -> None:
        wanted = bool(self.running) and not self._sessions
        if wanted and self._client is None:
            self._client = Reconnecting(
                self._connect,
                cast("IProtocolFactory", self._factory),
                backoffPolicy(initialDelay=1.0, maxDelay=RETRY_LONGEST),
                self._clock,
            )
            self._client.startService()
        elif not wanted and self._client is not None:
            client, self._client = self._client, None
            self._stopping = client.stopService()

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        try:
            return await self._boiler.connect(factory)
        except Exception:
            self.unreachable(Failure())
            raise


@implementer(ISessionObserver)
class _Way:
    """Tells when the session is over that direct telemetry gives way to."""

    __slots__ = ("_direct", "_number")

    def __init__(self, direct: DirectTelemetry, number: int) -> None:
        self._direct = direct
        self._number = number

    def gateway_sent(self, data: bytes) -> None:
        """What passes is no concern of direct telemetry."""

    def boiler_sent(self, data: bytes) -> None:
        """What passes is no concern of direct telemetry."""

    def over(self, reason: str) -> None:
        self._direct.session_over(self._number)
