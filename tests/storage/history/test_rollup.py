"""Quarters and days, which add up."""

import math
from datetime import date, datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.rollup import (
    EMPTY,
    QUARTER,
    cell_of,
    combined,
    day_of,
    days_between,
    midnight,
)
from tests.storage.history.cases import in_zone

MINUTES = st.lists(st.floats(-50, 500) | st.just(math.nan), max_size=60)
VIENNA = "Europe/Vienna"


class CellTests(SynchronousTestCase):
    @given(st.lists(MINUTES, max_size=10))
    def test_what_parts_come_to_is_what_the_whole_comes_to(self, parts: list[list[float]]) -> None:
        whole = cell_of([value for part in parts for value in part])
        together = combined(map(cell_of, parts))
        self.assertEqual(together.minutes, whole.minutes)
        if whole.minutes:
            self.assertEqual((together.low, together.high), (whole.low, whole.high))
            self.assertAlmostEqual(together.mean, whole.mean, places=6)

    @given(st.lists(st.floats(-50, 500), min_size=1))
    def test_the_mean_is_between_lowest_and_highest(self, values: list[float]) -> None:
        cell = cell_of(values)
        self.assertTrue(cell.low - 1e-9 <= cell.mean <= cell.high + 1e-9)

    def test_of_nothing_nothing_is_known(self) -> None:
        self.assertIs(cell_of([math.nan]), EMPTY)
        self.assertIs(combined([EMPTY, EMPTY]), EMPTY)

    def test_of_codes_the_commonest_counts(self) -> None:
        self.assertEqual(7, cell_of([7, 7, 10], is_state=True).mean)
        long, short = cell_of([1] * 9, is_state=True), cell_of([7] * 4, is_state=True)
        self.assertEqual(1, combined([short, long], is_state=True).mean)


class DayTests(SynchronousTestCase):
    def test_the_day_on_which_clocks_go_forward_has_23_hours_and_back_25(self) -> None:
        in_zone(self, VIENNA)
        for day, hours in (
            (date(2026, 3, 29), 23),
            (date(2026, 10, 25), 25),
            (date(2026, 5, 1), 24),
        ):
            number = day.toordinal()
            self.assertEqual((midnight(number + 1) - midnight(number)) / 3600, hours)

    def test_midnight_belongs_to_the_day_that_it_begins(self) -> None:
        in_zone(self, VIENNA)
        day = date(2026, 3, 29).toordinal()
        self.assertEqual([day_of(midnight(day) - 1), day_of(midnight(day))], [day - 1, day])

    def test_days_begin_at_quarters_everywhere(self) -> None:
        for zone in ("Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"):
            in_zone(self, zone)
            first = date(2026, 1, 1).toordinal()
            for day in range(first, first + 366):
                self.assertEqual(0, midnight(day) % QUARTER)
                self.assertEqual(day_of(midnight(day)), day)

    @given(st.floats(0, 40 * 86400), st.floats(0, 40 * 86400))
    def test_time_is_spread_over_its_days_whole(self, begin: float, length: float) -> None:
        in_zone(self, VIENNA)
        first = datetime(2026, 3, 10).timestamp() + begin
        parts = days_between(first, first + length)
        self.assertAlmostEqual(sum(part for _, part in parts), 1.0)
        self.assertEqual(parts[0][0], day_of(first))
        self.assertTrue(all(part >= 0 for _, part in parts))
