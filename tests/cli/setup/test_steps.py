"""Files and commands: what is written, what stays, what is run."""

from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.setup.steps import Machine, RunCommand, StepFailedError, WriteFile, sets_nothing

PATH = Path("/etc/hargassner/hargassner.toml")
RESTART = RunCommand(("systemctl", "try-restart", "x.service"), "start it anew")


class StepsCase(SynchronousTestCase):
    """A machine whose files are below a directory and whose commands are noted down."""

    def setUp(self) -> None:
        self.root = Path(self.mktemp())
        self.said: list[str] = []
        self.ran: list[Sequence[str]] = []
        self.status = 0

    def do(self, *steps: WriteFile | RunCommand, dry: bool = False) -> None:
        """Do steps as a fresh run of setup does."""
        Machine(self.said.append, self.root, self.run_command).do(steps, dry=dry)

    def run_command(self, words: Sequence[str]) -> int:
        self.ran.append(words)
        return self.status

    def put(self, content: str, path: Path = PATH) -> None:
        """The owner writes a file."""
        real = self.root / path.relative_to("/")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(content)

    def content(self, path: Path = PATH) -> str:
        """What is in a file."""
        return (self.root / path.relative_to("/")).read_text()


class FileTests(StepsCase):
    """Which files are written."""

    def test_a_file_that_is_absent_is_shown_and_written_with_its_rights(self) -> None:
        self.do(WriteFile(PATH, "[boiler]\n", 0o640, then=(RESTART,)))
        self.assertEqual("[boiler]\n", self.content())
        self.assertEqual(
            0o640, (self.root / "etc/hargassner/hargassner.toml").stat().st_mode & 0o777
        )
        self.assertEqual([f"  write {PATH}:", "    | [boiler]"], self.said[:2])
        self.assertEqual([RESTART.words], self.ran)

    def test_a_second_run_changes_and_runs_nothing(self) -> None:
        step = WriteFile(PATH, "[boiler]\n", then=(RESTART,))
        self.do(step)
        self.ran.clear()
        self.do(step)
        self.assertEqual([], self.ran)
        self.assertIn(f"  {PATH} is as it should be", self.said)

    def test_what_setup_wrote_it_writes_anew(self) -> None:
        self.do(WriteFile(PATH, "a = 1\n"))
        self.do(WriteFile(PATH, "a = 2\n"))
        self.assertEqual("a = 2\n", self.content())

    def test_what_the_owner_changed_since_stays(self) -> None:
        self.do(WriteFile(PATH, "a = 1\n"))
        self.put("a = 3\n")
        self.do(WriteFile(PATH, "a = 2\n", then=(RESTART,)))
        self.assertEqual("a = 3\n", self.content())
        self.assertEqual([], self.ran)
        self.assertIn(f"  {PATH} is not setup's: it stays as it is. It would be:", self.said)

    @given(st.text())
    def test_whatever_somebody_else_set_stays(self, content: str) -> None:
        content = f"own = 1\n# {content!a}\n"
        self.put(content)
        self.do(WriteFile(PATH, "a = 2\n"))
        self.assertEqual(content, self.content())

    def test_a_configuration_that_sets_nothing_is_the_packages_own(self) -> None:
        self.put('# Every key is optional.\n[gateway]\n#interface = ""\n')
        self.do(WriteFile(PATH, "a = 2\n"))
        self.assertEqual("a = 2\n", self.content())

    def test_a_secret_is_not_shown(self) -> None:
        self.do(WriteFile(PATH, "hush\n", 0o600, secret=True))
        self.assertNotIn("hush", "".join(self.said))
        self.assertEqual("hush\n", self.content())

    def test_what_was_written_is_noted_for_the_packages_removal(self) -> None:
        self.do(WriteFile(PATH, "a = 1\n"), WriteFile(Path("/etc/other file"), "b\n"))
        notes = self.content(Path("/etc/hargassner/written-by-setup")).splitlines()
        self.assertEqual(
            ["/etc/hargassner/hargassner.toml", "/etc/other file"], [each[66:] for each in notes]
        )

    def test_a_file_that_cannot_be_written_ends_it_in_words(self) -> None:
        (self.root / "etc").mkdir(parents=True)
        (self.root / "etc/hargassner").write_text("a file, not a folder")
        wrong = self.assertRaises(StepFailedError, self.do, WriteFile(PATH, "a = 1\n"))
        self.assertIn(str(PATH), str(wrong))

    def test_nothing_is_written_or_run_in_a_dry_run(self) -> None:
        self.do(WriteFile(PATH, "a = 1\n", then=(RESTART,)), RESTART, dry=True)
        self.assertEqual([], self.ran)
        self.assertFalse(self.root.exists() and any(self.root.rglob("*.toml")))
        self.assertIn("  start it anew: systemctl try-restart x.service", self.said)


class CommandTests(StepsCase):
    """Which commands are run."""

    def test_each_is_shown_with_what_it_is_for(self) -> None:
        self.do(RESTART)
        self.assertEqual(["  start it anew: systemctl try-restart x.service"], self.said)
        self.assertEqual([RESTART.words], self.ran)

    def test_one_that_fails_ends_it(self) -> None:
        self.status = 3
        wrong = self.assertRaises(StepFailedError, self.do, RESTART, RESTART)
        self.assertEqual("systemctl try-restart x.service failed with status 3", str(wrong))
        self.assertEqual(1, len(self.ran))


class NothingSetTests(SynchronousTestCase):
    """Which configuration says nothing."""

    def test_comments_and_empty_sections_say_nothing(self) -> None:
        self.assertTrue(sets_nothing("# a\n[gateway]\n[boiler]\n"))

    def test_a_key_says_something_and_so_does_what_is_no_toml(self) -> None:
        self.assertFalse(sets_nothing("[gateway]\ntelnet_port = 23\n"))
        self.assertFalse(sets_nothing("no toml"))
