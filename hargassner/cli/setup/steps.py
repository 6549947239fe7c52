"""What setup does to the machine, a file or a command at a time, each shown before it is done.

A file that somebody else wrote stays as it is. What setup wrote is noted down, with what was in it,
so that a later run may write it anew as long as nobody changed it, and so that removing the package
takes it away.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hargassner.cli.check.machine import text_in

NOTED = Path("/etc/hargassner/written-by-setup")
"""What setup wrote: a line ``SHA-256  PATH`` each, as ``sha256sum`` writes it."""
_NOTE = re.compile(r"^(\S+)  (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command to run; ``why`` says what for."""

    words: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file to write.

    Attributes:
        path: where.
        content: what is to be in it.
        mode: its rights.
        group: its group; "" for root's.
        secret: whether its content is not shown.
        then: what is to be run when it was written.
    """

    path: Path
    content: str
    mode: int = 0o644
    group: str = ""
    secret: bool = False
    then: tuple[RunCommand, ...] = ()

    @property
    def shown(self) -> Sequence[str]:
        """The lines of what is to be in it, as far as they are shown."""
        return ("(not shown)",) if self.secret else self.content.splitlines()


Step = WriteFile | RunCommand


class StepFailedError(Exception):
    """A step cannot be done; the message says which, and why."""


def sets_nothing(content: str) -> bool:
    """Whether a TOML file has nothing but comments and empty sections, as a package brings it."""
    try:
        return not any(tomllib.loads(content).values())
    except ValueError:
        return False


def _run(words: Sequence[str]) -> int:
    try:
        return subprocess.run(words, check=False).returncode  # noqa: S603 - shown to the owner.
    except OSError:
        return 127


class Machine:
    """Does the steps.

    Args:
        say: shows a line.
        root: the file system's root; another one for tests.
        run: runs a command; its result is the exit status.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        root: Path = Path("/"),
        run: Callable[[Sequence[str]], int] = _run,
    ) -> None:
        self._say = say
        self._root = root
        self._run = run
        self._noted = self._read_notes()

    def do(self, steps: Sequence[Step], *, dry: bool = False) -> None:
        """Show steps, and do them.

        Where a file is somebody else's and differs, what should be in it is shown only.

        Args:
            steps: in their order.
            dry: only show them.

        Raises:
            StepFailedError: a file cannot be written, or a command failed.
        """
        for step in steps:
            if isinstance(step, RunCommand):
                self._command(step, dry=dry)
            else:
                self._write(step, dry=dry)

    # Files.

    def _write(self, step: WriteFile, *, dry: bool) -> None:
        path = self._root / step.path.relative_to("/")
        there = text_in(path)
        if there == step.content:
            self._say(f"  {step.path} is as it should be")
        elif not self._is_ours(step.path, there):
            self._say(f"  {step.path} is not setup's: it stays as it is. It would be:")
            self._show(step)
        else:
            self._say(f"  write {step.path}:")
            self._show(step)
            self._change(path, step, dry=dry)

    def _change(self, path: Path, step: WriteFile, *, dry: bool) -> None:
        """Write a file, and run what belongs to that."""
        if not dry:
            self._put(path, step)
        for command in step.then:
            self._command(command, dry=dry)

    def _show(self, step: WriteFile) -> None:
        for line in step.shown:
            self._say(f"    | {line}".rstrip())

    def _put(self, path: Path, step: WriteFile) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f".{path.name}.new")
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(step.content)
            if step.group:
                _give_to(new, step.group)
            new.chmod(step.mode)
            new.replace(path)
        except OSError as wrong:
            raise StepFailedError(f"{step.path}: {wrong.strerror}") from wrong
        self._note(step.path, step.content)

    def _is_ours(self, path: Path, content: str) -> bool:
        """Whether a file may be written anew: so may one that is absent, and has no content."""
        return self._noted.get(str(path)) == _digest(content) or sets_nothing(content)

    def _read_notes(self) -> dict[str, str]:
        text = text_in(self._root / NOTED.relative_to("/"))
        return {path: digest for digest, path in _NOTE.findall(text)}

    def _note(self, path: Path, content: str) -> None:
        self._noted[str(path)] = _digest(content)
        lines = [f"{digest}  {name}\n" for name, digest in sorted(self._noted.items())]
        notes = self._root / NOTED.relative_to("/")
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_text("".join(lines))

    # Commands.

    def _command(self, step: RunCommand, *, dry: bool) -> None:
        self._say(f"  {step.why}: {' '.join(step.words)}")
        if not dry:
            status = self._run(step.words)
            if status:
                raise StepFailedError(f"{' '.join(step.words)} failed with status {status}")


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _give_to(path: Path, group: str) -> None:
    """Give a file to a group.

    Raises:
        OSError: there is no such group, or it may not be done.
    """
    try:
        shutil.chown(path, group=group)
    except LookupError:
        raise OSError(0, f"there is no group {group}") from None
