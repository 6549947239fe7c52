"""The stream of changes to the pages that are open."""

from hargassner.dialogue.events import ParameterChanged, TelemetryLine
from hargassner.monitor.traffic_log import LogLine
from hargassner.web.changes import LINES_SENT
from hargassner.web.reader import KEEP_ALIVE, STALLED
from hargassner.web.stream import GAP, PERIOD, READERS
from tests.telling import tell
from tests.web.cases import Answer, Connection, PageCase, describe, show


class StreamTests(PageCase):
    def setUp(self) -> None:
        super().setUp()
        show(self.boiler, {"TK": ("65.9", "°C"), "TRG": ("140.0", "°C")}, at=self.clock.seconds())
        # The telling is due in the middle of each second of a test.
        self.clock.advance(PERIOD / 2)

    def say(self, line: str) -> None:
        tell(self.boiler, TelemetryLine(line.encode()), self.clock.seconds())

    def second(self) -> None:
        self.clock.pump([PERIOD / 2, PERIOD / 4, PERIOD / 4])

    def test_it_begins_with_everything(self) -> None:
        stream = self.stream()
        answer = Answer(stream.transport.value())
        self.assertEqual("text/event-stream; charset=utf-8", answer.headers["content-type"])
        self.assertIn(b"retry: ", answer.body)
        [(event, told)] = stream.events
        self.assertEqual("state", event)
        self.assertEqual(told["now"], self.clock.seconds())
        self.assertEqual("65.9", told["values"]["channel/tk"]["value"])
        self.assertEqual(
            {"chain", "boiler", "faults", "identity", "words", "bits", "channel/tk", "channel/trg"},
            set(told["values"]),
        )

    def test_what_changes_within_a_second_is_told_once(self) -> None:
        stream = self.stream()
        self.second()
        before = len(stream.events)
        for text in ("66.0", "66.1", "66.2"):
            self.say(f"pm {text} 140.0 ")
        self.assertEqual(len(stream.events), before)
        self.second()
        [(event, told)] = stream.events[before:]
        self.assertEqual("change", event)
        self.assertEqual("66.2", told["values"]["channel/tk"]["value"])
        self.assertNotIn("channel/trg", told["values"])
        self.assertEqual("66.2", told["values"]["boiler"]["tiles"][0]["value"]["text"])
        self.assertNotIn("chain", told["values"])

    def test_nothing_is_told_where_nothing_changes_but_that_it_is_alive(self) -> None:
        stream = self.stream()
        self.second()
        before = len(stream.events)
        for _ in range(int(KEEP_ALIVE) - 1):
            self.second()
        self.assertEqual([], stream.events[before:])
        self.second()
        self.assertEqual(["alive"], [event for event, _ in stream.events[before:]])

    def test_whoever_sets_the_wall_clock_sets_every_date(self) -> None:
        """What is told together fits: now, since when, and the times of lines."""
        heard = self.clock.seconds() - PERIOD / 2
        logged = self.clock.seconds()
        self.journal.logged(LogLine(logged, "info", "", "odd"))
        stream = self.stream()
        self.second()
        for step in (-3600.0, 10 * 365 * 86_400.0, 300.0, -300.0):
            count = len(stream.events)
            self.clock.step(step)
            self.second()
            [(event, told)] = stream.events[count:]
            dates = [
                told["now"],
                told["values"]["channel/tk"]["since"],
                told["values"]["chain"]["boiler"]["since"],
                told["lines"][-1]["at"],
            ]
            now = self.clock.seconds() - PERIOD / 2
            moments = [now, heard, heard, logged]
            self.assertEqual("state", event)
            self.assertEqual(dates, [each + self.clock.ahead for each in moments])

    def test_a_clock_that_is_followed_inexactly_changes_no_date(self) -> None:
        stream = self.stream()
        self.second()
        count = len(stream.events)
        for jitter in (0.5, -0.9, 0.8):
            self.clock.step(jitter)
            self.second()
        self.assertEqual([], stream.events[count:])

    def test_events_go_on_whatever_becomes_of_the_wall_clock(self) -> None:
        stream = self.stream()
        for number, step in enumerate((-3600.0, 1e9, -1e9, 300.0)):
            self.clock.step(step)
            self.say(f"pm {number} 140.0 ")
            self.second()
            told = stream.events[-1][1]
            self.assertEqual(told["values"]["channel/tk"]["value"], str(number))

    def test_settings_and_faults_are_told(self) -> None:
        stream = self.stream()
        now = self.clock.seconds()
        self.boiler.apply(ParameterChanged("PR001", "Mode", None, "Auto"), now)
        self.second()
        told = stream.events[-1][1]
        self.assertEqual("Auto", told["values"]["setting/PR001"]["value"])

    def test_channels_that_are_no_more_are_told_as_null(self) -> None:
        stream = self.stream()
        self.second()
        self.boiler.apply(describe({"TK": "°C"}), self.clock.seconds())
        self.second()
        told = stream.events[-1][1]["values"]
        self.assertIsNone(told["channel/trg"])
        self.assertEqual("65.9", told["channel/tk"]["value"])

    def test_lines_are_told_the_last_ones_first_and_new_ones_as_they_come(self) -> None:
        self.journal.said(1, "gateway", "$setkomm")
        stream = self.stream()
        lines = stream.events[0][1]["lines"]
        self.assertEqual(
            ["$setkomm"], [each["text"] for each in lines if each["kind"] == "dialogue"]
        )
        self.journal.said(1, "boiler", "$1 ack")
        self.journal.logged(LogLine(5.0, "warn", "hargassner", "look"))
        self.second()
        self.assertEqual(
            stream.events[-1][1]["lines"],
            [
                {
                    "kind": "dialogue",
                    "at": self.clock.seconds() - 1,
                    "from": "boiler",
                    "session": 1,
                    "text": "$1 ack",
                },
                {"kind": "log", "at": 5.0, "level": "warn", "text": "look"},
            ],
        )

    def test_a_line_said_just_before_a_page_opens_is_told_once(self) -> None:
        first = self.stream()
        self.journal.said(1, "boiler", "just now")
        second = self.stream()
        self.second()
        for stream in (first, second):
            texts = [line["text"] for _, told in stream.events for line in told["lines"]]
            self.assertEqual(1, texts.count("just now"))

    def test_pages_are_told_one_after_another(self) -> None:
        streams = [self.stream() for _ in range(3)]
        self.second()
        before = sum(len(each.events) for each in streams)
        self.say("pm 70.0 140.0 ")
        self.clock.advance(PERIOD / 2)
        told = []
        for _ in range(4):
            told.append(sum(len(each.events) for each in streams) - before)
            self.clock.advance(GAP)
        self.assertEqual([1, 2, 3, 3], told)

    def test_a_flood_of_lines_is_cut(self) -> None:
        stream = self.stream()
        for number in range(10 * LINES_SENT):
            self.journal.said(1, "boiler", str(number))
        self.second()
        lines = stream.events[-1][1]["lines"]
        self.assertEqual(LINES_SENT, len(lines))
        self.assertEqual(lines[-1]["text"], str(10 * LINES_SENT - 1))

    def test_every_page_is_told_in_its_language(self) -> None:
        english, german = self.stream(), self.stream(accept_language="de")
        self.say("pm 70.0 140.0 ")
        self.second()
        labels = [each.events[-1][1]["values"]["channel/tk"]["label"] for each in (english, german)]
        self.assertEqual(["boiler temperature", "Kesseltemperatur"], labels)

    def test_a_second_page_costs_the_first_one_nothing(self) -> None:
        first = self.stream()
        self.second()
        before = len(first.events)
        self.stream()
        self.say("pm 70.0 140.0 ")
        self.second()
        self.assertEqual(len(first.events), before + 1)

    def test_a_page_that_closed_is_forgotten(self) -> None:
        stream = self.stream()
        self.assertEqual(1, self.pages())
        stream.lose()
        self.assertEqual(0, self.pages())

    def pages(self) -> int:
        body = self.get("/metrics").body.decode()
        [line] = [each for each in body.splitlines() if each.startswith("hargassner_pages_open ")]
        return int(float(line.split()[1]))

    def test_there_is_a_limit_and_room_again_after_it(self) -> None:
        streams = [self.stream() for _ in range(READERS)]
        refused = Connection(self.site)
        refused.ask("/api/events")
        self.assertEqual(503, Answer(refused.transport.value()).code)
        streams[0].lose()
        self.assertEqual("state", self.stream().events[0][0])

    def test_a_page_that_does_not_read_is_told_nothing_more(self) -> None:
        stream = self.stream()
        stream.transport.producer.pauseProducing()
        size = len(stream.transport.value())
        for number in range(int(STALLED) - 1):
            self.say(f"pm {number} 140.0 ")
            self.second()
        self.assertEqual(len(stream.transport.value()), size)
        self.assertFalse(stream.transport.disconnecting)

    def test_a_page_that_reads_again_gets_everything_anew(self) -> None:
        stream = self.stream()
        self.second()
        stream.transport.producer.pauseProducing()
        self.say("pm 71.0 140.0 ")
        self.second()
        stream.transport.producer.resumeProducing()
        self.second()
        event, told = stream.events[-1]
        self.assertEqual("state", event)
        self.assertEqual("71.0", told["values"]["channel/tk"]["value"])

    def test_a_page_that_never_reads_is_dropped(self) -> None:
        stream, other = self.stream(), self.stream()
        stream.transport.producer.pauseProducing()
        for _ in range(int(STALLED) + 1):
            self.second()
        self.assertTrue(stream.transport.disconnecting)
        self.assertFalse(other.transport.disconnecting)

    def test_every_stream_ends_with_the_bridge(self) -> None:
        stream = self.stream()
        self.page.stopService()
        self.assertTrue(stream.transport.disconnecting)

    def test_a_question_for_the_headers_alone_opens_no_stream(self) -> None:
        connection = Connection(self.site)
        connection.ask("/api/events", method="HEAD")
        self.assertEqual(0, self.pages())
        self.assertIn(b"text/event-stream", connection.transport.value())
