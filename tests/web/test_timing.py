"""How long the bridge holds up what passes."""

from prometheus_client import CollectorRegistry

from hargassner.web.timing import PERIOD, Timing
from tests.cases import ClockCase


class TimingTests(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.registry = CollectorRegistry()
        self.ahead = 0.0
        self.timing = Timing(self.clock, self.registry, lambda: self.clock.seconds() + self.ahead)
        self.timing.startService()
        self.addCleanup(lambda: self.timing.running and self.timing.stopService())

    def figure(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(f"hargassner_{name}", labels)
        assert value is not None
        return value

    def test_a_turn_lasts_from_what_passed_to_the_reactors_next_one(self) -> None:
        self.timing.observer().gateway_sent(b"$setkomm\r\n")
        self.assertEqual(self.figure("turn_seconds_count"), 0)
        self.ahead += 0.003
        self.clock.advance(0)
        self.assertEqual(self.figure("turn_seconds_count"), 1)
        self.assertAlmostEqual(self.figure("turn_seconds_sum"), 0.003)
        self.assertEqual(self.figure("turn_seconds_bucket", le="0.0025"), 0)
        self.assertEqual(self.figure("turn_seconds_bucket", le="0.005"), 1)

    def test_one_turn_is_measured_at_a_time(self) -> None:
        observer = self.timing.observer()
        for _ in range(100):
            observer.boiler_sent(b"pm 1 \r\n")
        self.clock.advance(0)
        self.assertEqual(self.figure("turn_seconds_count"), 1)
        self.assertEqual(self.timing.lines_from_boiler, 100)

    def test_a_timer_that_is_served_late_counts_with_its_lateness(self) -> None:
        self.clock.advance(PERIOD)
        self.assertAlmostEqual(self.figure("reactor_lateness_seconds_sum"), 0)
        self.ahead += 0.2
        self.clock.advance(PERIOD)
        self.assertEqual(self.figure("reactor_lateness_seconds_count"), 2)
        self.assertAlmostEqual(self.figure("reactor_lateness_seconds_sum"), 0.2)

    def test_stopped_it_measures_no_more(self) -> None:
        observer = self.timing.observer()
        observer.boiler_sent(b"pm 1 \r\n")
        self.timing.stopService()
        observer.boiler_sent(b"pm 1 \r\n")
        self.clock.advance(10)
        self.assertEqual(self.figure("turn_seconds_count"), 0)
        self.assertEqual(self.timing.lines_from_boiler, 2)
