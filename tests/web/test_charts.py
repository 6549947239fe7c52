"""The last 24 hours, and what was burnt today."""

import json
from datetime import date, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.storage.directory import StateDirectory
from hargassner.web.charts import (
    KEPT,
    LINES,
    SAVE_EVERY,
    STEP,
    Consumed,
    History,
    HistoryService,
    consumed_by,
)
from tests.cases import ClockCase
from tests.web.cases import at_once, show

MINUTE = float(STEP)
DAY = 86_400.0
NOON = datetime(2026, 11, 25, 12, 0).timestamp()


class HistoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.history = History()

    def test_an_empty_one_has_no_lines(self) -> None:
        self.assertEqual(self.history.lines(), {})
        self.assertIsNone(self.history.newest)

    def test_a_sample_a_minute_stays_and_the_first_of_a_minute_counts(self) -> None:
        for at, value in ((NOON, 1.0), (NOON + 20, 2.0), (NOON + MINUTE, 3.0)):
            self.history.record(at, {"tk": value})
        self.assertEqual(self.history.lines(), {"tk": [1.0, 3.0]})
        self.assertEqual(self.history.newest, NOON + MINUTE)

    def test_minutes_without_a_sample_are_gaps(self) -> None:
        self.history.record(NOON, {"tk": 1.0})
        self.history.record(NOON + 3 * MINUTE, {"tk": 4.0})
        self.assertEqual(self.history.lines(), {"tk": [1.0, None, None, 4.0]})

    def test_lines_that_begin_later_are_as_long_as_the_others(self) -> None:
        self.history.record(NOON, {"tk": 1.0})
        self.history.record(NOON + MINUTE, {"tk": 2.0, "trg": 9.0})
        self.assertEqual(self.history.lines(), {"tk": [1.0, 2.0], "trg": [None, 9.0]})

    def test_it_keeps_a_day_and_no_more(self) -> None:
        for minute in range(KEPT + 10):
            self.history.record(NOON + minute * MINUTE, {"tk": float(minute)})
        [line] = self.history.lines().values()
        self.assertEqual((len(line), line[0], line[-1]), (KEPT, 10.0, KEPT + 9.0))

    def test_a_line_that_was_not_sampled_for_a_day_is_forgotten(self) -> None:
        self.history.record(NOON, {"gone": 1.0})
        for minute in range(1, KEPT + 1):
            self.history.record(NOON + minute * MINUTE, {"tk": 2.0})
        self.assertEqual(list(self.history.lines()), ["tk"])

    def test_the_number_of_lines_is_bounded(self) -> None:
        self.history.record(NOON, {f"channel_{number}": 1.0 for number in range(LINES + 9)})
        self.assertEqual(len(self.history.lines()), LINES)

    def test_a_clock_set_back_changes_nothing_of_what_is_there(self) -> None:
        for minute in range(5):
            self.history.record(NOON + minute * MINUTE, {"tk": float(minute)})
        for minute in range(2, 6):
            self.history.record(NOON + minute * MINUTE, {"tk": 22.0})
        self.assertEqual(self.history.lines(), {"tk": [0.0, 1.0, 2.0, 3.0, 4.0, 22.0]})

    def test_a_clock_that_is_set_right_again_goes_on_where_it_was(self) -> None:
        for at, value in ((NOON, 1.0), (NOON + 10 * 365 * DAY, 2.0), (NOON + 2 * MINUTE, 3.0)):
            self.history.record(at, {"tk": value})
        self.assertEqual(self.history.lines(), {"tk": [1.0, None, 3.0]})

    def test_a_clock_that_was_wrong_by_more_than_a_day_begins_anew(self) -> None:
        self.history.record(NOON + 10 * 365 * DAY, {"tk": 1.0})
        self.history.record(NOON, {"tk": 2.0})
        self.assertEqual((self.history.newest, self.history.lines()), (NOON, {"tk": [2.0]}))

    def test_a_clock_set_forward_by_years_leaves_one_sample(self) -> None:
        self.history.record(0.0, {"tk": 1.0})
        self.history.record(NOON, {"tk": 2.0})
        self.assertEqual(self.history.lines(), {"tk": [2.0]})

    def at(self) -> dict[int, float]:
        """The samples by their minutes."""
        newest = round((self.history.newest - NOON) / MINUTE)
        [line] = self.history.lines().values()
        first = newest - len(line) + 1
        return {at: value for at, value in enumerate(line, first) if value is not None}

    @settings(deadline=None)
    @given(st.lists(st.integers(0, KEPT - 1), min_size=1, max_size=30))
    def test_whatever_the_clock_does_within_a_day_what_is_there_stays(
        self, minutes: list[int]
    ) -> None:
        self.history = History()
        before: dict[int, float] = {}
        for number, minute in enumerate(minutes):
            self.history.record(NOON + minute * MINUTE, {"tk": float(number)})
            now = self.at()
            self.assertEqual(now, before | {each: now[each] for each in now if each not in before})
            self.assertLessEqual(set(now) - set(before), {minute})
            before = now

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 3000), st.booleans()), max_size=30))
    def test_whatever_the_clock_does_a_recalled_history_is_the_same(
        self, samples: list[tuple[int, bool]]
    ) -> None:
        history, recalled = History(), History()
        for minute, both in samples:
            values = {"tk": float(minute), "trg": 0.5} if both else {"tk": float(minute)}
            history.record(NOON + minute * MINUTE, values)
        if history.newest is not None:
            recalled.recall(history.newest, json.loads(json.dumps(history.lines())))
        self.assertEqual(recalled.lines(), history.lines())
        self.assertEqual(recalled.newest, history.newest)


