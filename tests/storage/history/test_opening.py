"""The file: made, migrated, damaged, of another time."""

import sqlite3
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.directory import StateDirectory
from hargassner.storage.history import schema
from hargassner.storage.history.opening import FILE, connect
from hargassner.storage.history.reader import kept
from hargassner.storage.history.schema import STEPS, NewerSchemaError, check_version
from hargassner.storage.history.writer import write_live
from tests.cases import Log
from tests.storage.history.cases import NOON, TK, minute


class OpeningTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log = Log(self)
        self.directory = StateDirectory(Path(self.mktemp()))
        self.path = self.directory.path / FILE

    def open(self, damage: str = "") -> sqlite3.Connection:
        connection = connect(self.directory, damage)
        self.addCleanup(connection.close)
        return connection

    def write(self) -> None:
        """Write a minute, and move it into the file."""
        connection = self.open()
        with connection:
            write_live(connection.execute("BEGIN"), [minute(NOON, {TK: 1.0})])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def test_it_is_its_owners_only(self) -> None:
        self.open()
        self.assertEqual(0o600, self.path.stat().st_mode & 0o777)
        self.assertEqual(0o700, self.directory.path.stat().st_mode & 0o777)

    def test_what_is_committed_is_on_the_disk(self) -> None:
        connection = self.open()
        settings = [
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous")
        ]
        self.assertEqual(["wal", 2], settings)

    def test_what_was_written_is_there_when_it_is_opened_again(self) -> None:
        self.write()
        self.assertEqual((TK,), kept(self.open().cursor()).channels)
        self.assertEqual([], self.log.lines)

    def test_a_damaged_file_is_set_aside_and_begun_anew(self) -> None:
        self.write()
        whole = self.path.read_bytes()
        for damaged in (b"no database" * 500, whole[:5000], whole[:4096] + b"\xff" * 8192):
            self.path.write_bytes(damaged)
            connection = self.open()
            self.assertEqual((), kept(connection.cursor()).channels)
            connection.close()
            aside = self.path.with_name(f"{FILE}.damaged")
            self.assertEqual(aside.read_bytes()[:16], damaged[:16])
            self.assertIn("was set aside", self.log.lines[-1])
            self.path.unlink()

    def test_a_file_that_turned_out_to_be_damaged_is_set_aside(self) -> None:
        self.write()
        self.assertEqual((), kept(self.open("malformed").cursor()).channels)
        self.assertTrue(self.path.with_name(f"{FILE}.damaged").exists())

    def test_another_programs_file_is_set_aside(self) -> None:
        self.directory.path.mkdir()
        other = sqlite3.connect(self.path)
        other.executescript("CREATE TABLE things (name TEXT); PRAGMA user_version = 7")
        other.close()
        self.assertEqual(check_version(self.open()), len(STEPS))

    def test_a_newer_programs_file_is_left_alone(self) -> None:
        self.write()
        newer = sqlite3.connect(self.path)
        newer.execute(f"PRAGMA user_version = {len(STEPS) + 1}")
        newer.close()
        before = self.path.read_bytes()
        with self.assertRaisesRegex(NewerSchemaError, "newer version of this program"):
            self.open()
        self.assertEqual(self.path.read_bytes(), before)

    def test_an_older_file_is_made_a_newer_one_with_all_that_is_in_it(self) -> None:
        self.write()
        step = "ALTER TABLE events ADD COLUMN remark TEXT NOT NULL DEFAULT ''"
        connection = sqlite3.connect(self.path)
        self.addCleanup(connection.close)
        schema.migrate(connection, (*STEPS, step))
        self.assertEqual(check_version(connection, len(STEPS) + 1), len(STEPS) + 1)
        connection.execute("SELECT remark FROM events")
        self.assertEqual((TK,), kept(connection.cursor()).channels)

    def test_a_step_that_fails_changes_nothing(self) -> None:
        self.write()
        connection = sqlite3.connect(self.path)
        self.addCleanup(connection.close)
        step = "CREATE TABLE more (id INTEGER); CREATE TABLE events (id INTEGER)"
        with self.assertRaises(sqlite3.OperationalError):
            schema.migrate(connection, (*STEPS, step))
        connection.close()
        connection = self.open()
        self.assertEqual(check_version(connection), len(STEPS))
        self.assertEqual(
            [], connection.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchall()
        )
