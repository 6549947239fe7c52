"""What passes is handed over to the observers: all of it, in order, in time, and fairly."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from hargassner.proxy.handover import (
    ENOUGH,
    LONGEST_PIECE,
    LONGEST_WAIT,
    MOST_WAITING,
    MUCH,
    QUIET,
    SLICE,
    WAIT,
    Backlog,
    Handover,
)
from hargassner.proxy.observers import Guard, IExchangeObserver, ISegmentObserver

CALLS = {"gateway": Guard.gateway_sent, "boiler": Guard.boiler_sent}

TURNS = ["gateway", "boiler"] * 100

Heard = list[tuple[str, bytes]]


class TimedClock(Clock):
    """A clock that runs while observers work as well.

    ``turn`` is called whenever something is left to a later turn of the reactor.
    """

    def __init__(self, costs: float) -> None:
        super().__init__()
        self.turn: Callable[[], object] = lambda: None
        self._costs = costs
        self._worked = 0.0

    def seconds(self) -> float:
        return super().seconds() + self._worked

    def callLater(self, *arguments: Any, **keywords: Any) -> IDelayedCall:
        self.turn()
        return super().callLater(*arguments, **keywords)

    def work(self) -> None:
        """An observer works."""
        self._worked += self._costs


@implementer(IExchangeObserver)
class Hearing:
    """Writes down what it gets; it takes its time, and may do something else as well."""

    def __init__(self, clock: TimedClock) -> None:
        self.heard: Heard = []
        self.then: Any = lambda: None
        self._clock = clock

    def gateway_sent(self, data: bytes) -> None:
        self._hear("gateway", data)

    def boiler_sent(self, data: bytes) -> None:
        self._hear("boiler", data)

    def bridge_sent(self, data: bytes) -> None:
        self._hear("bridge", data)

    def bridge_received(self, data: bytes) -> None:
        self._hear("kept", data)

    def notice_follows(self, of_bridge: bool) -> None:
        self._hear("refused" if of_bridge else "overtaking", b"")

    def over(self, reason: str) -> None:
        self._hear("over", reason.encode())

    def _hear(self, what: str, data: bytes) -> None:
        self._clock.work()
        self.heard.append((what, data))
        self.then()


def joined(heard: Heard) -> Heard:
    """The same with what follows from one side in one piece."""
    whole: Heard = []
    for what, data in heard:
        if whole and whole[-1][0] == what:
            data = whole.pop()[1] + data
        whole.append((what, data))
    return whole


class HandoverCase(SynchronousTestCase):
    """A handover, and sessions with two observers each."""

    def setUp(self) -> None:
        self.begin(0.3 * SLICE)

    def begin(self, costs: float, sessions: int = 1) -> None:
        self.clock = TimedClock(costs)
        self.handover = Handover(self.clock)
        self.hearing = [[Hearing(self.clock) for _ in range(2)] for _ in range(sessions)]
        self.backlogs = [
            Backlog(self.handover, [Guard(each, number) for each in pair])
            for number, pair in enumerate(self.hearing)
        ]

    def passes(self, data: bytes, side: str = "boiler", session: int = 0) -> None:
        self.backlogs[session].passed(CALLS[side], data, self.clock.seconds())

    def heard(self, session: int = 0) -> Heard:
        return self.hearing[session][-1].heard


PASSED = st.tuples(
    st.just("pass"),
    st.sampled_from(sorted(CALLS)),
    st.one_of(
        st.binary(min_size=1, max_size=30),
        st.integers(1, 3 * LONGEST_PIECE).map(lambda size: bytes(size % 256 for _ in range(size))),
        st.just(b"x" * (MOST_WAITING // 2)),
    ),
    st.integers(0, 2),
)
TOLD = st.tuples(
    st.just("tell"), st.sampled_from(["bridge", "kept", "gateway"]), st.binary(), st.integers(0, 2)
)
TIME = st.tuples(
    st.just("time"),
    st.just(""),
    st.just(b""),
    st.sampled_from([0.0, WAIT / 3, QUIET, WAIT, 2 * LONGEST_WAIT]),
)
CATCH_UP = st.tuples(st.just("catch up"), st.just(""), st.just(b""), st.integers(0, 2))
STEPS = st.lists(st.one_of(PASSED, PASSED, TOLD, TIME, CATCH_UP), max_size=40)
COSTS = st.sampled_from([0.0, SLICE / 10, SLICE, WAIT, 2 * LONGEST_WAIT])


class Laws(HandoverCase):
    """Whatever passes, and whenever it is handed over."""

    @given(STEPS, COSTS)
    def test_observers_get_exactly_what_passed_in_order(
        self, steps: list[tuple[str, str, bytes, Any]], costs: float
    ) -> None:
        self.begin(costs, sessions=3)
        tells = {**CALLS, "bridge": Guard.bridge_sent, "kept": Guard.bridge_received}
        passed: list[Heard] = [[], [], []]
        for step, side, data, number in steps:
            match step:
                case "pass":
                    passed[number].append((side, data))
                    self.passes(data, side, number)
                    self.assertLessEqual(self.backlogs[number].size, MOST_WAITING)
                case "tell":
                    passed[number].append((side, data))
                    self.backlogs[number].tell(tells[side], data)
                    self.assertTrue(self.backlogs[number].is_empty)
                case "catch up":
                    self.backlogs[number].catch_up()
                    self.assertEqual(joined(passed[number]), joined(self.heard(number)))
                case _:
                    self.clock.advance(number)
        for number, backlog in enumerate(self.backlogs):
            passed[number].append(("over", b"closed"))
            backlog.over("closed")
        self.assertEqual([], self.clock.getDelayedCalls())
        for number, pair in enumerate(self.hearing):
            for each in pair:
                self.assertEqual(joined(passed[number]), joined(each.heard))

    @given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=20))
    def test_what_an_observer_does_meanwhile_changes_no_order(self, pieces: list[bytes]) -> None:
        """One that has all caught up with, has something told or ends the session."""
        self.begin(0.0)
        [first, second], [backlog] = self.hearing[0], self.backlogs
        acts = iter(
            [
                backlog.catch_up,
                lambda: backlog.tell(Guard.bridge_sent, b"asked"),
                lambda: backlog.over("closed"),
            ]
        )
        first.then = lambda: next(acts, lambda: None)()
        passed = list(zip(cycle(CALLS), pieces, strict=False))
        for side, each in passed:
            self.passes(each, side)
        self.clock.advance(WAIT)
        self.assertEqual(first.heard, second.heard)
        self.assertEqual(passed, [each for each in first.heard if each[0] in CALLS])


class TimeTests(HandoverCase):
    """When it is handed over."""

    def test_nothing_is_handed_over_while_bytes_are_passing(self) -> None:
        self.passes(b"pm 1 ")
        self.clock.advance(WAIT - QUIET / 2)
        self.passes(b"\r\n")
        self.clock.advance(QUIET / 2)
        self.assertEqual([], self.heard())
        self.clock.advance(QUIET)
        self.assertEqual([("boiler", b"pm 1 \r\n")], joined(self.heard()))

    def test_who_waits_for_what_comes_next_gets_it_as_soon_as_it_has_passed(self) -> None:
        [backlog] = self.backlogs
        backlog.at_once = True
        self.passes(b"$ack\r\n")
        self.assertEqual([("boiler", b"$ack\r\n")], joined(self.heard()))
        backlog.at_once = False
        self.passes(b"pm 1 \r\n")
        self.assertEqual([("boiler", b"$ack\r\n")], joined(self.heard()))
        backlog.catch_up()

    def test_it_is_handed_over_in_time_even_if_bytes_pass_all_the_time(self) -> None:
        self.begin(0.0)
        self.passes(b"first")
        for _ in range(round(4 * LONGEST_WAIT / QUIET)):
            self.clock.advance(QUIET / 2)
            self.passes(b".")
            if self.clock.seconds() > LONGEST_WAIT + QUIET:
                self.assertEqual(b"first", b"".join(data for _, data in self.heard())[:5])

    def test_the_reactor_looks_at_its_sockets_between_slices(self) -> None:
        heard: list[int] = []
        self.clock.turn = lambda: heard.append(len(self.heard()))
        self.passes(b"x" * 20 * LONGEST_PIECE)
        self.clock.advance(WAIT)
        self.assertEqual(heard, list(range(0, 20, 2)))
        self.assertEqual(20, len(self.heard()))

    def test_what_is_over_the_bound_is_handed_over_at_once_and_no_more(self) -> None:
        self.passes(b"x" * MOST_WAITING)
        self.assertEqual([], self.heard())
        self.passes(b"y")
        self.assertEqual([("boiler", b"x" * LONGEST_PIECE)], self.heard())

    def test_what_follows_from_one_side_is_handed_over_in_one_piece(self) -> None:
        """As far as it is no longer than a piece may be."""
        for each in (b"pm 1 ", b"\r\n", b"x" * LONGEST_PIECE):
            self.passes(each)
        self.passes(b"$setkomm\r\n", "gateway")
        self.passes(b"$ack\r\n")
        self.clock.advance(1)
        boilers = [data for side, data in self.heard() if side == "boiler"]
        self.assertEqual([b"pm 1 \r\n", b"x" * LONGEST_PIECE, b"$ack\r\n"], boilers)

    def test_of_a_dialogue_without_a_pause_nothing_is_handed_over_in_between(self) -> None:
        """Until enough has passed, or something has waited long: then all is, at once."""
        for size in (1, ENOUGH // 20):
            with self.subTest(size=size):
                self.begin(QUIET)
                passed = [(side, bytes([number]) * size) for number, side in enumerate(TURNS)]
                for side, data in passed:
                    self.passes(data, side)
                    self.clock.advance(QUIET / 2)
                    if self.heard():
                        break
                self.assertEqual(passed[: len(self.heard())], self.heard())
                self.assertTrue(self.backlogs[0].is_empty)
                self.assertEqual(size == 1, self.clock.rightNow >= LONGEST_WAIT)

    def test_what_is_handed_over_at_once_goes_to_one_observer_after_the_other(self) -> None:
        self.begin(0.0)
        first, second = self.hearing[0]
        counts: list[tuple[int, int]] = []
        first.then = second.then = lambda: counts.append((len(first.heard), len(second.heard)))
        for side in ("gateway", "boiler", "gateway"):
            self.passes(b".", side)
        self.backlogs[0].catch_up()
        self.assertEqual([(1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (3, 3)], counts)

    def test_more_than_a_dialogue_is_handed_over_in_slices(self) -> None:
        """Even while bytes pass: the reactor looks at its sockets in between."""
        self.begin(QUIET)
        heard: list[int] = []
        self.clock.turn = lambda: heard.append(len(self.heard()))
        self.passes(b"x" * 2 * MUCH)
        while not self.heard():
            self.passes(b".")
            self.clock.advance(QUIET / 2)
        self.clock.advance(1)
        self.assertEqual([*range(1, len(self.heard()))], heard[heard.index(1) :])
        self.assertGreater(len(self.heard()), 2 * MUCH // LONGEST_PIECE)


@implementer(ISegmentObserver)
class BySegment(Hearing):
    """One that wants each segment by itself."""


class SegmentTests(HandoverCase):
    """Observers that want each segment by itself, beside one that does not."""

    def setUp(self) -> None:
        self.begin(0.0)
        self.alone = BySegment(self.clock)
        guards = [Guard(each, 0) for each in (self.alone, self.hearing[0][1])]
        self.backlogs = [Backlog(self.handover, guards)]

    def test_each_segment_has_the_moment_at_which_it_passed(self) -> None:
        moments: list[float] = []
        self.alone.then = lambda: moments.append(self.backlogs[0].moment)
        self.passes(b"1")
        self.clock.advance(WAIT / 4)
        self.passes(b"2")
        self.clock.advance(1)
        self.assertEqual([0.0, WAIT / 4], moments)

    @given(st.lists(st.tuples(st.sampled_from(sorted(CALLS)), st.binary(max_size=99))))
    def test_each_segment_comes_as_it_passed(self, segments: Heard) -> None:
        self.setUp()
        for side, data in segments:
            self.passes(data, side)
        self.backlogs[0].catch_up()
        self.assertEqual(segments, self.alone.heard)
        self.assertEqual(joined(segments), joined(self.heard()))


class FairnessTests(HandoverCase):
    """Several sessions."""

    def test_each_gets_its_turn(self) -> None:
        """A session with one line does not wait for one with many."""
        self.begin(0.3 * SLICE, sessions=2)
        self.passes(b"line", session=1)
        self.passes(b"x" * 20 * LONGEST_PIECE)
        turns: list[tuple[int, int]] = []
        self.clock.turn = lambda: turns.append((len(self.heard(0)), len(self.heard(1))))
        self.clock.advance(WAIT)
        self.assertEqual((1, 1), turns[0])
        self.assertEqual((19, 1), turns[-1])

    def test_what_is_left_of_one_that_is_over_waits_no_longer(self) -> None:
        acts = iter([lambda: self.backlogs[0].over("closed")])
        self.hearing[0][0].then = lambda: next(acts, lambda: None)()
        turns: list[int] = []
        self.clock.turn = lambda: turns.append(len(self.heard()))
        piece = b"x" * LONGEST_PIECE
        for _ in range(20):
            self.passes(piece)
        self.clock.advance(WAIT)
        self.assertEqual([0], turns)
        self.assertEqual(self.heard(), [("boiler", piece)] * 20 + [("over", b"closed")])
