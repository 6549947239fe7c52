"""What was burnt on the day that it is."""

import json
from datetime import date

from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.consumed import Consumed, consumed_by, json_of, of_json
from tests.storage.history.cases import NOON

DAY = 86_400.0


class ConsumedTests(SynchronousTestCase):
    TODAY = date(2026, 11, 25)

    def test_the_first_reading_begins_the_day(self) -> None:
        consumed = consumed_by(None, 100.0, NOON, self.TODAY)
        self.assertEqual((0.0, NOON), (consumed.kilograms, consumed.since))

    def test_what_the_counter_rises_is_burnt(self) -> None:
        consumed = consumed_by(None, 100.0, NOON, self.TODAY)
        consumed = consumed_by(consumed, 103.5, NOON + 60, self.TODAY)
        self.assertEqual((3.5, NOON), (consumed.kilograms, consumed.since))

    def test_a_day_that_was_seen_beginning_is_told_whole(self) -> None:
        yesterday = Consumed("2026-11-24", 90.0, 100.0, NOON - 86_400)
        consumed = consumed_by(yesterday, 101.0, NOON, self.TODAY)
        self.assertEqual((1.0, None), (consumed.kilograms, consumed.since))

    def test_after_days_of_rest_the_day_begins_with_its_first_reading(self) -> None:
        consumed = consumed_by(Consumed("2026-11-20", 1.0, 2.0, None), 50.0, NOON, self.TODAY)
        self.assertEqual((0.0, NOON), (consumed.kilograms, consumed.since))

    def test_a_clock_set_back_over_midnight_goes_on_with_the_day(self) -> None:
        today = Consumed("2026-11-26", 90.0, 100.0, None)
        consumed = consumed_by(today, 101.0, NOON, self.TODAY)
        self.assertEqual(("2026-11-26", 11.0), (consumed.day, consumed.kilograms))
        self.assertEqual(90.0, consumed_by(consumed, 102.0, NOON + DAY, date(2026, 11, 26)).before)

    def test_a_clock_that_was_wrong_by_years_begins_the_day_anew(self) -> None:
        consumed = consumed_by(Consumed("2036-11-26", 90.0, 100.0, None), 101.0, NOON, self.TODAY)
        self.assertEqual(("2026-11-25", 0.0), (consumed.day, consumed.kilograms))

    def test_a_counter_that_was_reset_begins_anew(self) -> None:
        consumed = consumed_by(Consumed("2026-11-25", 90.0, 100.0, None), 0.0, NOON, self.TODAY)
        self.assertEqual((0.0, NOON), (consumed.kilograms, consumed.since))

    def test_it_is_the_same_when_it_was_kept(self) -> None:
        for consumed in (None, Consumed("2026-11-25", 90.0, 100.0, NOON)):
            self.assertEqual(of_json(json.loads(json_of(consumed))), consumed)
