"""What the simulated gateway says, and what it makes of the answers."""

import re
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.simulator.boiler.engine import BoilerEngine
from hargassner.simulator.boiler.plant import Plant
from hargassner.simulator.gateway.dialogue import GatewayDialogue
from tests.simulator.opening import OPENING, SERIAL


class DialogueCase(SynchronousTestCase):
    """A gateway's side of a session, whose complaints are kept."""

    def setUp(self) -> None:
        self.problems: list[str] = []
        self.dialogue = GatewayDialogue(SERIAL, self.problems.append)

    def open(self, answers: int = len(OPENING)) -> bytes:
        """Answer so many requests of the opening; what the gateway says then."""
        said = self.dialogue.begin()
        for request, answer in OPENING[:answers]:
            self.assertEqual(said, request)
            said = self.dialogue.received(answer)
        return said

    def complaint(self) -> str:
        """The one problem."""
        [problem] = self.problems
        return problem


class OpeningTests(DialogueCase):
    """How a session begins."""

    def test_each_request_waits_for_the_reply_to_those_before(self) -> None:
        """Some go together, without waiting in between."""
        self.assertEqual(b"", self.open())
        self.assertTrue(self.dialogue.opened and self.dialogue.described)
        self.assertFalse(self.dialogue.waiting)
        self.assertEqual([], self.problems)

    def test_what_is_pipelined_waits_for_all_its_replies(self) -> None:
        self.open(6)
        self.assertEqual(b"", self.dialogue.received(b"$daq stopped\r\n"))
        self.assertEqual(b"$daq desc\r\n", self.dialogue.received(b"$logging disabled\r\n"))

    @given(st.lists(st.integers(1, 60), min_size=1))
    def test_replies_can_be_cut_anywhere(self, sizes: list[int]) -> None:
        problems: list[str] = []
        dialogue = GatewayDialogue(SERIAL, problems.append)
        said = dialogue.begin()
        for request, answer in OPENING:
            self.assertEqual(said, request)
            said, place, turn = b"", 0, 0
            while place < len(answer):
                size = sizes[turn % len(sizes)]
                said += dialogue.received(answer[place : place + size])
                place, turn = place + size, turn + 1
        self.assertEqual((b"", []), (said, problems))
        self.assertEqual((4, 1), (dialogue.values_expected, dialogue.telemetry_lines))

    def test_the_simulated_boiler_answers_all_of_it(self) -> None:
        """The two simulators agree on the whole dialogue, its end included."""
        engine = BoilerEngine(Plant(), lambda: datetime(2024, 1, 15, 7))
        number, _ = engine.connect()

        def converse(said: bytes) -> None:
            while said:
                requests = said.split(b"\r\n")[:-1]
                answers = [each for one in requests for each in engine.received(number, one)]
                answers += engine.telemetry()
                said = self.dialogue.received(b"".join(each.data for each in answers))

        converse(self.dialogue.begin())
        converse(self.dialogue.poll())
        converse(self.dialogue.set_parameter("PR001", 6, "1", self.assertTrue))
        converse(self.dialogue.clear())
        self.assertEqual([], self.problems)
        self.assertTrue(self.dialogue.cleared)
        self.assertGreater(self.dialogue.telemetry_lines, 10)


