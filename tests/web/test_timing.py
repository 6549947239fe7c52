"""How long the bridge holds up what passes."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.web.timing import PERIOD, TURN_BUCKETS, Histogram, Timing
from tests.cases import ClockCase


def count(histogram: Histogram) -> float:
    """How many durations it has."""
    return histogram.buckets[-1][1]


class HistogramTests(SynchronousTestCase):
    @given(st.lists(st.floats(0, 2) | st.sampled_from(TURN_BUCKETS)))
    def test_a_bucket_has_the_durations_up_to_its_limit(self, durations: list[float]) -> None:
        histogram = Histogram(TURN_BUCKETS)
        for each in durations:
            histogram.observe(each)
        limits = [*TURN_BUCKETS, float("inf")]
        expected = [sum(each <= limit for each in durations) for limit in limits]
        self.assertEqual(expected, [within for _, within in histogram.buckets])
        self.assertAlmostEqual(sum(durations), histogram.sum)


class TimingTests(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.ahead = 0.0
        self.timing = Timing(self.clock, lambda: self.clock.seconds() + self.ahead)
        self.timing.startService()
        self.addCleanup(lambda: self.timing.running and self.timing.stopService())

    def test_a_turn_lasts_from_what_passed_to_the_reactors_next_one(self) -> None:
        self.timing.observer().gateway_sent(b"$setkomm\r\n")
        self.assertEqual(0, count(self.timing.turn))
        self.ahead += 0.003
        self.clock.advance(0)
        self.assertEqual(1, count(self.timing.turn))
        self.assertAlmostEqual(self.timing.turn.sum, 0.003)
        buckets = dict(self.timing.turn.buckets)
        self.assertEqual((0, 1), (buckets["0.0025"], buckets["0.005"]))

    def test_one_turn_is_measured_at_a_time(self) -> None:
        observer = self.timing.observer()
        for _ in range(100):
            observer.boiler_sent(b"pm 1 \r\n")
        self.clock.advance(0)
        self.assertEqual(1, count(self.timing.turn))
        self.assertEqual(100, self.timing.lines_from_boiler)

    def test_a_timer_that_is_served_late_counts_with_its_lateness(self) -> None:
        self.clock.advance(PERIOD)
        self.assertAlmostEqual(self.timing.lateness.sum, 0)
        self.ahead += 0.2
        self.clock.advance(PERIOD)
        self.assertEqual(2, count(self.timing.lateness))
        self.assertAlmostEqual(self.timing.lateness.sum, 0.2)

    def test_stopped_it_measures_no_more(self) -> None:
        observer = self.timing.observer()
        observer.boiler_sent(b"pm 1 \r\n")
        self.timing.stopService()
        observer.boiler_sent(b"pm 1 \r\n")
        self.clock.advance(10)
        self.assertEqual(0, count(self.timing.turn))
        self.assertEqual(2, self.timing.lines_from_boiler)
