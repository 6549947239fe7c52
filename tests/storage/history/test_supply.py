"""How long the pellets last."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.supply import FARTHEST, LOOKED_BACK, pace_of, supply

TODAY = date(2026, 11, 26).toordinal()


def day(
    number: int, pellets: float | None, degree_days: float | None = None, hours: float = 24.0
) -> DayFacts:
    """What a day came to."""
    return DayFacts(
        day=number,
        hours=hours,
        pellets=pellets,
        full_load_hours=None,
        ignitions=0,
        ash_removals=0,
        degree_days=degree_days,
        stock=None,
        delivered=0.0,
        states={},
        pumps={},
    )


def days(*facts: DayFacts) -> dict[int, DayFacts]:
    """By their numbers."""
    return {each.day: each for each in facts}


def last_weeks(pellets: float, degree_days: float | None = None) -> dict[int, DayFacts]:
    """Two weeks of days that are all alike."""
    return days(*(day(TODAY - each, pellets, degree_days) for each in range(1, LOOKED_BACK + 1)))


def lasts(facts: dict[int, DayFacts], stock: float) -> int:
    """Days that a stock lasts, ``FARTHEST`` for longer."""
    known = supply(facts, TODAY, stock)
    assert known is not None
    return FARTHEST if known.days is None else known.days


class SupplyTests(SynchronousTestCase):
    def test_without_an_outdoor_sensor_it_lasts_at_the_mean_of_two_weeks(self) -> None:
        known = supply(last_weeks(20.0), TODAY, 410.0)
        assert known is not None
        self.assertEqual((20, 20.0), (known.days, known.pace))

    def test_a_day_that_is_going_on_and_older_ones_do_not_count(self) -> None:
        facts = last_weeks(20.0) | days(day(TODAY, 1.0), day(TODAY - LOOKED_BACK - 1, 500.0))
        known = supply(facts, TODAY, 410.0)
        assert known is not None
        self.assertEqual(20, known.days)

    def test_days_that_were_as_cold_a_year_before_need_as_much(self) -> None:
        ahead = (TODAY - 365 + each for each in range(60))
        facts = last_weeks(20.0, 10.0) | days(*(day(each, None, 10.0) for each in ahead))
        known = supply(facts, TODAY, 410.0)
        assert known is not None
        self.assertEqual(20, known.days)

    def test_a_colder_winter_to_come_shortens_it_by_the_degree_days(self) -> None:
        ahead = (TODAY - 365 + each for each in range(-3, 60))
        facts = last_weeks(20.0, 10.0) | days(*(day(each, None, 20.0) for each in ahead))
        known = supply(facts, TODAY, 410.0)
        assert known is not None
        self.assertEqual((10, 20.0), (known.days, known.pace))

    def test_what_is_burnt_whatever_the_weather_is_told_apart(self) -> None:
        felt = range(2, 2 + LOOKED_BACK)
        known = pace_of(day(each, 4.0 + 1.5 * each, float(each)) for each in felt)
        assert known is not None
        self.assertAlmostEqual(known.base, 4.0)
        self.assertAlmostEqual(known.slope, 1.5)

    def test_in_summer_hot_water_goes_on(self) -> None:
        known = supply(last_weeks(3.0, 0.0), TODAY, 31.0)
        assert known is not None
        self.assertEqual(10, known.days)

    def test_more_than_a_year_is_not_told_in_days(self) -> None:
        known = supply(last_weeks(1.0), TODAY, 5000.0)
        assert known is not None
        self.assertIsNone(known.days)

    def test_too_few_days_and_a_boiler_that_is_off_have_no_pace(self) -> None:
        self.assertIsNone(supply(days(day(TODAY - 1, 20.0), day(TODAY - 2, 20.0)), TODAY, 100.0))
        self.assertIsNone(supply(last_weeks(0.0), TODAY, 100.0))
        self.assertIsNone(supply({}, TODAY, 100.0))

    def test_the_29th_of_february_has_a_day_before_it_too(self) -> None:
        leap = date(2028, 2, 29).toordinal()
        weeks = (day(leap - each, 20.0, 10.0) for each in range(1, 15))
        before = day((date(2027, 3, 1) + timedelta(3)).toordinal(), None, 40.0)
        known = supply(days(*weeks, before), leap, 79.0)
        assert known is not None
        self.assertEqual(0, known.days)

    @given(
        st.lists(st.tuples(st.floats(0, 100), st.floats(0, 35)), min_size=3, max_size=LOOKED_BACK),
        st.floats(0, 10_000),
    )
    def test_a_pace_is_never_below_nothing_and_goes_through_the_mean(
        self, told: list[tuple[float, float]], stock: float
    ) -> None:
        facts = days(*(day(TODAY - 1 - at, *each) for at, each in enumerate(told)))
        pace = pace_of(facts.values())
        if pace is None:
            return
        self.assertGreaterEqual(pace.base, 0.0)
        self.assertGreaterEqual(pace.slope, 0.0)
        self.assertAlmostEqual(pace.burns(pace.degree_days), pace.kilograms, places=6)
        known = supply(facts, TODAY, stock)
        assert known is not None
        self.assertTrue(known.days is None or 0 <= known.days < FARTHEST)

    @given(st.floats(0.1, 50), st.floats(0, 35), st.floats(0, 3000), st.floats(0, 3000))
    def test_more_pellets_never_last_shorter(
        self, pellets: float, cold: float, stock: float, more: float
    ) -> None:
        facts = last_weeks(pellets, cold)
        self.assertLessEqual(lasts(facts, stock), lasts(facts, stock + more))
