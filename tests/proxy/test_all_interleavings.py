"""All interleavings of a request of the bridge's with up to three of the gateway's.

What has been seen so far can be explained by some of the possible boilers (possible_boilers.py),
which are followed all together; each line goes to the gateway or is kept from it, and so is right
for some of them and wrong for the others. It must not be wrong for any for which that could be
known: there has to be another boiler which has said the same, and whose line it is not. And as long
as the time is not up, that one must have just the same to do from now on, so that nothing which
comes could have told them apart.

A second request of the bridge's begins where the first began: with nothing open, and nothing
carried over. So its states are among those of a first one with fewer of the gateway's behind it.

``ARBITRATION=full`` in the environment asks for three requests of the gateway's, and not two.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.proxy.explanations import MOST_HELD, Explanations, Line
from hargassner.proxy.pending import Asked
from tests.proxy.possible_boilers import GATEWAYS, OUR_TEXT, OURS, Open, sayings

FULL = os.environ.get("ARBITRATION") == "full"
MANUAL = Path(__file__).parents[2] / "docs" / "control.md"
_ROW = re.compile(r"\| (ours|the gateway's) \| ([a-z]+) \| ([\d,]+) \| ([\d,]+) \|")

_OURS_ASKED = {
    kind: Asked.read(line[:-2], text=OUR_TEXT[kind], by_bridge=True) for kind, line in OURS.items()
}
_GATEWAYS_ASKED = {kind: Asked.read(line[:-2]) for kind, line in GATEWAYS.items()}


@dataclass(frozen=True, slots=True)
class Boiler:
    """One that is possible: what it has to do, and to whom it said the lines that are held.

    ``wronged`` says that one of its lines went the wrong way: which way each later one ought to go
    is not asked any more.
    """

    queue: tuple[Open, ...]
    held: tuple[Open, ...] = ()
    wronged: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand: ``phase`` is waiting, owed or idle; ``left`` the gateway's requests."""

    phase: str
    explanations: Explanations
    boilers: frozenset[Boiler]
    left: int


