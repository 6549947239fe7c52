"""Recordings: what is written, and what a disk can do to it."""

import json
import os
import re
import resource
import shutil
import stat
import warnings
from functools import partial
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThreadPool
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from hargassner.recording.format import Ended
from hargassner.recording.reader import read_entries, read_recording
from hargassner.recording.redaction import LARGEST_HOLD, Segment
from hargassner.recording.writer import GATHERING, LARGEST_BACKLOG, RecordingWriter
from tests.cases import Log, forget

START = 1_790_000_000.0  # 2026-09-21T14:13:20Z
CLIENT = "192.0.2.7"


class Crank:
    """Runs what it is given when the test says so."""

    def __init__(self):
        self.jobs = []
        self.clock = Clock()

    def run(self, job):
        """Take a job."""
        result = Deferred()
        self.jobs.append((job, result))
        return result

    def turn(self, largest_file=None):
        """Do the next job, on a disk where files can grow to so many bytes."""
        self.gather()
        job, result = self.jobs.pop(0)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, limits[1]))
        try:
            done = job()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        result.callback(done)

    def turn_all(self):
        """Do all jobs, and those that they lead to."""
        self.gather()
        while self.jobs:
            self.turn()
            self.gather()

    def gather(self):
        """Let the time pass for which what passes is gathered."""
        self.clock.advance(GATHERING)


class RecordingCase(SynchronousTestCase):
    """A writer whose disk is turned by hand."""

    def setUp(self):
        self.directory = Path(self.mktemp()) / "recordings"
        self.crank = Crank()
        self.writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock)
        self.log = Log(self)

    def recordings(self):
        """The files, oldest first."""
        return sorted(self.directory.iterdir())

    def only_recording(self):
        """The file, there being one."""
        [path] = self.recordings()
        return path

    def warnings(self):
        """What was said as a warning."""
        return [formatEvent(each) for each in self.log.events if each["log_level"].name == "warn"]


