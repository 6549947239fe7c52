"""An exchange: a request of the bridge's own is carried to the boiler, and its answer is awaited.

The decisions are those of ``hargassner.proxy.arbitration``; here they are carried out, in time.
"""

from collections.abc import Callable, Iterable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import Interface

from hargassner.proxy.arbitration import Arbitration, Piece

LARGEST_WAIT = 1 << 16
"""Bytes of the client's that wait for the end of an exchange; with more it is not read from."""


OWED_PATIENCE = 30.0
"""Seconds for which an overdue answer is still expected, if nothing tells what became of it."""


class NoReplyError(Exception):
    """The boiler did not reply in time; what it still owes is dealt with."""


class SessionOverError(Exception):
    """The session ended before the boiler replied."""


class IWay(Interface):
    """A session, as an exchange sees it."""

    def pass_to_boiler(data: bytes) -> None:
        """Write the client's bytes to the boiler."""

    def pass_to_client(data: bytes) -> None:
        """Write the boiler's bytes to the client."""

    def keep(data: bytes) -> None:
        """The boiler's bytes are an answer to the bridge."""

    def pause_client() -> None:
        """Read nothing more from the client."""

    def resume_client() -> None:
        """Read from the client again."""


class Exchange:
    """Carries one request of the bridge's own, from when it has been written.

    Args:
        clock: time.
        way: the session.
        request: a whole line.
        patience: seconds that the client waits for the answer; a doubtful reply is held as long.
        answered: called once, with the reply or the notice that refuses, without its line end, or
            with None when its time is up.
        settled: called once, after ``answered``, when nothing is owed for this exchange any more.
    """

    def __init__(
        self,
        clock: IReactorTime,
        way: IWay,
        request: bytes,
        patience: float,
        answered: Callable[[bytes | None], None],
        settled: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._way = way
        self._patience = patience
        self._answered: Callable[[bytes | None], None] | None = answered
        self._settled = settled
        self._arbitration = Arbitration(request)
        self._paused = False
        self._deciding = False
        self._timer: IDelayedCall | None = clock.callLater(patience, self._late)

    def client_said(self, data: bytes) -> None:
        """Pass the client's bytes, or have them wait."""
        passing = self._arbitration.gateway_sent(data)
        if passing:
            self._way.pass_to_boiler(passing)
        elif self._arbitration.waiting >= LARGEST_WAIT:
            self._paused = True
            self._way.pause_client()

    def boiler_said(self, data: bytes) -> None:
        """Pass the boiler's bytes, but for the answer."""
        self._carry_out(self._arbitration.boiler_sent(data))
        if self._arbitration.answer is not None:
            self._tell(self._arbitration.answer)
        self._look()

    def go_on(self) -> None:
        """Let the client's bytes pass from now on."""
        if not self._arbitration.holding:
            return
        passing = self._arbitration.go_on()
        if self._paused:
            # Writing much pauses the client once more, so this comes first.
            self._paused = False
            self._way.resume_client()
        if passing:
            self._way.pass_to_boiler(passing)

    def let_pass(self) -> None:
        """Hold nothing back any more on either side: no answer can come."""
        self.go_on()
        self._carry_out(self._arbitration.let_pass())

    def stop(self) -> None:
        """Forget the exchange; nobody is told."""
        self._set_timer(None)

    def _late(self) -> None:
        self._timer = None
        self._tell(None)
        self._look()

    def _tell(self, answer: bytes | None) -> None:
        answered, self._answered = self._answered, None
        if answered is not None:
            self._set_timer(None)
            self.go_on()
            answered(answer)

    def _look(self) -> None:
        """Do what follows from how things stand, as soon as the outcome has been told."""
        if self._answered is not None:
            return
        doubtful = self._arbitration.doubtful
        if self._arbitration.over:
            self._set_timer(None)
            self._settled()
        elif self._timer is None or doubtful is not self._deciding:
            self._deciding = doubtful
            if doubtful:
                self._set_timer(self._clock.callLater(self._patience, self._decide))
            else:
                self._set_timer(self._clock.callLater(OWED_PATIENCE, self._give_up))

    def _decide(self) -> None:
        self._timer = None
        self._carry_out(self._arbitration.decide())
        self._look()

    def _give_up(self) -> None:
        self._timer = None
        self._carry_out(self._arbitration.let_pass())
        self._look()

    def _carry_out(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if piece.kept:
                self._way.keep(piece.data)
            else:
                self._way.pass_to_client(piece.data)

    def _set_timer(self, timer: IDelayedCall | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer
