"""Recordings and captures, read back, damaged or not."""

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.recording.reader import RecordingError, read_recording
from hargassner.recording.redaction import Segment
from tests.shared import session_starts


class ReadingTests(SynchronousTestCase):
    """Files that are recordings, and files that are not."""

    HEADER = '{"format": "hargassner-recording", "version": 1}\n'

    def file(self, text):
        """A file of this text."""
        path = Path(self.mktemp())
        path.write_text(text, "utf-8")
        return path

    def refusal(self, path):
        """Why a file is not read, without its name."""
        wrong = self.assertRaises(RecordingError, list, read_recording(path))
        self.assertIn(str(path), str(wrong))
        return str(wrong).replace(str(path), "FILE")

    def test_a_last_line_cut_short_is_left_out(self):
        """A power cut costs no more than what was being written."""
        path = self.file(
            self.HEADER
            + '{"time": 1, "direction": "boiler", "data": "z1\\r\\n"}\n{"time": 2, "direc'
        )
        self.assertEqual([Segment(1.0, "boiler", b"z1\r\n")], list(read_recording(path)))

    def test_a_damaged_line_is_named(self):
        """The first line that is no segment ends the reading with its number."""
        for line in (
            "nonsense",
            "[]",
            '{"time": 1, "direction": "nobody", "data": ""}',
            '{"time": "1", "direction": "boiler", "data": ""}',
            '{"time": 1, "direction": "boiler", "data": 5}',
            '{"time": 1, "direction": "boiler", "kept": 1, "data": ""}',
            '{"time": 1, "direction": "boiler", "data": "\\u20ac"}',
            "[" * 100_000,
        ):
            self.assertEqual(
                "FILE: line 2 is no segment of a recording",
                self.refusal(self.file(self.HEADER + line + "\n")),
            )

    def test_another_version_is_refused(self):
        """What a later program wrote may mean something else."""
        path = self.file('{"format": "hargassner-recording", "version": 2}\n')
        self.assertEqual(
            "FILE is a recording of version 2; only version 1 can be read", self.refusal(path)
        )

    def test_other_files_are_refused(self):
        """Text, JSON that is something else, and nothing at all."""
        for text in ("pm 9 20.0\r\n", '{"about": 1}', "", "[]"):
            self.assertEqual(
                "FILE is neither a recording nor a capture of a session",
                self.refusal(self.file(text)),
            )

    def test_an_absent_file_is_said(self):
        """The cause is the system's own."""
        self.assertEqual(
            "FILE cannot be read: No such file or directory", self.refusal(Path("/nonexistent"))
        )

    def test_a_capture_is_read_too(self):
        """Of its steps those of the gateway's TCP connection count."""
        steps = [
            {"t": 0, "from": "gateway", "proto": "udp", "data": "get services"},
            {
                "t": 1,
                "from": "boiler",
                "proto": "tcp",
                "connection": "other client",
                "data": "pm 9\r\n",
            },
            {
                "t": 2.5,
                "from": "gateway",
                "proto": "tcp",
                "connection": "gateway",
                "data": "$info\r\n",
            },
        ]
        path = self.file(json.dumps({"about": "a test", "steps": steps}, indent=1))
        self.assertEqual([Segment(2.5, "gateway", b"$info\r\n")], list(read_recording(path)))

    def test_a_damaged_step_of_a_capture_is_named(self):
        """It has a number, from one."""
        steps = '[{"proto": "udp"}, {"proto": "tcp", "connection": "gateway", "t": 1}]'
        self.assertEqual(
            "FILE: step 2 has no time, sender or data",
            self.refusal(self.file('{"steps": ' + steps + "}")),
        )

    def test_a_real_capture_is_read(self):
        """A session's start: both sides speak, in the order in which they did."""
        for path in session_starts():
            segments = list(read_recording(path))
            self.assertEqual(b"$login token\r\n", segments[0].data)
            self.assertEqual({"gateway", "boiler"}, {each.direction for each in segments})
            times = [each.time for each in segments]
            self.assertEqual(times, sorted(times))
