"""The history as it is kept while the bridge runs."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from twisted.logger import LogLevel

from hargassner.boiler.model import Boiler
from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.opening import FILE
from hargassner.storage.history.reader import Extent, events, facts, kept, slots
from hargassner.storage.history.rollup import day_of
from hargassner.storage.history.rows import MINUTES
from hargassner.storage.history.service import MOST_HELD, WRITE_EVERY, History
from hargassner.storage.history.start import OLD_FILE
from tests.cases import ClockCase
from tests.doubles.databases import DirectStore
from tests.storage.history.cases import NOON
from tests.web.cases import show

M0 = int(NOON // 60)
DAY = 86_400.0


class KeepingCase(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock.advance(NOON)
        self.directory = StateDirectory(Path(self.mktemp()))
        self.boiler = Boiler()
        self.is_set = True
        self.lives: list[History] = []
        self.addCleanup(self.stop)

    def live(self) -> None:
        """Begin a life of the bridge."""
        self.store = DirectStore(self.directory)
        self.history = History(
            self.boiler, self.directory, self.store, self.clock, lambda: self.is_set
        )
        self.history.startService()

    def stop(self) -> None:
        """End it."""
        if self.history.running:
            self.successResultOf(self.history.stopService())

    def crash(self) -> None:
        """End it without a word."""
        self.store.run = lambda work: self.fail("written after its end")  # type: ignore[method-assign]
        self.history._pending.clear()
        self.store.close()
        self.history._sampler.close()
        self.history.stopService()

    def show(self, temperature: str = "65.5", burnt: str = "1000") -> None:
        values = {"TK": (temperature, "°C"), "Verbrauchszähler": (burnt, "kg")}
        show(self.boiler, values, at=self.clock.seconds())

    def minutes(self, count: int) -> None:
        self.clock.pump([10.0] * 6 * count)

    def read(self, work: Any) -> Any:
        return self.successResultOf(self.history.read(work))

    def on_disk(self, work: Any) -> Any:
        """What another program reads."""
        connection = sqlite3.connect(self.directory.path / FILE)
        try:
            return work(connection.cursor())
        finally:
            connection.close()


def boiler_temperatures(cursor: sqlite3.Cursor) -> dict[int, float]:
    """The minutes of TK."""
    extent = kept(cursor).minutes
    if extent is None:
        return {}
    line = slots(cursor, MINUTES, "tk", extent).mean
    return {at: value for at, value in enumerate(line, extent.first) if value == value}


class SamplingTests(KeepingCase):
    def test_the_model_is_sampled_every_minute(self) -> None:
        self.show()
        self.live()
        self.minutes(2)
        self.show("70.5")
        self.minutes(1)
        self.assertEqual(
            {M0: 65.5, M0 + 1: 65.5, M0 + 2: 65.5, M0 + 3: 70.5}, self.read(boiler_temperatures)
        )

    def test_a_boiler_that_is_away_leaves_a_gap(self) -> None:
        self.show()
        self.live()
        self.minutes(1)
        self.boiler.tick(self.clock.seconds() + 30)
        self.minutes(3)
        self.show()
        self.minutes(1)
        self.assertEqual({M0, M0 + 1, M0 + 4, M0 + 5}, set(self.read(boiler_temperatures)))

    def test_it_is_written_once_in_ten_minutes(self) -> None:
        self.show()
        self.live()
        began = self.store.transactions
        self.minutes(120)
        self.assertEqual(120 * 60 / WRITE_EVERY, self.store.transactions - began)
        self.assertGreaterEqual(len(self.on_disk(boiler_temperatures)), 119)

    def test_nothing_is_written_while_a_boiler_is_away(self) -> None:
        self.live()
        began = self.store.transactions
        self.minutes(120)
        self.assertEqual(self.store.transactions, began)

    def test_a_reader_changes_nothing(self) -> None:
        self.show()
        self.live()
        self.minutes(5)
        self.assertEqual(6, len(self.read(boiler_temperatures)))
        self.assertEqual({}, self.on_disk(boiler_temperatures))

    def test_all_that_was_sampled_is_written_at_the_end(self) -> None:
        self.show()
        self.live()
        self.minutes(3)
        self.stop()
        self.assertEqual({M0, M0 + 1, M0 + 2, M0 + 3}, set(self.on_disk(boiler_temperatures)))

    def test_a_crash_loses_ten_minutes_at_most(self) -> None:
        self.show()
        self.live()
        self.minutes(29)
        self.crash()
        self.assertEqual(20, len(self.on_disk(boiler_temperatures)))

    def test_a_fault_between_two_looks_is_not_missed(self) -> None:
        self.show()
        self.live()
        self.clock.advance(11)
        for number in ("29", "0"):
            values = {"TK": ("65.5", "°C"), "Störungs Nr": (number, "")}
            show(self.boiler, values, at=self.clock.seconds())
        self.minutes(2)
        [event] = self.read(lambda cursor: events(cursor, 0, NOON * 2))
        self.assertEqual(("fault", 29, NOON + 60), (event.kind, event.number, event.ended))


class ClockTests(KeepingCase):
    def test_what_was_sampled_before_the_clock_was_set_has_right_dates(self) -> None:
        self.clock.step(-NOON)
        self.show()
        self.live()
        self.minutes(30)
        self.assertEqual({}, self.read(boiler_temperatures))
        self.clock.step(NOON)
        self.minutes(10)
        self.assertEqual(set(self.on_disk(boiler_temperatures)), set(range(M0, M0 + 40)))

    def test_what_is_held_back_has_bounds(self) -> None:
        self.clock.step(-NOON)
        self.show()
        self.live()
        self.minutes(MOST_HELD + 100)
        self.clock.step(NOON)
        self.minutes(20)
        self.assertLessEqual(len(self.on_disk(boiler_temperatures)), MOST_HELD + 20)
        self.assertGreaterEqual(len(self.on_disk(boiler_temperatures)), MOST_HELD)

    def test_a_clock_that_nobody_has_set_yet_is_waited_for(self) -> None:
        self.is_set = False
        self.show()
        self.live()
        self.minutes(30)
        self.assertEqual({}, self.on_disk(boiler_temperatures))
        self.clock.step(7 * DAY)
        self.is_set = True
        self.minutes(10)
        self.assertEqual(M0 + 7 * 24 * 60, min(self.on_disk(boiler_temperatures)))

    def test_a_clock_that_is_never_set_is_believed_after_an_hour(self) -> None:
        self.is_set = False
        self.show()
        self.live()
        self.minutes(80)
        self.assertEqual(M0, min(self.on_disk(boiler_temperatures)))

    def test_a_clock_that_starts_last_sunday_is_waited_for_and_overwrites_nothing(self) -> None:
        self.show("50.0")
        self.live()
        self.minutes(40)
        self.stop()
        before = self.on_disk(boiler_temperatures)
        self.clock.advance(DAY)
        self.clock.step(-DAY - 2400)
        self.show("90.0")
        self.live()
        self.minutes(20)
        self.assertEqual(self.on_disk(boiler_temperatures), before)
        self.clock.step(DAY + 2400)
        self.minutes(10)
        now = self.on_disk(boiler_temperatures)
        self.assertEqual(now, now | before)
        self.assertEqual(M0 + 40 + 24 * 60, min(set(now) - set(before)))


class RestartTests(KeepingCase):
    def test_what_was_burnt_today_goes_on_after_a_restart(self) -> None:
        self.show(burnt="1000")
        self.live()
        self.minutes(1)
        self.show(burnt="1002")
        self.minutes(1)
        self.stop()
        self.clock.advance(300)
        self.show(burnt="1003")
        self.live()
        self.minutes(1)
        consumed = self.history.consumed
        assert consumed is not None
        self.assertEqual((3.0, NOON), (consumed.kilograms, consumed.since))
        today = Extent(day_of(NOON), day_of(NOON))
        self.assertEqual(3.0, self.read(lambda cursor: facts(cursor, today))[today.first].pellets)

    def test_an_earlier_versions_file_is_taken_over(self) -> None:
        consumed = {"day": "2026-11-25", "before": 990.0, "last": 999.0, "since": None}
        lines = {"tk": [60.0, None, 62.0], "trg": [None, None, 120.0]}
        old = {"newest": NOON - 60, "lines": lines, "consumed": consumed}
        self.directory.save(OLD_FILE, json.dumps(old).encode())
        self.show(burnt="1000")
        self.live()
        self.assertEqual({M0 - 3: 60.0, M0 - 1: 62.0, M0: 65.5}, self.read(boiler_temperatures))
        self.assertEqual(10.0, self.history.consumed and self.history.consumed.kilograms)
        self.assertFalse((self.directory.path / OLD_FILE).exists())

    def test_a_damaged_file_of_an_earlier_version_is_set_aside(self) -> None:
        for damaged in (
            "",
            "[]",
            "{}",
            '{"newest": 1e999, "lines": {}, "consumed": null}',
            '{"newest": NaN, "lines": {}, "consumed": null}',
            '{"newest": 60, "lines": [1], "consumed": null}',
            '{"newest": 60, "lines": {"tk": ["x"]}, "consumed": null}',
            '{"newest": 60, "lines": {"tk": 7}, "consumed": null}',
            '{"newest": null, "lines": {}, "consumed": {"day": "yesterday"}}',
        ):
            self.directory.save(OLD_FILE, damaged.encode())
            self.live()
            self.assertFalse((self.directory.path / OLD_FILE).exists(), damaged)
            self.assertIn("was set aside", self.log.lines[-1])
            self.stop()


class DiskTests(KeepingCase):
    def test_a_disk_that_fails_is_said_once_and_what_was_sampled_is_written_later(self) -> None:
        self.show()
        self.live()
        run, self.store.run = self.store.run, self.refuse
        self.minutes(45)
        [line] = self.log.at(LogLevel.warn)
        self.assertIn("database or disk is full", line)
        self.store.run = run  # type: ignore[method-assign]
        self.minutes(10)
        self.assertIn("the history is written again", self.log.lines)
        self.assertGreaterEqual(len(self.on_disk(boiler_temperatures)), 50)

    def refuse(self, work: Any) -> Any:
        from twisted.internet.defer import fail

        return fail(sqlite3.OperationalError("database or disk is full"))

    def test_a_newer_programs_file_is_left_alone_and_said_once(self) -> None:
        self.live()
        self.stop()
        connection = sqlite3.connect(self.directory.path / FILE)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        self.show()
        self.live()
        self.minutes(60)
        [line] = self.log.at(LogLevel.warn)
        self.assertIn("newer version of this program", line)

    def test_a_file_that_is_damaged_while_it_is_used_is_begun_anew(self) -> None:
        self.show()
        self.live()
        self.minutes(20)
        path = self.directory.path / FILE
        self.store.close()
        with path.open("r+b") as file:
            file.truncate(5000)
        self.minutes(20)
        self.assertTrue(path.with_name(f"{FILE}.damaged").exists())
        self.assertGreaterEqual(len(self.on_disk(boiler_temperatures)), 10)