class WritingTests(RecordingCase):
    """What a recording holds."""

    def test_segments_are_read_back_as_they_passed(self):
        """Times, directions, bytes and boundaries are those of the session."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START + 0.25, "gateway", b"$apiv")
        recorder.passed(START + 0.5, "gateway", b"ersion\r\n")
        recorder.passed(START + 1.125, "boiler", b"$1.0.")
        recorder.passed(START + 1.126, "boiler", b"1\r\nz\xb0\x00\xff\r\n")
        recorder.over(START + 2, "the client closed")
        self.crank.turn_all()
        self.assertEqual(
            [
                Segment(0.25, "gateway", b"$apiv"),
                Segment(0.5, "gateway", b"ersion\r\n"),
                Segment(1.125, "boiler", b"$1.0."),
                Segment(1.126, "boiler", b"1\r\nz\xb0\x00\xff\r\n"),
                Ended(2.0, "the client closed"),
            ],
            list(read_entries(self.only_recording())),
        )

    def test_the_file_is_json_lines_that_others_can_read(self):
        """A header, an object a segment, and the end."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START + 0.5, "boiler", b"z\xb0C\r\n")
        recorder.over(START + 1, "the client closed")
        self.crank.turn_all()
        lines = self.only_recording().read_text("ascii").splitlines()
        self.assertEqual(
            [
                {
                    "format": "hargassner-recording",
                    "version": 1,
                    "session": 3,
                    "part": 1,
                    "client": CLIENT,
                    "started": "2026-09-21T14:13:20+00:00",
                },
                {"time": 0.5, "direction": "boiler", "data": "z\xb0C\r\n"},
                {"time": 1.0, "over": "the client closed"},
            ],
            [json.loads(line) for line in lines],
        )

    def test_its_start_is_a_date_and_its_times_are_durations(self):
        """Whatever becomes of the wall clock meanwhile; a part is named by the same rule."""
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, largest_file=250)
        recorder = writer.session(3, CLIENT, 77.0, START)
        recorder.passed(78.5, "boiler", b"z1\r\n")
        recorder.passed(137.0, "boiler", b"z" * 200 + b"\r\n")
        recorder.over(138.0, "the client closed")
        self.crank.turn_all()
        names = [each.name.partition("-")[0] for each in self.recordings()]
        self.assertEqual(["20260921T141321.500Z", "20260921T141420.000Z"], names[:2])
        entries = [entry for each in self.recordings() for entry in read_entries(each)]
        self.assertEqual([1.5, 60.0, 61.0], [each.time for each in entries])

    def test_what_passed_between_bridge_and_boiler_is_marked(self):
        """So that both wires can be told from one recording."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START + 1, "bridge", b"$par get 4\r\n")
        recorder.passed(START + 2, "boiler", b"$4;9;1;\r\n", kept=True)
        recorder.over(START + 3, "the client closed")
        self.crank.turn_all()
        self.assertEqual(
            [
                Segment(1.0, "bridge", b"$par get 4\r\n"),
                Segment(2.0, "boiler", b"$4;9;1;\r\n", kept=True),
                Ended(3.0, "the client closed"),
            ],
            list(read_entries(self.only_recording())),
        )

    def test_secrets_are_not_written(self):
        """Of a serial number that was cut in two nothing reaches the file."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"$SN BCE: '2900")
        recorder.passed(START, "boiler", b"418'\r\n")
        recorder.over(START + 1, "the client closed")
        self.crank.turn_all()
        first, second = read_recording(self.only_recording())
        self.assertRegex(first.data + second.data, rb"\A\$SN BCE: '[0-9]{7}'\r\n\Z")
        self.assertNotIn(b"2900418", first.data + second.data)

    def test_an_unfinished_line_is_written_when_the_session_is_over(self):
        """What was held back is not lost."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"pm 9 20.0")
        recorder.over(START + 1, "the boiler closed")
        self.crank.turn_all()
        [segment] = read_recording(self.only_recording())
        self.assertEqual(b"pm 9 20.0", segment.data)

    def test_a_line_left_out_is_said_once(self):
        """A line without end becomes placeholders, and the log says so."""
        recorder = self.writer.session(3, CLIENT, START, START)
        for _ in range(2):
            recorder.passed(START, "boiler", b"x" * LARGEST_HOLD)
            recorder.passed(START, "boiler", b"\r\n")
        self.crank.turn_all()
        [warning] = self.warnings()
        self.assertIn("session 3: a line that does not end is left out", warning)

    def test_only_the_owner_can_read_it(self):
        """The directory and the files are closed to others."""
        self.writer.session(3, CLIENT, START, START).over(START, "the client closed")
        self.crank.turn_all()
        self.assertEqual(0o700, stat.S_IMODE(self.directory.stat().st_mode))
        self.assertEqual(0o600, stat.S_IMODE(self.only_recording().stat().st_mode))

    def test_sessions_at_the_same_time_have_each_their_file(self):
        """What passed in one is not found in the other."""
        one = self.writer.session(1, CLIENT, START, START)
        two = self.writer.session(2, CLIENT, START, START)
        for recorder, text in ((one, b"z1\r\n"), (two, b"z2\r\n"), (one, b"z3\r\n")):
            recorder.passed(START, "boiler", text)
        self.crank.turn_all()
        self.assertEqual(
            [[b"z1\r\n", b"z3\r\n"], [b"z2\r\n"]],
            [[each.data for each in read_recording(path)] for path in self.recordings()],
        )

    def test_a_session_can_be_read_while_it_goes_on(self):
        """What the disk has taken is there."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.turn_all()
        self.assertEqual([b"z1\r\n"], [each.data for each in read_recording(self.only_recording())])

    def test_a_file_is_closed_and_not_left_to_the_garbage_collector(self):
        with warnings.catch_warnings(record=True) as unclosed:
            warnings.simplefilter("always", ResourceWarning)
            recorder = self.writer.session(3, CLIENT, START, START)
            recorder.passed(START, "boiler", b"z1\r\n")
            recorder.over(START, "the client closed")
            self.crank.turn_all()
        self.assertEqual([], [str(each.message) for each in unclosed])

    def test_no_file_stays_open_after_a_session(self):
        """The file descriptor is given back."""
        forget()
        before = len(list(Path("/proc/self/fd").iterdir()))
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.turn_all()
        self.assertEqual(len(list(Path("/proc/self/fd").iterdir())), before + 1)
        recorder.over(START, "the client closed")
        self.crank.turn_all()
        self.assertEqual(len(list(Path("/proc/self/fd").iterdir())), before)

    def test_written_tells_when_the_disk_has_everything(self):
        """Whoever stops the bridge can wait for it."""
        self.successResultOf(self.writer.written())
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.gather()
        recorder.over(START, "the bridge stops")
        written = self.writer.written()
        self.crank.turn()
        self.assertNoResult(written)
        self.crank.turn()
        self.successResultOf(written)
        self.assertEqual("the bridge stops", list(read_entries(self.only_recording()))[-1].reason)


