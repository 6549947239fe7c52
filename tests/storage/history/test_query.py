"""What is asked of the history, and what of it there is."""

import contextlib
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.query import (
    MOST_SLOTS,
    STEPS,
    Query,
    QueryError,
    Selection,
    begin_of,
    parse_query,
    select,
)
from hargassner.storage.history.reader import Extent, Kept
from hargassner.storage.history.rollup import QUARTER, day_of
from tests.storage.history.cases import NOON, TK, ZK, in_zone

DAY = 86_400.0


def kept_since(minutes: float, quarters: float, days: float) -> Kept:
    """What there is, each grain since so many days before noon."""
    return Kept(
        minutes=Extent(int((NOON - minutes * DAY) // 60), int(NOON // 60)),
        quarters=Extent(int((NOON - quarters * DAY) // QUARTER), int(NOON // QUARTER)),
        days=Extent(day_of(NOON - days * DAY), day_of(NOON)),
        channels=(TK, ZK),
    )


OLD = kept_since(14, 730, 3650)
YOUNG = kept_since(0.25, 0.25, 0.25)


class ParsingTests(SynchronousTestCase):
    def test_by_default_it_is_the_last_day(self) -> None:
        query = parse_query({}, NOON)
        self.assertEqual((DAY, "", None), (query.end - query.begin, query.grain, query.channels))

    def test_times_are_seconds_or_local_dates(self) -> None:
        in_zone(self, "Europe/Vienna")
        begin = datetime(2026, 10, 25).timestamp()
        for given_, expected in (
            ({"from": str(begin), "to": str(begin + 5)}, (begin, begin + 5)),
            ({"from": "2026-10-25", "to": "2026-10-25"}, (begin, begin + 25 * 3600)),
            ({"from": "2026-10-25T01:30", "to": "2026-10-26"}, (begin + 5400, begin + 49 * 3600)),
            ({"from": "all", "to": "2026-10-24"}, (0.0, begin)),
        ):
            query = parse_query(given_, NOON)
            self.assertEqual(expected, (query.begin, query.end))

    def test_channels_are_named_and_may_be_none(self) -> None:
        for text, expected in (("tk,taus", {"tk", "taus"}), ("", set())):
            self.assertEqual(expected, parse_query({"channels": text}, NOON).channels)

    def test_what_is_wrong_is_said(self) -> None:
        for given_ in (
            {"from": "2026-13-01"},
            {"from": "yesterday"},
            {"to": "9" * 12},
            {"from": "9999-12-31T23:59:59+00:00", "to": "0001-01-01"},
            {"from": "-5"},
            {"grain": "hour"},
            {"from": "2026-11-25", "to": "2026-11-24"},
        ):
            with self.assertRaises(QueryError):
                parse_query(given_, NOON)

    @given(st.dictionaries(st.sampled_from(["from", "to", "grain", "channels"]), st.text()))
    def test_any_text_is_understood_or_refused(self, given_: dict[str, str]) -> None:
        with contextlib.suppress(QueryError):
            query = parse_query(given_, NOON)
            self.assertLess(query.begin, query.end)


class SelectingTests(SynchronousTestCase):
    def select(self, days: float, kept: Kept, grain: str = "") -> Selection:
        return select(Query(NOON - days * DAY, NOON, grain), kept)

    def test_the_grain_suits_the_range(self) -> None:
        for days, grain in ((1, "minute"), (7, "quarter"), (31, "quarter"), (365, "day")):
            self.assertEqual(self.select(days, OLD).grain, grain)

    def test_a_day_long_ago_is_told_in_the_finest_grain_that_there_is(self) -> None:
        for ago, grain in ((100, "quarter"), (1000, "day")):
            end = NOON - ago * DAY
            self.assertEqual(select(Query(end - DAY, end), OLD).grain, grain)

    def test_of_a_young_history_everything_is_told_in_minutes(self) -> None:
        self.assertEqual("minute", select(Query(0.0, NOON), YOUNG).grain)
        self.assertEqual("minute", self.select(1, YOUNG).grain)

    def test_days_are_local_ones(self) -> None:
        in_zone(self, "Europe/Vienna")
        begin, end = datetime(2026, 10, 24).timestamp(), datetime(2026, 10, 27).timestamp()
        selection = select(Query(begin, end, "day"), OLD)
        hours = [(at - begin) / 3600 for at in selection.times]
        self.assertEqual([0, 24, 49], hours)

    def test_nothing_is_kept_yet(self) -> None:
        selection = select(Query(0.0, NOON), Kept(None, None, None, ()))
        self.assertEqual(([], []), ([*selection.extent.slots], selection.times))

    @given(
        st.floats(0, 4000),
        st.floats(0.001, 4000),
        st.sampled_from(["", *STEPS]),
        st.sampled_from([OLD, YOUNG]),
    )
    def test_what_is_selected_is_what_was_asked_and_is_there(
        self, ago: float, length: float, grain: str, kept: Kept
    ) -> None:
        end = NOON + 60 - ago * DAY
        selection = select(Query(max(0.0, end - length * DAY), end, grain), kept)
        times = selection.times
        self.assertEqual(times, sorted(set(times)))
        self.assertLessEqual(len(times), MOST_SLOTS)
        if times:
            self.assertLess(times[-1], end)
            first = selection.extent.first
            self.assertGreater(begin_of(selection.grain, first + 1), selection.query.begin)

    def test_a_gap_of_years_is_not_told_minute_by_minute(self) -> None:
        kept = Kept(Extent(0, 10**9), OLD.quarters, OLD.days, ())
        selection = select(Query(0.0, 7e10, "minute"), kept)
        self.assertEqual(MOST_SLOTS, len(selection.times))
