"""The states of an exchange, what each of them holds, and what leads from one to the next.

========= ============================================ ==========================================
state     meaning                                      is left when
========= ============================================ ==========================================
waiting   the client's bytes wait for the answer       the answer comes, or its time is up
owed      the client goes on, and the answer may come  nothing is owed any more, or its time is up
doubtful  a reply is held that may be the client's     another one decides, or its time is up
settled   nothing is owed any more                     never
========= ============================================ ==========================================

Each of them but the last holds the timer of what it waits for. What passes meanwhile, and to whom,
is decided by ``hargassner.proxy.arbitration``.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import Interface

from hargassner.proxy.arbitration import Arbitration, Piece

LARGEST_WAIT = 1 << 16
"""Bytes of the client's that wait for the end of an exchange; with more it is not read from."""


OWED_TIMEOUT = 30.0
"""Seconds for which an overdue answer is still expected, if nothing shows what became of it."""


class IRelay(Interface):
    """What passes the bytes of a session, as an exchange sees it."""

    def pass_to_boiler(data: bytes) -> None:
        """Write the client's bytes to the boiler."""

    def pass_to_client(data: bytes) -> None:
        """Write the boiler's bytes to the client."""

    def keep(data: bytes) -> None:
        """The boiler's bytes are an answer to the bridge."""

    def refused() -> None:
        """The bytes that pass to the client next end a notice that refuses the bridge's request."""

    def pause_client() -> None:
        """Read nothing more from the client."""

    def resume_client() -> None:
        """Read from the client again."""


class ExchangeInputs(Protocol):
    """What can happen to an exchange."""

    def begin(self) -> None:
        """The request has just been written."""

    def boiler_said(self, data: bytes, /) -> None:
        """Bytes came from the boiler."""

    def answered(self, answer: bytes | None, /) -> None:
        """The answer came; or, with None, its time is up."""

    def doubt(self) -> None:
        """A reply is held of which nobody knows whose it is."""

    def owe(self) -> None:
        """The boiler may still answer, and nothing is held."""

    def expired(self) -> None:
        """What was waited for did not come in time."""

    def over(self) -> None:
        """Nothing is owed any more."""

    def stop(self) -> None:
        """The session is over: nobody is called any more."""


class ExchangeCore:
    """What an exchange knows in every state; the arguments are those of ``Exchange``."""

    def __init__(
        self,
        clock: IReactorTime,
        relay: IRelay,
        arbitration: Arbitration,
        timeout: float,
        answered: Callable[[bytes | None], None],
        settled: Callable[[], None],
    ) -> None:
        self.clock = clock
        self.timeout = timeout
        self.arbitration = arbitration
        self.answered = answered
        self.settled = settled
        self._relay = relay
        self._paused = False

    def client_said(self, data: bytes) -> None:
        """Pass the client's bytes, or have them wait."""
        passing = self.arbitration.gateway_sent(data)
        if passing:
            self._relay.pass_to_boiler(passing)
        elif self.arbitration.waiting >= LARGEST_WAIT:
            self._paused = True
            self._relay.pause_client()

    def go_on(self) -> None:
        """Let the client's bytes pass from now on."""
        if not self.arbitration.holding:
            return
        passing = self.arbitration.go_on()
        if self._paused:
            # Writing much pauses the client once more, so this comes first.
            self._paused = False
            self._relay.resume_client()
        if passing:
            self._relay.pass_to_boiler(passing)

    def carry_out(self, pieces: Iterable[Piece]) -> None:
        """Have the boiler's bytes pass, or not."""
        for piece in pieces:
            if piece.kept:
                self._relay.keep(piece.data)
                continue
            if piece.refuses:
                self._relay.refused()
            self._relay.pass_to_client(piece.data)


# What each state holds: the timer of what it waits for.


def _wait(inputs: ExchangeInputs, core: ExchangeCore) -> IDelayedCall:
    return core.clock.callLater(core.timeout, inputs.answered, None)


def _owe(inputs: ExchangeInputs, core: ExchangeCore) -> IDelayedCall:
    return core.clock.callLater(OWED_TIMEOUT, inputs.expired)


def _doubt(inputs: ExchangeInputs, core: ExchangeCore) -> IDelayedCall:
    return core.clock.callLater(core.timeout, inputs.expired)


