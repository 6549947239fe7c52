"""Whose a reply is: the explanations of what the boiler says while it owes the bridge an answer.

**The boiler.** It answers in the order in which it is asked. A request has one reply of its form
(docs/protocol.md, section 3), or is refused instead, or has none: then the reply is lost. A request
to set something can be refused by a notice ``zERR`` too, behind which a reply may follow or not;
when it is carried out, a notice names the new value just before the reply, if the value changed. An
unknown request has any number of lines, and the list of active errors any number of texts. Notices
come at any time, and an answer may be late.

**An explanation** says which of the requests since the bridge's own are still to be answered, which
of the lines that are held is the answer to the bridge, and what improbable must have happened for
that: a reply is lost (1), or is although a notice has just said that the request is carried out
(2), a line is the text of an active error, of which nobody knows the form (1), or the boiler
contradicts itself (10). That an answer is late is not improbable.

**What is done.** Every line and every notice splits each explanation into those that go on from it;
one that cannot have the line is dropped. Of two after which the same requests are still to be
answered nothing that comes can tell which is right, so the less probable one is dropped at once;
where they are as probable, the one that gives all to the gateway stays. So there are no more of
them than states of the requests, and not more than ``MOST_EXPLANATIONS`` in any case: of more the
least probable are dropped. A line passes when every explanation gives it to the gateway, is kept
when every one gives it to the bridge, and is held while they differ. With more than ``MOST_HELD``
lines held nothing more is waited for.

**The prior**, when no more is waited for:

1. If the most probable explanation has no answer to the bridge among what is held, the gateway
   gets it all.
2. Otherwise, if the gateway waits for a reply that has this very form, and no more than one lost
   reply speaks against its having come, the gateway gets it: exactly one reply for each request,
   though it may be the other's. Should its own come after all, that one is kept instead.
3. Otherwise the answer is kept, and the gateway gets the others.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from hargassner.proxy.pending import CONTRADICTION, LOST, Asked, Pending, Progress

MOST_EXPLANATIONS = 64
"""Explanations; there cannot be more than one for each state of each request that is open."""
MOST_PENDING = 64
"""Requests of the gateway's that are remembered while an answer is owed."""
MOST_HELD = 4
"""Lines. With one more nothing is waited for any longer."""

_ANY_BLOCK = b"<<>>"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the boiler's about which is decided: ``kept`` if it is the bridge's."""

    data: bytes
    kept: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What may have happened.

    ``pending`` are the requests that are still to be answered, the oldest first; ``cost`` is how
    improbable it is. ``owners`` has the request to which each of the held lines belongs, None for
    one that belongs to none.
    """

    pending: tuple[Pending, ...]
    cost: int = 0
    owners: tuple[Asked | None, ...] = ()

    @property
    def owes_bridge(self) -> bool:
        """Whether the answer to the bridge is still to come."""
        return any(each.request.by_bridge for each in self.pending)

    @property
    def kept(self) -> tuple[bool, ...]:
        """Which of the held lines are the answer to the bridge."""
        return tuple(owner is not None and owner.by_bridge for owner in self.owners)

    def replied(self, reply: bytes, *, loosely: bool) -> Iterator["Explanation"]:
        """Those that go on from this one after a reply."""
        skipped = 0
        for place, each in enumerate(self.pending):
            after = each.replied(reply, loosely=loosely)
            if after is not None:
                rest = (*after.rest, *self.pending[place + 1 :])
                yield Explanation(
                    rest, self.cost + skipped + after.cost, (*self.owners, each.request)
                )
            skipped += each.cost_of_none

    def noticed(self, notice: bytes) -> Iterator["Explanation"]:
        """Those that go on from this one after a notice that has to do with a request."""
        skipped = 0
        for place, each in enumerate(self.pending):
            after = each.noticed(notice)
            if after is not None:
                rest = (after, *self.pending[place + 1 :])
                yield replace(self, pending=rest, cost=self.cost + skipped)
            skipped += each.cost_of_none

    def asked(self, request: Asked) -> "Explanation":
        """What this becomes when the gateway has asked one thing more."""
        pending = tuple(each.overtaken() for each in self.pending)
        return replace(self, pending=(*pending, Pending(request)))

    def released(self, count: int) -> "Explanation":
        """What this becomes when the first lines are held no more."""
        return replace(self, owners=self.owners[count:])

    def without_last(self) -> "Explanation":
        """What this is without the line that came last, which is held by nobody."""
        return replace(self, owners=self.owners[:-1])

    def exchanged(self, held: tuple[bytes, ...]) -> "Explanation | None":
        """What this becomes when the gateway gets the answer to the bridge as one to itself.

        Each line from there on is taken for the reply to the request that follows, so that the
        last one stands for a reply that is still to come. None where they don't fit.
        """
        place = next((at for at, each in enumerate(self.pending) if each.cost_of_none), None)
        if self.kept.count(True) != 1 or place is None:
            return None
        waiting = self.pending[place]
        if not self._fit(held, waiting):
            return None
        instead = replace(waiting, request=replace(waiting.request, by_bridge=True))
        rest = (*self.pending[:place], instead, *self.pending[place + 1 :])
        return Explanation(rest, self.cost)

    def _fit(self, held: tuple[bytes, ...], waiting: Pending) -> bool:
        """Whether each line from the bridge's on is all that the request behind it waits for."""
        ours = self.kept.index(True)
        behind = [owner and Pending(owner) for owner in self.owners[ours + 1 :]]
        pairs = zip(held[ours:], [*behind, waiting], strict=True)
        return all(isinstance(each, Pending) and each.ends_with(line[1:-2]) for line, each in pairs)


