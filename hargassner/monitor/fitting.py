"""Whether a telemetry line goes with those before it, and where its values stand.

A line cut short, or with a damaged value, is no reason to believe anything else than before: only
when as many of another kind have come, ten at most, is the boiler believed to send others now.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from hargassner.dialogue.channels import Descriptor, Fit, Placement
from hargassner.monitor.alignment import MOST_HIDDEN, agreeing
from hargassner.monitor.hidden import Aligned, Hidden, Terms, Verdict
from hargassner.monitor.observed import Change, form_of

MOST_CONVINCED = 10
"""Lines in a row that overrule any number of others."""


class _Kind(Protocol):
    """Lines that go with each other."""

    @property
    def verdict(self) -> Verdict:
        """What such lines are worth."""

    @property
    def fit(self) -> Fit:
        """How they go with their descriptor."""

    @property
    def placement(self) -> Placement:
        """Where their values stand."""

    def take(self, line: Sequence[str]) -> bool:
        """Take in a line of the same length; whether it is one of them."""

    def goes_on(self, changes: Sequence[Change]) -> bool:
        """Take in a line that differs so from the last one of them, if that shows it to be one."""


class _Alike:
    """Lines of which nothing but their length matters."""

    def __init__(self, verdict: Verdict, fit: Fit, placement: Placement) -> None:
        self.verdict = verdict
        self.fit = fit
        self.placement = placement

    def take(self, line: Sequence[str]) -> bool:
        return True

    def goes_on(self, changes: Sequence[Change]) -> bool:
        return True


class _Contradicted:
    """Lines that show what the descriptor rules out, each by itself."""

    verdict = Verdict.UNFIT

    def __init__(self, fit: Fit, placement: Placement, fresh: Callable[[], Aligned]) -> None:
        self.fit = fit
        self.placement = placement
        self._fresh = fresh

    def take(self, line: Sequence[str]) -> bool:
        return not self._fresh().take(line)

    def goes_on(self, changes: Sequence[Change]) -> bool:
        return False


class Fitting:
    """Follows the lines of one boiler.

    Args:
        descriptor: what the boiler says of them.
        hidden: where it leaves values out.
    """

    def __init__(self, descriptor: Descriptor, hidden: Hidden = "auto") -> None:
        self._descriptor = descriptor
        self._as_described = Placement.as_described(descriptor)
        self._terms = Terms(descriptor)
        self._hidden = hidden
        self._length = -1
        self._kind: _Kind = _Alike(Verdict.UNFIT, self._fit(descriptor.values), self._as_described)
        self._convinced = 0
        self._other_length = -1
        self._other: _Kind = self._kind
        self._others = 0

    @property
    def fit(self) -> Fit:
        """How the lines go with their descriptor."""
        return self._kind.fit

    @property
    def placement(self) -> Placement:
        """Where the values stand in the lines that fit."""
        return self._kind.placement

    def take(self, tokens: Sequence[str]) -> Verdict:
        """Take in a line's values: everything behind ``pm``."""
        if len(tokens) == self._length and self._kind.take(tokens):
            self._confirm()
            return self._kind.verdict
        return self._doubt(tokens)

    def goes_on(self, changes: Sequence[Change]) -> bool:
        """Take in a line by what it shows otherwise than the last one, where that is enough.

        Args:
            changes: of the analog values. The last line must have been like those before.

        Returns:
            False if the line has to be looked at as a whole; then nothing is taken in.
        """
        if not self._kind.goes_on(changes):
            return False
        self._confirm()
        return True

    def _confirm(self) -> None:
        self._convinced = min(self._convinced + 1, MOST_CONVINCED)
        self._others = 0

    def _doubt(self, tokens: Sequence[str]) -> Verdict:
        """A line that is not like those before: one of another kind, or a damaged one."""
        goes_on = self._others and len(tokens) == self._other_length
        if goes_on and self._other.take(tokens):
            self._others += 1
        else:
            self._other_length, self._other, self._others = len(tokens), self._kind_of(tokens), 1
        if self._others < self._convinced:
            return Verdict.ODD
        self._length, self._kind, self._convinced = self._other_length, self._other, self._others
        self._others = 0
        return self._kind.verdict

    def _kind_of(self, tokens: Sequence[str]) -> _Kind:
        """The kind of lines that a line begins."""
        skipped = len(tokens) - self._descriptor.values
        if skipped < 0:
            return _Alike(Verdict.UNFIT, self._fit(len(tokens)), self._as_described)
        if skipped > (MOST_HIDDEN if self._hidden else 0):
            return _Alike(Verdict.LONG, self._fit(len(tokens)), self._as_described)
        if not self._hidden:
            fit = Fit(self._descriptor.values, len(tokens))
            return _Alike(Verdict.FITS, fit, self._as_described)
        return self._aligned(skipped, tokens)

    def _aligned(self, skipped: int, tokens: Sequence[str]) -> _Kind:
        aligned = self._fresh(skipped)
        if aligned.take(tokens):
            return aligned
        fit = replace(self._fit(len(tokens)), contradicted=self._contradicted(tokens))
        return _Contradicted(fit, self._as_described, lambda: self._fresh(skipped))

    def _fresh(self, skipped: int) -> Aligned:
        return Aligned(self._terms, skipped, self._hidden)

    def _fit(self, got: int) -> Fit:
        """Of lines in which no channel can be told."""
        return Fit(self._descriptor.values, got, unknown=len(self._descriptor.analog))

    def _contradicted(self, tokens: Sequence[str]) -> tuple[str, ...]:
        """The channels of a line as described that show what is ruled out."""
        shown = [form_of(token) for token in tokens[: self._terms.values]]
        agreed = agreeing(self._terms.forms, shown, 0)
        return tuple(
            channel.name for channel in self._descriptor.analog if not agreed[channel.place]
        )
