"""Finds the values of a boiler's lines that its descriptor leaves out.

What the decimals prove is certain (alignment.py). What they leave open is decided only for the two
places where hidden values have been met on real boilers, and only where it is as good as certain
by all that the lines have shown (plausibility.py, probability.py). Everything else is unknown.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import combinations_with_replacement, compress, filterfalse, pairwise
from math import inf
from typing import Literal

from hargassner.catalogue import Catalogue
from hargassner.dialogue.channels import AnalogChannel, Descriptor, Fit, Placement
from hargassner.monitor.alignment import (
    MOST_HIDDEN,
    USUAL_FORMS,
    agreeing,
    certain,
    feasible,
    promised_forms,
    promises_decimals,
)
from hargassner.monitor.observed import Change, Observed, Place, form_of
from hargassner.monitor.plausibility import kind_of, plausibility
from hargassner.monitor.probability import posterior

MOST_FAMILIAR = 4096
"""Values at their places that are remembered as ones that go with their descriptor."""

Hidden = Literal["auto"] | Sequence[int]
"""Where values are hidden: to be found, or at these places in the line; none, if empty."""

_BEFORE = "external_circuit_setpoint"
_BEHIND = "tank_1_state"
"""Roles of the channels beside which hidden values have been met: before the one, behind the
other."""


@dataclass(frozen=True, slots=True)
class _Prior:
    """What is expected of a firmware: how probable a hidden value is at a place where some have
    been met and at any other one (logarithms), how much what is shown counts, what probability is
    enough, and before how many hidden values at most what is probable is told."""

    known: float
    elsewhere: float
    weight: float
    enough: float
    most_hidden: int


_WITH_DECIMALS = _Prior(
    known=-2.0, elsewhere=-4.0, weight=1.0, enough=0.99, most_hidden=MOST_HIDDEN
)
_WITHOUT_DECIMALS = _Prior(known=-2.0, elsewhere=-2.0, weight=0.7, enough=0.9999, most_hidden=0)
"""Firmware without ``dop`` has never been seen to hide values: no place is likelier there. Nothing
rules a hidden value out there: only what stands before any is told."""


class Terms:
    """What a descriptor promises of its lines.

    ``values`` and ``words`` are how many analog values and digital words are described. ``forms``
    has how each described place may be printed and ``usual_forms`` how it is on all boilers that
    were met; ``channels`` has what stands there. ``known_slots`` are the described places before
    which hidden values have been met.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self.values = descriptor.analog_values
        self.words = descriptor.words
        self.forms = promised_forms(descriptor)
        self.usual_forms = promised_forms(descriptor, USUAL_FORMS)
        self.channels: list[list[AnalogChannel]] = [[] for _ in range(self.values)]
        for channel in descriptor.analog:
            self.channels[channel.place].append(channel)
        self.decimals = promises_decimals(descriptor)
        self.prior = _WITH_DECIMALS if self.decimals else _WITHOUT_DECIMALS
        self.known_slots = _known_slots(descriptor)

    @property
    def slots(self) -> list[float]:
        """How probable a hidden value is before each place and behind the last."""
        known = dict.fromkeys(self.known_slots, self.prior.known)
        return [known.get(slot, self.prior.elsewhere) for slot in range(self.values + 1)]

    def scores(self, observed: Observed, shifts: Sequence[int]) -> list[list[float]]:
        """How well each described place goes with what stands there at each of its shifts."""
        width = range(len(observed.places) - self.values + 1)
        return [
            [self._score(place, observed, possible, shift) for shift in width]
            for place, possible in enumerate(shifts)
        ]

    def _score(self, place: int, observed: Observed, possible: int, shift: int) -> float:
        if not _has(possible, shift):
            return -inf
        return self.prior.weight * self.plausibility(place, observed.places[place + shift])

    def plausibility(self, place: int, shown: Place) -> float:
        """How well a described place goes with what a place of the lines has shown."""
        kinds = map(kind_of, self.channels[place])
        return sum(plausibility(kind, shown) for kind in kinds)

    def sure(
        self, path: Sequence[int], probabilities: Sequence[Sequence[float]]
    ) -> list[int | None]:
        """The shifts of a path that are as good as certain."""
        most, enough = self.prior.most_hidden, self.prior.enough
        return [
            shift if shift <= most and probability[shift] >= enough else None
            for shift, probability in zip(path, probabilities, strict=True)
        ]

    def known_paths(self, skipped: int, shifts: Sequence[int]) -> Iterator[list[int]]:
        """The shifts of all places for each way to hide values at known places only."""
        for slots in combinations_with_replacement(self.known_slots, skipped):
            path = [bisect_right(slots, place) for place in range(self.values)]
            if all(map(_has, shifts, path)):
                yield path


