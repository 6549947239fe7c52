"""``/api/history``: what was sampled, in the grain and of the channels that are asked for."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from tests.web.cases import PageCase, show

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
        self.assertEqual((chart["chart"], chart["title"]), ("buffer", "Puffer"))
        top = chart["lines"][0]
        self.assertEqual((top["object"], top["label"], top["unit"]), ("tpo", "Puffer oben", "°C"))
        self.assertEqual((top["role"], top["values"]), ("buffer_top", [61.04, 61.04, 61.04]))
        self.assertEqual((told["grain"], told["step"]), ("minute", 60))
        self.assertEqual(told["times"], [NOON, NOON + 60, NOON + 120])
        self.assertEqual(told["newest"], NOON + 120)

    def test_the_state_has_its_codes_with_words_and_activities(self) -> None:
        self.show()
        self.minutes(1)
        state = self.ask()["state"]
        self.assertEqual((state["object"], state["values"]), ("zk", [7, 7]))
        self.assertEqual(
            (state["texts"]["7"], state["activities"]["7"]), ("full combustion", "burning")
        )
        self.assertEqual(state["activities"]["15"], "other")

    def test_without_telemetry_there_is_none(self) -> None:
        told = self.ask()
        self.assertEqual((told["newest"], told["charts"], told["state"]), (None, [], None))

    def test_days_have_their_facts(self) -> None:
        self.show()
        self.minutes(60)
        told = self.ask(grain="day")
        [day] = told["days"]
        self.assertEqual((day["date"], day["hours"]), ("2026-11-25", 0.997))
        self.assertEqual(
            day["states"],
            [{"code": 7, "text": "full combustion", "activity": "burning", "hours": 0.997}],
        )
        self.assertEqual(told["times"], [NOON - 12 * 3600])
        [chart] = told["charts"]
        self.assertEqual(chart["lines"][0]["low"], [61.04])

    def test_quarters_have_mean_lowest_and_highest(self) -> None:
        self.show("50.0")
        self.minutes(10)
        self.show("53.0")
        self.minutes(4)
        [chart] = self.ask(grain="quarter", channels="tpo")["charts"]
        [line] = chart["lines"]
        self.assertEqual((line["values"], line["low"], line["high"]), ([50.8], [50.0], [53.0]))

    def test_what_cannot_be_understood_is_refused_with_a_reason(self) -> None:
        for query, reason in (
            ("grain=week", "grain must be one of minute, quarter, day"),
            ("from=yesterday", "from must be seconds since 1970"),
            ("from=2&to=1", "from must be before to"),
            ("form=csv", "there is no such parameter"),
        ):
            answer = self.get(f"/api/history?{query}")
            self.assertEqual(answer.code, 400)
            self.assertIn(reason, answer.body.decode())
