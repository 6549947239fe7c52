"""Files that are written soon, each time whole, and the newest last."""

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from hargassner.keeping import SAVE_AFTER, KeptFile
from hargassner.state import StateDirectory
from tests.cases import ClockCase


class KeptFileTests(ClockCase):
    """One file, whose writing takes as long as the test says."""

    def setUp(self) -> None:
        super().setUp()
        self.content = b"one"
        self.path = Path(self.mktemp())
        self.threads: list[tuple[Deferred[Any], Any, tuple[Any, ...]]] = []
        self.file = KeptFile(
            StateDirectory(self.path), "file", lambda: self.content, self.clock, self.in_thread
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
