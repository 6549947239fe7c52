"""When the boiler is announced to Home Assistant, as states.

=========== ============= ============ ============ ============ =============
state       its data      a change     a channel's  its time is  Home Assistant
                                       value        over         starts
=========== ============= ============ ============ ============ =============
silent
up to date                settling                               announces
incomplete                settling     settling                  announces
settling    the timer                               announces    announces
=========== ============= ============ ============ ============ =============

An announcement leads to ``up to date``, or to ``incomplete`` where too little is known for one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from automat import TypeMachineBuilder
from twisted.internet.interfaces import IDelayedCall, IReactorTime

SETTLE = 3.0
"""Seconds between a change and the announcement that has it: changes come in crowds."""


@dataclass(frozen=True, slots=True)
class Announcing:
    """What the states need.

    Args:
        clock: time.
        announce: announces what is known now, and returns whether that was enough.
    """

    clock: IReactorTime
    announce: Callable[[], bool]


class AnnouncerLife(Protocol):
    """What changes the state."""

    def start(self) -> None:
        """The boiler is to be announced."""

    def changed(self) -> None:
        """Something has changed on which announcements depend."""

    def heard(self) -> None:
        """A channel has another value."""

    def settled(self) -> None:
        """The changes have had their time."""

    def again(self) -> None:
        """Home Assistant has started."""

    def lacking(self) -> None:
        """Too little is known for an announcement."""

    def stop(self) -> None:
        """Nothing is to be announced any more."""


def _settle_timer(life: AnnouncerLife, announcing: Announcing) -> IDelayedCall:
    return announcing.clock.callLater(SETTLE, life.settled)


def _announce(life: AnnouncerLife, announcing: Announcing) -> None:
    if not announcing.announce():
        life.lacking()


def _announce_settling(life: AnnouncerLife, announcing: Announcing, _timer: IDelayedCall) -> None:
    _announce(life, announcing)


def _stop_settling(_life: AnnouncerLife, _announcing: Announcing, timer: IDelayedCall) -> None:
    timer.cancel()


def _machine() -> Callable[[Announcing], AnnouncerLife]:
    """The states, as the table above has them."""
    builder = TypeMachineBuilder(AnnouncerLife, Announcing)
    silent = builder.state("silent")
    up_to_date = builder.state("up to date")
    incomplete = builder.state("incomplete")
    settling = builder.state("settling", _settle_timer)
    life = AnnouncerLife

    silent.upon(life.start).to(up_to_date).returns(None)
    for ignored in (life.changed, life.heard, life.again, life.lacking, life.stop):
        silent.upon(ignored).loop().returns(None)
    for state in (up_to_date, incomplete):
        state.upon(life.start).loop().returns(None)
        state.upon(life.changed).to(settling).returns(None)
        state.upon(life.again).to(up_to_date)(_announce)
        state.upon(life.lacking).to(incomplete).returns(None)
        state.upon(life.stop).to(silent).returns(None)
    up_to_date.upon(life.heard).loop().returns(None)
    incomplete.upon(life.heard).to(settling).returns(None)
    for ignored in (life.start, life.changed, life.heard, life.lacking):
        settling.upon(ignored).loop().returns(None)
    settling.upon(life.again).loop()(_announce_settling)
    settling.upon(life.settled).to(up_to_date)(_announce_settling)
    settling.upon(life.stop).to(silent)(_stop_settling)
    return builder.build()


new_life = _machine()
"""Makes the life of an announcer, silent at first."""
