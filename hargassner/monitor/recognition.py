"""Recognises which known layout the lines of a boiler have that has not described itself.

A layout is taken only if it goes with the lines far better than any other, about as well as any
small variant of itself (variants.py), and without a contradiction in any line. Where two layouts
go with them equally well, what both say is taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import attrgetter

from hargassner.dialogue.channels import AnalogChannel, Descriptor, DigitalChannel
from hargassner.dialogue.origin import Origin, Source
from hargassner.monitor.candidate import MOST_WORDS, Candidate, Words, hidden_by, judged
from hargassner.monitor.fitting import MOST_CONVINCED
from hargassner.monitor.layouts import Layout, known_layouts
from hargassner.monitor.observed import Observed

FEWEST_LINES = 30
"""Lines after which a layout can be recognised. A look that fails is repeated after twice as many,
and so on."""

_AHEAD = 10.0
"""By how much a layout must go better with the lines than one that says something else."""
_LEAST_SCORE = 15.0
_MOST_GAIN = 6.5


@dataclass(frozen=True, slots=True)
class Recognition:
    """The layout that lines have, and where it is from."""

    descriptor: Descriptor
    origin: Origin


class Recogniser:
    """Looks at the lines of one boiler until their layout is recognised.

    It holds a bounded summary of the lines, and does a small part of the work with each line: one
    layout is looked at in a line.

    Args:
        layouts: the layouts to choose from, if not those that come with the package.
    """

    def __init__(self, layouts: Sequence[Layout] | None = None) -> None:
        self._layouts = layouts
        self._observed = Observed(0)
        self._words = Words()
        self._others = 0
        self._next_look = FEWEST_LINES
        self._failed_looks = 0
        self._look: Iterator[Recognition | None] = iter(())

    @property
    def values(self) -> int:
        """How many values a line has, digital words included; 0 before the first line."""
        return len(self._observed.places)

    @property
    def lines(self) -> int:
        """How many lines were looked at."""
        return self._observed.lines

    @property
    def failed_looks(self) -> int:
        """How often lines were compared with all layouts, and none of these was recognised."""
        return self._failed_looks

    def take(self, line: bytes) -> Recognition | None:
        """Take in a line.

        Args:
            line: a whole telemetry line, which begins ``pm``, without its line end.

        Returns:
            what it is recognised as, once.
        """
        tokens = [*filter(None, line[3:].decode("latin-1").split(" "))]
        if not self._goes_on(tokens):
            return None
        self._observed.see(self._observed.changed(tokens))
        self._words.see(tokens[-MOST_WORDS:])
        if self.lines >= self._next_look:
            self._next_look = 2 * self.lines
            self._look = self._compare()
        return next(self._look, None)

    def finish(self) -> Recognition | None:
        """Do what is left to do at once, when no more lines come; as ``take``."""
        if self.lines >= FEWEST_LINES and self._next_look > FEWEST_LINES:
            return [None, *self._look][-1]
        return None

    def _goes_on(self, tokens: Sequence[str]) -> bool:
        """Whether a line is as long as those before; if many are not, it begins anew."""
        if len(tokens) == self.values:
            self._others = 0
            return True
        self._others += 1
        if self.lines and self._others < MOST_CONVINCED:
            return False
        self._begin(len(tokens))
        return True

    def _begin(self, values: int) -> None:
        self._observed = Observed(values)
        self._words = Words()
        self._others = 0
        self._next_look = FEWEST_LINES
        self._look = iter(())

    def _compare(self) -> Iterator[Recognition | None]:
        """Look at a layout at a time; the last result is what they come to."""
        candidates = []
        for layout in self._layouts or known_layouts():
            hidden = hidden_by(layout, self.values)
            if hidden is not None and self._words.go_with(layout):
                candidates.append(judged(layout, self._observed, self._words, hidden))
                yield None
        recognition = _chosen(candidates)
        self._failed_looks += recognition is None
        yield recognition


def _chosen(candidates: Sequence[Candidate]) -> Recognition | None:
    """What all say that are not clearly behind, if each of them goes well with the lines."""
    ahead = _ahead(candidates)
    alike = len({each.hidden for each in ahead}) == 1
    if alike and all(map(_goes_well, ahead)):
        return _recognition([each.layout for each in ahead])
    return None


def _ahead(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that are not clearly behind, the best one first."""
    ranked = sorted(candidates, key=attrgetter("score"), reverse=True)
    return [each for each in ranked if each.score > ranked[0].score - _AHEAD]


def _goes_well(candidate: Candidate) -> bool:
    return (
        candidate.score >= _LEAST_SCORE
        and candidate.gain <= _MOST_GAIN
        and not candidate.contradictions
    )


def _recognition(layouts: Sequence[Layout]) -> Recognition:
    names = " or ".join(dict.fromkeys(layout.name for layout in layouts))
    published = ", ".join(dict.fromkeys(layout.published for layout in layouts))
    descriptor = reduce(_agreed, (layout.descriptor for layout in layouts))
    return Recognition(descriptor, Origin(Source.RECOGNISED, names, published))


def _agreed(one: Descriptor, other: Descriptor) -> Descriptor:
    """The channels that both have at the same places, in as many values."""
    analog = set(map(_analog_key, other.analog))
    digital = set(map(_digital_key, other.digital))
    return replace(
        one,
        analog=tuple(filter(lambda each: _analog_key(each) in analog, one.analog)),
        digital=tuple(filter(lambda each: _digital_key(each) in digital, one.digital)),
    )


def _analog_key(channel: AnalogChannel) -> tuple[int, str, str]:
    return channel.place, channel.name, channel.unit


def _digital_key(channel: DigitalChannel) -> tuple[int, int, str]:
    return channel.word, channel.bit, channel.name