class ConsumedTests(SynchronousTestCase):
    TODAY = date(2026, 11, 25)

    def test_the_first_reading_begins_the_day(self) -> None:
        consumed = consumed_by(None, 100.0, NOON, self.TODAY)
        self.assertEqual((consumed.kilograms, consumed.since), (0.0, NOON))

    def test_what_the_counter_rises_is_burnt(self) -> None:
        consumed = consumed_by(None, 100.0, NOON, self.TODAY)
        consumed = consumed_by(consumed, 103.5, NOON + 60, self.TODAY)
        self.assertEqual((consumed.kilograms, consumed.since), (3.5, NOON))

    def test_a_day_that_was_seen_beginning_is_told_whole(self) -> None:
        yesterday = Consumed("2026-11-24", 90.0, 100.0, NOON - 86_400)
        consumed = consumed_by(yesterday, 101.0, NOON, self.TODAY)
        self.assertEqual((consumed.kilograms, consumed.since), (1.0, None))

    def test_after_days_of_rest_the_day_begins_with_its_first_reading(self) -> None:
        consumed = consumed_by(Consumed("2026-11-20", 1.0, 2.0, None), 50.0, NOON, self.TODAY)
        self.assertEqual((consumed.kilograms, consumed.since), (0.0, NOON))

    def test_a_clock_set_back_over_midnight_goes_on_with_the_day(self) -> None:
        today = Consumed("2026-11-26", 90.0, 100.0, None)
        consumed = consumed_by(today, 101.0, NOON, self.TODAY)
        self.assertEqual((consumed.day, consumed.kilograms), ("2026-11-26", 11.0))
        self.assertEqual(consumed_by(consumed, 102.0, NOON + DAY, date(2026, 11, 26)).before, 90.0)

    def test_a_clock_that_was_wrong_by_years_begins_the_day_anew(self) -> None:
        consumed = consumed_by(Consumed("2036-11-26", 90.0, 100.0, None), 101.0, NOON, self.TODAY)
        self.assertEqual((consumed.day, consumed.kilograms), ("2026-11-25", 0.0))

    def test_a_counter_that_was_reset_begins_anew(self) -> None:
        consumed = consumed_by(Consumed("2026-11-25", 90.0, 100.0, None), 0.0, NOON, self.TODAY)
        self.assertEqual((consumed.kilograms, consumed.since), (0.0, NOON))


