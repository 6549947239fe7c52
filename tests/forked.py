"""Programs that start at once: processes that a server with all of their imports forks."""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

_SERVER = Path(__file__).with_name("fork_server.py")
_POLL = 0.01


class _Server:
    """The server of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process = subprocess.Popen(
            [sys.executable, str(_SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        atexit.register(self._end)

    def ask(self, what: str, value: Any) -> int | None:
        """Ask for something, and wait for the answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        with self._lock:
            stdin.write(f"{(what, value)!r}\n".encode())
            stdin.flush()
            answer = stdout.readline().strip()
        assert answer, "the server has ended"
        return None if answer == b"None" else int(answer)

    def _end(self) -> None:
        self._process.communicate()


@cache
def _server() -> _Server:
    return _Server()


class Forked:
    """A program that runs: what tests use of ``subprocess.Popen``.

    Args:
        command: the path of ``twist`` or ``hargassner``, and its arguments.
        directory: its working directory.
        output: the file of its standard output, which is there.
        errors: that of its standard error.
        constants: of the program that are others than usual, as ``tests.processes`` has them.
        namespace: the network namespace; this process's if it is empty.
        unprivileged: whether it has none of root's capabilities, which this process must have.
    """

    def __init__(
        self,
        command: Sequence[str],
        directory: Path,
        output: Path,
        errors: Path,
        constants: Mapping[str, object],
        namespace: str = "",
        *,
        unprivileged: bool = False,
    ) -> None:
        pid = _server().ask(
            "start",
            {
                "command": [*command],
                "directory": str(directory.absolute()),
                "output": str(output.absolute()),
                "errors": str(errors.absolute()),
                "constants": {str(each): constants[each] for each in constants},
                "environment": dict(os.environ),
                "namespace": namespace,
                "unprivileged": unprivileged,
            },
        )
        assert pid is not None
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit status, negative for a signal that ended it; None while it runs."""
        if self.returncode is None:
            self.returncode = _server().ask("poll", self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Its exit status, once it has ended.

        Raises:
            TimeoutExpired: it has not.
        """
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a forked program", timeout)
            time.sleep(_POLL)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)
