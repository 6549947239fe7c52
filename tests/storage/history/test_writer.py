"""What is in the file after minutes were written, in whichever order and of whatever time."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from hargassner.storage.history import fact_writer, rows, writer
from hargassner.storage.history.facts import Carry
from hargassner.storage.history.reader import Extent, events, facts, kept
from hargassner.storage.history.rollup import QUARTER, day_of
from hargassner.storage.history.rows import DAYS, MINUTES, QUARTERS, Grain, unpacked
from hargassner.storage.history.samples import Dated, FaultSeen, Recorded
from hargassner.storage.history.writer import write_live
from tests.storage.history.cases import NOON, TK, ZK, FileCase, in_zone, minute

M0 = int(NOON // 60)
FAULT, OTHER = FaultSeen(29, "no flame"), FaultSeen(0, "door open")


class WriterCase(FileCase):
    def slots(self, grain: Grain, recorded: Recorded) -> dict[int, tuple[float, ...]]:
        """The numbers of every slot that has some."""
        rows = self.cursor.execute(
            f"SELECT row, slots FROM {grain.table} JOIN channels ON id = channel WHERE object = ?",
            (recorded.object,),
        ).fetchall()
        size = grain.floats
        found = {
            row * grain.slots + at: tuple(numbers[at * size : (at + 1) * size])
            for row, numbers in ((row, unpacked(grain, blob)) for row, blob in rows)
            for at in range(grain.slots)
        }
        return {at: each for at, each in found.items() if not math.isnan(each[0])}

    def values(self, recorded: Recorded = TK) -> dict[int, float]:
        """Every minute that there is."""
        return {at: each[0] for at, each in self.slots(MINUTES, recorded).items()}

    def quarters(self, recorded: Recorded = TK) -> dict[int, tuple[float, ...]]:
        """Every quarter: minutes, lowest, mean, highest."""
        return self.slots(QUARTERS, recorded)

    def of_days(self) -> dict[int, tuple[float, ...]]:
        """Every day: minutes, lowest, mean, highest."""
        return self.slots(DAYS, TK)

    def facts(self) -> dict[int, object]:
        """What each day came to."""
        return dict(facts(self.cursor, Extent(0, 10**7)))


class ValueTests(WriterCase):
    def test_minutes_make_quarters_and_days(self) -> None:
        self.write(*(minute(NOON + 60 * at, {TK: float(at)}) for at in range(30)))
        self.assertEqual(self.values(), {M0 + at: float(at) for at in range(30)})
        first = int(NOON // QUARTER)
        self.assertEqual({first: (15, 0, 7, 14), first + 1: (15, 15, 22, 29)}, self.quarters())
        self.assertEqual({day_of(NOON): (30, 0, 14.5, 29)}, self.of_days())

    def test_a_minute_that_is_there_is_not_overwritten(self) -> None:
        self.write(minute(NOON, {TK: 1.0}, {"seconds": 60.0}))
        written = self.write(minute(NOON, {TK: 2.0}, {"seconds": 60.0}))
        self.assertEqual((0, {M0: 1.0}), (written.new, self.values()))
        self.assertEqual(self.facts()[day_of(NOON)].hours, round(60 / 3600, 3))

    def test_the_commonest_code_of_a_quarter_counts(self) -> None:
        self.write(*(minute(NOON + 60 * at, {ZK: 7.0 if at < 9 else 10.0}) for at in range(15)))
        [cell] = self.quarters(ZK).values()
        self.assertEqual(7.0, cell[2])

    def test_channels_have_bounds(self) -> None:
        self.patch(writer, "MOST_CHANNELS", 5)
        many = {Recorded(f"c{number}", f"c{number}", ""): 1.0 for number in range(99)}
        self.write(minute(NOON, many))
        # One of them is that of the coverage.
        self.assertEqual(4, len(kept(self.cursor).channels))

    def test_a_channel_whose_name_becomes_known_has_it(self) -> None:
        self.write(minute(NOON, {Recorded("tk", "tk", ""): 1.0}))
        self.write(minute(NOON + 60, {TK: 2.0}))
        self.assertEqual((TK,), kept(self.cursor).channels)
        self.assertEqual({M0: 1.0, M0 + 1: 2.0}, self.values())

    def test_a_day_of_summer_time_has_25_hours(self) -> None:
        in_zone(self, "Europe/Vienna")
        begin = datetime(2026, 10, 25).timestamp()
        self.write(*(minute(begin + 60 * at, {TK: 1.0}) for at in range(-30, 25 * 60 + 30)))
        day = day_of(begin)
        counts = {number: cell[0] for number, cell in self.of_days().items()}
        self.assertEqual({day - 1: 30, day: 1500, day + 1: 30}, counts)


class LawTests(WriterCase):
    """The clock may tell anything: of what is there nothing changes, and the grains agree."""

    STEPS = st.lists(
        st.tuples(
            st.sampled_from([60, 60, 60, 600, -600, 3600, -3600, 86400, -86400 * 9, 86400 * 400]),
            st.floats(-30, 300, width=32),
        ),
        min_size=1,
        max_size=40,
    )

    def batches(self, steps: Sequence[tuple[int, float]]) -> list[list[Dated]]:
        date, found = NOON, []
        for step, value in steps:
            date += step
            found.append(minute(date, {TK: value}, {"seconds": 60.0}))
        return [found[at : at + 7] for at in range(0, len(found), 7)]

    @settings(deadline=None)
    @given(STEPS)
    def test_what_is_there_stays_whatever_the_clock_does(
        self, steps: list[tuple[int, float]]
    ) -> None:
        self.new_file()
        before: dict[int, float] = {}
        for batch in self.batches(steps):
            self.write(*batch)
            now = self.values()
            self.assertEqual(now, now | before)
            self.assertLessEqual(set(now) - set(before), {each.minute for each in batch})
            before = now

    @settings(deadline=None)
    @given(STEPS)
    def test_the_grains_agree_whatever_the_clock_does(self, steps: list[tuple[int, float]]) -> None:
        self.new_file()
        for batch in self.batches(steps):
            self.write(*batch)
        values, quarters, of_days = self.values(), self.quarters(), self.of_days()
        for grain, slot in ((quarters, lambda at: at * 60 // QUARTER), (of_days, self.day)):
            for place, (count, low, mean, high) in grain.items():
                own = [value for at, value in values.items() if slot(at) == place]
                self.assertEqual((count, low, high), (len(own), min(own), max(own)))
                self.assertApproximates(mean * count, sum(own), 0.01 + 1e-5 * abs(sum(own)))
            self.assertEqual(sum(cell[0] for cell in grain.values()), len(values))
        minutes = sum(day.hours for day in self.facts().values()) * 60
        self.assertApproximates(minutes, len(values), 0.1 * len(of_days))

    def day(self, at: int) -> int:
        return day_of(at * 60.0)

    @settings(deadline=None)
    @given(STEPS)
    def test_written_twice_is_written_once(self, steps: list[tuple[int, float]]) -> None:
        self.new_file()
        for batch in self.batches(steps):
            self.write(*batch)
        before = self.values(), self.quarters(), self.of_days(), self.facts()
        for batch in self.batches(steps):
            self.assertEqual(0, self.write(*batch).new)
        self.assertEqual((self.values(), self.quarters(), self.of_days(), self.facts()), before)


class BoundTests(WriterCase):
    def setUp(self) -> None:
        super().setUp()
        for module in (rows, writer):
            self.patch(module, "MINUTES", replace(MINUTES, rows=3))
            self.patch(module, "QUARTERS", replace(QUARTERS, rows=4))

    def write_day(self, day: int, value: float) -> None:
        begin = NOON + 86400 * day
        self.write(*(minute(begin + 600 * at, {TK: value}) for at in range(-72, 72)))

    def count(self, table: str) -> int:
        query = f"SELECT count(DISTINCT row) FROM {table}"
        return int(self.cursor.execute(query).fetchone()[0])

    def test_minutes_and_quarters_go_and_days_stay(self) -> None:
        for day in range(10):
            self.write_day(day, float(day))
        self.assertEqual((3, 4), (self.count("minutes"), self.count("quarters")))
        means = [cell[2] for cell in self.of_days().values()]
        self.assertEqual(means, [float(day) for day in range(10)])

    def test_a_clock_that_is_wrong_by_years_for_a_while_takes_nothing_away(self) -> None:
        self.write_day(0, 1.0)
        before = self.values()
        self.write(minute(NOON + 86400 * 3650, {TK: 9.0}))
        kept_ = {at: value for at, value in before.items() if at in self.values()}
        self.assertGreaterEqual(len(kept_), MINUTES.slots // 10)

    def test_what_was_given_up_is_not_begun_again(self) -> None:
        for day in range(10):
            self.write_day(day, float(day))
        before = self.of_days(), self.quarters()
        for day in range(8):
            self.write_day(day, 99.0)
        self.assertEqual((self.of_days(), self.quarters()), before)

    def test_what_is_older_than_all_of_it_can_be_imported_once(self) -> None:
        for day in range(10):
            self.write_day(day, float(day))
        self.write_day(-100, 5.0)
        self.write_day(-100, 6.0)
        self.assertEqual((144, 5.0, 5.0), self.of_days()[day_of(NOON - 86400 * 100)][:3])

    def test_events_have_bounds(self) -> None:
        self.patch(fact_writer, "MOST_EVENTS", 10)
        carry = Carry()
        for at in range(0, 100, 2):
            faults = [FAULT] if at % 4 else []
            carry = self.write(
                minute(NOON + 60 * at, {}, {}, None, None, *faults), carry=carry
            ).carry
        self.assertLessEqual(len(events(self.cursor, 0, NOON * 2)), 10)


class EventTests(WriterCase):
    def live(self, *minutes: Dated) -> None:
        with self.connection:
            self.cursor.execute("BEGIN")
            write_live(self.cursor, minutes)

    def stocks(self, date: float, *stocks: float) -> list[Dated]:
        """A minute for each stock."""
        return [minute(date + 60 * at, stock=stock) for at, stock in enumerate(stocks)]

    def of(self, kind: str) -> list[tuple[float, float | None]]:
        found = events(self.cursor, 0, NOON * 2)
        return [(each.began, each.ended) for each in found if each.kind == kind]

    def test_a_fault_begins_and_ends(self) -> None:
        self.live(minute(NOON), minute(NOON + 60, {}, {}, None, None, FAULT))
        self.assertEqual([(NOON + 60, None)], self.of("fault"))
        self.live(minute(NOON + 120, {}, {}, None, None, FAULT, OTHER))
        self.live(minute(NOON + 180, {}, {}, None, None, OTHER))
        self.assertEqual([(NOON + 60, NOON + 180), (NOON + 120, None)], self.of("fault"))

    def test_a_fault_that_goes_on_after_a_restart_is_the_same(self) -> None:
        self.live(minute(NOON, {}, {}, None, None, FAULT))
        self.live(minute(NOON + 9000, {}, {}, None, None, FAULT))
        self.assertEqual([(NOON, None)], self.of("fault"))

    def test_the_stocks_rising_is_a_delivery_in_however_many_steps(self) -> None:
        for at, stock in enumerate((500.0, 500.0, 499.0, *[1500.0] * 3, 3500.0, 3500.0, 3499.0)):
            self.live(minute(NOON + 60 * at, stock=stock))
        later = NOON + 86400
        self.live(minute(later, stock=3490.0), *self.stocks(later + 60, 3600.0, 3600.0, 3600.0))
        found = [each for each in events(self.cursor, 0, NOON * 2) if each.kind == "delivery"]
        self.assertEqual([3001.0, 110.0], [each.amount for each in found])
        self.assertEqual(self.of("delivery"), [(NOON + 120, NOON + 360), (later, later + 60)])
        first = self.facts()[day_of(NOON)]
        self.assertEqual((3001.0, 3499.0), (first.delivered, first.stock))

    def test_a_stock_misread_for_a_minute_is_no_delivery(self) -> None:
        self.live(*self.stocks(NOON, 500.0, 500.0, 500.0, 3500.0, 500.0, 0.0, 500.0, 500.0, 500.0))
        self.assertEqual([], self.of("delivery"))
        self.assertEqual(0.0, self.facts()[day_of(NOON)].delivered)

    def test_events_are_found_by_what_they_overlap(self) -> None:
        self.live(minute(NOON, {}, {}, None, None, FAULT), minute(NOON + 600))
        for begin, end, count in (
            (0, NOON - 1, 0),
            (NOON + 60, NOON + 61, 1),
            (NOON + 601, 1e11, 0),
        ):
            self.assertEqual(len(events(self.cursor, begin, end)), count)

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 20_000), st.floats(0, 20)), max_size=15))
    def test_what_was_burnt_is_what_the_counter_rose_by(
        self, steps: list[tuple[int, float]]
    ) -> None:
        self.new_file()
        date, counter = NOON, 1000.0
        self.live(minute(date, burnt=counter))
        for minutes, rise in steps:
            date, counter = date + 60.0 * minutes, counter + rise
            self.live(minute(date, burnt=counter))
        total = sum(day.pellets or 0.0 for day in self.facts().values())
        self.assertApproximates(total, counter - 1000.0, 0.01 * (len(self.facts()) + 1))