@dataclass(frozen=True, slots=True)
class Explanations:
    """All explanations that are possible, and the lines that are held meanwhile."""

    possible: tuple[Explanation, ...]
    held: tuple[bytes, ...] = ()

    @classmethod
    def begin(cls, request: Asked) -> "Explanations":
        """The bridge has asked, and nothing else is open."""
        return cls((Explanation((Pending(request),)),))

    @classmethod
    def nothing(cls) -> "Explanations":
        """Nothing is open."""
        return cls((Explanation(()),))

    @property
    def settled(self) -> bool:
        """Whether nothing is owed to the bridge any more, and nothing held."""
        return not self.held and not any(each.owes_bridge for each in self.possible)

    @property
    def refused(self) -> bool:
        """Whether a notice has refused the bridge's request, most probably."""
        return any(
            each.request.by_bridge and each.progress is Progress.REFUSED
            for each in self._best.pending
        )

    @property
    def _best(self) -> Explanation:
        return min(self.possible, key=_probability)

    def asked(self, request: Asked) -> "Explanations":
        """The gateway has asked one thing more."""
        if any(len(each.pending) > MOST_PENDING for each in self.possible):
            return self
        after = [each.asked(request) for each in self.possible]
        return replace(self, possible=_without_inferior(after))

    def noticed(self, notice: bytes) -> "Explanations":
        """A notice came."""
        after = [other for each in self.possible for other in each.noticed(notice)]
        if not after:
            return self
        unrelated = [replace(each, cost=each.cost + CONTRADICTION) for each in self.possible]
        return replace(self, possible=_without_inferior([*after, *unrelated]))

    def replied(self, line: bytes) -> tuple["Explanations", tuple[Line, ...]]:
        """A line came that begins with ``$``, with its line end; what is decided by it."""
        reply = line[1:-2]
        after = self._after(reply) or [
            replace(each, owners=(*each.owners, None)) for each in self.possible
        ]
        now, lines = Explanations(_without_inferior(after), (*self.held, line))._release()
        if len(now.held) <= MOST_HELD:
            return now, lines
        decided, others = now.decided()
        return decided, (*lines, *others)

    def block_began(self) -> tuple["Explanations", tuple[Line, ...]]:
        """A block comes, which passes at once; so what is held before it is decided now."""
        after = [each.without_last() for each in self._after(_ANY_BLOCK)] or self.possible
        now, lines = replace(self, possible=_without_inferior(after))._release()
        decided, others = now.decided()
        return decided, (*lines, *others)

    def decided(self) -> tuple["Explanations", tuple[Line, ...]]:
        """Nothing more is waited for: the prior decides about what is held."""
        kept = self._kept_by_prior()
        lines = tuple(map(Line, self.held, kept))
        after = self.possible if any(kept) else map(self._if_all_passes, self.possible)
        released = [each.released(len(self.held)) for each in after]
        return Explanations(_without_inferior(released)), lines

    def _after(self, reply: bytes) -> list[Explanation]:
        """The explanations that can have a reply: by its form, or loosely where none can so."""
        for loosely in (False, True):
            after = [
                other for each in self.possible for other in each.replied(reply, loosely=loosely)
            ]
            if after:
                return after
        return []

    def _release(self) -> tuple["Explanations", tuple[Line, ...]]:
        """Decide about the lines in front of which nothing is held, as far as all agree."""
        lines: list[Line] = []
        for at, line in enumerate(self.held):
            verdicts = {each.kept[at] for each in self.possible}
            if len(verdicts) > 1:
                break
            lines.append(Line(line, verdicts.pop()))
        left = tuple(each.released(len(lines)) for each in self.possible)
        return Explanations(_without_inferior(left), self.held[len(lines) :]), tuple(lines)

    def _kept_by_prior(self) -> tuple[bool, ...]:
        """Which of the held lines are to be kept."""
        best = self._best
        others = [each.cost for each in self.possible if not any(each.kept)]
        near = bool(others) and min(others) - best.cost <= LOST
        if near and best.exchanged(self.held) is not None:
            return (False,) * len(self.held)
        return best.kept

    def _if_all_passes(self, explanation: Explanation) -> Explanation:
        """What an explanation becomes when the gateway gets all that is held."""
        return explanation.exchanged(self.held) or explanation


def _probability(explanation: Explanation) -> tuple[int, bool]:
    """The less the more probable; of two that are as probable, the gateway's comes first."""
    return explanation.cost, any(explanation.kept)


def _without_inferior(explanations: Iterable[Explanation]) -> tuple[Explanation, ...]:
    """Of those that have the same future the most probable one, and of all not too many."""
    best: dict[tuple[Pending, ...], Explanation] = {}
    for each in sorted(explanations, key=_probability):
        best.setdefault(each.pending, each)
    return tuple(best.values())[:MOST_EXPLANATIONS]
