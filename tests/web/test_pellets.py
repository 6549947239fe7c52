"""How long the stock lasts, as the page tells it."""

from datetime import datetime
from typing import Any

from hargassner.storage.history.opening import connect
from hargassner.storage.history.writer import write_live
from hargassner.web.pellets import READ_EVERY
from tests.storage.history.cases import minute
from tests.web.cases import PageCase, show

NOON = datetime(2026, 11, 25, 12, 0).timestamp()
DAY = 86_400


class PelletsTests(PageCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.step(NOON - self.clock.wall())

    def burn(self, days: int, kilograms: float) -> None:
        """Have the history know days before today."""
        self.history.stopService()
        connection = connect(self.directory)
        told = [
            minute(NOON - (days - at) * DAY, {}, {"seconds": 60.0}, 1000.0 + at * kilograms, 500.0)
            for at in range(days + 1)
        ]
        with connection:
            write_live(connection.execute("BEGIN IMMEDIATE"), told)
        connection.close()
        self.history.startService()
        self.clock.advance(READ_EVERY)

    def lasts(self) -> Any:
        return self.get("/api/state").json["boiler"]["pellets"]["lasts"]

    def test_it_is_told_by_the_stock_and_what_the_last_days_burnt(self) -> None:
        self.burn(20, 25.0)
        show(self.boiler, {"Lagerstand": ("510", "kg")}, at=self.clock.seconds())
        self.assertEqual({"days": 20, "pace": 25.0}, self.lasts())

    def test_it_follows_the_stock_at_once(self) -> None:
        self.burn(20, 25.0)
        for stock, days in (("510", 20), ("260", 10)):
            show(self.boiler, {"Lagerstand": (stock, "kg")}, at=self.clock.seconds())
            self.assertEqual(self.lasts()["days"], days)

    def test_without_a_history_or_a_stock_nothing_is_told(self) -> None:
        show(self.boiler, {"Lagerstand": ("510", "kg")}, at=self.clock.seconds())
        self.assertIsNone(self.lasts())

    def test_a_boiler_without_a_stock_has_none(self) -> None:
        self.burn(20, 25.0)
        self.assertIsNone(self.lasts())
