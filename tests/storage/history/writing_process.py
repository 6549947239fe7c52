"""A process that keeps a history as fast as the disk lets it, until it is killed.

    python -m tests.storage.history.writing_process DIRECTORY

The boiler, the history and its file are the real ones; time runs ten seconds a turn, but waits
while something is written. Each minute that has passed is told in a line of standard output.
"""

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from hargassner.boiler.model import Boiler
from hargassner.clock import run_evenly
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import Described, TelemetryLine
from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.service import LOOK_EVERY, History
from hargassner.storage.history.store import Store
from tests.doubles.clocks import TwoClocks
from tests.storage.history.cases import NOON
from tests.telling import tell

NAMES = ("TK", "TRG", "TRL", "TPo", "TPm", "TPu", "TB1", "TVL_1", "TVL_2", "Taus")
CHANNELS = "".join(f"<CHANNEL id='{at}' name='{name}'/>" for at, name in enumerate(NAMES))
DOCUMENT = f"<DAQPRJ><ANALOG>{CHANNELS}</ANALOG></DAQPRJ>".encode()


class CountingStore(Store):
    """Tells whether something is being written."""

    running = 0

    def run(self, work: Callable[[sqlite3.Cursor], Any]) -> "Deferred[Any]":
        """Do something within a transaction."""
        self.running += 1

        def done(result: Any) -> Any:
            self.running -= 1
            return result

        return super().run(work).addBoth(done)


def main(path: str, tell_minute: Callable[[int], object]) -> None:
    """Run until killed.

    Args:
        path: the directory.
        tell_minute: told each minute that has passed.
    """
    # Each of several processes that are forked has one of its own.
    from twisted.internet import reactor

    run_evenly(reactor)
    directory, clock, boiler = StateDirectory(Path(path)), TwoClocks(), Boiler()
    store = CountingStore(directory, reactor)
    clock.advance(NOON)
    history = History(boiler, directory, store, clock)
    boiler.apply(Described(parse_descriptor(DOCUMENT)), clock.seconds())

    def turn() -> None:
        if not store.running:
            number = int(clock.seconds() / LOOK_EVERY)
            line = " ".join(f"{(number + at) % 100}.5" for at in range(len(NAMES)))
            tell(boiler, TelemetryLine(f"pm {line} ".encode()), clock.seconds())
            clock.advance(LOOK_EVERY)
            if clock.seconds() % 60 == 0:
                tell_minute(int(clock.seconds() // 60))
        reactor.callLater(0, turn)

    reactor.callWhenRunning(history.startService)
    reactor.callWhenRunning(turn)
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1], lambda minute: os.write(1, b"%d\n" % minute))
