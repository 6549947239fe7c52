"""The states of an exchange, what each of them holds, and what leads from one to the next.

========= ============================================ ==========================================
state     meaning                                      is left when
========= ============================================ ==========================================
waiting   the client's bytes wait for the answer       the answer comes, or its time is up
refused   they still wait: a notice has refused the    the reply comes, or a moment is over
          request, and a reply may be behind it
owed      the client goes on, and the answer may come  nothing is owed any more, or its time is up
doubtful  a reply is held that may be the client's     another one decides, or its time is up
settled   nothing is owed any more                     never
========= ============================================ ==========================================

Each of them but the last holds the timer of what it waits for. What passes meanwhile, and to whom,
is decided by ``hargassner.proxy.arbitration``.

Without the state "refused" a boiler that answers in time could disturb the client: between the
notice and the reply behind it ends a segment, the client asks something that can be refused in the
same words, and nobody can know any more whose the reply is.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IReactorTime
from zope.interface import Interface

from hargassner.proxy.arbitration import Arbitration, Piece

LARGEST_WAIT = 1 << 16
"""Bytes of the client's that wait for the end of an exchange; with more it is not read from."""
REFUSAL_PAUSE = 0.2
"""Seconds for which the client still waits when a notice has refused the request, for the reply
that may be behind it. A boiler's segments follow each other within some hundredths of a second.
"""
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

    def notice_follows(*, of_bridge: bool) -> None:
        """The bytes that pass to the client next end a notice out of its place.

        It refuses the bridge's request, or is the client's and overtakes replies that are held.
        """

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

    def refuse(self) -> None:
        """A notice has refused the request, behind which a reply may come."""

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


class Due:
    """Makes a call after some seconds, and after all that had come by then was read.

    In a turn of the reactor timers come first and sockets behind them. So a process that was held
    up finds a time over before it reads what came in time; the call is made a turn later.

    Args:
        clock: time.
        seconds: until the call.
        call: what is called.
    """

    def __init__(self, clock: IReactorTime, seconds: float, call: Callable[[], object]) -> None:
        self._clock = clock
        self._call = call
        self._delayed = clock.callLater(seconds, self._let_read)

    def cancel(self) -> None:
        """Do not make the call, if it is still to come."""
        if self._delayed.active():
            self._delayed.cancel()

    def _let_read(self) -> None:
        self._delayed = self._clock.callLater(0, self._call)


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
        self.deadline = clock.seconds() + timeout
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
            if piece.is_out_of_place:
                self._relay.notice_follows(of_bridge=piece.refuses)
            self._relay.pass_to_client(piece.data)


# What each state holds: the timer of what it waits for.


def _wait(inputs: ExchangeInputs, core: ExchangeCore) -> Due:
    return Due(core.clock, core.timeout, lambda: inputs.answered(None))


def _pause(inputs: ExchangeInputs, core: ExchangeCore) -> Due:
    left = core.deadline - core.clock.seconds()
    return Due(core.clock, max(0.0, min(left, REFUSAL_PAUSE)), inputs.expired)


def _owe(inputs: ExchangeInputs, core: ExchangeCore) -> Due:
    return Due(core.clock, OWED_TIMEOUT, inputs.expired)


def _doubt(inputs: ExchangeInputs, core: ExchangeCore) -> Due:
    return Due(core.clock, core.timeout, inputs.expired)


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


def _settle(_inputs: ExchangeInputs, core: ExchangeCore, timer: Due) -> None:
    _cancel(_inputs, core, timer)
    core.settled()


def _cancel(_inputs: ExchangeInputs, _core: ExchangeCore, timer: Due) -> None:
    timer.cancel()


_builder = TypeMachineBuilder(ExchangeInputs, ExchangeCore)
_new = _builder.state("new")
_waiting = _builder.state("waiting", _wait)
_refused = _builder.state("refused", _pause)
_owed = _builder.state("owed", _owe)
_doubtful = _builder.state("doubtful", _doubt)
_settled = _builder.state("settled")

_new.upon(ExchangeInputs.begin).to(_waiting).returns(None)

_waiting.upon(ExchangeInputs.refuse).to(_refused)(_cancel)
_waiting.upon(ExchangeInputs.owe).to(_owed)(_cancel)
_waiting.upon(ExchangeInputs.doubt).to(_doubtful)(_cancel)
_waiting.upon(ExchangeInputs.over).to(_settled)(_settle)
_waiting.upon(ExchangeInputs.stop).to(_settled)(_cancel)

_refused.upon(ExchangeInputs.owe).to(_owed)(_cancel)
_refused.upon(ExchangeInputs.over).to(_settled)(_settle)
_refused.upon(ExchangeInputs.stop).to(_settled)(_cancel)

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
def _answered(inputs: ExchangeInputs, core: ExchangeCore, timer: Due, answer: bytes | None) -> None:
    _cancel(inputs, core, timer)
    if core.arbitration.refused:
        core.answered(answer)
        inputs.refuse()
        return
    core.go_on()
    core.answered(answer)
    _see(inputs, core)


@_refused.upon(ExchangeInputs.boiler_said, nodata=True).loop()
def _await_reply(inputs: ExchangeInputs, core: ExchangeCore, data: bytes) -> None:
    core.carry_out(core.arbitration.boiler_sent(data))
    if core.arbitration.over:
        core.go_on()
        inputs.over()


@_refused.upon(ExchangeInputs.expired, nodata=True).loop()
def _wait_no_more(inputs: ExchangeInputs, core: ExchangeCore) -> None:
    core.go_on()
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
