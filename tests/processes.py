"""Programs that run as processes of their own, and what a test sees of them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.forked import Forked

TIMEOUT = 60.0
"""Seconds to wait for what another process does, on a machine that has much else to do."""

# Python runs it before anything else.  A name that is not there any more ends the process, so that
# no test goes on to wait for what it meant to shorten.
_SITE_CUSTOMIZE = """
import importlib

for place, value in {constants!r}.items():
    module, _, name = place.rpartition(".")
    module = importlib.import_module(module)
    if not hasattr(module, name):
        raise SystemExit(f"there is no {{place}}")
    setattr(module, name, value)
"""


def program(name: str) -> str:
    """The path of a program that was installed beside this Python, such as ``twist``."""
    return str(Path(sys.executable).with_name(name))


def environment(directory: Path, constants: Mapping[str, object]) -> dict[str, str]:
    """The environment of a process in which constants of the program are others than usual.

    Args:
        directory: where a file can be made for it.
        constants: such as a timeout that would have the test wait for a minute; by module and
            name (``tests.constants`` has them), to what ``repr`` can show.
    """
    if not constants:
        return dict(os.environ)
    changes = directory / "constants"
    changes.mkdir(exist_ok=True)
    text = _SITE_CUSTOMIZE.format(constants={str(each): constants[each] for each in constants})
    (changes / "sitecustomize.py").write_text(text)
    paths = [str(changes), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in paths if each)}


class Running:
    """A program that was started.

    Args:
        command: its path, or a name to be looked up, and its arguments.
        files: text files to put into its working directory first, by name.
        constants: what ``environment`` takes.
    """

    def __init__(
        self,
        command: Sequence[str],
        files: Mapping[str, str] | None = None,
        constants: Mapping[str, object] | None = None,
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory()
        self.directory = Path(self._temporary.name)
        for name, text in (files or {}).items():
            (self.directory / name).write_text(text)
        self._log = self.directory / "its-output"
        self._errors = self.directory / "its-errors"
        self.process = self.started(command, constants or {})

    def started(
        self, command: Sequence[str], constants: Mapping[str, object]
    ) -> subprocess.Popen[bytes] | Forked:
        """The process, started."""
        with self._log.open("wb") as log, self._errors.open("wb") as errors:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=errors,
                cwd=self.directory,
                env=environment(self.directory, constants),
            )

    def forked(
        self,
        command: Sequence[str],
        constants: Mapping[str, object],
        namespace: str,
        *,
        unprivileged: bool = False,
    ) -> Forked:
        """The process, started in a network namespace without the time that its imports take."""
        for each in (self._log, self._errors):
            each.touch()
        return Forked(
            command,
            self.directory,
            self._log,
            self._errors,
            constants,
            namespace,
            unprivileged=unprivileged and os.geteuid() == 0,
        )

    def log(self) -> str:
        """What it has written to standard output so far."""
        return self._log.read_text()

    def errors(self) -> str:
        """What it has written to standard error so far."""
        return self._errors.read_text()

    def wait_for(self, words: str, count: int = 1, timeout: float = TIMEOUT) -> None:
        """Wait until its output says this."""

        def said() -> bool:
            if self.log().count(words) >= count:
                return True
            assert self.process.poll() is None, f"it ended: {self.log()}{self.errors()}"
            return False

        wait_until(said, timeout, f"{words!r} in the log")

    def wait(self) -> int:
        """Wait until it has ended; its exit status."""
        return self.process.wait(TIMEOUT)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it as systemd does, or with another signal; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def clean_up(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self.process.poll() is None:
            self.process.kill()
            self.wait()
        self._temporary.cleanup()


class ForkedRunning(Running):
    """``twist`` or ``hargassner``, started without the time that its imports take.

    It is what a process of its own would be, but for TLS, which it has not, and for when it imports
    what. There are no words before the program's path.

    Args:
        command: the program's path and its arguments.
        files: text files to put into its working directory first, by name.
        constants: what ``environment`` takes.
        namespace: the network namespace; this process's if it is empty.
        unprivileged: whether it has none of root's capabilities where this process is root's.
    """

    def __init__(
        self,
        command: Sequence[str],
        files: Mapping[str, str] | None = None,
        constants: Mapping[str, object] | None = None,
        namespace: str = "",
        *,
        unprivileged: bool = False,
    ) -> None:
        self._namespace = namespace
        self._unprivileged = unprivileged
        super().__init__(command, files, constants)

    def started(self, command: Sequence[str], constants: Mapping[str, object]) -> Forked:
        """The process, started."""
        return self.forked(command, constants, self._namespace, unprivileged=self._unprivileged)


def wait_until(condition: Callable[[], Any], timeout: float, what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.02)
