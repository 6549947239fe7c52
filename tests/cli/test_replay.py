"""``hargassner replay``: recordings are made, played and printed."""

import argparse
import io
import json
import sys
from pathlib import Path

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli import replay
from hargassner.recording.writer import GATHERING, RecordingWriter
from tests.doubles.documents import SMALL
from tests.shared import session_starts

START = 1_790_000_000.0

# One segment each: by whom, and what.
CONVERSATION = (
    ("boiler", b"pm 1 60.5 0 \r\n"),
    ("gateway", b"$login token\r\n"),
    ("boiler", b"$00C0FFEE\r\n"),
    ("gateway", b"$login key 00112233445566778899AABBCCDDEEFF01\r\n"),
    ("boiler", b"zclient login (7)\r\n$a"),
    ("boiler", b"ck\r\n"),
    ("gateway", b"$igw set 0031415\r\n"),
    ("boiler", b"$ack\r\n"),
    ("gateway", b"$daq desc\r\n"),
    ("boiler", b"$<<" + SMALL + b">>\r\n"),
    ("boiler", b"pm 1 60.50 0 \r\n"),
    ("boiler", b"pm 1 60.50 0 \r\n"),
    ("boiler", b"pm x 61.00 1 \r\n"),
    ("boiler", b"pm 1 2 61.00 0 \r\n"),
    ("boiler", b"pm 1 61.00 0 \r\n"),
    ("gateway", b"$rtc get\r\n"),
    ("boiler", b"$2025-01-02 03:04:05\r\n"),
    ("gateway", b"$uptime\r\n"),
    ("boiler", b"$666151\r\n"),
    ("gateway", b"$erract\r\n"),
    ("boiler", b"$no errors\r\n"),
    ("gateway", b"$par get 4\r\n"),
    ("boiler", b"$4;3;19.500;14.000;26.000;0.500;\xb0C;20.000;0;0;0;Raum Tag;0;\r\n"),
    ("boiler", b"zPa A: PR001 (Mode) = Arr\r\nzPa N: PR001 (Mode) = Auto\r\n"),
    ("boiler", b"zPa N: A6d = 1.0\r\n"),
    ("gateway", b'$par set "4;3;99"\r\n'),
    ("boiler", b"$permission denied\r\n"),
    ("gateway", b"$tea please\r\n"),
    ("boiler", b"nonsense\x1b[2J\r\n"),
    ("gateway", b"$igw clear\r\n"),
    ("boiler", b"$ack\r\n"),
)


