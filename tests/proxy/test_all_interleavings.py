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
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.proxy.arbitration import Arbitration
from hargassner.proxy.exchange import Exchange
from hargassner.proxy.explanations import MOST_HELD, Explanations, Line
from hargassner.proxy.pending import Asked
from tests.proxy.exchange_case import Relay
from tests.proxy.possible_boilers import GATEWAYS, KINDS_WITH_ERRORS, OUR_TEXT, OURS, Open, sayings
from tests.proxy.undecidable import undecidable_classes

FULL = os.environ.get("ARBITRATION") == "full"
TIMEOUT = 5.0
GATEWAY_GOES_ON = ("owed", "idle")

_OURS_ASKED = {
    kind: Asked.read(line[:-2], text=OUR_TEXT[kind], by_bridge=True) for kind, line in OURS.items()
}
_GATEWAYS_ASKED = {
    kind: Asked.read(line[:-2]) for kind, line in (GATEWAYS | KINDS_WITH_ERRORS).items()
}


@dataclass(frozen=True, slots=True)
class Boiler:
    """One that is possible: what it has to do, and to whom it said the lines that are held.

    ``wronged`` says that one of its lines went the wrong way: which way each later one ought to go
    is not asked any more. ``amiss`` says that it did not do all in time: the bridge waited for it
    in vain, or it has lost a reply.
    """

    queue: tuple[Open, ...]
    held: tuple[Open, ...] = ()
    wronged: bool = False
    amiss: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What led from one moment to the next, and which lines went somewhere by it."""

    what: str
    data: bytes = b""
    lines: tuple[Line, ...] = ()

    @property
    def passed(self) -> bytes:
        """What the gateway gets by it."""
        if self.what == "said" and not self.data.startswith(b"$"):
            return self.data
        return b"".join(each.data for each in self.lines if not each.kept)


@dataclass(frozen=True, slots=True)
class Moment:
    """How things stand.

    ``phase`` is that of the exchange: waiting, refused, owed (with or without a line that is held),
    or idle when nothing is owed any more. ``left`` is how many requests the gateway has left.
    """

    phase: str
    explanations: Explanations
    boilers: frozenset[Boiler]
    left: int


class Search:
    """Goes through all that can happen.

    ``steps`` has how each moment was come to first: from which other one, and by what; None for
    those with which all begins. ``disturbed`` has the lines that went the wrong way although the
    boiler had done all in time; that is looked at only if ``in_time`` is set, as it takes more
    states.

    ``undecidable`` counts the lines that went the wrong way because nobody can know: by whose they
    were, and which of the gateway's requests they were, or might have been, the reply to.
    """

    def __init__(self, requests: int, *, in_time: bool = False, errors: bool = False) -> None:
        self._errors = errors
        self._kinds = KINDS_WITH_ERRORS if errors else GATEWAYS
        self._first_is_amiss = not in_time
        self.undecidable: Counter[tuple[str, str]] = Counter()
        self.lines = 0
        self.mistakes: list[tuple[Moment, Line]] = []
        self.disturbed: list[tuple[Moment, Line]] = []
        self.steps: dict[Moment, tuple[Moment, Step] | None] = {}
        todo = [self._begin(kind, requests) for kind in OURS]
        self.steps.update(dict.fromkeys(todo))
        while todo:
            moment = todo.pop()
            for step, after in self._after(moment):
                if after not in self.steps:
                    self.steps[after] = (moment, step)
                    todo.append(after)

    def way_to(self, moment: Moment) -> tuple[str, list[Step]]:
        """One way to a moment: of what kind the request of the bridge's is, and what follows."""
        way: list[Step] = []
        come_from = self.steps[moment]
        while come_from is not None and come_from[1].what != "begin":
            moment, step = come_from
            way.insert(0, step)
            come_from = self.steps[moment]
        [boiler] = moment.boilers
        return boiler.queue[0].kind, way

    def _begin(self, kind: str, left: int) -> Moment:
        boilers = frozenset([Boiler((Open(True, kind),), amiss=self._first_is_amiss)])
        return Moment("waiting", Explanations.begin(_OURS_ASKED[kind]), boilers, left)

    def _after(self, moment: Moment) -> Iterator[tuple[Step, Moment]]:
        yield from self._boiler_says(moment)
        yield from self._time_passes(moment)
        if moment.phase in GATEWAY_GOES_ON and moment.left:
            yield from self._gateway_asks(moment)
        if moment.phase == "idle" and any(not each.queue for each in moment.boilers):
            # The line is free: the bridge can ask again.
            yield from ((Step("begin"), self._begin(kind, moment.left)) for kind in OURS)

    def _boiler_says(self, moment: Moment) -> Iterator[tuple[Step, Moment]]:
        ways: dict[bytes, set[Boiler]] = {}
        for boiler in moment.boilers:
            for said in sayings(boiler.queue, errors=self._errors):
                held = (*boiler.held, said.speaker) if said.line.startswith(b"$") else boiler.held
                amiss = boiler.amiss or said.lost
                after = Boiler(said.queue, held, boiler.wronged, amiss)
                ways.setdefault(said.line, set()).add(after)
        for line, boilers in ways.items():
            now, lines = self._heard(moment, line)
            # With too many lines nothing is waited for any more.
            is_up = len(moment.explanations.held) == MOST_HELD
            judged = self._judge(moment, boilers, lines, is_up=is_up)
            phase = moment.phase
            if phase in ("waiting", "refused") and any(each.kept for each in lines):
                phase = "owed"
            elif phase == "waiting" and now.refused:
                # The reply behind the notice is in a segment of its own.
                phase = "refused"
            after_it = self._settled(Moment(phase, now, judged, moment.left))
            yield Step("said", line, lines), after_it

    def _heard(self, moment: Moment, line: bytes) -> tuple[Explanations, tuple[Line, ...]]:
        if moment.phase == "idle":
            return moment.explanations, (Line(line, False),) if line.startswith(b"$") else ()
        if line.startswith(b"$"):
            return moment.explanations.replied(line)
        return moment.explanations.noticed(line[:-2]), ()

    def _time_passes(self, moment: Moment) -> Iterator[tuple[Step, Moment]]:
        if moment.phase in ("waiting", "refused"):
            # Whoever has nothing to say behind a notice is not late.
            boilers = frozenset(
                replace(each, amiss=each.amiss or moment.phase == "waiting" or bool(each.queue))
                for each in moment.boilers
            )
            yield Step("time"), replace(moment, phase="owed", boilers=boilers)
        elif moment.phase == "owed" and moment.explanations.held:
            now, lines = moment.explanations.decided()
            judged = self._judge(moment, moment.boilers, lines, is_up=True)
            after = self._settled(Moment("owed", now, judged, moment.left))
            yield Step("time", lines=lines), after
        elif moment.phase == "owed":
            # So late no answer comes.
            boilers = frozenset(
                each for each in moment.boilers if not any(open_.ours for open_ in each.queue)
            )
            if boilers:
                yield Step("time"), Moment("idle", Explanations.nothing(), boilers, moment.left)

    def _gateway_asks(self, moment: Moment) -> Iterator[tuple[Step, Moment]]:
        for kind, line in self._kinds.items():
            asked = _GATEWAYS_ASKED[kind]
            boilers = frozenset(
                replace(each, queue=(*each.queue, Open(False, kind))) for each in moment.boilers
            )
            now = moment.explanations
            if moment.phase == "owed":
                now = now.asked(asked)
            after = Moment(moment.phase, now, boilers, moment.left - 1)
            yield Step("asked", line), after

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
                    if not boiler.amiss:
                        self.disturbed.append((moment, line))
                    self._note(moment, boiler, boilers, place, line, is_up=is_up)
            left = boiler.held[len(lines) :]
            judged.add(replace(boiler, held=left, wronged=wronged))
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


