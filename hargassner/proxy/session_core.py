"""What a session knows in every state, and what is done with its two connections."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.network.reasons import plain_reason
from hargassner.proxy.exchange import Exchanges
from hargassner.proxy.handover import Backlog, Handover
from hargassner.proxy.observers import Guard, ISessionObserver
from hargassner.proxy.protocols import (
    BoilerClientFactory,
    BoilerProtocol,
    Leg,
    ProxyProtocol,
    SessionEvents,
)
from hargassner.proxy.relaying import Relaying, Traffic
from hargassner.proxy.start_over import StartOver

log = Logger(namespace="hargassner.proxy.session")


class SessionFacts(Protocol):
    """What the log says of a session."""

    number: int
    address: str
    port: int
    opened: float


class ConnectingEvents(SessionEvents, Protocol):
    """What happens while the boiler is being connected."""

    def not_connected(self, why: Failure, /) -> None:
        """The boiler cannot be reached."""


class SessionOwner(Protocol):
    """What a session belongs to."""

    clock: IReactorTime
    handover: Handover
    """Hands over to the sessions' observers what has passed."""
    unreachable: str
    """Why the last session did not reach the boiler, empty if it did."""

    def connect_boiler(self, factory: IProtocolFactory, /) -> "Deferred[IProtocol]":
        """Connect a factory's protocol to the boiler; the result can be cancelled."""

    def observers(self, session: Any, /) -> Iterable[ISessionObserver]:
        """Make those who observe a session."""

    def boiler_not_reached(self) -> None:
        """Count a session that did not reach the boiler."""

    def logged_in(self, session: Any) -> None:
        """The boiler took the login of a session's gateway."""

    def session_over(self, session: Any) -> None:
        """A session is over."""


class SessionCore:
    """What a session knows in every state.

    Args:
        session: what the owner and the log know it by.
        owner: what the session belongs to.
        end: ends the session, for a reason.
    """

    __slots__ = (
        "_owner",
        "_reason",
        "_said",
        "_session",
        "backlog",
        "clock",
        "exchanges",
        "legs",
        "relaying",
        "start_over",
        "traffic",
    )

    def __init__(
        self, session: SessionFacts, owner: SessionOwner, end: Callable[[str], None]
    ) -> None:
        self.clock = owner.clock
        self.traffic = Traffic(session.opened)
        self.exchanges = Exchanges(owner.clock)
        self.start_over = StartOver(owner.clock, session.number, self.traffic, end)
        self.legs: list[Leg] = []
        """The connections that are up."""
        self.relaying: Relaying | None = None
        """Passes the bytes while neither side has sent FIN: a request can be sent now."""
        self.backlog = Backlog(owner.handover)
        """What the session's observers have not got yet."""
        self._session = session
        self._owner = owner
        self._reason = ""
        self._said = False

    # Connecting.

    def connect(self, inputs: ConnectingEvents, client: ProxyProtocol) -> "Deferred[IProtocol]":
        """The client is there: connect to the boiler."""
        self.legs.append(client)
        if not self._owner.unreachable:
            self._say_connected()
        number = self._session.number
        with log.failuresHandled("session {session}: nobody overhears it", session=number):
            observers = [Guard(each, number) for each in self._owner.observers(self._session)]
            self.backlog = Backlog(self._owner.handover, observers)
        factory = cast("IProtocolFactory", BoilerClientFactory(inputs))
        attempt = self._owner.connect_boiler(factory)
        attempt.addErrback(inputs.not_connected)
        return attempt

    def not_connected(self, why: Failure) -> str:
        """The boiler cannot be reached; the reason."""
        self._owner.boiler_not_reached()
        reason = f"the boiler cannot be reached: {plain_reason(why)}"
        # Gateways try again and again: the same reason is said with the first of them.
        self._said = self._said or reason != self._owner.unreachable
        self._owner.unreachable = reason
        return reason

    def relay(self, boiler: BoilerProtocol) -> Relaying:
        """The boiler is there: let the bytes pass."""
        [client] = self.legs
        self.legs.append(boiler)
        self._owner.unreachable = ""
        self._say_connected()
        log.info("session {session}: the boiler is connected", session=self._session.number)
        self.relaying = Relaying(
            self.clock,
            cast("ProxyProtocol", client),
            boiler,
            self.traffic,
            self.backlog,
            self.exchanges,
        )
        self.relaying.begin()
        return self.relaying

    # Ending.

    def because(self, reason: str) -> None:
        """Why the session ends; the first reason counts."""
        self._reason = self._reason or reason

    def remove(self, leg: Leg, reason: Failure) -> bool:
        """A connection is gone; whether it was one of the session's."""
        if leg not in self.legs:
            return False  # It came too late to belong to the session.
        self.legs.remove(leg)
        if reason.check(ConnectionDone) is None:
            self.because(f"{leg.name} was lost")
        return True

    def close_legs(self) -> None:
        """Send FIN to both sides."""
        for leg in tuple(self.legs):
            leg.tcp.unregisterProducer()
            leg.tcp.loseConnection()

    def abort_legs(self) -> None:
        """Send RST to whoever has not closed."""
        for leg in tuple(self.legs):
            leg.tcp.abortConnection()

    def over(self) -> None:
        """Nothing follows."""
        session = self._session
        if self._said:
            log.info(
                "session {session}: over after {seconds:.1f} s: {reason}; "
                "{from_client} bytes from the client, {from_boiler} from the boiler",
                session=session.number,
                seconds=self.clock.seconds() - session.opened,
                reason=self._reason,
                from_client=self.traffic.from_client,
                from_boiler=self.traffic.from_boiler,
            )
        self.backlog.over(self._reason)
        self.exchanges.stop()
        self._owner.session_over(session)

    def _say_connected(self) -> None:
        if not self._said:
            self._said = True
            log.info(
                "session {session}: {client} port {port} connected",
                session=self._session.number,
                client=self._session.address,
                port=self._session.port,
            )