class KeeperTests(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(NOON)
        self.path = Path(self.mktemp())
        self.boiler = Boiler()
        self.show("65.9", "1000")
        self.live()

    def live(self) -> None:
        """Begin a life of the bridge."""
        directory = StateDirectory(self.path)
        self.service = HistoryService(self.boiler, directory, self.clock, at_once)
        self.service.startService()
        self.addCleanup(lambda service=self.service: service.running and service.stopService())

    def show(self, temperature: str, burnt: str) -> None:
        values = {"TK": (temperature, "°C"), "Verbrauchszähler": (burnt, "kg")}
        show(self.boiler, values, at=self.clock.seconds())

    def minutes(self, count: int) -> None:
        self.clock.pump([10.0] * 6 * count)

    def test_the_model_is_sampled_every_minute(self) -> None:
        self.minutes(2)
        self.show("70.0", "1002")
        self.minutes(1)
        [line] = self.service.history.lines().values()
        self.assertEqual([round(each, 1) for each in line], [65.9, 65.9, 65.9, 70.0])
        self.assertEqual(self.service.consumed.kilograms, 2.0)

    def test_a_boiler_that_is_away_leaves_a_gap(self) -> None:
        self.minutes(1)
        self.boiler.tick(self.clock.seconds() + 30)
        self.minutes(3)
        self.show("70.0", "1000")
        self.minutes(1)
        [line] = self.service.history.lines().values()
        self.assertEqual([each is None for each in line], [False, False, True, True, False, False])

    def test_the_day_goes_on_while_a_boiler_is_away(self) -> None:
        self.boiler.tick(self.clock.seconds() + 30)
        self.minutes(3)
        [line] = self.service.history.lines().values()
        self.assertEqual([each is None for each in line], [False, True, True])
        self.assertEqual(self.service.history.newest, self.clock.seconds() - MINUTE)
        self.minutes(KEPT)
        [line] = self.service.history.lines().values()
        self.assertEqual([each for each in line if each is not None], [])

    def test_nothing_is_written_while_a_boiler_is_away(self) -> None:
        self.boiler.tick(self.clock.seconds() + 30)
        self.minutes(int(SAVE_EVERY / MINUTE))
        file = self.path / HistoryService.FILE
        file.unlink()
        self.minutes(int(SAVE_EVERY / MINUTE))
        self.assertFalse(file.exists())
        self.show("70.0", "1000")
        self.minutes(int(SAVE_EVERY / MINUTE))
        self.assertTrue(file.exists())

    def test_a_restart_leaves_a_gap_and_loses_nothing(self) -> None:
        self.minutes(2)
        self.service.stopService()
        self.clock.advance(5 * MINUTE)
        self.live()
        [line] = self.service.history.lines().values()
        self.assertEqual([each is None for each in line], [False] * 3 + [True] * 4 + [False])
        self.assertEqual(self.service.consumed.before, 1000.0)

    def test_it_is_written_at_intervals_too(self) -> None:
        self.minutes(int(SAVE_EVERY / MINUTE))
        known = json.loads((self.path / HistoryService.FILE).read_bytes())
        self.assertEqual(len(known["lines"]["tk"]), SAVE_EVERY / MINUTE)

    def test_a_damaged_file_is_set_aside_and_lived_without(self) -> None:
        for damaged in (
            "",
            "[]",
            "{}",
            '{"newest": 1e999, "lines": {}, "consumed": null}',
            '{"newest": NaN, "lines": {}, "consumed": null}',
            '{"newest": 60, "lines": [1], "consumed": null}',
            '{"newest": 60, "lines": {"tk": ["x"]}, "consumed": null}',
            '{"newest": 60, "lines": {"tk": 7}, "consumed": null}',
            '{"newest": null, "lines": {}, "consumed": {"day": "yesterday"}}',
            '{"newest": null, "lines": {}, "consumed": {"day": "2026-11-25"}}',
        ):
            self.service.stopService()
            StateDirectory(self.path).save(HistoryService.FILE, damaged.encode())
            self.live()
            self.assertFalse((self.path / HistoryService.FILE).exists(), damaged)
            self.assertEqual(list(self.service.history.lines()), ["tk"], damaged)