class Replay:
    """One way through the search, taken by a real exchange."""

    def __init__(self, request: bytes, text: str) -> None:
        self.clock = Clock()
        self.relay = Relay()
        arbitration = Arbitration(request, text)
        self.exchange = Exchange(
            self.clock, self.relay, arbitration, TIMEOUT, lambda _answer: None, lambda: None
        )

    def take(self, step: Step) -> None:
        """Do what led on from one moment to the next."""
        match step.what:
            case "said":
                self.exchange.boiler_said(step.data)
            case "asked":
                self.exchange.client_said(step.data)
            case "time":
                [timer] = self.clock.getDelayedCalls()
                self.clock.advance(timer.getTime() - self.clock.seconds())

    @property
    def gateway_waits(self) -> bool:
        """Whether bytes of the gateway's would wait now; afterwards they do."""
        before = len(self.relay.passed)
        self.exchange.client_said(b"$")
        return len(self.relay.passed) == before


class InterleavingTests(SynchronousTestCase):
    """Nobody gets a line that could have been known to be another's."""

    def test_no_line_goes_the_wrong_way_that_could_be_known(self) -> None:
        search = Search(3 if FULL else 2)
        self.assertEqual([], search.mistakes)
        self.assertGreater(len(search.steps), 1_000)
        self.assertLess(search.undecidable.total(), search.lines / 2)
        told = {each: counts[FULL] for each, counts in undecidable_classes().items()}
        self.assertEqual(told, dict(search.undecidable), "docs/control.md counts them by class")

    def test_nor_does_one_beside_a_list_of_active_errors(self) -> None:
        search = Search(2, errors=True)
        self.assertEqual([], search.mistakes)
        self.assertGreater(len(search.steps), 3_000)

    def test_a_boiler_that_does_all_in_time_disturbs_nothing_whatever_it_says(self) -> None:
        self.assertEqual([], Search(2, in_time=True).disturbed)

    def test_a_real_exchange_goes_every_way_of_the_search(self) -> None:
        """The phases are the search's own: who waits in them must be who waits in life."""
        search = Search(1)
        for moment in search.steps:
            kind, steps = search.way_to(moment)
            replay = Replay(OURS[kind], OUR_TEXT[kind])
            for each in steps:
                replay.take(each)
            passed = b"".join(step.passed for step in steps)
            kept = b"".join(each.data for step in steps for each in step.lines if each.kept)
            self.assertEqual(passed, replay.relay.all_to("client"), steps)
            self.assertEqual(kept, replay.relay.all_to("bridge"), steps)
            self.assertEqual(moment.phase not in GATEWAY_GOES_ON, replay.gateway_waits, steps)

    def test_with_one_request_of_the_gateways_its_replies_are_wrong_in_few_cases_only(self) -> None:
        search = Search(1)
        self.assertEqual([], search.mistakes)
        self.assertEqual(
            {"refusable", "silent", "unknown"},
            {kind for whose, kind in search.undecidable if whose == "the gateway's"},
        )