class GatheringTests(RecordingCase):
    """What passed is written a little later."""

    def test_the_disk_is_written_to_at_most_once_in_a_moment(self):
        """However many segments pass in it."""
        recorder = self.writer.session(3, CLIENT, START, START)
        for _ in range(5):
            recorder.passed(START, "boiler", b"z1\r\n")
            self.crank.clock.advance(GATHERING / 10)
        self.assertEqual([], self.crank.jobs)
        self.crank.gather()
        self.assertEqual(1, len(self.crank.jobs))


class RotationTests(RecordingCase):
    """Recordings do not grow for ever."""

    def test_a_long_session_goes_on_in_a_next_part(self):
        """The parts are in order, none too big, and together they are the session."""
        writer = RecordingWriter(
            self.directory, self.crank.run, self.crank.clock, largest_file=1000
        )
        recorder = writer.session(3, CLIENT, START, START)
        for second in range(40):
            recorder.passed(START + second, "boiler", b"z%d\r\n" % second)
            self.crank.turn_all()
        recorder.over(START + 40, "the client closed")
        self.crank.turn_all()
        parts = self.recordings()
        self.assertGreater(len(parts), 2)
        self.assertTrue(all(part.stat().st_size <= 1000 for part in parts))
        self.assertEqual(
            [each for part in parts for each in read_recording(part)],
            [Segment(float(second), "boiler", b"z%d\r\n" % second) for second in range(40)],
        )
        headers = [json.loads(part.read_text("ascii").splitlines()[0]) for part in parts]
        self.assertEqual([each["part"] for each in headers], [*range(1, len(parts) + 1)])

    def test_a_secret_has_the_same_replacement_in_all_parts(self):
        """Parts are one recording."""
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, largest_file=250)
        recorder = writer.session(3, CLIENT, START, START)
        for _ in range(3):
            recorder.passed(START, "boiler", b"$SN I/O: '2900417'\r\n")
        recorder.over(START, "the client closed")
        self.crank.turn_all()
        said = {each.data for path in self.recordings() for each in read_recording(path)}
        self.assertGreater(len(self.recordings()), 1)
        self.assertEqual(1, len(said))

    def test_a_segment_larger_than_a_file_is_written_all_the_same(self):
        """It has a part of its own."""
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, largest_file=300)
        recorder = writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z" + b"x" * 1000 + b"\r\n")
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.turn_all()
        self.assertEqual(
            [1003, 4],
            [len(each.data) for path in self.recordings() for each in read_recording(path)],
        )

    def test_the_oldest_recordings_are_removed(self):
        """So many are kept as were asked for; other files in the directory stay."""
        self.directory.mkdir(parents=True)
        (self.directory / "notes.jsonl").write_text("mine")
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, most_files=3)
        for number in range(1, 6):
            recorder = writer.session(number, CLIENT, START + number, START + number)
            recorder.over(START + number, "the client closed")
            self.crank.turn_all()
        self.assertEqual(
            ["3", "4", "5", "notes.jsonl"],
            [re.sub(r".*-session-(\d+)-.*", r"\1", path.name) for path in self.recordings()],
        )

    def test_what_was_recorded_while_the_clock_was_wrong_is_removed_first(self):
        """Else it would crowd out every new recording for years."""
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, most_files=3)
        years = 10 * 365 * 86_400
        for number, ahead in enumerate((years, years, years, 0, 0, 0), 1):
            at = START + ahead + number
            writer.session(number, CLIENT, at, at).over(at, "the client closed")
            self.crank.turn_all()
        self.assertEqual(
            ["4", "5", "6"],
            [re.sub(r".*-session-(\d+)-.*", r"\1", path.name) for path in self.recordings()],
        )

    def test_the_part_that_is_full_makes_room_for_the_next_one(self):
        """Where one recording is kept, it is the newest part of the session that goes on."""
        writer = RecordingWriter(
            self.directory, self.crank.run, self.crank.clock, largest_file=250, most_files=1
        )
        recorder = writer.session(3, CLIENT, START, START)
        for second in range(3):
            recorder.passed(START + second, "boiler", b"z" * 200 + b"\r\n")
            self.crank.turn_all()
        self.assertIn("-part-3", self.only_recording().name)
        self.assertEqual([], self.warnings())

    def test_a_recording_that_goes_on_is_not_removed(self):
        """A long session's file is old and in use."""
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, most_files=2)
        long = writer.session(1, CLIENT, START, START)
        long.passed(START, "boiler", b"z1\r\n")
        for number in range(2, 5):
            writer.session(number, CLIENT, START + number, START + number).over(
                START + number, "closed"
            )
            self.crank.turn_all()
        self.assertEqual(
            ["1", "4"],
            [re.sub(r".*-session-(\d+)-.*", r"\1", path.name) for path in self.recordings()],
        )

    def test_more_sessions_at_once_than_files_are_not_recorded(self):
        """The bound on files holds, and the log says why a recording is missing."""
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, most_files=2)
        for number in (1, 2, 3):
            writer.session(number, CLIENT, START, START).passed(START, "boiler", b"z1\r\n")
            self.crank.turn_all()
        self.assertEqual(2, len(self.recordings()))
        [warning] = self.warnings()
        self.assertIn("session 3: its recording", warning)
        self.assertIn("as many recordings are being written as are kept", warning)