# What is done in more than one state.


def _see(inputs: ExchangeInputs, core: ExchangeCore) -> None:
    """Do what follows from how things stand, as soon as the outcome is known."""
    if core.arbitration.over:
        inputs.over()
    elif core.arbitration.doubtful:
        inputs.doubt()
    else:
        inputs.owe()


def _take(inputs: ExchangeInputs, core: ExchangeCore, data: bytes) -> None:
    core.carry_out(core.arbitration.boiler_sent(data))
    _see(inputs, core)


def _pass(_inputs: ExchangeInputs, core: ExchangeCore, data: bytes) -> None:
    core.carry_out(core.arbitration.boiler_sent(data))


def _settle(_inputs: ExchangeInputs, core: ExchangeCore, timer: IDelayedCall) -> None:
    _cancel(_inputs, core, timer)
    core.settled()


def _cancel(_inputs: ExchangeInputs, _core: ExchangeCore, timer: IDelayedCall) -> None:
    if timer.active():
        timer.cancel()


_builder = TypeMachineBuilder(ExchangeInputs, ExchangeCore)
_new = _builder.state("new")
_waiting = _builder.state("waiting", _wait)
_owed = _builder.state("owed", _owe)
_doubtful = _builder.state("doubtful", _doubt)
_settled = _builder.state("settled")

_new.upon(ExchangeInputs.begin).to(_waiting).returns(None)

_waiting.upon(ExchangeInputs.owe).to(_owed)(_cancel)
_waiting.upon(ExchangeInputs.doubt).to(_doubtful)(_cancel)
_waiting.upon(ExchangeInputs.over).to(_settled)(_settle)
_waiting.upon(ExchangeInputs.stop).to(_settled)(_cancel)

_owed.upon(ExchangeInputs.boiler_said, nodata=True).loop()(_take)
_owed.upon(ExchangeInputs.owe, nodata=True).loop().returns(None)
_owed.upon(ExchangeInputs.doubt).to(_doubtful)(_cancel)
_owed.upon(ExchangeInputs.over).to(_settled)(_settle)
_owed.upon(ExchangeInputs.stop).to(_settled)(_cancel)

_doubtful.upon(ExchangeInputs.boiler_said, nodata=True).loop()(_take)
_doubtful.upon(ExchangeInputs.owe).to(_owed)(_cancel)
_doubtful.upon(ExchangeInputs.doubt, nodata=True).loop().returns(None)
_doubtful.upon(ExchangeInputs.over).to(_settled)(_settle)
_doubtful.upon(ExchangeInputs.stop).to(_settled)(_cancel)

_settled.upon(ExchangeInputs.boiler_said).loop()(_pass)
_settled.upon(ExchangeInputs.owe).loop().returns(None)
_settled.upon(ExchangeInputs.doubt).loop().returns(None)
_settled.upon(ExchangeInputs.over).loop().returns(None)
_settled.upon(ExchangeInputs.stop).loop().returns(None)


@_waiting.upon(ExchangeInputs.boiler_said, nodata=True).loop()
def _await_answer(inputs: ExchangeInputs, core: ExchangeCore, data: bytes) -> None:
    core.carry_out(core.arbitration.boiler_sent(data))
    if core.arbitration.answer is not None:
        inputs.answered(core.arbitration.answer)


@_waiting.upon(ExchangeInputs.answered).loop()
def _answered(
    inputs: ExchangeInputs, core: ExchangeCore, timer: IDelayedCall, answer: bytes | None
) -> None:
    _cancel(inputs, core, timer)
    core.go_on()
    core.answered(answer)
    _see(inputs, core)


@_owed.upon(ExchangeInputs.expired, nodata=True).loop()
def _give_up(inputs: ExchangeInputs, core: ExchangeCore) -> None:
    core.carry_out(core.arbitration.let_pass())
    _see(inputs, core)


@_doubtful.upon(ExchangeInputs.expired, nodata=True).loop()
def _decide(inputs: ExchangeInputs, core: ExchangeCore) -> None:
    core.carry_out(core.arbitration.decide())
    # In the middle of a line nothing can be decided: the doubt lasts as long again.
    inputs.owe()
    _see(inputs, core)


new_exchange = _builder.build()
