"""``hargassner export`` and ``hargassner import``."""

import csv
import io
import os
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli import main
from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.opening import FILE, connect
from hargassner.storage.history.reader import Extent, events, facts, kept, line
from hargassner.storage.history.samples import FaultSeen
from hargassner.storage.history.writer import write_live
from tests.processes import TIMEOUT, Running, program, wait_until
from tests.storage.history.cases import NOON, TK, ZK, minute

HEADER = b"<HISDAQ-V0.1;COMPRESSION(TOKEN-ESC(4B, 0x10, 6, 13, 13))>\r\n"
DOCUMENT = (
    "<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK'/><CHANNEL id='1' name='TK' unit='°C'/>"
    "<CHANNEL id='2' name='Verbrauchszähler' unit='kg'/><CHANNEL id='3' name='Störungs Nr'/>"
    "</ANALOG></DAQPRJ>"
).encode("latin-1")
YEAR = 365
EVERYTHING = Extent(0, 10**7)


class CommandCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.errors = ""

    def run_command(self, *arguments: str) -> tuple[int, bytes]:
        """The exit status and what was printed."""
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
        with patch.object(sys, "stdout", out), patch.object(sys, "stderr", io.StringIO()) as err:
            status = main([arguments[0], *arguments[1:], "--state", str(self.path)])
            out.flush()
        self.errors = err.getvalue()
        return status, out.buffer.getvalue()  # type: ignore[attr-defined]

    def cursor(self) -> sqlite3.Cursor:
        """The file, to look at."""
        connection = sqlite3.connect(self.path / FILE)
        self.addCleanup(connection.close)
        return connection.cursor()


class ExportTests(CommandCase):
    def fill(self, count: int, step: float) -> None:
        """Write minutes so far from each other, the last one a step before noon."""
        begin = NOON - count * step
        with closing(connect(StateDirectory(self.path))) as connection, connection:
            samples = [
                minute(
                    begin + at * step,
                    {TK: 60.5 + at % 10, ZK: 7.0},
                    {"seconds": 60.0, "state/7": 60.0, "outdoor": 120.0, "outdoor_seconds": 60.0},
                    1000 + at * 1.5,
                )
                for at in range(count)
            ]
            write_live(connection.execute("BEGIN"), samples)

    def table(self, *arguments: str) -> list[dict[str, str]]:
        """The exported table, as Python's csv reads it."""
        status, printed = self.run_command("export", "--csv", "--to", f"{NOON:.0f}", *arguments)
        self.assertEqual((0, ""), (status, self.errors))
        delimiter = ";" if "--german" in arguments else ","
        return [*csv.DictReader(io.StringIO(printed.decode(), newline=""), delimiter=delimiter)]

    def test_a_years_sums_are_those_of_the_day_table(self) -> None:
        self.fill(YEAR * 4, 6 * 3600)
        expected = facts(self.cursor(), EVERYTHING)
        plain, german = self.table(), self.table("--german")
        self.assertEqual(len(plain), len(expected))
        for rows, sign in ((plain, "."), (german, ",")):
            for column, value in (
                ("pellets_kg", lambda day: day.pellets),
                ("hours", lambda day: day.hours),
                ("degree_days", lambda day: day.degree_days),
                ("state_7_hours", lambda day: day.states[7]),
            ):
                total = sum(float(row[column].replace(sign, ".")) for row in rows)
                self.assertApproximates(total, sum(map(value, expected.values())), 1e-6)
        self.assertApproximates(
            sum(float(row["pellets_kg"]) for row in plain), (YEAR * 4 - 1) * 1.5, 0.5
        )

    def test_quarters_add_up_to_the_days(self) -> None:
        self.fill(3000, 60)
        of_days = line(self.cursor(), "day", "tk", _days(self.cursor()))
        rows = self.table("--grain", "quarter")
        total = sum(float(row["tk"]) * int(row["minutes"]) for row in rows)
        expected = sum(
            mean * count for mean, count in zip(of_days.mean, of_days.count, strict=True)
        )
        self.assertApproximates(total, expected, 0.01 * 3000)

    def test_minutes_have_local_time_and_gaps_are_empty(self) -> None:
        self.fill(2, 120)
        first, gap, last = self.table("--grain", "minute", "--channels", "tk")
        self.assertEqual(
            (f"{datetime.fromtimestamp(NOON - 240)}", "60.50"), (first["time"], first["tk"])
        )
        self.assertEqual((NOON - 240, "", "61.50"), (float(first["epoch"]), gap["tk"], last["tk"]))

    def test_a_range_is_exported_into_a_file(self) -> None:
        self.fill(YEAR, 86400)
        target = self.path / "table.csv"
        arguments = ["--from", "2026-01-01", "--to", "2026-01-31", "-o", str(target)]
        status, printed = self.run_command("export", *arguments)
        self.assertEqual((0, b""), (status, printed))
        rows = [*csv.DictReader(target.read_text().splitlines())]
        self.assertEqual(("2026-01-01", "2026-01-31"), (rows[0]["date"], rows[-1]["date"]))

    def test_without_a_history_it_says_so(self) -> None:
        status, _ = self.run_command("export")
        self.assertEqual(1, status)
        self.assertIn("history.sqlite: No such file or directory", self.errors)

    def test_what_is_no_history_is_said_and_left_alone(self) -> None:
        self.path.mkdir()
        (self.path / FILE).write_bytes(b"no database" * 100)
        status, _ = self.run_command("export")
        self.assertEqual(1, status)
        self.assertIn("cannot be read: file is not a database", self.errors)

    def test_a_range_that_cannot_be_understood_is_said(self) -> None:
        self.fill(1, 60)
        status, _ = self.run_command("export", "--from", "last year")
        self.assertEqual(1, status)
        self.assertIn("from must be seconds since 1970, or a date", self.errors)


