"""The life of the simulated gateway: it announces itself, finds a boiler, talks to it, starts over.

::

    stopped ──▶ announcing ──▶ diagnosing ──▶ asking ──▶ looking ──▶ found ──▶ connecting
                    ▲                                                             │
                    └────── resting ◀── in a session ◀───────────────────────────┘

A connection that cannot be made leads to ``resting`` too. Stopping ends each of them; a session
takes a moment for that, in which the service may be started again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from typing import Protocol as Interface

from automat import TypeMachineBuilder
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.simulator.gateway.datagrams import Datagrams
from hargassner.simulator.gateway.session import GatewaySession
from hargassner.simulator.gateway.timing import (
    BEFORE_CONNECTING,
    BEFORE_DIAGNOSTICS,
    BEFORE_DIAGNOSTICS_REQUEST,
    BEFORE_SERVICES,
    BETWEEN_SERVICES,
    Timing,
)

log = Logger()


class Life(Interface):
    """What happens to a gateway."""

    def start(self) -> None:
        """It is switched on."""

    def stop(self) -> None:
        """It is switched off."""

    def pause_over(self) -> None:
        """The pause after a datagram or a session is over."""

    def answered(self, address: str, port: int) -> None:
        """A boiler sent its list of services."""

    def connect(self, address: str) -> None:
        """The pause before connecting to that boiler is over."""

    def connected(self, session: GatewaySession) -> None:
        """The connection is up."""

    def failed(self, why: Failure) -> None:
        """There is no connection."""

    def over(self) -> None:
        """The session's connection is gone."""

    def session(self) -> GatewaySession | None:
        """The session that runs, if there is one."""

    def describe(self) -> str:
        """What the gateway does, in words."""


@dataclass(slots=True)
class Core:
    """What the states share.

    Args:
        clock: time.
        timing: when the gateway does what.
        datagrams: its UDP ports.
        identity: its serial number, and its software version.
        boiler_port: where the list of services has to come from.
        connect: connects to a boiler at an address; the result is the session.
        problem: called with each thing that is not as it should be, in a sentence.
        sessions: how many there were.
    """

    clock: IReactorTime
    timing: Timing
    datagrams: Datagrams
    identity: tuple[str, str]
    boiler_port: int
    connect: "Callable[[str], Deferred[GatewaySession]]"
    problem: Callable[[str], None]
    sessions: int = 0


def _pause(life: Life, core: Core, seconds: float) -> IDelayedCall:
    return core.clock.callLater(core.timing.paced(seconds), life.pause_over)


def _announcing(life: Life, core: Core) -> IDelayedCall:
    core.datagrams.announce(*core.identity)
    return _pause(life, core, BEFORE_DIAGNOSTICS)


def _diagnosing(life: Life, core: Core) -> IDelayedCall:
    core.datagrams.report_diagnostics(*core.identity)
    return _pause(life, core, BEFORE_DIAGNOSTICS_REQUEST)


def _asking(life: Life, core: Core) -> IDelayedCall:
    core.datagrams.ask_for_diagnostics()
    return _pause(life, core, BEFORE_SERVICES)


def _looking(_life: Life, core: Core) -> LoopingCall:
    asking = LoopingCall(core.datagrams.ask_for_services)
    asking.clock = core.clock
    asking.start(core.timing.paced(BETWEEN_SERVICES))
    return asking


def _found(life: Life, core: Core, address: str, port: int) -> IDelayedCall:
    if port != core.boiler_port:
        core.problem(f"the service list came from port {port}, not {core.boiler_port}")
    log.info("a boiler answered from {address}", address=address)
    return core.clock.callLater(core.timing.paced(BEFORE_CONNECTING), life.connect, address)


def _connecting(life: Life, core: Core, address: str) -> "Deferred[None]":
    return core.connect(address).addCallbacks(life.connected, life.failed)


def _in_session(_life: Life, core: Core, session: GatewaySession) -> GatewaySession:
    core.sessions += 1
    log.info("session {number} begins", number=core.sessions)
    session.begin()
    return session


def _resting(life: Life, core: Core, why: Failure | None = None) -> IDelayedCall:
    if why is not None:
        log.info("cannot connect: {why}", why=why.getErrorMessage())
    return _pause(life, core, core.timing.restart_delay)


