"""What survives a restart: a directory of small files.

Everything here blocks for as long as a disk takes, so the service calls it off the reactor's
thread. It may be called from several threads at once.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from twisted.logger import Logger

from hargassner.network.system import for_the_owner_only, system_reason

log = Logger()


def state_directory(configured: str, environ: Mapping[str, str]) -> Path:
    """Where state is kept: as configured, else where systemd says, else in the user's home.

    Args:
        configured: ``[state] directory``, empty where nothing is configured.
        environ: the environment. systemd may name several directories in ``STATE_DIRECTORY``,
            separated by colons; the first one counts.
    """
    if configured:
        return Path(configured).expanduser()
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    return Path("~/.local/state/hargassner").expanduser()


class StateDirectory:
    """A directory of small files, each written whole or not at all.

    It is made when the first file is saved, for its owner only. A disk that is full, read-only or
    absent is said once and lived without: nothing here raises for it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # One writer at a time: threads share the temporary file's name, which is fixed so that a
        # power cut leaves at most one behind.
        self._lock = Lock()
        self._failing = False

    def save(self, name: str, data: bytes) -> None:
        """Write a file, so that after a power cut it holds either this or what it held before."""
        with self._lock:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._replace(name, data)
            except OSError as wrong:
                self._warn("written", wrong)
            else:
                self._recovered()

    def load(self, name: str) -> bytes | None:
        """The content of a file, or None if it was never written or cannot be read."""
        with self._lock:
            try:
                return (self.path / name).read_bytes()
            except FileNotFoundError:
                return None
            except OSError as wrong:
                self._warn("read", wrong)
                return None

    def set_aside(self, name: str, reason: str) -> None:
        """Rename a damaged file to ``name.damaged``: not used any more, but there to look at."""
        damaged = f"{name}.damaged"
        with self._lock:
            try:
                (self.path / name).replace(self.path / damaged)
            except OSError as wrong:
                self._warn("set aside", wrong)
                return
        log.warn(
            "{file} is damaged and was set aside as {damaged}: {reason}",
            file=str(self.path / name),
            damaged=damaged,
            reason=reason,
        )

    def _replace(self, name: str, data: bytes) -> None:
        temporary = self.path / f"{name}.new"
        try:
            with open(temporary, "wb", opener=for_the_owner_only) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path / name)
        except OSError:
            # A file cut short by a full disk would keep the disk full.
            with suppress(OSError):
                temporary.unlink()
            raise
        directory = os.open(self.path, os.O_RDONLY)
        try:
            # Only this makes the renaming itself survive a power cut.
            os.fsync(directory)
        finally:
            os.close(directory)

    def _warn(self, verb: str, wrong: OSError) -> None:
        if not self._failing:
            log.warn(
                "the state in {directory} cannot be {verb}, the bridge goes on without: {reason}",
                directory=str(self.path),
                verb=verb,
                reason=system_reason(wrong),
            )
        self._failing = True

    def _recovered(self) -> None:
        if self._failing:
            log.info("the state in {directory} is written again", directory=str(self.path))
        self._failing = False
