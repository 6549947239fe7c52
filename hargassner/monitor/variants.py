"""How well lines go with a layout, and with what differs from it a little.

A boiler may have a layout that nobody has published, and that is like a known one but for a channel
more here and one less there. Between the two every value would have a wrong name. So a layout must
go with the lines about as well as any such variant of it.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import inf
from operator import add

MARGIN = 2
"""How far a variant may be shifted against the layout, either way."""

MOVES = 2
"""Channels more or less than in the layout, together, that a variant has at most."""

_Row = list[float]


def best_scores(
    scores: Sequence[Sequence[float]], hidden: int, known_slots: Sequence[int]
) -> list[float]:
    """The best score of a layout, of its variants with one move, with two moves.

    Args:
        scores: for each described place how well its channel goes with what stands there, for each
            shift from ``-MARGIN`` to ``hidden + MARGIN``.
        hidden: how many more values the lines have. They are hidden at ``known_slots`` in the
            layout; hiding one elsewhere is a move.
    """
    width = hidden + 2 * MARGIN + 1
    table = [[-inf] * width for _ in range(MOVES + 1)]
    table[0][MARGIN] = 0.0
    for place, scored in enumerate(scores):
        table = _inserted(table, free=place in known_slots)
        table = _placed(table, scored)
    table = _inserted(table, free=len(scores) in known_slots)
    return [row[hidden + MARGIN] for row in table]


def _inserted(table: Sequence[_Row], free: bool) -> list[_Row]:
    """With values hidden before a place: for nothing, or each for a move."""
    if free:
        return [[*accumulate(row, max)] for row in table]
    return [*accumulate(table, _with_one_more)]


def _with_one_more(before: _Row, row: _Row) -> _Row:
    """The scores after a move, each its own or that of one shift and one move less."""
    return [*map(max, row, [-inf, *before])]


def _placed(table: Sequence[_Row], scored: Sequence[float]) -> list[_Row]:
    """With the next channel at its place, or left out for a move."""
    placed = [[*map(add, row, scored)] for row in table]
    left_out = [[*row[1:], -inf] for row in table[:-1]]
    return [placed[0], *([*map(max, *rows)] for rows in zip(placed[1:], left_out, strict=True))]
