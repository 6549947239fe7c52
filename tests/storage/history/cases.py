"""What the tests of the history need: minutes, a file in memory, a local time zone."""

import os
import sqlite3
import time
from collections.abc import Mapping
from datetime import datetime

from twisted.trial.unittest import SynchronousTestCase

from hargassner.storage.history.facts import Carry
from hargassner.storage.history.samples import MINUTE, Dated, FaultSeen, Recorded, Sample
from hargassner.storage.history.schema import migrate
from hargassner.storage.history.writer import Written, write

TK = Recorded("tk", "TK", "°C")
ZK = Recorded("zk", "ZK", "", is_state=True)
NOON = datetime(2026, 11, 25, 12, 0).timestamp()


def minute(
    date: float,
    values: Mapping[Recorded, float] | None = None,
    tally: Mapping[str, float] | None = None,
    burnt: float | None = None,
    stock: float | None = None,
    *faults: FaultSeen,
) -> Dated:
    """A minute at a date."""
    sample = Sample(date, values or {}, dict(tally or {}), burnt, stock, frozenset(faults))
    return Dated(int(date // MINUTE), sample)


def in_zone(case: SynchronousTestCase, zone: str) -> None:
    """Have the local time be that of a zone while the test runs."""
    before = os.environ.get("TZ")

    def back() -> None:
        os.environ.pop("TZ", None)
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()

    os.environ["TZ"] = zone
    time.tzset()
    case.addCleanup(back)


class FileCase(SynchronousTestCase):
    """A test with a file in memory."""

    def setUp(self) -> None:
        self.new_file()

    def new_file(self) -> None:
        """Begin anew."""
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.addCleanup(self.connection.close)
        migrate(self.connection)
        self.cursor = self.connection.cursor()

    def write(self, *minutes: Dated, carry: Carry | None = None) -> Written:
        """Write minutes in a transaction."""
        with self.connection:
            self.cursor.execute("BEGIN")
            return write(self.cursor, minutes, carry or Carry())
