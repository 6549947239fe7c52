"""A session of the simulated gateway: what it does on its connection, and when.

::

    opening ──▶ resting ◀──▶ polling      a cycle of requests, again and again
       │           │            │
       └───────────┴────────────┴──▶ renewing ──▶ clearing ──▶ leaving ──▶ over
             the session's time is up     $dhcp renew   $igw clear   $dhcp renew

A connection that is lost ends each of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol as Interface
from typing import cast

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure

from hargassner.simulator.gateway.dialogue import GatewayDialogue
from hargassner.simulator.gateway.timing import AFTER_RENEW, BEFORE_CLEAR, REPLY_TIMEOUT, Timing


class _Course(Interface):
    """What happens to a session."""

    def begin(self) -> None:
        """The connection is there."""

    def settled(self) -> None:
        """Every reply has come."""

    def poll(self) -> None:
        """The next cycle of requests is due."""

    def time_up(self) -> None:
        """The session has lasted as long as it should."""

    def clear(self) -> None:
        """The pause before ``$igw clear`` is over."""

    def agreed(self) -> None:
        """The boiler agreed to end the session."""

    def leave(self) -> None:
        """The pause before the end is over."""

    def lost(self) -> None:
        """The connection is gone."""


@dataclass(slots=True)
class _Core:
    """What the states share.

    ``ends`` is the time of the whole session, which ends whatever it does then.
    """

    clock: IReactorTime
    timing: Timing
    dialogue: GatewayDialogue
    write: Callable[[bytes], None]
    close: Callable[[], None]
    ends: IDelayedCall | None = None
    is_starting_over: bool = False


def _resting(course: _Course, core: _Core) -> IDelayedCall:
    return core.clock.callLater(core.timing.keepalive, course.poll)


def _renewing(course: _Course, core: _Core) -> IDelayedCall:
    core.is_starting_over = True
    core.write(core.dialogue.renew())
    return core.clock.callLater(core.timing.paced(BEFORE_CLEAR), course.clear)


def _leaving(course: _Course, core: _Core) -> IDelayedCall:
    core.write(core.dialogue.renew())
    return core.clock.callLater(core.timing.paced(AFTER_RENEW), course.leave)


def _begin(course: _Course, core: _Core) -> None:
    core.ends = core.clock.callLater(core.timing.session_length, course.time_up)
    core.write(core.dialogue.begin())


def _poll(_course: _Course, core: _Core, _pause: IDelayedCall) -> None:
    # A parameter may just be set.
    if not core.dialogue.waiting:
        core.write(core.dialogue.poll())


def _clear(_course: _Course, core: _Core, _pause: IDelayedCall) -> None:
    core.write(core.dialogue.clear())


def _leave(_course: _Course, core: _Core, _pause: IDelayedCall) -> None:
    core.close()


def _end(_course: _Course, core: _Core) -> None:
    _stop(core.ends)


def _end_pause(_course: _Course, core: _Core, pause: IDelayedCall) -> None:
    _stop(pause)
    _stop(core.ends)


def _stop(timer: IDelayedCall | None) -> None:
    if timer is not None and timer.active():
        timer.cancel()


def _machine() -> Callable[[_Core], _Course]:
    builder = TypeMachineBuilder(_Course, _Core)
    connected, opening, polling, clearing, over = map(
        builder.state, ["connected", "opening", "polling", "clearing", "over"]
    )
    # Each of these owns the timer that ends it.
    resting = builder.state("resting", _resting)
    renewing = builder.state("renewing", _renewing)
    leaving = builder.state("leaving", _leaving)

    connected.upon(_Course.begin).to(opening)(_begin)
    resting.upon(_Course.poll).to(polling)(_poll)
    for talking in (opening, polling):
        talking.upon(_Course.settled).to(resting).returns(None)
        talking.upon(_Course.time_up).to(renewing).returns(None)
    resting.upon(_Course.time_up).to(renewing)(_end_pause)
    renewing.upon(_Course.clear).to(clearing)(_clear)
    clearing.upon(_Course.agreed).to(leaving).returns(None)
    leaving.upon(_Course.leave).to(over)(_leave)

    for silent in (connected, opening, polling, clearing, over):
        silent.upon(_Course.lost).to(over)(_end)
    for pausing in (resting, renewing, leaving):
        pausing.upon(_Course.lost).to(over)(_end_pause)
        pausing.upon(_Course.settled).loop().returns(None)
    for ending in (clearing, over):
        ending.upon(_Course.settled).loop().returns(None)
    leaving.upon(_Course.agreed).loop().returns(None)
    over.upon(_Course.agreed).loop().returns(None)
    return builder.build()


_new_course = _machine()


class GatewaySession(TimeoutMixin, Protocol):
    """One connection of the gateway's to what it takes for the boiler.

    Args:
        clock: time.
        timing: when it does what.
        serial: the gateway's serial number.
        problem: called with each thing that is not as it should be, in a sentence.
        over: called with this session and the reason when the connection is gone.
    """

    def __init__(
        self,
        clock: IReactorTime,
        timing: Timing,
        serial: str,
        problem: Callable[[str], None],
        over: "Callable[[GatewaySession, Failure], None]",
    ) -> None:
        self.dialogue = GatewayDialogue(serial, problem)
        self._clock = clock
        self._problem = problem
        self._over = over
        self._core = _Core(clock, timing, self.dialogue, self._write, self.close)
        self._course = _new_course(self._core)

    @property
    def is_starting_over(self) -> bool:
        """Whether its time is up, and it ends with the boiler's consent."""
        return self._core.is_starting_over

    def begin(self) -> None:
        """Begin the dialogue."""
        self._course.begin()

    def set_parameter(self, number: str, kind: int, value: str) -> "Deferred[str]":
        """Set a parameter; the result is the boiler's reply."""
        outcome: Deferred[str] = Deferred()
        self._write(self.dialogue.set_parameter(number, kind, value, outcome.callback))
        return outcome

    def close(self) -> None:
        """Close the connection without a word."""
        self._tcp.loseConnection()

    def reset(self) -> None:
        """Reset the connection."""
        self._tcp.abortConnection()

    def connectionMade(self) -> None:
        """Send every request at once."""
        self._tcp.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        """Take what the boiler's side says, and go on."""
        dialogue = self.dialogue
        self._write(dialogue.received(data))
        if not dialogue.waiting:
            self.setTimeout(None)  # type: ignore[no-untyped-call]
        if dialogue.cleared:
            self._course.agreed()
        elif dialogue.opened:
            self._course.settled()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The session is over, one way or another."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self._course.lost()
        self._over(self, reason)

    def timeoutConnection(self) -> None:  # noqa: N802
        """A reply did not come."""
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self._problem(f"no reply within {REPLY_TIMEOUT:g} seconds")
        self.reset()

    def callLater(self, period: float, func: Callable[[], None]) -> IDelayedCall:  # noqa: N802
        """Have the timeout run on the clock that was given."""
        return self._clock.callLater(period, func)

    @property
    def _tcp(self) -> ITCPTransport:
        return cast("ITCPTransport", self.transport)

    def _write(self, data: bytes) -> None:
        if data:
            self._tcp.write(data)
        if self.dialogue.waiting and self.timeOut is None:
            self.setTimeout(REPLY_TIMEOUT)  # type: ignore[no-untyped-call]