class Search:
    """Goes through all that can happen.

    ``undecidable`` counts the lines that went the wrong way because nobody can know: by whose they
    were, and which of the gateway's requests they were, or might have been, the reply to.
    """

    def __init__(self, requests: int) -> None:
        self.undecidable: Counter[tuple[str, str]] = Counter()
        self.lines = 0
        self.mistakes: list[tuple[Moment, Line]] = []
        self.moments: set[Moment] = set()
        todo = [self._begin(kind, requests) for kind in OURS]
        while todo:
            moment = todo.pop()
            if moment not in self.moments:
                self.moments.add(moment)
                todo.extend(self._after(moment))

    def _begin(self, kind: str, left: int) -> Moment:
        boilers = frozenset([Boiler((Open(True, kind),))])
        return Moment("waiting", Explanations.begin(_OURS_ASKED[kind]), boilers, left)

    def _after(self, moment: Moment) -> Iterator[Moment]:
        yield from self._boiler_says(moment)
        yield from self._time_passes(moment)
        if moment.phase != "waiting" and moment.left:
            yield from self._gateway_asks(moment)
        if moment.phase == "idle" and any(not each.queue for each in moment.boilers):
            # The line is free: the bridge can ask again.
            yield from (self._begin(kind, moment.left) for kind in OURS)

    def _boiler_says(self, moment: Moment) -> Iterator[Moment]:
        ways: dict[bytes, set[Boiler]] = {}
        for boiler in moment.boilers:
            for said in sayings(boiler.queue):
                held = (*boiler.held, said.speaker) if said.line.startswith(b"$") else boiler.held
                ways.setdefault(said.line, set()).add(Boiler(said.queue, held, boiler.wronged))
        for line, boilers in ways.items():
            now, lines = self._heard(moment, line)
            # With too many lines nothing is waited for any more.
            is_up = len(moment.explanations.held) == MOST_HELD
            judged = self._judge(moment, boilers, lines, is_up=is_up)
            phase = moment.phase
            if phase == "waiting" and (now.refused or any(each.kept for each in lines)):
                phase = "owed"
            yield self._settled(Moment(phase, now, judged, moment.left))

    def _heard(self, moment: Moment, line: bytes) -> tuple[Explanations, tuple[Line, ...]]:
        if moment.phase == "idle":
            return moment.explanations, (Line(line, False),) if line.startswith(b"$") else ()
        if line.startswith(b"$"):
            return moment.explanations.replied(line)
        return moment.explanations.noticed(line[:-2]), ()

    def _time_passes(self, moment: Moment) -> Iterator[Moment]:
        if moment.phase == "waiting":
            yield replace(moment, phase="owed")
        elif moment.phase == "owed" and moment.explanations.held:
            now, lines = moment.explanations.decided()
            judged = self._judge(moment, moment.boilers, lines, is_up=True)
            yield self._settled(Moment("owed", now, judged, moment.left))
        elif moment.phase == "owed":
            # So late no answer comes.
            boilers = [b for b in moment.boilers if not any(each.ours for each in b.queue)]
            if boilers:
                nothing = Explanations.nothing()
                yield Moment("idle", nothing, frozenset(boilers), moment.left)

    def _gateway_asks(self, moment: Moment) -> Iterator[Moment]:
        for kind, asked in _GATEWAYS_ASKED.items():
            boilers = frozenset(
                replace(each, queue=(*each.queue, Open(False, kind))) for each in moment.boilers
            )
            now = moment.explanations
            if moment.phase == "owed":
                now = now.asked(asked)
            yield Moment(moment.phase, now, boilers, moment.left - 1)

    def _settled(self, moment: Moment) -> Moment:
        if moment.phase != "owed" or not moment.explanations.settled:
            return moment
        return replace(moment, phase="idle", explanations=Explanations.nothing())

    def _judge(
        self,
        moment: Moment,
        boilers: "set[Boiler] | frozenset[Boiler]",
        lines: tuple[Line, ...],
        *,
        is_up: bool,
    ) -> frozenset[Boiler]:
        """See for whom it is wrong which way some lines go; the boilers, when they have gone."""
        judged = set()
        for boiler in boilers:
            wronged = boiler.wronged
            self.lines += 0 if wronged else len(lines)
            for place, line in enumerate(lines):
                if not wronged and line.kept != boiler.held[place].ours:
                    wronged = True
                    self._note(moment, boiler, boilers, place, line, is_up=is_up)
            judged.add(Boiler(boiler.queue, boiler.held[len(lines) :], wronged))
        return frozenset(judged)

    def _note(
        self,
        moment: Moment,
        boiler: Boiler,
        boilers: "set[Boiler] | frozenset[Boiler]",
        place: int,
        line: Line,
        *,
        is_up: bool,
    ) -> None:
        own = boiler.held[place]
        twins = [
            each
            for each in boilers
            if (each.wronged or each.held[place].ours != own.ours)
            and (is_up or each.queue == boiler.queue)
        ]
        if not twins:
            self.mistakes.append((moment, line))
        elif own.ours:
            kinds = {each.held[place].kind for each in twins if not each.held[place].ours}
            self.undecidable["ours", min(kinds, default="unknown")] += 1
        else:
            self.undecidable["the gateway's", own.kind] += 1


class InterleavingTests(SynchronousTestCase):
    """Nobody gets a line that could have been known to be another's."""

    def test_no_line_goes_the_wrong_way_that_could_be_known(self) -> None:
        search = Search(3 if FULL else 2)
        self.assertEqual(search.mistakes, [])
        self.assertGreater(len(search.moments), 1_000)
        self.assertLess(search.undecidable.total(), search.lines / 2)
        rows = _ROW.findall(MANUAL.read_text("utf-8"))
        told = {(whose, kind): int(counts[FULL].replace(",", "")) for whose, kind, *counts in rows}
        self.assertEqual(told, dict(search.undecidable), "docs/control.md counts them by class")

    def test_with_one_request_of_the_gateways_its_replies_are_wrong_in_few_cases_only(self) -> None:
        search = Search(1)
        self.assertEqual(search.mistakes, [])
        self.assertEqual(
            {kind for whose, kind in search.undecidable if whose == "the gateway's"},
            {"refusable", "silent", "unknown"},
        )
