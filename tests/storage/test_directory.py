"""What survives a restart, and what happens when the disk is in the way."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.storage.directory import StateDirectory, state_directory
from hargassner.storage.snapshots import DescriptorSnapshot
from tests.cases import Log
from tests.doubles.documents import SMALL


class StateDirectoryPathTests(SynchronousTestCase):
    """Where state is kept."""

    def test_the_configured_directory_counts_first(self) -> None:
        """What is configured is taken, whatever the environment says."""
        environ = {"STATE_DIRECTORY": "/var/lib/other"}
        self.assertEqual(Path("/srv/boiler"), state_directory("/srv/boiler", environ))

    def test_a_tilde_is_the_home(self) -> None:
        """A configured path may begin with the user's home."""
        self.assertEqual(Path.home() / "boiler", state_directory("~/boiler", {}))

    def test_systemd_says_where(self) -> None:
        """Of several state directories that systemd gives, the first one is taken."""
        environ = {"STATE_DIRECTORY": "/var/lib/hargassner:/var/lib/second"}
        self.assertEqual(Path("/var/lib/hargassner"), state_directory("", environ))

    def test_otherwise_it_is_in_the_home(self) -> None:
        """Without either, state is kept in the user's home."""
        self.assertEqual(Path.home() / ".local/state/hargassner", state_directory("", {}))


class StateCase(SynchronousTestCase):
    """A state directory below a temporary one, and what is logged."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "state"
        self.directory = StateDirectory(self.path)
        self.log = Log(self)

    def files(self) -> list[str]:
        """The names of what is in the directory."""
        return [each.name for each in self.path.iterdir()]

    def levels(self) -> list[LogLevel]:
        """The levels of what was logged, in order."""
        return [event["log_level"] for event in self.log.events]


class StateDirectoryTests(StateCase):
    """Files are kept whole, and trouble is lived with."""

    def test_what_was_saved_is_loaded(self) -> None:
        """A file comes back as it was saved last, also in another life."""
        self.directory.save("note", b"first")
        self.directory.save("note", b"second")
        self.assertEqual(b"second", StateDirectory(self.path).load("note"))

    def test_what_was_never_saved_is_none(self) -> None:
        """A file or a directory that is not there yet is nothing to speak of."""
        self.assertIsNone(self.directory.load("note"))
        self.assertEqual([], self.levels())

    def test_nothing_is_made_before_it_is_needed(self) -> None:
        """The directory appears with the first file, for its owner only."""
        self.directory.load("note")
        self.assertFalse(self.path.exists())
        self.directory.save("note", b"")
        self.assertEqual(0o700, stat.S_IMODE(self.path.stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE((self.path / "note").stat().st_mode))

    def test_nothing_but_the_file_is_left(self) -> None:
        """A saved file leaves no temporary one, and takes over one that a power cut left."""
        self.path.mkdir(parents=True)
        (self.path / "note.new").write_bytes(b"a much longer beginning of someth")
        self.directory.save("note", b"whole")
        self.assertEqual(["note"], self.files())
        self.assertEqual(b"whole", self.directory.load("note"))

    def test_a_failed_write_leaves_the_old_file(self) -> None:
        """If the new content cannot be written whole, the old one stays and is all there is."""
        self.directory.save("note", b"old")

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        self.patch(os, "fsync", full)
        self.directory.save("note", b"new")
        self.assertEqual(b"old", self.directory.load("note"))
        self.assertEqual(["note"], self.files())

    def test_trouble_is_said_once_and_so_is_its_end(self) -> None:
        """A disk that cannot be written is one warning, and one line when it can be again."""
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(b"a file where the directory should be")
        self.directory.save("note", b"one")
        self.directory.save("note", b"two")
        self.assertEqual([LogLevel.warn], self.levels())
        [event] = self.log.events
        self.assertEqual(str(self.path), event["directory"])
        self.path.unlink()
        self.directory.save("note", b"three")
        self.directory.save("note", b"four")
        self.assertEqual([LogLevel.warn, LogLevel.info], self.levels())

    def test_an_unreadable_file_is_none(self) -> None:
        """What cannot be read is said, and is as if it had never been saved."""
        (self.path / "note").mkdir(parents=True)
        self.assertIsNone(self.directory.load("note"))
        self.assertEqual([LogLevel.warn], self.levels())

    def test_a_damaged_file_is_set_aside(self) -> None:
        """It is renamed and named in the log with the reason, and its name is free again."""
        self.directory.save("note", b"d@maged")
        self.directory.set_aside("note", "it has a strange letter")
        self.assertIsNone(self.directory.load("note"))
        self.assertEqual(b"d@maged", (self.path / "note.damaged").read_bytes())
        [event] = self.log.events
        self.assertEqual("it has a strange letter", event["reason"])

    def test_setting_aside_what_is_gone_raises_nothing(self) -> None:
        """A damaged file that vanished meanwhile is trouble like any other."""
        self.directory.set_aside("note", "it was strange")
        self.assertEqual([LogLevel.warn], self.levels())

    def test_threads_can_save_at_once(self) -> None:
        """Many threads that save one file leave one of their contents, whole."""
        contents = [bytes([letter]) * 10_000 for letter in range(65, 85)]
        with ThreadPoolExecutor(max_workers=8) as threads:
            list(threads.map(lambda content: self.directory.save("note", content), contents))
        self.assertIn(self.directory.load("note"), contents)
        self.assertEqual(["note"], self.files())
        self.assertEqual([], self.levels())


class DescriptorTests(StateCase):
    """The last descriptor is there again after a restart."""

    def setUp(self) -> None:
        super().setUp()
        self.snapshot = DescriptorSnapshot(self.directory)

    def test_a_descriptor_is_loaded(self) -> None:
        """What was remembered comes back as the event that told it."""
        self.snapshot.save(SMALL)
        loaded = DescriptorSnapshot(StateDirectory(self.path)).load()
        assert loaded is not None
        self.assertEqual(SMALL, loaded.document)
        self.assertEqual(parse_descriptor(SMALL), loaded.descriptor)

    def test_a_new_one_replaces_it(self) -> None:
        """Only the last descriptor is remembered."""
        self.snapshot.save(SMALL)
        newer = SMALL.replace(b"'TK'", b"'TRL'")
        self.snapshot.save(newer)
        loaded = self.snapshot.load()
        assert loaded is not None
        self.assertEqual("TRL", loaded.descriptor.analog[1].name)

    def test_the_same_one_is_not_written_again(self) -> None:
        """A gateway that logs in every day does not wear out the memory card."""
        self.snapshot.save(SMALL)
        before = (self.path / DescriptorSnapshot.FILE).stat()
        self.snapshot.save(SMALL)
        after = (self.path / DescriptorSnapshot.FILE).stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))

    def test_without_one_there_is_none(self) -> None:
        """A first start has no descriptor, which is nothing to speak of."""
        self.assertIsNone(self.snapshot.load())
        self.assertEqual([], self.levels())

    def test_a_damaged_one_is_set_aside_and_lived_without(self) -> None:
        """A descriptor cut short is renamed and said once; the next one is remembered."""
        self.directory.save(DescriptorSnapshot.FILE, SMALL[:100])
        self.assertIsNone(self.snapshot.load())
        self.assertIsNone(self.snapshot.load())
        self.assertEqual([LogLevel.warn], self.levels())
        self.assertTrue((self.path / "descriptor.xml.damaged").exists())
        self.snapshot.save(SMALL)
        self.assertIsNotNone(self.snapshot.load())
