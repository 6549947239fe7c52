"""``/api/history``: what was sampled, in the grain and of the channels that are asked for."""

import json
import subprocess
import sys
from collections import deque
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from hargassner.config import Config
from hargassner.config.values import HistoryConfig
from hargassner.parts import build
from hargassner.storage.history.deliveries import HOLDS
from hargassner.web.history import ANSWERS, PART, HistoryResource
from tests.doubles.clocks import TwoClockReactor
from tests.web.cases import Connection, PageCase, show

NOON = datetime(2026, 11, 25, 12, 0).timestamp()


class HistoryTests(PageCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.step(NOON - self.clock.wall())

    def show(self, top: str = "61.04", state: str = "7") -> None:
        values = {"TPo": (top, "°C"), "TPu": ("41.0", "°C"), "ZK": (state, "")}
        show(self.boiler, values, at=self.clock.seconds())

    def minutes(self, count: int) -> None:
        for _ in range(6 * count):
            self.clock.advance(10)

    def ask(self, language: str = "en", **parameters: str) -> Any:
        path = f"/api/history?{urlencode(parameters)}"
        return self.get(path, accept_language=language).json

    def test_the_charts_have_their_lines_with_names_and_units(self) -> None:
        self.show()
        self.minutes(2)
        told = self.ask("de")
        [chart] = told["charts"]
        self.assertEqual(("buffer", "Puffer"), (chart["chart"], chart["title"]))
        top = chart["lines"][0]
        self.assertEqual(("tpo", "Puffer oben", "°C"), (top["object"], top["label"], top["unit"]))
        self.assertEqual(("buffer_top", [61.04, 61.04, 61.04]), (top["role"], top["values"]))
        self.assertEqual(("minute", 60), (told["grain"], told["step"]))
        self.assertEqual([NOON, NOON + 60, NOON + 120], told["times"])
        self.assertEqual(NOON + 120, told["newest"])

    def test_the_state_has_its_codes_with_words_and_activities(self) -> None:
        self.show()
        self.minutes(1)
        state = self.ask()["state"]
        self.assertEqual(("zk", [7, 7]), (state["object"], state["values"]))
        self.assertEqual(
            ("full combustion", "burning"), (state["texts"]["7"], state["activities"]["7"])
        )
        self.assertEqual("other", state["activities"]["15"])

    def test_without_telemetry_there_is_none(self) -> None:
        told = self.ask()
        self.assertEqual((None, [], None), (told["newest"], told["charts"], told["state"]))

    def test_days_have_their_facts(self) -> None:
        self.show()
        self.minutes(60)
        told = self.ask(grain="day")
        [day] = told["days"]
        self.assertEqual(("2026-11-25", 0.997), (day["date"], day["hours"]))
        self.assertEqual(
            [{"code": 7, "text": "full combustion", "activity": "burning", "hours": 0.997}],
            day["states"],
        )
        self.assertEqual([NOON - 12 * 3600], told["times"])
        [chart] = told["charts"]
        self.assertEqual([61.04], chart["lines"][0]["low"])

    def test_quarters_have_mean_lowest_and_highest(self) -> None:
        self.show("50.0")
        self.minutes(10)
        self.show("53.0")
        self.minutes(4)
        [chart] = self.ask(grain="quarter", channels="tpo")["charts"]
        [line] = chart["lines"]
        self.assertEqual(([50.8], [50.0], [53.0]), (line["values"], line["low"], line["high"]))

    def test_what_cannot_be_understood_is_refused_with_a_reason(self) -> None:
        for query, reason in (
            ("grain=week", "grain must be one of minute, quarter, day"),
            ("from=yesterday", "from must be seconds since 1970"),
            ("from=2&to=1", "from must be before to"),
            ("form=csv", "there is no such parameter"),
        ):
            answer = self.get(f"/api/history?{query}")
            self.assertEqual(400, answer.code)
            self.assertIn(reason, answer.body.decode())

    def test_channels_and_times_can_be_chosen(self) -> None:
        self.show()
        self.minutes(10)
        told = self.ask(channels="tpu", **{"from": f"{NOON + 120}", "to": f"{NOON + 300}"})
        [chart] = told["charts"]
        [line] = chart["lines"]
        self.assertEqual(("tpu", [41, 41, 41]), (line["object"], line["values"]))
        self.assertEqual((NOON + 120, NOON + 300), (told["from"], told["to"]))
        self.assertIsNone(told["state"])

    def test_what_is_kept_is_told(self) -> None:
        self.show()
        self.minutes(10)
        self.assertEqual(
            {"minute": NOON, "quarter": NOON, "day": NOON - 12 * 3600},
            self.ask(channels="")["kept"],
        )

    def test_faults_and_deliveries_are_events(self) -> None:
        for stock, number in (("500", "0"), ("3500", "29"), ("3500", "0")):
            values = {"Lagerstand": (stock, "kg"), "Störungs Nr": (number, "")}
            show(self.boiler, values, at=self.clock.seconds())
            self.minutes(HOLDS)
        delivery, fault = sorted(self.ask()["events"], key=lambda each: each["kind"])
        self.assertEqual(("delivery", 3000), (delivery["kind"], delivery["kilograms"]))
        self.assertEqual(("fault", 29), (fault["kind"], fault["number"]))
        self.assertLess(fault["from"], fault["to"])
        text = self.boiler.catalogue.fault(29)
        assert text is not None
        self.assertEqual(fault["text"], text.en)

    def test_it_is_csv_on_demand(self) -> None:
        self.show()
        self.minutes(1)
        for decimal, row in (("point", "61.04,41.00,7"), ("comma", "61,04;41,00;7")):
            query = urlencode({"format": "csv", "decimal": decimal})
            answer = self.get(f"/api/history?{query}")
            self.assertEqual("text/csv; charset=utf-8", answer.headers["content-type"])
            header, first, _ = answer.body.decode().splitlines()
            self.assertEqual("time,epoch,tpo,tpu,zk", header.replace(";", ","))
            self.assertTrue(first.startswith("2026-11-25 12:00:00"), first)
            self.assertTrue(first.endswith(row), first)

    def test_a_head_has_no_body(self) -> None:
        connection = Connection(self.site)
        connection.ask("/api/history", "HEAD", connection="close")
        _, _, body = connection.transport.value().partition(b"\r\n\r\n")
        self.assertEqual((200, b""), (connection.code, body))

    def test_a_history_that_cannot_be_read_is_said(self) -> None:
        self.patch(self.history, "read", lambda _: fail(OSError("no such disk")))
        answer = self.get("/api/history")
        self.assertEqual((503, b"The history cannot be read.\n"), (answer.code, answer.body))
        [failure] = self.flushLoggedErrors(OSError)
        self.assertEqual("no such disk", str(failure.value))


class ReaderTests(PageCase):
    """Who is slow, or goes away."""

    def setUp(self) -> None:
        super().setUp()
        self.clock.step(NOON - self.clock.wall())
        self.pieces: list[Deferred[Any]] = []
        self.works: list[Any] = []
        self.patch(self.history, "read", self.read)

    def read(self, work: Any) -> "Deferred[Any]":
        self.works.append(work)
        self.pieces.append(Deferred())
        return self.pieces[-1]

    def begin(self, *texts: bytes) -> None:
        """The answer has these parts."""
        self.pieces[0].callback(deque(self.part(each) for each in texts))

    def part(self, text: bytes) -> Any:
        return lambda _: text.ljust(PART)

    def give(self, place: int) -> None:
        """What was asked at this place is read."""
        self.pieces[place].callback(self.works[place](None))

    def ask(self) -> Connection:
        connection = Connection(self.site)
        connection.ask("/api/history")
        return connection

    def test_who_does_not_read_is_waited_for(self) -> None:
        connection = self.ask()
        producer = connection.transport.producer
        self.begin(b"first", b"second", b"third")
        self.give(1)
        producer.pauseProducing()
        self.give(2)
        self.assertEqual(3, len(self.pieces))
        producer.resumeProducing()
        self.assertIn(b"second", connection.transport.value())
        self.assertEqual(4, len(self.pieces))
        self.give(3)
        self.assertTrue(connection.transport.value().endswith(b"0\r\n\r\n"))

    def test_little_is_read_together(self) -> None:
        connection = self.ask()
        self.pieces[0].callback(deque([lambda _: b"first", lambda _: b"second"]))
        self.give(1)
        self.assertIn(b"firstsecond", connection.transport.value())
        self.assertEqual(2, len(self.pieces))

    def test_nothing_more_is_read_for_who_has_gone(self) -> None:
        connection = self.ask()
        self.begin(b"first", b"second")
        connection.lose()
        self.give(1)
        self.assertEqual(2, len(self.pieces))

    def test_an_answer_that_fails_midway_is_broken_off(self) -> None:
        connection = self.ask()
        self.begin(b"first", b"second")
        self.give(1)
        self.pieces[2].errback(OSError("no such disk"))
        self.assertFalse(connection.is_open)
        self.assertFalse(connection.transport.value().endswith(b"0\r\n\r\n"))
        self.flushLoggedErrors(OSError)

    def test_too_many_at_once_are_told_to_come_again(self) -> None:
        for _ in range(ANSWERS):
            self.ask()
        refused = self.ask()
        self.assertEqual(503, refused.code)
        self.pieces[0].callback([])
        self.assertEqual(ANSWERS, len(self.pieces))
        self.ask()
        self.assertEqual(ANSWERS + 1, len(self.pieces))
        for each in self.pieces[1:]:
            each.callback([])


class WithoutHistoryTests(SynchronousTestCase):
    def test_the_answer_is_an_empty_one(self) -> None:
        clock = TwoClockReactor()
        clock.step(NOON)
        parts = build(Config(history=HistoryConfig(enabled=False)), clock)
        self.assertIsNone(parts.history)
        resource = HistoryResource(
            None, lambda _: self.fail("asked"), lambda _: "en", cast("Any", clock)
        )
        request = DummyRequest([b"api", b"history"])
        answer = json.loads(cast("bytes", resource.answer(cast("Any", request))))
        self.assertEqual((False, [], []), (answer["enabled"], answer["charts"], answer["days"]))

    def test_sqlite_is_not_loaded(self) -> None:
        code = """
import sys
from twisted.internet.testing import MemoryReactorClock
from hargassner.config.values import Config, HistoryConfig
from hargassner.parts import build
from hargassner.web.service import WebPage
reactor = MemoryReactorClock()
WebPage(build(Config(history=HistoryConfig(enabled=False)), reactor), reactor)
print('sqlite3' in sys.modules)
"""
        printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        self.assertEqual(b"False\n", printed.stdout)