class DiskTests(RecordingCase):
    """A disk can end a recording, and nothing else."""

    def test_a_full_disk_ends_the_recording(self):
        """It is said once, with the cause; what was written before can be read."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.turn()
        recorder.passed(START + 1, "boiler", b"z" + b"x" * 1000 + b"\r\n")
        self.crank.turn(largest_file=600)
        for second in range(2, 5):
            recorder.passed(START + second, "boiler", b"z2\r\n")
        recorder.over(START + 5, "the client closed")
        self.assertEqual([], self.crank.jobs)
        [warning] = self.warnings()
        self.assertIn("session 3: its recording", warning)
        self.assertIn("File too large", warning)
        self.assertEqual([b"z1\r\n"], [each.data for each in read_recording(self.only_recording())])

    def test_a_full_disk_is_said_once_for_all_sessions(self):
        """Its next failures say nothing new, and leave no empty files behind."""
        for number in (1, 2, 3):
            recorder = self.writer.session(number, CLIENT, START + number, START + number)
            recorder.passed(START + number, "boiler", b"z1\r\n")
            self.crank.turn(largest_file=10)
        self.assertEqual(1, len(self.warnings()))
        self.assertEqual([], self.recordings())

    def test_the_next_session_is_recorded_when_the_disk_has_room_again(self):
        """A failure is not for ever, and its end is said."""
        self.writer.session(1, CLIENT, START, START).passed(START, "boiler", b"z1\r\n")
        self.crank.turn(largest_file=10)
        self.writer.session(2, CLIENT, START, START).passed(START, "boiler", b"z2\r\n")
        self.crank.turn()
        self.assertEqual([b"z2\r\n"], [each.data for each in read_recording(self.only_recording())])
        self.assertIn("are written to", formatEvent(self.log.events[-1]))

    def test_one_sessions_trouble_is_not_anothers(self):
        """In the same turn one recording fails, and the other goes on."""
        one = self.writer.session(1, CLIENT, START, START)
        two = self.writer.session(2, CLIENT, START, START)
        one.passed(START, "boiler", b"z1\r\n")
        self.crank.turn()
        one.passed(START, "boiler", b"z" + b"x" * 1000 + b"\r\n")
        self.crank.turn(largest_file=600)
        two.passed(START, "boiler", b"z2\r\n")
        self.crank.turn()
        self.assertEqual(
            [[b"z1\r\n"], [b"z2\r\n"]],
            [[each.data for each in read_recording(path)] for path in self.recordings()],
        )

    def test_a_directory_that_vanished_ends_the_recording(self):
        """The session goes on unrecorded, when its next part finds no place."""
        writer = RecordingWriter(self.directory, self.crank.run, self.crank.clock, largest_file=200)
        recorder = writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.turn()
        shutil.rmtree(self.directory)
        self.directory.write_text("a file now")
        recorder.passed(START, "boiler", b"z" + b"x" * 200 + b"\r\n")
        self.crank.turn()
        recorder.over(START, "the client closed")
        self.assertEqual([], self.crank.jobs)
        [warning] = self.warnings()
        self.assertIn(os.strerror(17), warning)

    def test_a_slow_disk_ends_the_recording(self):
        """What waits for a disk is bounded, over all sessions; the recording tells how it ended."""
        recorder = self.writer.session(3, CLIENT, START, START)
        for second in range(60):
            recorder.passed(START + second, "boiler", b"z" * 100_000 + b"\r\n")
        recorder.over(START + 100, "the client closed")
        [warning] = self.warnings()
        self.assertIn("the disk is too slow", warning)
        self.crank.turn_all()
        *segments, end = read_entries(self.only_recording())
        self.assertLess(0, len(segments))
        self.assertLess(sum(len(each.data) for each in segments), LARGEST_BACKLOG)
        self.assertEqual("the recording ended: the disk is too slow", end.reason)

    def test_what_came_while_the_disk_wrote_still_waits(self):
        """What was written before counts no more, what came meanwhile does."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.gather()
        [(job, result)] = self.crank.jobs
        recorder.passed(START, "boiler", b"z" * (LARGEST_BACKLOG // 2) + b"\r\n")
        result.callback(job())
        recorder.passed(START, "boiler", b"z" * (LARGEST_BACKLOG // 2) + b"\r\n")
        [warning] = self.warnings()
        self.assertIn("the disk is too slow", warning)

    def test_what_is_left_out_takes_no_room(self):
        """A session that says too much at once ends its own recording, and no other one's."""
        much, little = (self.writer.session(each, CLIENT, START, START) for each in (1, 2))
        much.passed(START, "boiler", b"z" * LARGEST_BACKLOG + b"\r\n")
        little.passed(START, "boiler", b"z1\r\n")
        self.crank.turn_all()
        _, path = self.recordings()
        self.assertEqual([Segment(0.0, "boiler", b"z1\r\n")], list(read_entries(path)))

    def test_what_a_disk_never_got_takes_no_room(self):
        """What waits of a recording that ends is forgotten."""
        recorder = self.writer.session(1, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.gather()
        _, result = self.crank.jobs.pop()
        recorder.passed(START, "boiler", b"z" * (LARGEST_BACKLOG // 2) + b"\r\n")
        result.errback(OSError("no disk"))
        other = self.writer.session(2, CLIENT, START, START)
        other.passed(START, "boiler", b"z" * (LARGEST_BACKLOG // 2) + b"\r\n")
        self.crank.turn_all()
        [entry] = read_entries(self.only_recording())
        self.assertIsInstance(entry, Segment)

    def test_a_disk_that_catches_up_has_room_again(self):
        """What was written counts no more."""
        recorder = self.writer.session(3, CLIENT, START, START)
        for second in range(2 * LARGEST_BACKLOG // 100_000):
            recorder.passed(START + second, "boiler", b"z" * 100_000 + b"\r\n")
            self.crank.turn_all()
        self.assertEqual([], self.warnings())

    def test_a_writer_that_breaks_ends_the_recording(self):
        """Whatever the threads' pool says, the bridge goes on."""
        recorder = self.writer.session(3, CLIENT, START, START)
        recorder.passed(START, "boiler", b"z1\r\n")
        self.crank.gather()
        _, result = self.crank.jobs.pop()
        result.errback(RuntimeError("no threads left"))
        recorder.passed(START, "boiler", b"z1\r\n")
        self.assertEqual([], self.crank.jobs)
        [warning] = self.warnings()
        self.assertIn("no threads left", warning)


class ThreadTests(TestCase):
    """With real threads."""

    def test_a_session_is_recorded_off_the_reactors_thread(self):
        """The reactor's pool writes what was passed, in order."""
        directory = Path(self.mktemp())
        run = partial(deferToThreadPool, reactor, reactor.getThreadPool())
        writer = RecordingWriter(directory, run, reactor)
        recorder = writer.session(3, CLIENT, START, START)
        for second in range(200):
            recorder.passed(START + second, "boiler", b"z%d\r\n" % second)
        recorder.over(START + 200, "the client closed")

        def check(_):
            [path] = directory.iterdir()
            self.assertEqual(
                [each.data for each in read_recording(path)],
                [b"z%d\r\n" % second for second in range(200)],
            )

        return writer.written().addCallback(check)
