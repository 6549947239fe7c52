"""``/api/consumption``: bars, and those of the year before."""

import gzip
import json
import sqlite3
from datetime import date, datetime
from typing import Any

from twisted.internet.defer import fail

from hargassner.storage.history.facts import DayFacts
from hargassner.web.consumption import consumption_text
from tests.web.cases import PageCase, show

TODAY = date(2026, 11, 26)
NOON = datetime(2026, 11, 25, 12, 0).timestamp()


def day(at: date, pellets: float) -> DayFacts:
    """What a day came to."""
    return DayFacts(at.toordinal(), 24.0, pellets, 5.0, 3, 1, 12.0, 3000.0, 0.0, {}, {})


def told(kind: str, *days: DayFacts) -> Any:
    """The periods of an answer."""
    known = {each.day: each for each in days}
    return json.loads(consumption_text(kind, TODAY, lambda _extent: known))["periods"]


class PeriodsTests(PageCase):
    def test_a_month_stands_beside_the_one_a_year_before(self) -> None:
        months = told("month", day(date(2026, 11, 3), 20.0), day(date(2025, 11, 3), 30.0))
        last = months[-1]
        self.assertEqual(("2026-11-01", "2026-12-01"), (last["from"], last["to"]))
        self.assertEqual((20.0, 30.0), (last["totals"]["pellets"], last["before"]["pellets"]))

    def test_one_that_goes_on_is_compared_by_its_whole_days(self) -> None:
        last = told(
            "month",
            day(date(2026, 11, 25), 20.0),
            day(TODAY, 5.0),
            day(date(2025, 11, 25), 30.0),
            day(date(2025, 11, 26), 30.0),
        )[-1]
        self.assertTrue(last["running"])
        self.assertEqual(25.0, last["totals"]["pellets"])
        self.assertEqual(20.0, last["so_far"]["pellets"])
        self.assertEqual(30.0, last["so_far_before"]["pellets"])

    def test_what_lies_before_the_history_is_not_there(self) -> None:
        self.assertEqual(3, len(told("day", day(date(2026, 11, 24), 20.0))))
        self.assertEqual([], told("season"))

    def test_it_is_bounded(self) -> None:
        days = [day(date.fromordinal(TODAY.toordinal() - each), 1.0) for each in range(6000)]
        for kind, most in (("day", 31), ("month", 12), ("season", 15)):
            self.assertLessEqual(len(told(kind, *days)), most)


class ConsumptionTests(PageCase):
    def test_it_is_told_of_what_the_history_has(self) -> None:
        self.clock.step(NOON - self.clock.wall())
        for burnt in ("1000", "1004"):
            show(self.boiler, {"Verbrauchszähler": (burnt, "kg")}, at=self.clock.seconds())
            self.clock.pump([10.0] * 12)
        [period] = self.get("/api/consumption?by=month").json["periods"]
        self.assertEqual(4.0, period["totals"]["pellets"])
        answer = self.get("/api/consumption", accept_encoding="gzip")
        self.assertEqual("gzip", answer.headers["content-encoding"])
        self.assertEqual("day", json.loads(gzip.decompress(answer.body))["by"])

    def test_what_cannot_be_understood_is_refused_with_a_reason(self) -> None:
        for query, reason in (("by=week", "by must be one of day, month, season"), ("a=1", "by")):
            answer = self.get(f"/api/consumption?{query}", accept_encoding="gzip")
            self.assertEqual(400, answer.code)
            self.assertIn(reason, answer.body.decode())

    def test_the_history_is_compressed_too(self) -> None:
        plain = self.get("/api/history?grain=day")
        small = self.get("/api/history?grain=day", accept_encoding="gzip")
        self.assertEqual(gzip.decompress(small.body), plain.body)

    def test_a_history_that_cannot_be_read_is_said_in_plain_text(self) -> None:
        unreadable = sqlite3.OperationalError("disk I/O error")
        self.patch(self.history, "read", lambda _work: fail(unreadable))
        answer = self.get("/api/consumption", accept_encoding="gzip")
        self.assertEqual(503, answer.code)
        self.assertIn(b"cannot be read", answer.body)
        self.assertNotIn("content-encoding", answer.headers)
        self.assertEqual(1, len(self.flushLoggedErrors(sqlite3.OperationalError)))