def _end_pause(_life: Life, _core: Core, pause: IDelayedCall) -> None:
    pause.cancel()


def _stop_asking(
    _life: Life,
    _core: Core,
    asking: LoopingCall,
    address: str,  # noqa: ARG001 - the state that follows takes these two.
    port: int,  # noqa: ARG001
) -> None:
    asking.stop()


def _end_asking(_life: Life, _core: Core, asking: LoopingCall) -> None:
    asking.stop()


def _give_up(_life: Life, _core: Core, connecting: "Deferred[None]") -> None:
    connecting.cancel()


def _reset(_life: Life, _core: Core, session: GatewaySession) -> None:
    session.reset()


def _running(_life: Life, _core: Core, session: GatewaySession) -> GatewaySession:
    return session


def _describe(_life: Life, _core: Core, session: GatewaySession) -> str:
    return "starting over" if session.is_starting_over else "in a session"


_builder = TypeMachineBuilder(Life, Core)
stopped, closing, restarting = map(_builder.state, ["stopped", "closing", "restarting"])
announcing = _builder.state("announcing", _announcing)
diagnosing = _builder.state("diagnosing", _diagnosing)
asking = _builder.state("asking", _asking)
looking = _builder.state("looking", _looking)
found = _builder.state("found", _found)
connecting = _builder.state("connecting", _connecting)
in_session = _builder.state("in session", _in_session)
resting = _builder.state("resting", _resting)


def _add_course() -> None:
    """From the announcement to the session, and again."""
    stopped.upon(Life.start).to(announcing).returns(None)
    announcing.upon(Life.pause_over).to(diagnosing).returns(None)
    diagnosing.upon(Life.pause_over).to(asking).returns(None)
    asking.upon(Life.pause_over).to(looking).returns(None)
    looking.upon(Life.answered).to(found)(_stop_asking)
    found.upon(Life.connect).to(connecting).returns(None)
    connecting.upon(Life.connected).to(in_session).returns(None)
    connecting.upon(Life.failed).to(resting).returns(None)
    in_session.upon(Life.over).to(resting).returns(None)
    resting.upon(Life.pause_over).to(announcing).returns(None)


def _add_stops() -> None:
    """How each state ends when the gateway is switched off, and what follows."""
    for pausing in (announcing, diagnosing, asking, found, resting):
        pausing.upon(Life.stop).to(stopped)(_end_pause)
    looking.upon(Life.stop).to(stopped)(_end_asking)
    connecting.upon(Life.stop).to(stopped)(_give_up)
    in_session.upon(Life.stop).to(closing)(_reset)
    restarting.upon(Life.stop).to(closing).returns(None)
    for idle in (stopped, closing):
        idle.upon(Life.stop).loop().returns(None)
    closing.upon(Life.start).to(restarting).returns(None)
    closing.upon(Life.over).to(stopped).returns(None)
    restarting.upon(Life.over).to(announcing).returns(None)
    # An attempt to connect that was given up fails.
    stopped.upon(Life.failed).loop().returns(None)


def _add_descriptions() -> None:
    """What the gateway does, in words, and its session."""
    in_session.upon(Life.session).loop()(_running)
    in_session.upon(Life.describe).loop()(_describe)
    _describe_each("stopped", stopped, closing)
    _describe_each("announcing", restarting, announcing, diagnosing, asking)
    _describe_each("looking for a boiler", looking)
    _describe_each("found a boiler", found)
    _describe_each("connecting", connecting)
    _describe_each("waiting to start over", resting)


def _describe_each(words: str, *states: Any) -> None:
    """What there is to say of states without a session."""
    for state in states:
        state.upon(Life.session).loop().returns(None)
        state.upon(Life.describe).loop().returns(words)


def _ignore_answers(*states: Any) -> None:
    """Where a boiler's answer comes too late or too early."""
    for state in states:
        state.upon(Life.answered).loop().returns(None)


_add_course()
_add_stops()
_add_descriptions()
_ignore_answers(stopped, closing, restarting, announcing, diagnosing, asking)
_ignore_answers(found, connecting, in_session, resting)
new_life = _builder.build()
