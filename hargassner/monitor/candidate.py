"""How well the lines of a boiler that has not described itself go with one known layout."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hargassner.monitor.alignment import MOST_HIDDEN
from hargassner.monitor.layouts import Layout
from hargassner.monitor.observed import Observed, Place
from hargassner.monitor.plausibility import IMPOSSIBLE
from hargassner.monitor.variants import MARGIN, best_scores

MOST_WORDS = 8
"""Digital words at the right end of a line at most."""

_RULED_OUT = -12.0
"""For a value whose decimals the layout rules out."""
_OUTSIDE = -1000.0
"""For a place that the lines have not got."""
_STRANGE_BIT = -3.0
"""For a bit that is set and not described, in a word with described ones."""
_HIDDEN = -2.0
"""For each value that the layout leaves out."""

_is_word = re.compile(r"[0-9A-F]{1,8}").fullmatch
_is_padded = re.compile(r"[0-9A-F]{4,8}").fullmatch


class Words:
    """What the last values of lines have shown, as digital words."""

    def __init__(self) -> None:
        self.bits = [0] * MOST_WORDS
        self.sound = [True] * MOST_WORDS
        self.padded = [True] * MOST_WORDS

    def see(self, tokens: Sequence[str]) -> None:
        """Take in the last values of a line, ``MOST_WORDS`` or fewer."""
        for place, token in enumerate(tokens, start=MOST_WORDS - len(tokens)):
            if _is_word(token):
                self.bits[place] |= int(token, 16)
                self.padded[place] &= _is_padded(token) is not None
            else:
                self.sound[place] = False

    def go_with(self, layout: Layout) -> bool:
        """Whether the words are printed as this layout's firmware does it.

        Firmware that promises decimals prints as many digits as it takes, any other four or more.
        """
        first = MOST_WORDS - layout.descriptor.words
        padded = all(self.padded[first:])
        return all(self.sound[first:]) and padded is not layout.terms.decimals

    def strange_bits(self, layout: Layout) -> int:
        """How many bits were set that the layout does not describe."""
        shown = self.bits[MOST_WORDS - layout.descriptor.words :]
        return sum(
            (bits & ~described).bit_count()
            for bits, described in zip(shown, layout.bits, strict=True)
            if described
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """How well a layout goes with lines.

    ``score`` is higher the better it does. ``gain`` is by how much some small variant of it does
    better. ``contradictions`` counts the channels that show what they cannot.
    """

    layout: Layout
    hidden: int
    score: float
    gain: float
    contradictions: int


def hidden_by(layout: Layout, values: int) -> int | None:
    """How many of a line's values a layout would leave out; None if it cannot be that one."""
    hidden = values - layout.descriptor.values
    return hidden if 0 <= hidden <= MOST_HIDDEN else None


def judged(layout: Layout, observed: Observed, words: Words, hidden: int) -> Candidate:
    """How well a layout goes with what has been observed, so many values being left out."""
    scores = _scores(layout, observed, hidden)
    plain, *variants = best_scores(scores, hidden, layout.terms.known_slots)
    strange = _STRANGE_BIT * words.strange_bits(layout)
    return Candidate(
        layout=layout,
        hidden=hidden,
        score=plain + strange + _HIDDEN * hidden,
        gain=max(variants) - plain,
        contradictions=_contradictions(layout, scores, hidden),
    )


def _scores(layout: Layout, observed: Observed, hidden: int) -> list[list[float]]:
    shifts = range(-MARGIN, hidden + MARGIN + 1)
    analog = observed.places[: layout.terms.values + hidden]
    return [
        [_score(layout, place, analog, place + shift) for shift in shifts]
        for place in range(layout.terms.values)
    ]


def _score(layout: Layout, place: int, analog: Sequence[Place], at: int) -> float:
    if not 0 <= at < len(analog):
        return _OUTSIDE
    shown = analog[at]
    ruled_out = bool(shown.forms & ~layout.terms.usual_forms[place])
    return _RULED_OUT * ruled_out + layout.terms.plausibility(place, shown)


def _contradictions(layout: Layout, scores: Sequence[Sequence[float]], hidden: int) -> int:
    """The fewest channels that show what they cannot, with values hidden at known places."""
    anywhere = [(2 << hidden) - 1] * layout.terms.values
    paths = layout.terms.known_paths(hidden, anywhere)
    return min(
        (
            sum(row[MARGIN + shift] <= IMPOSSIBLE for row, shift in zip(scores, path, strict=True))
            for path in paths
        ),
        default=layout.terms.values,
    )