def _days(cursor: sqlite3.Cursor) -> Extent:
    extent = kept(cursor).days
    assert extent is not None
    return extent


class ImportTests(CommandCase):
    def recording(self, name: str, *lines: tuple[str, str]) -> str:
        """A recording with telemetry, each line with its time."""
        self.path.mkdir(exist_ok=True)
        text = "".join(f"{time} pm {values} \r\n" for time, values in lines)
        path = self.path / name
        path.write_bytes(HEADER + DOCUMENT + b"\r\n" + text.encode())
        return str(path)

    def two_days(self) -> tuple[str, str]:
        def lines(day: int, burnt: int) -> list[tuple[str, str]]:
            return [
                (f"2025-01-0{day}_12:{at // 2:02d}:{at % 2 * 30:02d}", f"7 6{day} {burnt + at} 0")
                for at in range(60)
            ]

        one, other = lines(1, 1000), lines(2, 1100)
        other[10] = (other[10][0], other[10][1][:-1] + "29")
        return self.recording("DAQ00001.DAQ", *one), self.recording("DAQ00002.DAQ", *other)

    def test_recordings_become_days_with_what_was_burnt(self) -> None:
        status, printed = self.run_command("import", *self.two_days())
        self.assertEqual((0, ""), (status, self.errors))
        self.assertIn(b"DAQ00001.DAQ: 30 minutes, 30 of them new", printed)
        found = facts(self.cursor(), EVERYTHING)
        self.assertEqual(1159.0 - 1001.0, sum(day.pellets or 0.0 for day in found.values()))
        temperatures = line(self.cursor(), "day", "tk", _days(self.cursor())).mean
        self.assertEqual([61.0, 62.0], list(temperatures))
        [fault] = events(self.cursor(), 0, NOON)
        self.assertEqual((fault.number, fault.ended), (29, fault.began + 60))

    def test_what_was_imported_once_is_known(self) -> None:
        files = self.two_days()
        self.run_command("import", *files)
        before = facts(self.cursor(), EVERYTHING)
        status, printed = self.run_command("import", *files)
        self.assertEqual(0, status)
        self.assertIn(b"0 of them new", printed)
        self.assertEqual(facts(self.cursor(), EVERYTHING), before)

    def is_read(self, fifo: Path) -> bool:
        """Whether somebody reads a FIFO by now; who does goes on waiting."""
        try:
            writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        self.addCleanup(os.close, writer)
        return True

    def test_ctrl_c_is_one_line_and_what_was_imported_stays(self) -> None:
        good, _ = self.two_days()
        unending = self.path / "unending.DAQ"
        os.mkfifo(unending)
        files = [str(Path(each).absolute()) for each in (good, unending)]
        state = str(self.path.absolute())
        running = Running([program("hargassner"), "import", *files, "--state", state])
        self.addCleanup(running.clean_up)
        wait_until(lambda: self.is_read(unending), TIMEOUT, "it reads the second file")
        # A signal just before it sleeps would not wake it.
        stat = Path(f"/proc/{running.process.pid}/stat")
        wait_until(lambda: ") S " in stat.read_text(), TIMEOUT, "it waits for what the file has")
        self.assertEqual(130, running.stop(signal.SIGINT))
        self.assertEqual("hargassner import: interrupted\n", running.errors())
        self.assertEqual(1, len(facts(self.cursor(), EVERYTHING)))

    def test_a_file_that_cannot_be_read_does_not_keep_the_others_out(self) -> None:
        good, _ = self.two_days()
        bad = self.path / "photo.jpg"
        bad.write_bytes(b"\xff\xd8")
        status, printed = self.run_command("import", str(bad), good, str(self.path / "none.DAQ"))
        self.assertEqual(1, status)
        self.assertIn("photo.jpg: this is no SD card recording", self.errors)
        self.assertIn("none.DAQ: cannot be read: No such file", self.errors)
        self.assertIn(b"30 of them new", printed)

    def test_the_history_that_there_is_stays_and_a_fault_that_goes_on_does_too(self) -> None:
        with closing(connect(StateDirectory(self.path))) as connection, connection:
            fault = FaultSeen(5, "now")
            write_live(
                connection.execute("BEGIN"), [minute(NOON, {TK: 60.0}, {}, 5.0, None, fault)]
            )
        self.run_command("import", *self.two_days())
        last = events(self.cursor(), 0, NOON)[-1]
        self.assertEqual((5, None), (last.number, last.ended))
