"""Commands that wait for their turn: for their time, and for a gap in the gateway's dialogue.

A command takes a turn for each of its requests. One that has begun comes before all others; of
those that have not, the first whose time has come (hargassner/control/pacing.py).
"""

from collections.abc import Callable
from typing import Never

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from hargassner.control.command import CommandError, Outcome
from hargassner.control.pacing import MOST_A_MINUTE, Pacing
from hargassner.delayed import Delayed

MOST_WAITING = 20
"""Commands that wait for their first turn."""
GAP_TIMEOUT = 30.0
"""Seconds that a command waits for its time and a gap in the gateway's dialogue."""


class Turns:
    """Decides which command's turn it is.

    A turn is a Deferred that fires when the command can send its next request, which it must do at
    once. Its errors are ``CommandError``.

    Args:
        clock: time.
        pacing: decides when a command may begin.
        go_on: called when a turn may have come.
    """

    def __init__(self, clock: IReactorTime, pacing: Pacing, go_on: Callable[[], None]) -> None:
        self._clock = clock
        self._pacing = pacing
        self._begun: Deferred[None] | None = None
        self._waiting: dict[str, Deferred[None]] = {}
        self._soon = Delayed(clock, 0, go_on)
        self._later = Delayed(clock, 0, go_on)

    def first(self, id_: str) -> "Deferred[None]":
        """The turn of a command that begins; it takes the place of an older one for the same id."""
        older = self._waiting.pop(id_, None)
        if older is None and len(self._waiting) >= MOST_WAITING:
            raise CommandError(f"{MOST_WAITING} commands are waiting already", Outcome.TOO_MANY)
        turn = self._waiting[id_] = self._turn(self._not_begun_in_time)
        if older is not None:
            why = "a newer command for the same parameter took its place"
            older.errback(CommandError(why, Outcome.SUPERSEDED))
        return turn

    def next(self) -> "Deferred[None]":
        """The next turn of the command that has begun: before any other command's."""
        self._begun = self._turn(_no_gap)
        return self._begun

    def due(self) -> "Deferred[None] | None":
        """The turn to be given now, if the line is free; if there is none, its time is awaited."""
        return self._begun or self._first_due()

    def give(self, turn: "Deferred[None]") -> None:
        """Let the command send its request."""
        self._forget(turn)
        turn.callback(None)

    def end(self, why: str) -> None:
        """No session takes commands any more: no turn can come."""
        turns = [*self._waiting.values()]
        if self._begun is not None:
            turns.insert(0, self._begun)
        self._begun = None
        self._waiting.clear()
        self._later.cancel()
        for each in turns:
            each.errback(CommandError(why, Outcome.SESSION_ENDED))

    def _first_due(self) -> "Deferred[None] | None":
        if not self._waiting:
            self._later.cancel()
            return None
        id_ = min(self._waiting, key=self._pacing.wait)
        wait = self._pacing.wait(id_)
        if wait:
            self._later.cancel()
            self._later.start(wait)
            return None
        return self._waiting[id_]

    def _turn(self, too_late: Callable[[object, float], Never]) -> "Deferred[None]":
        turn: Deferred[None] = Deferred(self._forget)
        turn.addTimeout(GAP_TIMEOUT, self._clock, onTimeoutCancel=too_late)
        # The caller may be in the middle of what passes: leave that first.
        self._soon.start()
        return turn

    def _forget(self, turn: "Deferred[None]") -> None:
        if turn is self._begun:
            self._begun = None
        self._waiting = {id_: each for id_, each in self._waiting.items() if each is not turn}

    def _not_begun_in_time(self, result: object, seconds: float) -> Never:
        if self._pacing.is_used_up:
            raise CommandError(
                f"{MOST_A_MINUTE} commands were sent within a minute, and more are not; this one "
                f"has waited for {seconds:g} seconds",
                Outcome.TOO_MANY,
            )
        if self._pacing.spacing.is_backing_off:
            raise CommandError(
                "the boiler leaves requests unanswered, and is asked less often; this one has "
                f"waited for {seconds:g} seconds",
                Outcome.TIMED_OUT,
            )
        _no_gap(result, seconds)


def _no_gap(_: object, seconds: float) -> Never:
    raise CommandError(
        f"the gateway's dialogue left no gap for it within {seconds:g} seconds", Outcome.TIMED_OUT
    )
