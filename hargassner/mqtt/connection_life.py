"""The states of a connection to the broker, and their timers.

=========== ==================================== ==============================================
state       its data                             what ends it
=========== ==================================== ==============================================
unconnected                                      the transport is there
greeting    the timeout of the broker's answer   accepted, given up, abandoned, lost
online      the keepalive                        given up, left, lost
leaving     the timeout of our goodbye           lost
abandoned                                        lost
given up    the problem                          lost
over
=========== ==================================== ==============================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from hargassner.delayed import Delayed
from hargassner.mqtt.events import ConnectionProblem
from hargassner.mqtt.problems import connection_problem

ANSWER_TIMEOUT = 15.0
"""Seconds from the connection to the broker's answer, the TLS handshake included."""
GRACE = 3.0
"""Seconds that a broker has to take our goodbye."""

_Stop = Callable[[], None]
"""Ends what a state waits for."""

_UNANSWERED = ConnectionProblem("the broker closed the connection instead of answering")
_SILENT = ConnectionProblem("the broker accepts connections and does not answer")


@dataclass(frozen=True, slots=True)
class Timed:
    """What a connection does when time has passed.

    Args:
        clock: time.
        give_up: called when the broker has not answered.
        keep_alive: called every second while online.
        abort: called when the broker has not taken the goodbye.
    """

    clock: IReactorTime
    give_up: Callable[[ConnectionProblem], None]
    keep_alive: Callable[[], None]
    abort: Callable[[], None]


class ConnectionLife(Protocol):
    """What changes the state of a connection. What is to be done then is the connection's part."""

    def connected(self) -> None:
        """The transport is there."""

    def accepted(self) -> None:
        """The broker has accepted us."""

    def give_up(self, why: ConnectionProblem, /) -> bool:
        """The connection is of no use any more; whether it is to be aborted now."""

    def leave(self) -> bool:
        """We want to go; whether a goodbye is to be said, and not to be aborted."""

    def lost(self, reason: Failure, /) -> ConnectionProblem:
        """The transport is gone; what the problem was."""


def _answer_timeout(_life: ConnectionLife, timed: Timed) -> _Stop:
    # A TLS handshake may be still to come: the endpoint's timeout is over by now.
    timeout = Delayed(timed.clock, ANSWER_TIMEOUT, partial(timed.give_up, _SILENT))
    timeout.start()
    return timeout.cancel


def _keepalive(_life: ConnectionLife, timed: Timed) -> _Stop:
    ticking = LoopingCall(timed.keep_alive)
    ticking.clock = timed.clock
    ticking.start(1.0, now=False)
    return ticking.stop


def _goodbye_timeout(_life: ConnectionLife, timed: Timed) -> _Stop:
    timeout = Delayed(timed.clock, GRACE, timed.abort)
    timeout.start()
    return timeout.cancel


def _problem(_life: ConnectionLife, _timed: Timed, why: ConnectionProblem) -> ConnectionProblem:
    return why


def _accept(_life: ConnectionLife, _timed: Timed, stop: _Stop) -> None:
    stop()


def _give_up(_life: ConnectionLife, _timed: Timed, stop: _Stop, _why: ConnectionProblem) -> bool:
    stop()
    return True


def _abandon(_life: ConnectionLife, _timed: Timed, stop: _Stop) -> bool:
    stop()
    return False


def _say_goodbye(_life: ConnectionLife, _timed: Timed, stop: _Stop) -> bool:
    stop()
    return True


def _lose_greeting(
    life: ConnectionLife, timed: Timed, stop: _Stop, reason: Failure
) -> ConnectionProblem:
    stop()
    return _lose_abandoned(life, timed, reason)


def _lose_abandoned(_life: ConnectionLife, _timed: Timed, reason: Failure) -> ConnectionProblem:
    closed = reason.check(ConnectionDone, ConnectionLost)
    return _UNANSWERED if closed else connection_problem(reason)


def _lose(_life: ConnectionLife, _timed: Timed, stop: _Stop, reason: Failure) -> ConnectionProblem:
    stop()
    return connection_problem(reason)


def _lose_given_up(
    _life: ConnectionLife, _timed: Timed, why: ConnectionProblem, _reason: Failure
) -> ConnectionProblem:
    return why


def _machine() -> Callable[[Timed], ConnectionLife]:
    """The states of a connection, as the table above has them."""
    builder = TypeMachineBuilder(ConnectionLife, Timed)
    unconnected = builder.state("unconnected")
    greeting = builder.state("greeting", _answer_timeout)
    online = builder.state("online", _keepalive)
    leaving = builder.state("leaving", _goodbye_timeout)
    abandoned = builder.state("abandoned")
    given_up = builder.state("given up", _problem)
    over = builder.state("over")

    unconnected.upon(ConnectionLife.connected).to(greeting).returns(None)
    greeting.upon(ConnectionLife.accepted).to(online)(_accept)
    greeting.upon(ConnectionLife.give_up).to(given_up)(_give_up)
    greeting.upon(ConnectionLife.leave).to(abandoned)(_abandon)
    greeting.upon(ConnectionLife.lost).to(over)(_lose_greeting)
    online.upon(ConnectionLife.give_up).to(given_up)(_give_up)
    online.upon(ConnectionLife.leave).to(leaving)(_say_goodbye)
    online.upon(ConnectionLife.lost).to(over)(_lose)
    leaving.upon(ConnectionLife.lost).to(over)(_lose)
    abandoned.upon(ConnectionLife.lost).to(over)(_lose_abandoned)
    given_up.upon(ConnectionLife.lost).to(over)(_lose_given_up)
    for state in (leaving, abandoned, given_up, over):
        state.upon(ConnectionLife.give_up).loop().returns(False)
        state.upon(ConnectionLife.leave).loop().returns(False)
    return builder.build()


new_life = _machine()
"""Makes the life of one connection, given what it does when time has passed."""
