"""One bridge a state directory: two would write each other's files."""

import fcntl
import os
from pathlib import Path

from twisted.logger import Logger

from hargassner.network.reopening import CannotStartError
from hargassner.services import Service

log = Logger()

FILE = "lock"
"""Held while a bridge runs; the system lets go of it whatever ends the bridge."""


class StateClaim(Service):
    """Holds a state directory for as long as the bridge runs.

    Where it cannot be written there is nothing to hold, and the bridge does without.
    """

    name = "state directory"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def startService(self) -> None:
        """Hold it.

        Raises:
            CannotStartError: another bridge does; the message is the line for the user.
        """
        super().startService()
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return  # Whoever writes there says so.
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._let_go()
            raise CannotStartError(
                f"hargassner: state.directory: {self._path} is in use by another bridge; give "
                "each one of its own"
            ) from None
        except OSError as wrong:
            # Some network file systems have no locks.
            log.info("the state directory cannot be locked: {why}", why=wrong.strerror)

    def stopService(self) -> None:
        """Let go of it."""
        super().stopService()
        self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