def _has(possible: int, shift: int) -> bool:
    return possible >> shift & 1 == 1


def _known_slots(descriptor: Descriptor) -> list[int]:
    roles = Catalogue.load().roles
    behind = dict.fromkeys(roles[_BEHIND], 1) | dict.fromkeys(roles[_BEFORE], 0)
    channels = (each for each in descriptor.analog if each.name in behind)
    return sorted(each.place + behind[each.name] for each in channels)


class Verdict(Enum):
    """What a line is worth."""

    FITS = auto()
    """It says what its placement says."""
    ODD = auto()
    """It is another one than those before, and perhaps damaged."""
    LONG = auto()
    """Only its digital words can be told."""
    UNFIT = auto()
    """Nothing of it can be told."""


class _Given:
    """The places that the owner calls hidden, in lines with so many analog values.

    ``beyond`` are those that such lines do not have, and ``unused`` those at which a channel stands
    whatever the alignment.
    """

    def __init__(self, hidden: Hidden, values: int) -> None:
        given = () if hidden == "auto" else tuple(hidden)
        self.beyond = tuple(place for place in given if place >= values)
        self.unused: tuple[int, ...] = ()
        self._auto = hidden == "auto"
        self._places = [*filterfalse(self.beyond.__contains__, given)]

    @property
    def leave_some_to_find(self) -> bool:
        """Whether values may be hidden elsewhere."""
        return self._auto or bool(self.unused or self.beyond)

    @property
    def are_final(self) -> bool:
        """Whether lines cannot show any more that one of them is of no use, which opens all."""
        return not self._places

    def without(self, agreed: list[int]) -> list[int]:
        """The shifts left where no channel stands at these places; it sets ``unused``."""
        unused = []
        for given in self._places:
            before = enumerate(agreed[: given + 1])
            rest = [shifts & ~(1 << given - place) for place, shifts in before]
            rest += agreed[given + 1 :]
            if feasible(rest):
                agreed = rest
            else:
                unused.append(given)
        self.unused = tuple(unused)
        return agreed


