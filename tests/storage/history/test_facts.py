"""What a day came to."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.deliveries import Run, Stock
from hargassner.storage.history.facts import (
    MOST_KEYS,
    Carry,
    burnt_by_day,
    day_facts,
    with_more,
)
from hargassner.storage.history.rollup import day_of
from hargassner.storage.history.samples import FaultSeen
from tests.storage.history.cases import NOON

TODAY = day_of(NOON)
HOUR = 3600.0


class BurntTests(SynchronousTestCase):
    def test_what_the_counter_rises_by_is_burnt_on_the_day(self) -> None:
        self.assertEqual([(TODAY, 2.0)], burnt_by_day(Carry(100.0, NOON - 60), 102.0, NOON))

    def test_over_a_gap_it_is_spread_over_the_days(self) -> None:
        carry = Carry(100.0, NOON - 48 * HOUR)
        self.assertEqual(
            [(TODAY - 2, 12.0), (TODAY - 1, 24.0), (TODAY, 12.0)], burnt_by_day(carry, 148.0, NOON)
        )

    def test_a_counter_that_was_reset_or_misread_begins_anew(self) -> None:
        for counter in (5.0, 9_000_000.0):
            self.assertEqual([], burnt_by_day(Carry(100.0, NOON - 60), counter, NOON))
        self.assertEqual([], burnt_by_day(Carry(), 7.0, NOON))

    @given(st.lists(st.tuples(st.floats(60, 30 * 86400), st.floats(0, 50)), max_size=20))
    def test_nothing_burnt_is_lost_or_made_up(self, steps: list[tuple[float, float]]) -> None:
        counter, date, total = 100.0, NOON, 0.0
        for passed, rise in steps:
            carry = Carry(counter, date)
            counter, date = counter + rise, date + passed
            total += sum(kilograms for _, kilograms in burnt_by_day(carry, counter, date))
        self.assertAlmostEqual(total, counter - 100.0, places=6)


class DayFactsTests(SynchronousTestCase):
    def test_degree_days_count_below_the_limit_only(self) -> None:
        for mean, expected in ((-5.0, 25.0), (14.9, 5.1), (15.0, 0.0), (30.0, 0.0)):
            tally = {"outdoor": mean * 86400, "outdoor_seconds": 86400.0}
            self.assertEqual(expected, day_facts(TODAY, tally).degree_days)

    def test_what_the_boiler_does_not_tell_is_none(self) -> None:
        facts = day_facts(TODAY, {})
        self.assertEqual(
            (None, None, None, None),
            (facts.pellets, facts.degree_days, facts.stock, facts.full_load_hours),
        )
        self.assertIsNone(facts.heat(4.3))

    def test_a_tally_is_told_in_hours(self) -> None:
        facts = day_facts(
            TODAY, {"seconds": 7200.0, "full_load": 1800.0, "state/7": 3600.0, "pump/hkp1": 900.0}
        )
        self.assertEqual((2.0, 0.5), (facts.hours, facts.full_load_hours))
        self.assertEqual(({7: 1.0}, {"hkp1": 0.25}), (facts.states, facts.pumps))
        self.assertEqual("2026-11-25", facts.date)

    def test_codes_that_nobody_knows_do_not_make_it_grow_for_ever(self) -> None:
        tally: dict[str, float] = {}
        for code in range(10_000):
            tally = with_more(tally, {f"state/{code}": 60.0, "seconds": 60.0})
        self.assertEqual((MOST_KEYS, 600_000.0), (len(tally), tally["seconds"]))

    def test_the_stock_is_the_last_one(self) -> None:
        tally = with_more(with_more({}, {"stock": 500.0}), {"stock": 480.0})
        self.assertEqual({"stock": 480.0}, tally)


class CarryTests(SynchronousTestCase):
    def test_it_is_the_same_when_it_was_kept(self) -> None:
        stock = Stock(500.0, NOON - 60, Run(3500.0, NOON, 1))
        carry = Carry(1.5, NOON, stock, {FaultSeen(29, "fault"): 7})
        self.assertEqual(carry, Carry.of_json(carry.json()))
        # As it was kept before a stock had to hold.
        before = Carry(1.5, NOON, Stock(500.0, NOON))
        # Compared as text, since what is not known is no number and equals nothing.
        self.assertEqual(before.json(), Carry.of_json(f"[1.5, 500.0, {NOON}, []]").json())
        nothing = Carry().json()
        self.assertEqual(nothing, Carry.of_json(nothing).json())
