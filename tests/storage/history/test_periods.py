"""Days, months and heating seasons, and those of the year before."""

import itertools
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.periods import SHOWN, Period, periods, totals

DATES = st.dates(date(2010, 1, 1), date(2060, 12, 31))


def day(at: date, pellets: float | None, ignitions: int = 0) -> DayFacts:
    """What a day came to."""
    return DayFacts(
        day=at.toordinal(),
        hours=24.0,
        pellets=pellets,
        full_load_hours=None,
        ignitions=ignitions,
        ash_removals=0,
        degree_days=10.0,
        stock=None,
        delivered=0.0,
        states={},
        pumps={},
    )


class PeriodTests(SynchronousTestCase):
    @given(DATES, st.sampled_from(sorted(SHOWN)))
    def test_they_follow_each_other_and_the_last_one_has_today(
        self, today: date, kind: str
    ) -> None:
        found = periods(kind, today)
        self.assertEqual(len(found), SHOWN[kind])
        for before, after in itertools.pairwise(found):
            self.assertEqual(before.end, after.first)
        self.assertTrue(found[-1].first <= today < found[-1].end)

    @given(DATES, st.sampled_from(["month", "season"]))
    def test_the_year_before_has_the_same_months(self, today: date, kind: str) -> None:
        for each in periods(kind, today):
            before = each.a_year_before
            self.assertEqual(before.first, each.first.replace(year=each.first.year - 1))
            self.assertEqual(before.end, each.end.replace(year=each.end.year - 1))

    def test_a_season_begins_in_july(self) -> None:
        winter, summer = periods("season", date(2026, 2, 1)), periods("season", date(2026, 7, 1))
        self.assertEqual(Period(date(2025, 7, 1), date(2026, 7, 1)), winter[-1])
        self.assertEqual(Period(date(2026, 7, 1), date(2027, 7, 1)), summer[-1])

    def test_the_29th_of_february_is_compared_with_the_day_after_the_28th(self) -> None:
        leap = Period(date(2028, 2, 29), date(2028, 3, 1))
        self.assertEqual(leap.a_year_before.first, date(2027, 3, 1))

    def test_what_its_days_came_to_adds_up(self) -> None:
        november = Period(date(2026, 11, 1), date(2026, 12, 1))
        known = [day(date(2026, 11, 3), 12.5, 4), day(date(2026, 11, 4), None, 1)]
        known.append(day(date(2026, 12, 1), 100.0, 9))
        sums = totals({each.day: each for each in known}, november)
        assert sums is not None
        self.assertEqual((2, 12.5, 5), (sums.days, sums.pellets, sums.ignitions))
        self.assertEqual((20.0, None), (sums.degree_days, sums.full_load_hours))

    def test_of_which_nothing_is_known_has_no_sums(self) -> None:
        self.assertIsNone(totals({}, Period(date(2026, 11, 1), date(2026, 12, 1))))

    def test_it_is_cut_at_a_day(self) -> None:
        november = Period(date(2026, 11, 1), date(2026, 12, 1))
        self.assertEqual(november.until(date(2026, 11, 26)).end, date(2026, 11, 26))
        self.assertEqual(november.until(date(2027, 1, 1)).end, november.end)
        self.assertEqual(november.until(date(2026, 1, 1)).end, november.first)