class Aligned:
    """Lines of one length, aligned with their descriptor.

    Args:
        terms: what the descriptor promises.
        skipped: how many more analog values the lines have.
        hidden: where the owner says that they are.
    """

    def __init__(self, terms: Terms, skipped: int, hidden: Hidden) -> None:
        self._terms = terms
        self._skipped = skipped
        # Where nothing has to be found, only what the boiler really promises counts.
        to_find = hidden == "auto" and skipped
        self._promised = terms.usual_forms if to_find else terms.forms
        places = terms.values + skipped
        self._given = _Given(hidden, places)
        self._observed = Observed(places)
        self._shifts: list[int] = []
        self._proven: list[int | None] = []
        self._settled = False
        self._familiar: set[Change] = set()
        self._shown: list[int | None] = []
        self._assumed: tuple[int, ...] = ()
        self.placement = Placement((None,) * terms.values, places)
        """Where each described place stands in the lines, as far as that is known."""
        self.fit = Fit(terms.values + terms.words, places + terms.words)
        """How the lines go with the descriptor."""

    def _placed(self) -> Placement:
        """Where each described place stands in the lines, as far as that is known."""
        places = (
            None if shift is None else place + shift for place, shift in enumerate(self._shown)
        )
        return Placement(tuple(places), len(self._observed.places))

    def _fitted(self) -> Fit:
        """How the lines go with the descriptor."""
        terms = self._terms
        untold = [shift is None for shift in self._shown]
        hidden = _skipped_places(self._proven, self._skipped)
        return Fit(
            expected=terms.values + terms.words,
            got=len(self._observed.places) + terms.words,
            hidden=hidden,
            assumed=tuple(filterfalse(hidden.__contains__, self._assumed)),
            unknown=sum(map(len, compress(terms.channels, untold))),
            unused=self._given.unused,
            beyond=self._given.beyond,
        )

    @property
    def verdict(self) -> Verdict:
        """Such lines can be told, as far as their placement says."""
        return Verdict.FITS

    def take(self, line: Sequence[str]) -> bool:
        """Take in a line; whether its analog values go with those of all lines before."""
        tokens = line[: self._terms.values + self._skipped]
        changes = self._observed.changed(tokens)
        if self._observed.lines and self.goes_on(changes):
            return True
        shifts = self._feasible(tokens)
        if shifts is None:
            return False
        self._observed.see(changes)
        self._narrow(shifts)
        return True

    def goes_on(self, changes: Sequence[Change]) -> bool:
        """Take in a line that differs so from the last one, if its numbers look like those before.

        Nearly all lines do. Once it is proven where everything stands, nothing else matters.
        """
        if self._settled and self._familiar.issuperset(changes):
            self._observed.lines += 1
            return True
        return self._looks_familiar(changes)

    def _looks_familiar(self, changes: Sequence[Change]) -> bool:
        places = self._observed.places
        for place, token in changes:
            if form_of(token) & ~places[place].forms:
                return False
        if self._settled:
            if len(self._familiar) > MOST_FAMILIAR:
                self._familiar.clear()
            self._familiar.update(changes)
            self._observed.lines += 1
            return True
        self._observed.see(changes)
        if self._is_due():
            self._decide()
        return True

    def _narrow(self, shifts: list[int]) -> None:
        """These are the shifts that the lines leave open."""
        if shifts != self._shifts or self._is_due():
            self._shifts = shifts
            self._decide()

    def _is_due(self) -> bool:
        """Whether to look again at what is open: after twice as many lines as the last time."""
        lines = self._observed.lines
        return lines & (lines - 1) == 0 and None in self._proven

    def _feasible(self, tokens: Sequence[str]) -> list[int] | None:
        shown = [
            place.forms | form_of(token)
            for place, token in zip(self._observed.places, tokens, strict=True)
        ]
        agreed = agreeing(self._promised, shown, self._skipped)
        return feasible(self._given.without(agreed))

    def _decide(self) -> None:
        self._proven = certain(self._shifts)
        self._settled = None not in self._proven and self._given.are_final
        self._assumed = ()
        self._shown = self._proven
        if None in self._proven and self._given.leave_some_to_find:
            self._assume()
        self.placement, self.fit = self._placed(), self._fitted()

    def _assume(self) -> None:
        """Decide what is open by the known places, where that is as good as certain."""
        terms = self._terms
        scores = terms.scores(self._observed, self._shifts)
        paths = terms.known_paths(self._skipped, self._shifts)
        best = max(paths, key=lambda path: sum(map(list.__getitem__, scores, path)), default=None)
        if best is None:
            return
        sure = terms.sure(best, posterior(scores, terms.slots))
        self._shown = [*map(_either, self._proven, sure)]
        if terms.decimals and self._shown != self._proven:
            self._assumed = _skipped_places(best, self._skipped)


def _either(proven: int | None, assumed: int | None) -> int | None:
    return assumed if proven is None else proven


def _skipped_places(shifts: Sequence[int | None], skipped: int) -> tuple[int, ...]:
    """The places in the line that are skipped, where the shifts on both sides are known."""
    return tuple(
        slot + shift
        for slot, (low, high) in enumerate(pairwise([0, *shifts, skipped]))
        if low is not None and high is not None
        for shift in range(low, high)
    )
