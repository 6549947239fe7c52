"""How probable each alignment is, of those that the promised decimals leave open."""

from collections.abc import Sequence
from math import exp, inf, log

IMPROBABLE = -inf


def _sum(logs: Sequence[float]) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    highest = max(logs)
    if highest == -inf:
        return highest
    return highest + log(sum(exp(each - highest) for each in logs))


def _forward(scores: Sequence[Sequence[float]], slots: Sequence[float]) -> list[list[float]]:
    """For each place and shift: of all alignments up to there, the sum of their odds.

    Args:
        scores: how well each place's channel goes with what stands there at each shift.
        slots: how probable a hidden value is before each place.
    """
    shifts = range(len(scores[0]))
    before = [0.0] + [-inf] * (len(shifts) - 1)
    table = []
    for place, scored in enumerate(scores):
        arrived = _slipped(before, slots[place])
        before = [arrived[shift] + scored[shift] for shift in shifts]
        table.append(before)
    return table


def _slipped(before: Sequence[float], slot: float) -> list[float]:
    """One more value may be hidden at a slot, or several."""
    after = list(before)
    for shift in range(1, len(after)):
        after[shift] = _sum([before[shift], after[shift - 1] + slot])
    return after


def posterior(scores: Sequence[Sequence[float]], slots: Sequence[float]) -> list[list[float]]:
    """The probability of each shift of each place.

    Args:
        scores: logarithms, for each place and shift, of how well they go together.
        slots: logarithms, one more than places, of how probable a hidden value is there.
    """
    forward = _forward(scores, slots)
    backward = _mirrored(_forward(_mirrored(scores), [*reversed(slots)]))
    return [*map(_shares, forward, backward, scores)]


def _mirrored(table: Sequence[Sequence[float]]) -> list[list[float]]:
    """A table read from its other end."""
    return [[*reversed(each)] for each in reversed(table)]


def _shares(
    forward: Sequence[float], backward: Sequence[float], scored: Sequence[float]
) -> list[float]:
    """The probability of each shift of a place, given what comes before and behind it."""
    logs = [
        # Both have its score in them.
        one + other - score if score > -inf else -inf
        for one, other, score in zip(forward, backward, scored, strict=True)
    ]
    total = _sum(logs)
    return [exp(each - total) for each in logs]