class ReplayTests(SynchronousTestCase):
    """What is printed of a session."""

    def record(self, conversation=CONVERSATION, largest_file=100_000):
        """A session's recordings, one segment a second, by the recorder itself."""
        directory = Path(self.mktemp())
        clock = Clock()
        folder = RecordingWriter(directory, lambda job: succeed(job()), clock, largest_file)
        recorder = folder.session(1, "192.0.2.7", START, START)
        for second, (direction, data, *kept) in enumerate(conversation):
            recorder.passed(START + second, direction, data, kept=bool(kept))
        recorder.over(START + len(conversation), "the client closed")
        clock.advance(GATHERING)
        return sorted(directory.iterdir())

    def replay(self, *arguments):
        """The exit status, and the lines of standard output and standard error."""
        parser = argparse.ArgumentParser()
        replay.configure(parser)
        out, err = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", err)
        status = replay.run(parser.parse_args([str(each) for each in arguments]))
        return status, out.getvalue().splitlines(), err.getvalue().splitlines()

    def test_a_command_of_the_bridges_is_understood_like_the_gateways(self):
        conversation = (
            ("bridge", b"$par get 4\r\n"),
            ("boiler", b"$4;3;19.500;14.000;26.000;0.500;C;20.000;0;0;0;Raum Tag;0;\r\n", "kept"),
            ("gateway", b"$uptime\r\n"),
            ("boiler", b"$666151\r\n"),
            ("bridge", b'$par set "4;3;99"\r\n'),
            ("boiler", b"$err limit\r\n", "kept"),
        )
        _, out, _ = self.replay(*self.record(conversation))
        self.assertEqual(
            [
                "     1.000  parameter 4 (Raum Tag) is 19.500",
                "     3.000  the boiler's controller has been running for 666151 s",
                '     5.000  refused: $par set "4;3;99": $err limit',
            ],
            out[:3],
        )

    def test_a_line_is_printed_for_each_event(self):
        """With its time, in words, and with a serial number that is not the real one."""
        status, out, err = self.replay(*self.record())
        self.assertEqual((0, []), (status, err))
        serial = out.pop(2)
        self.assertRegex(serial, r"\A     7\.000  gateway_serial: [0-9]{7}\Z")
        self.assertNotIn("0031415", serial)
        self.assertEqual(
            [
                "     4.000  notice: zclient login (7)",
                "     5.000  the gateway logged in",
                "     9.000  the boiler described 2 analog and 1 digital channels",
                "    16.000  the boiler's clock shows 2025-01-02 03:04:05",
                "    18.000  the boiler's controller has been running for 666151 s",
                "    20.000  active errors: none",
                "    22.000  parameter 4 (Raum Tag) is 19.500",
                "    23.000  parameter PR001 (Mode) was set from Arr to Auto",
                "    24.000  parameter A6d was set to 1.0",
                '    26.000  refused: $par set "4;3;99": $permission denied',
                "    27.000  a request that is not known: $tea please",
                "    28.000  not understood, from the boiler: nonsense\N{REPLACEMENT CHARACTER}[2J"
                " (no such line is known)",
                "    30.000  the gateway is about to start over",
                "    31.000  over: the client closed",
                "31 segments, 6 telemetry lines",
            ],
            out,
        )

    def test_telemetry_is_printed_where_it_changed(self):
        """From the descriptor on, in the boiler's own precision; another length of line is said."""
        _, out, _ = self.replay("--telemetry", *self.record())
        self.assertEqual(
            [
                "    10.000  telemetry: ZK 1, TK 60.50 °C, Störung OFF",
                "    12.000  telemetry: ZK ? x, TK 61.00 °C, Störung ON",
                "    13.000  the telemetry has 4 values where 3 are described",
                "    13.000  telemetry: ZK ?, TK ? °C, Störung OFF",
                "    14.000  the telemetry's values fit the descriptor again",
                "    14.000  telemetry: ZK 1, TK 61.00 °C, Störung OFF",
                "31 segments, 6 telemetry lines",
            ],
            [line for line in out if "telemetry" in line],
        )

    def test_json_is_an_object_a_line(self):
        """Each has its time, the event's name, and what belongs to it."""
        status, out, err = self.replay("--json", "--telemetry", *self.record())
        self.assertEqual((0, []), (status, err))
        objects = {each["event"]: each for each in map(json.loads, out)}
        self.assertEqual(
            [
                {"time": 16.0, "event": "clock_read", "clock": "2025-01-02T03:04:05"},
                {"time": 20.0, "event": "active_errors", "errors": []},
                {
                    "time": 22.0,
                    "event": "parameter_seen",
                    "parameter": {
                        "id": "4",
                        "name": "Raum Tag",
                        "value": "19.500",
                        "text": "19.500",
                        "minimum": "14.000",
                        "maximum": "26.000",
                        "step": "0.500",
                        "unit": "°C",
                        "default": "20.000",
                    },
                },
                {
                    "time": 24.0,
                    "event": "parameter_changed",
                    "id": "A6d",
                    "name": "",
                    "old": None,
                    "new": "1.0",
                },
                {
                    "time": 14.0,
                    "event": "telemetry",
                    "changed": {"zk": "1", "tk": "61.00", "stoerung": "OFF"},
                },
                {"time": 14.0, "event": "telemetry_fits", "misfit": None},
                {"time": 31.0, "event": "ended", "reason": "the client closed"},
            ],
            [
                objects[name]
                for name in (
                    "clock_read",
                    "active_errors",
                    "parameter_seen",
                    "parameter_changed",
                    "telemetry",
                    "telemetry_fits",
                    "ended",
                )
            ],
        )
        self.assertEqual(SMALL, objects["boiler_described"]["document"].encode("latin-1"))

    def test_the_parts_of_a_session_are_played_as_one(self):
        """Cut into files anywhere, a session says the same but for the serial number."""
        parts = self.record(largest_file=700)
        self.assertGreater(len(parts), 2)
        _, of_parts, _ = self.replay("--telemetry", *parts)
        _, of_one, _ = self.replay("--telemetry", *self.record())
        self.assertEqual(
            [line for line in of_parts if "serial" not in line],
            [line for line in of_one if "serial" not in line],
        )

    def test_a_file_that_cannot_be_read_is_one_line_on_standard_error(self):
        """The status tells it too, and there is no traceback."""
        path = Path(self.mktemp())
        path.write_text("pm 1 2 3\n")
        self.assertEqual(
            (
                1,
                [],
                [f"hargassner replay: {path} is neither a recording nor a capture of a session"],
            ),
            self.replay(path),
        )

    def test_a_damaged_recording_is_played_up_to_the_damage(self):
        """What could be read is printed, then the cause."""
        [path] = self.record()
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:8], "damaged\n", *lines[8:]]))
        status, out, err = self.replay(path)
        self.assertEqual((1, 2), (status, len(out)))
        self.assertEqual([f"hargassner replay: {path}: line 9 is no segment of a recording"], err)

    def test_a_real_session_is_understood(self):
        """A capture of a real session's start is played like a recording."""
        for capture in session_starts():
            status, out, _ = self.replay("--json", capture)
            self.assertEqual(0, status)
            names = [json.loads(line)["event"] for line in out]
            self.assertIn("logged_in", names)
            self.assertIn("boiler_described", names)
            self.assertNotIn("unreadable", names)
