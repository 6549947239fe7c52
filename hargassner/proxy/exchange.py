"""An exchange: a request of the bridge's own is carried to the boiler, and its answer is awaited.

The decisions are those of ``hargassner.proxy.arbitration``; here they are carried out, in time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from hargassner.observers import Observers
from hargassner.proxy.arbitration import Arbitration
from hargassner.proxy.exchange_states import ExchangeCore, IRelay, new_exchange


class NoReplyError(Exception):
    """The boiler did not reply in time; what it still owes is dealt with."""


class SessionOverError(Exception):
    """The session ended before the boiler replied."""


@dataclass(frozen=True, slots=True)
class BridgeRequest:
    """A request of the bridge's own.

    ``line`` is the whole line, ``timeout`` the seconds that the client waits for the answer at
    most. ``text`` is how the boiler writes the value that the request sets: a notice of it tells
    that the answer is the next one. Empty where that is not known.
    """

    line: bytes
    timeout: float
    text: str = ""


class Exchange:
    """Carries one request of the bridge's own, from when it has been written.

    Args:
        clock: time.
        relay: passes the bytes.
        arbitration: decides what passes meanwhile; it has the request.
        timeout: seconds that the client waits for the answer; a doubtful reply is held as long.
        answered: called once, with the reply or the notice that refuses, without its line end, or
            with None when its time is up.
        settled: called once, after ``answered``, when nothing is owed for this exchange any more.
    """

    def __init__(
        self,
        clock: IReactorTime,
        relay: IRelay,
        arbitration: Arbitration,
        timeout: float,
        answered: Callable[[bytes | None], None],
        settled: Callable[[], None],
    ) -> None:
        self._core = ExchangeCore(clock, relay, arbitration, timeout, answered, settled)
        self._inputs = new_exchange(self._core)
        self._inputs.begin()

    def client_said(self, data: bytes) -> None:
        """Pass the client's bytes, or have them wait."""
        self._core.client_said(data)

    def boiler_said(self, data: bytes) -> None:
        """Pass the boiler's bytes, but for the answer."""
        self._inputs.boiler_said(data)

    def go_on(self) -> None:
        """Let the client's bytes pass from now on."""
        self._core.go_on()

    def let_pass(self) -> None:
        """Hold nothing back any more on either side: no answer can come."""
        self._core.go_on()
        self._core.carry_out(self._core.arbitration.let_pass())

    def stop(self) -> None:
        """Forget the exchange: neither function is called any more."""
        self._inputs.stop()


class Exchanges:
    """The exchanges of one session, one at a time.

    ``current`` is the one under way: until nothing is owed for it, it decides what passes.

    Args:
        clock: time.
    """

    __slots__ = ("_clock", "_reply", "_settled", "current")

    def __init__(self, clock: IReactorTime) -> None:
        self.current: Exchange | None = None
        self._clock = clock
        self._reply: Deferred[bytes] | None = None
        self._settled: Observers[Callable[[], object]] = Observers("a settled exchange")

    def on_settled(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Have ``listener`` called after each exchange, when nothing is owed for it any more.

        The returned function ends that.
        """
        return self._settled.add(listener)

    def begin(self, relay: IRelay, request: BridgeRequest) -> "Deferred[bytes]":
        """Await the reply to a request that has just been written; see ``Session.exchange``."""
        reply: Deferred[bytes] = Deferred()
        self._reply = reply
        arbitration = Arbitration(request.line, request.text)
        self.current = Exchange(
            self._clock, relay, arbitration, request.timeout, self._answered, self._over
        )
        return reply

    def stop(self) -> None:
        """The session is over: a reply that is still awaited is ``SessionOverError``."""
        if self.current is not None:
            self.current.stop()
            self.current = None
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.errback(SessionOverError())

    def _answered(self, answer: bytes | None) -> None:
        reply, self._reply = self._reply, None
        if reply is None:
            return
        if answer is None:
            reply.errback(NoReplyError())
        else:
            reply.callback(answer)

    def _over(self) -> None:
        self.current = None
        self._settled.notify(lambda listener: listener())
