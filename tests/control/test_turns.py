"""Whose turn it is, and what becomes of those whose turn does not come."""

from twisted.internet.defer import Deferred

from hargassner.control.command import CommandError, Outcome
from hargassner.control.pacing import BETWEEN, MOST_A_MINUTE, Pacing
from hargassner.control.turns import GAP_TIMEOUT, MOST_WAITING, Turns
from tests.cases import ClockCase


class TurnsTests(ClockCase):
    """Commands that have begun come first, the others in their order, when their time has come."""

    def setUp(self) -> None:
        super().setUp()
        self.pacing = Pacing(self.clock.seconds)
        self.calls: list[float] = []
        self.turns = Turns(self.clock, self.pacing, lambda: self.calls.append(self.clock.seconds()))
        self.taken: list[Deferred[None]] = []
        self.addCleanup(self.end_what_is_left)

    def end_what_is_left(self) -> None:
        self.turns.end("no session")
        self.clock.advance(0)
        for each in self.taken:
            each.addErrback(lambda why: why.trap(CommandError))

    def first(self, id_: str) -> "Deferred[None]":
        self.taken.append(self.turns.first(id_))
        return self.taken[-1]

    def next(self) -> "Deferred[None]":
        self.taken.append(self.turns.next())
        return self.taken[-1]

    def outcome(self, turn: "Deferred[None]") -> Outcome:
        return self.failureResultOf(turn, CommandError).value.outcome

    def test_the_caller_is_left_before_any_turn_is_given(self) -> None:
        for id_ in ("4", "5"):
            self.first(id_)
        self.assertEqual([], self.calls)
        self.clock.advance(0)
        self.assertEqual([0.0], self.calls)

    def test_one_that_has_begun_comes_before_all_others(self) -> None:
        first = self.first("4")
        begun = self.next()
        self.assertIs(self.turns.due(), begun)
        self.turns.give(begun)
        self.successResultOf(begun)
        self.assertIs(self.turns.due(), first)

    def test_of_the_others_the_first_whose_time_has_come(self) -> None:
        self.pacing.begins("4")
        four, five, six = (self.first(each) for each in ("4", "5", "6"))
        for each in (five, six):
            due = self.turns.due()
            self.assertIs(due, each)
            self.turns.give(each)
        self.assertIsNone(self.turns.due())
        self.clock.advance(0)
        self.calls.clear()
        self.clock.advance(BETWEEN)
        self.assertEqual([BETWEEN], self.calls)
        self.assertIs(self.turns.due(), four)

    def test_a_newer_one_for_the_same_parameter_goes_to_the_end(self) -> None:
        older, other, newer = (self.first(each) for each in ("4", "5", "4"))
        self.assertEqual(Outcome.SUPERSEDED, self.outcome(older))
        for each in (other, newer):
            self.assertIs(self.turns.due(), each)
            self.turns.give(each)

    def test_with_too_many_none_is_taken_but_one_that_replaces_another(self) -> None:
        for number in range(MOST_WAITING):
            self.first(str(number))
        error = self.assertRaises(CommandError, self.turns.first, "one more")
        self.assertEqual(Outcome.TOO_MANY, error.outcome)
        self.first("7")

    def test_none_is_waited_for_without_end(self) -> None:
        first, begun = self.first("4"), self.next()
        self.clock.advance(GAP_TIMEOUT)
        for each in (first, begun):
            self.assertEqual(Outcome.TIMED_OUT, self.outcome(each))
        self.assertIsNone(self.turns.due())

    def test_who_has_waited_in_a_minute_that_is_used_up_is_one_too_many(self) -> None:
        begun = self.next()
        first = self.first("4")
        for number in range(MOST_A_MINUTE):
            self.pacing.begins(f"P{number}")
        self.clock.advance(GAP_TIMEOUT)
        self.assertEqual(Outcome.TOO_MANY, self.outcome(first))
        self.assertEqual(Outcome.TIMED_OUT, self.outcome(begun))

    def test_without_a_session_all_end_the_begun_first_and_nothing_is_timed(self) -> None:
        ended: list[str] = []
        self.pacing.begins("4")
        for name, turn in (("first", self.first("4")), ("begun", self.next())):
            turn.addErrback(lambda why, name=name: ended.append(f"{name}: {why.value}"))
        self.clock.advance(0)
        self.turns.due()
        self.turns.end("no session")
        self.assertEqual(["begun: no session", "first: no session"], ended)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_an_ended_one_leaves_its_place_to_one_given_meanwhile(self) -> None:
        again: list[Deferred[None]] = []
        self.first("4").addErrback(lambda _why: again.append(self.first("4")))
        self.turns.end("no session")
        self.assertIs(self.turns.due(), again[0])
