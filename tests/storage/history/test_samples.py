"""Looks that become minutes."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.samples import (
    ASH_REMOVALS,
    FULL_LOAD,
    IGNITIONS,
    LONGEST_LOOK,
    SECONDS,
    FaultSeen,
    Look,
    Sample,
    Sampler,
)
from tests.storage.history.cases import NOON, TK


class SamplerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sampler = Sampler()
        self.minutes: list[Sample] = []

    def look(self, after: float, look: Look | None) -> None:
        done = self.sampler.look(after, NOON + after, look)
        if done is not None:
            self.minutes.append(done)

    def tally(self) -> dict[str, float]:
        """All minutes together."""
        last = self.sampler.close()
        total: dict[str, float] = {}
        for each in [*self.minutes, *([last] if last else [])]:
            for key, value in each.tally.items():
                total[key] = total.get(key, 0.0) + value
        return total

    def test_a_minute_has_the_values_of_its_first_look(self) -> None:
        for after, value in ((0, 60.0), (10, 61.0), (60, 62.0)):
            self.look(after, Look({TK: value}))
        [minute] = self.minutes
        self.assertEqual((0, {TK: 60.0}), (minute.moment, minute.values))

    def test_a_channel_that_appears_within_the_minute_is_in_it(self) -> None:
        self.look(0, Look())
        self.look(10, Look({TK: 61.0}))
        self.assertEqual({TK: 61.0}, self.sampler.open and self.sampler.open.values)

    def test_a_minute_has_all_faults_and_the_last_counter(self) -> None:
        fault = FaultSeen(29, "combustion")
        self.look(0, Look(burnt=10.0, faults=frozenset([fault])))
        self.look(10, Look(burnt=11.0))
        minute = self.sampler.close()
        assert minute is not None
        self.assertEqual((minute.burnt, minute.faults), (11.0, {fault}))

    def test_nothing_is_made_of_minutes_of_which_nothing_is_known(self) -> None:
        for after in range(0, 300, 10):
            self.look(after, None)
        self.assertEqual(([], None), (self.minutes, self.sampler.close()))

    def test_hours_are_weighted_with_the_output(self) -> None:
        for after in range(0, 61, 10):
            self.look(after, Look(output=50.0, state=7, pumps=("hkp1",)))
        tally = self.tally()
        self.assertEqual(30.0, tally[FULL_LOAD])
        self.assertEqual((60.0, 60.0), (tally["state/7"], tally["pump/hkp1"]))

    def test_an_ignition_counts_once_however_many_states_it_has(self) -> None:
        for after, activity in enumerate(
            ["off", "ignition", "ignition", "burning", "ash_removal", "ash_removal", "ignition"]
        ):
            self.look(after * 10, Look(activity=activity))
        tally = self.tally()
        self.assertEqual((2, 1), (tally[IGNITIONS], tally[ASH_REMOVALS]))

    def test_an_ignition_that_went_on_already_at_the_first_look_does_not_count(self) -> None:
        self.look(0, Look(activity="ignition"))
        self.look(10, Look(activity="burning"))
        self.assertNotIn(IGNITIONS, self.tally())

    def test_an_ignition_is_counted_over_a_gap(self) -> None:
        self.look(0, Look(activity="off"))
        self.look(10, None)
        self.look(600, Look(activity="ignition"))
        self.assertEqual(1, self.tally()[IGNITIONS])

    @given(st.lists(st.floats(0, 100), max_size=50))
    def test_seconds_are_those_between_looks_that_are_near_each_other(
        self, steps: list[float]
    ) -> None:
        self.sampler, self.minutes = Sampler(), []
        moment = 0.0
        self.look(moment, Look())
        for step in steps:
            moment += step
            self.look(moment, Look())
        expected = sum(each for each in steps if each <= LONGEST_LOOK)
        self.assertAlmostEqual(self.tally()[SECONDS], expected, places=6)
