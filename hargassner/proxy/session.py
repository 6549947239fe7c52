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
      │ both connections are gone
      ▼
    over

The states are in hargassner/proxy/session_states.py. While a request of the bridge's own is out, an
exchange decides what passes (hargassner/proxy/exchange.py).
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from hargassner.proxy.exchange import BridgeRequest
from hargassner.proxy.protocols import ProxyProtocol
from hargassner.proxy.session_core import SessionCore, SessionOwner
from hargassner.proxy.session_states import CLOSE_TIMEOUT, new_session

log = Logger()


class Session:
    """One client's connection and its connection to the boiler, from first byte to last.

    Args:
        number: names the session in the log.
        client: the client's address and port.
        owner: what the session belongs to.
    """

    def __init__(self, number: int, client: tuple[str, int], owner: SessionOwner) -> None:
        self.number = number
        self.address, self.port = client
        self.opened = owner.clock.seconds()
        self._logged_in = False
        self._owner = owner
        self._core = SessionCore(self, owner, self.end)
        self._inputs = new_session(self._core)

    @property
    def can_ask(self) -> bool:
        """Whether both sides are up and nothing is owed for a request of the bridge's own.

        What has passed is known to all observers then: one of them that asks before the others
        know of the rest cannot ask yet, and is called again with that.
        """
        self.catch_up()
        core = self._core
        return (
            core.relaying is not None and core.exchanges.current is None and core.backlog.is_empty
        )

    def observe_at_once(self, on: bool) -> None:
        """Have observers get what passes as soon as it has passed, or when there is time for it.

        A gateway that asks without a pause leaves the line free only between a reply and its next
        request, so that whoever waits for that must know of the reply at once.
        """
        self._core.backlog.at_once = on

    def catch_up(self) -> None:
        """Have the observers get what has passed, so that something can be decided by it."""
        self._core.backlog.catch_up()

    @property
    def logged_in(self) -> bool:
        """Whether the gateway has logged in."""
        self.catch_up()
        return self._logged_in

    @property
    def passed_at(self) -> float:
        """The moment at which that passed which the observers are getting."""
        return self._core.backlog.moment

    @property
    def heard(self) -> float:
        """When something came from the client last."""
        return self._core.traffic.heard

    @property
    def bytes_from_gateway(self) -> int:
        """How many bytes the client sent so far."""
        return self._core.traffic.from_client

    @property
    def bytes_from_boiler(self) -> int:
        """How many bytes the boiler sent so far."""
        return self._core.traffic.from_boiler

    def protocol(self) -> ProxyProtocol:
        """The protocol of the client's connection."""
        return ProxyProtocol(self._inputs)

    def exchange(self, request: BridgeRequest) -> "Deferred[bytes]":
        """Send a request of the bridge's own to the boiler, and keep its reply from the client.

        The client's bytes wait for the reply. It is for the caller to see that the session
        ``can_ask``, and that nothing of the client's dialogue is disturbed.

        Returns:
            The reply or the notice that refuses, without its line end.

        Errors: ``NoReplyError`` when there is none in time, ``SessionOverError``.
        """
        relaying = self._core.relaying
        if relaying is None or not self.can_ask:
            raise RuntimeError("the session cannot be asked now")
        return relaying.exchange(request)

    def on_settled(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Have ``listener`` called after each exchange, when the session can be asked again.

        The returned function ends that.
        """
        return self._core.exchanges.on_settled(listener)

    def said_login(self) -> None:
        """An observer of the session saw the gateway log in."""
        if not self._logged_in:
            self._logged_in = True
            log.info("session {session}: logged in", session=self.number)
            self._owner.logged_in(self)

    def announced(self) -> None:
        """The gateway that this session belongs to says that it starts over.

        The session has a few seconds to end by itself; it stays only if the gateway goes on
        asking on it.
        """
        self._inputs.announced()

    def end(self, reason: str, timeout: float = CLOSE_TIMEOUT) -> None:
        """End both sides: FIN, and RST ``timeout`` seconds later to whoever has not closed.

        A session that ends already is not given more time than this.
        """
        self._inputs.end(reason, timeout)