class OpenedTests(DialogueCase):
    """What is said after the opening."""

    def setUp(self) -> None:
        super().setUp()
        self.open()

    def test_a_cycle_is_four_requests_at_once(self) -> None:
        """Changes are asked for since the time that the boiler told."""
        self.assertEqual(
            b'$setkomm\r\n$erract\r\n$par get changed "2024-01-15 07:00:00"\r\n$rtc get\r\n',
            self.dialogue.poll(),
        )
        self.assertEqual(
            b"",
            self.dialogue.received(b"$1 ack\r\n$0005 Stoerung\r\n$--\r\n$2024-01-15 07:00:05\r\n"),
        )
        self.assertIn(b'"2024-01-15 07:00:05"', self.dialogue.poll())
        self.assertEqual([], self.problems)

    def test_the_end_is_agreed_on(self) -> None:
        self.assertEqual(b"$dhcp renew\r\n", self.dialogue.renew())
        self.assertEqual(b"$igw clear\r\n", self.dialogue.clear())
        self.assertFalse(self.dialogue.cleared)
        self.dialogue.received(b"$ack\r\nzIP 0.0.0.0\r\nzIP 192.0.2.72\r\n")
        self.assertTrue(self.dialogue.cleared)
        self.assertEqual([], self.problems)

    def test_the_outcome_of_a_setting_is_told(self) -> None:
        outcomes: list[str] = []
        for reply in (b"ack", b"permission denied", b"err value"):
            said = self.dialogue.set_parameter("4", 3, "20", outcomes.append)
            self.assertEqual(b'$par set "4;3;20"\r\n', said)
            self.dialogue.received(b"zPa N: 4 (T) = 20.0\r\n$" + reply + b"\r\n")
        self.assertEqual(["ack", "permission denied", "err value"], outcomes)
        self.assertEqual([], self.problems)


class ProblemTests(DialogueCase):
    """Whatever should not have come is told."""

    def test_a_reply_of_another_form(self) -> None:
        """It counts as the reply all the same; the next one is judged by its own request."""
        self.open(2)
        said = self.dialogue.received(b"$permission denied\r\n")
        self.assertEqual("$apiversion was answered with 'permission denied'", self.complaint())
        self.assertEqual(b"$setkomm\r\n", said)

    def test_a_reply_that_nobody_asked_for(self) -> None:
        self.open()
        self.dialogue.received(b"$ack\r\n")
        self.assertEqual("a reply that nobody asked for: '$ack'", self.complaint())

    def test_a_line_of_no_known_kind(self) -> None:
        self.open()
        self.dialogue.received(b"\xffhello\r\n")
        self.assertEqual("a line of no known kind: 'ÿhello'", self.complaint())

    def test_replies_in_the_wrong_order(self) -> None:
        self.open(6)
        self.dialogue.received(b"$logging disabled\r\n$daq stopped\r\n")
        self.assertEqual(2, len(self.problems))

    def test_telemetry_that_is_mixed_up_with_something_else(self) -> None:
        self.open()
        self.dialogue.received(b"pm 1 2 $ack\r\n")
        self.assertEqual("a malformed telemetry line: 'pm 1 2 $ack'", self.complaint())

    def test_telemetry_of_another_length_than_described(self) -> None:
        self.open()
        self.dialogue.received(b"pm 1 2 3 0 \r\npm 1 2 0 \r\n")
        self.assertEqual("3 values in a line, 4 described", self.complaint())

    def test_an_incomplete_reply(self) -> None:
        self.open(10)
        self.dialogue.received(b"$KT: 'N'\r\n$SN BCE: '2'\r\n")
        self.assertEqual("$info was answered with 2 lines", self.complaint())

    def test_a_descriptor_that_cannot_be_read(self) -> None:
        for document in (
            b"<DAQPRJ><ANALOG></DAQPRJ>",
            b"<DAQPRJ><ANALOG><CHANNEL id='x'/></ANALOG></DAQPRJ>",
            b"<!DOCTYPE d [<!ENTITY e 'e'>]><DAQPRJ>&e;</DAQPRJ>",
        ):
            self.setUp()
            self.open(7)
            self.dialogue.received(b"$<<" + document + b">>\r\n")
            self.assertIn("the descriptor cannot be read: ", self.complaint())
            self.assertFalse(self.dialogue.described)

    def test_they_are_bounded(self) -> None:
        self.open()
        self.dialogue.received(b"what\r\n" * 1000)
        self.assertEqual(100, len(self.problems))

    @given(st.lists(st.binary() | st.sampled_from([answer for _, answer in OPENING])))
    def test_any_bytes_raise_nothing(self, pieces: list[bytes]) -> None:
        """And what is said is whole requests."""
        dialogue = GatewayDialogue(SERIAL, lambda _: None)
        said = dialogue.begin() + b"".join(dialogue.received(each) for each in pieces)
        self.assertRegex(said, re.compile(rb"\A(\$[^\r\n]+\r\n)+\Z"))
