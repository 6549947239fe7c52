"""Files that are written soon, each time whole, and the newest last."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from hargassner.storage.directory import StateDirectory
from hargassner.storage.file import SAVE_AFTER, SnapshotFile
from tests.cases import ClockCase

INTERVAL = 60.0


class SnapshotFileTests(ClockCase):
    """One file, whose writing takes as long as the test says."""

    def setUp(self) -> None:
        super().setUp()
        self.content = b"one"
        self.path = Path(self.mktemp())
        self.threads: list[tuple[Deferred[Any], Any, tuple[Any, ...]]] = []
        self.file = SnapshotFile(
            StateDirectory(self.path), "file", lambda: self.content, self.clock, self.in_thread
        )

    def rare(self) -> SnapshotFile:
        """A file that is written once in a minute at most."""
        directory = StateDirectory(self.path)
        return SnapshotFile(
            directory, "file", lambda: self.content, self.clock, self.in_thread, INTERVAL
        )

    def in_thread(self, work: Any, *arguments: Any) -> "Deferred[Any]":
        """Let something wait for a thread."""
        done: Deferred[Any] = Deferred()
        self.threads.append((done, work, arguments))
        return done

    def run_thread(self) -> None:
        """Do what has waited longest."""
        done, work, arguments = self.threads.pop(0)
        done.callback(work(*arguments))

    def run_threads(self) -> None:
        """Do all that has waited."""
        while self.threads:
            self.run_thread()

    def written(self) -> bytes:
        """What is in the file."""
        return (self.path / "file").read_bytes()

    def test_a_crowd_of_changes_is_written_once(self) -> None:
        for _ in range(10):
            self.file.changed()
        self.content = b"two"
        self.clock.advance(SAVE_AFTER)
        self.run_thread()
        self.assertEqual(([], b"two"), (self.threads, self.written()))

    def test_the_newest_is_the_last(self) -> None:
        """A second writing waits for the first, however long that takes."""
        self.file.changed()
        self.clock.advance(SAVE_AFTER)
        self.content = b"two"
        self.file.changed()
        self.clock.advance(SAVE_AFTER)
        self.assertEqual(1, len(self.threads))
        self.run_thread()
        self.assertEqual(b"one", self.written())
        self.run_thread()
        self.assertEqual(b"two", self.written())

    def test_closing_waits_for_what_is_not_written_yet(self) -> None:
        self.file.changed()
        closed = self.file.close()
        self.assertNoResult(closed)
        self.run_thread()
        self.assertEqual((None, b"one"), (self.successResultOf(closed), self.written()))

    def test_closing_an_unchanged_file_writes_nothing(self) -> None:
        self.successResultOf(self.file.close())
        self.assertFalse(self.path.exists())

    def test_a_failure_is_said_and_lived_with(self) -> None:
        """The next change is written all the same."""
        self.file.changed()
        self.clock.advance(SAVE_AFTER)
        self.threads.pop(0)[0].errback(ZeroDivisionError())
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        self.file.changed()
        closed = self.file.close()
        self.run_thread()
        self.successResultOf(closed)
        self.assertEqual(b"one", self.written())

    def test_a_file_that_may_be_written_rarely_is_written_soon_at_first(self) -> None:
        """Also when it has not changed for long."""
        file = self.rare()
        for _ in range(3):
            self.clock.advance(2 * INTERVAL)
            file.changed()
            self.clock.advance(SAVE_AFTER)
            self.run_thread()
        self.assertEqual(b"one", self.written())

    @given(st.lists(st.floats(0, 2 * INTERVAL), max_size=50))
    def test_however_often_it_changes_there_are_no_two_writings_within_its_interval(
        self, pauses: list[float]
    ) -> None:
        """And the last change is written when the interval is over, or at the end."""
        self.threads.clear()
        file = self.rare()
        for number, pause in enumerate(pauses):
            self.content = str(number).encode()
            file.changed()
            before = len(self.threads)
            self.clock.advance(pause)
            self.assertLessEqual(len(self.threads) - before, 1 + pause // INTERVAL)
            self.run_threads()
        self.clock.advance(INTERVAL)
        self.run_threads()
        if pauses:
            self.assertEqual(self.content, self.written())

    def test_a_change_of_the_last_minute_is_written_at_the_end(self) -> None:
        file = self.rare()
        file.changed()
        self.clock.advance(SAVE_AFTER)
        self.run_thread()
        self.content = b"two"
        file.changed()
        self.clock.advance(INTERVAL / 2)
        self.assertEqual([], self.threads)
        closed = file.close()
        self.run_thread()
        self.successResultOf(closed)
        self.assertEqual(b"two", self.written())
