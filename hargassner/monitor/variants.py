"""How well lines go with a layout, and with what differs from it a little.

A boiler may have a layout that nobody has published, and that is like a known one but for a channel
more here and one less there. Between the two every value would have a wrong name. So a layout must
go with the lines about as well as any such variant of it.
"""

from collections.abc import Iterator, Sequence
from math import inf

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
        table = [_placed(table, moves, scored) for moves in range(MOVES + 1)]
    table = _inserted(table, free=len(scores) in known_slots)
    return [row[hidden + MARGIN] for row in table]


def _inserted(table: Sequence[_Row], free: bool) -> list[_Row]:
    """With values hidden before a place: for nothing, or each for a move."""
    after: list[_Row] = []
    for moves, row in enumerate(table):
        before = row if free or not moves else after[moves - 1]
        after.append(list(_slipped(row, before, free)))
    return after


def _slipped(row: _Row, before: _Row, free: bool) -> Iterator[float]:
    previous = -inf
    for shift, score in enumerate(row):
        arriving = (
            previous if free else (before[shift - 1] if shift and before is not row else -inf)
        )
        previous = max(score, arriving)
        yield previous


def _placed(table: Sequence[_Row], moves: int, scored: Sequence[float]) -> _Row:
    """With the next channel at its place, or left out for a move."""
    row = [score + more for score, more in zip(table[moves], scored, strict=True)]
    if moves:
        left_out = [*table[moves - 1][1:], -inf]
        row = [max(pair) for pair in zip(row, left_out, strict=True)]
    return row
