"""When the boiler is announced to Home Assistant, as states.

========== ========= ======== =========== ====================
state      its data  a change its time is Home Assistant starts
                              over
========== ========= ======== =========== ====================
silent
up to date           settling             announces
settling   the timer          announces   announces
========== ========= ======== =========== ====================
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
        announce: announces what is known now, if it is enough.
    """

    clock: IReactorTime
    announce: Callable[[], None]


class AnnouncerLife(Protocol):
    """What changes the state."""

    def start(self) -> None:
        """The boiler is to be announced."""

    def changed(self) -> None:
        """Something has changed on which announcements depend."""

    def settled(self) -> None:
        """The changes have had their time."""

    def again(self) -> None:
        """Home Assistant has started."""

    def stop(self) -> None:
        """Nothing is to be announced any more."""


def _settle_timer(life: AnnouncerLife, announcing: Announcing) -> IDelayedCall:
    return announcing.clock.callLater(SETTLE, life.settled)


def _announce(_life: AnnouncerLife, announcing: Announcing) -> None:
    announcing.announce()


def _announce_settling(_life: AnnouncerLife, announcing: Announcing, _timer: IDelayedCall) -> None:
    announcing.announce()


def _stop_settling(_life: AnnouncerLife, _announcing: Announcing, timer: IDelayedCall) -> None:
    timer.cancel()


def _machine() -> Callable[[Announcing], AnnouncerLife]:
    """The states, as the table above has them."""
    builder = TypeMachineBuilder(AnnouncerLife, Announcing)
    silent = builder.state("silent")
    up_to_date = builder.state("up to date")
    settling = builder.state("settling", _settle_timer)
    life = AnnouncerLife

    silent.upon(life.start).to(up_to_date).returns(None)
    for ignored in (life.changed, life.again, life.stop):
        silent.upon(ignored).loop().returns(None)
    up_to_date.upon(life.start).loop().returns(None)
    up_to_date.upon(life.changed).to(settling).returns(None)
    up_to_date.upon(life.again).loop()(_announce)
    up_to_date.upon(life.stop).to(silent).returns(None)
    settling.upon(life.start).loop().returns(None)
    settling.upon(life.changed).loop().returns(None)
    settling.upon(life.again).loop()(_announce_settling)
    settling.upon(life.settled).to(up_to_date)(_announce_settling)
    settling.upon(life.stop).to(silent)(_stop_settling)
    return builder.build()


new_life = _machine()
"""Makes the life of an announcer, silent at first."""
