"""The file in its thread, and what a power cut leaves of it."""

import random
import sqlite3
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.opening import FILE
from hargassner.storage.history.reader import kept
from hargassner.storage.history.store import Store
from hargassner.storage.history.writer import write_live
from tests.cases import DescriptorCase
from tests.storage.history.cases import NOON, TK, minute
from tests.storage.history.power_cuts import killed


class StoreTests(DescriptorCase):
    @inlineCallbacks
    def setUp(self) -> Any:
        yield super().setUp()
        self.directory = StateDirectory(Path(self.mktemp()))
        self.store = Store(self.directory, reactor)
        self.addCleanup(lambda: self.store.close())

    def write(self) -> Any:
        return self.store.run(lambda cursor: write_live(cursor, [minute(NOON, {TK: 1.0})]))

    @inlineCallbacks
    def test_what_was_written_is_read_again(self) -> Any:
        yield self.write()
        found = yield self.store.run(kept)
        self.assertEqual((TK,), found.channels)
        self.store.close()
        found = yield self.store.run(kept)
        self.assertEqual((TK,), found.channels)

    @inlineCallbacks
    def test_what_fails_changes_nothing(self) -> Any:
        def fail(cursor: sqlite3.Cursor) -> None:
            write_live(cursor, [minute(NOON, {TK: 1.0})])
            raise ValueError("no")

        yield self.assertFailure(self.store.run(fail), ValueError)
        found = yield self.store.run(kept)
        self.assertEqual((), found.channels)

    @inlineCallbacks
    def test_a_file_that_turns_out_to_be_damaged_is_begun_anew(self) -> Any:
        def fail(_: sqlite3.Cursor) -> None:
            raise sqlite3.DatabaseError("database disk image is malformed")

        yield self.write()
        yield self.assertFailure(self.store.run(fail), sqlite3.DatabaseError)
        found = yield self.store.run(kept)
        self.assertEqual((), found.channels)
        self.assertTrue((self.directory.path / f"{FILE}.damaged").exists())

    @inlineCallbacks
    def test_a_directory_that_cannot_be_made_is_a_failure(self) -> Any:
        Path(self.directory.path).parent.mkdir(exist_ok=True)
        Path(self.directory.path).write_bytes(b"")
        yield self.assertFailure(self.store.run(kept), OSError)


class PowerCutTests(SynchronousTestCase):
    # Each takes a second, to start a process. benchmarks/bench_history.py does it 200 times.
    CUTS = 2

    def test_a_power_cut_loses_ten_minutes_at_most_and_never_damages_the_file(self) -> None:
        chance = random.Random(13)
        for number in range(self.CUTS):
            left = killed(Path(self.mktemp()), chance, 0.3)
            self.assertEqual(("", 0), (left.damage, left.holes), number)
            self.assertLessEqual(left.lost, 10, number)
