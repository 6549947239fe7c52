"""A request of the bridge's own among the gateway's: what passes meanwhile, and to whom."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.proxy.arbitration import LONGEST_ANSWER, Arbitration, Piece
from hargassner.proxy.explanations import MOST_PENDING

SET = b'$par set "PR001;6;1"\r\n'
GET = b"$par get PR001\r\n"
RECORD = b"$PR001;6;1;4;1;0;0;0;Mode;Manu;Arr;Ballon;Auto;Arr combustion;0;\r\n"
NOTICES = b"zPa A: PR001 (Mode) = Auto\r\nzPa N: PR001 (Mode) = Arr\r\n"
PM = b"pm 7 65.9 1 \r\n"
KOMM = b"$2225410 ack\r\n"


def passed(pieces: list[Piece]) -> bytes:
    """What the gateway gets."""
    return b"".join(each.data for each in pieces if not each.kept)


def kept(pieces: list[Piece]) -> bytes:
    """What it does not."""
    return b"".join(each.data for each in pieces if each.kept)


def cuts(data: bytes, places: list[int]) -> list[bytes]:
    """The same bytes in other segments."""
    ends = sorted({min(each, len(data)) for each in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


any_cuts = st.lists(st.integers(0, 400), max_size=40)
other_line = st.one_of(
    st.sampled_from([PM, NOTICES, b"\r\n", b"z\r\n", b"\xff\xff\r\n", b"a\rb\nc\r\n", b"$\r\n"]),
    # What begins with $ and is no reply of a form that ours has.
    st.sampled_from([b"$2225410 ack\r\n", b"$no errors\r\n", b"$<<a='\xe9'>\r\n</a>>>\r\n"]),
    st.binary(max_size=60).map(lambda data: b"x" + data.replace(b"\n", b"") + b"\r\n"),
)


class WaitingTests(SynchronousTestCase):
    """The answer's time has not run out: the gateway's bytes wait."""

    def test_the_answer_is_kept_and_the_gateway_gets_the_notices(self) -> None:
        arbitration = Arbitration(SET)
        pieces = arbitration.boiler_sent(NOTICES + b"$ack\r\n" + PM)
        self.assertEqual((NOTICES + PM, b"$ack\r\n"), (passed(pieces), kept(pieces)))
        self.assertEqual((b"$ack", True), (arbitration.answer, arbitration.over))

    def test_a_boilers_segments_are_not_taken_for_lines(self) -> None:
        arbitration = Arbitration(SET)
        pieces = arbitration.boiler_sent(b"zSet Para changed\r\n$a")
        self.assertEqual([Piece(b"zSet Para changed\r\n", False)], pieces)
        self.assertIsNone(arbitration.answer)
        self.assertEqual([Piece(b"$ack\r\n", True)], arbitration.boiler_sent(b"ck\r\n"))

    def test_telemetry_and_notices_pass_as_they_come_in_part_too(self) -> None:
        arbitration = Arbitration(SET)
        for part in (b"pm 7 65", b".9 1 \r", b"\nzP", b"uffer Aus\r\n"):
            self.assertEqual([Piece(part, False)], arbitration.boiler_sent(part))

    def test_every_refusal_is_an_answer(self) -> None:
        for refusal in (b"$permission denied", b"$err limit", b"$Unknown Command"):
            for request in (SET, GET):
                arbitration = Arbitration(request)
                self.assertEqual(
                    kept(arbitration.boiler_sent(refusal + b"\r\n")), refusal + b"\r\n"
                )
                self.assertEqual(arbitration.answer, refusal)

    def test_a_parameter_line_answers_only_who_asked_for_that_parameter(self) -> None:
        arbitration = Arbitration(GET)
        other = RECORD.replace(b"PR001", b"PR011")
        self.assertEqual([Piece(other, False)], arbitration.boiler_sent(other))
        self.assertEqual([Piece(RECORD, True)], arbitration.boiler_sent(RECORD))
        self.assertEqual(arbitration.answer, RECORD[:-2])

    def test_an_acknowledgement_answers_no_question(self) -> None:
        arbitration = Arbitration(GET)
        self.assertEqual([Piece(b"$ack\r\n", False)], arbitration.boiler_sent(b"$ack\r\n"))
        self.assertFalse(arbitration.over)

    def test_the_gateways_bytes_wait_in_order(self) -> None:
        arbitration = Arbitration(SET)
        self.assertEqual(b"", arbitration.gateway_sent(b"$setk"))
        self.assertEqual(b"", arbitration.gateway_sent(b"omm\r\n\xff"))
        self.assertEqual(11, arbitration.waiting)
        arbitration.boiler_sent(b"$ack\r\n")
        self.assertEqual(b"$setkomm\r\n\xff", arbitration.go_on())
        self.assertEqual(b"more", arbitration.gateway_sent(b"more"))

    def test_a_block_is_no_answer_and_passes_at_once(self) -> None:
        arbitration = Arbitration(GET)
        self.assertEqual(b"$<<PR001;6", passed(arbitration.boiler_sent(b"$<<PR001;6")))

    def test_a_line_too_long_for_an_answer_passes(self) -> None:
        arbitration = Arbitration(SET)
        line = b"$err" + b"x" * LONGEST_ANSWER
        self.assertEqual(passed(arbitration.boiler_sent(line)), line)
        self.assertEqual(b"y\r\n", passed(arbitration.boiler_sent(b"y\r\n")))
        self.assertEqual(b"$ack\r\n", kept(arbitration.boiler_sent(b"$ack\r\n")))

    def test_a_notice_that_refuses_is_an_answer_behind_which_a_reply_may_come(self) -> None:
        arbitration = Arbitration(SET)
        notice = b"zERR Boiler A nicht vorhanden\r\n"
        self.assertEqual(passed(arbitration.boiler_sent(notice[:3])), notice[:3])
        self.assertEqual(passed(arbitration.boiler_sent(notice[3:])), notice[3:])
        self.assertEqual((arbitration.answer, arbitration.over), (notice[:-2], False))
        arbitration.go_on()
        self.assertEqual(b"$ack\r\n", kept(arbitration.boiler_sent(b"$ack\r\n")))
        self.assertEqual(arbitration.answer, notice[:-2])

    def test_such_a_notice_refuses_no_question(self) -> None:
        arbitration = Arbitration(GET)
        arbitration.boiler_sent(b"zERR\r\n")
        self.assertIsNone(arbitration.answer)

    @given(st.lists(other_line, max_size=6), st.lists(other_line, max_size=6), any_cuts)
    def test_exactly_the_answer_is_kept_in_any_segmentation(
        self, before: list[bytes], after: list[bytes], places: list[int]
    ) -> None:
        arbitration = Arbitration(SET)
        stream = b"".join(before) + b"$ack\r\n" + b"".join(after)
        pieces = [piece for part in cuts(stream, places) for piece in arbitration.boiler_sent(part)]
        self.assertEqual(passed(pieces), b"".join(before + after))
        self.assertEqual(b"$ack\r\n", kept(pieces))

    @given(st.binary(max_size=400), any_cuts)
    def test_what_is_no_answer_passes_whatever_it_is(self, data: bytes, places: list[int]) -> None:
        arbitration = Arbitration(GET.replace(b"PR001", b"unheard-of"))
        pieces = [piece for part in cuts(data, places) for piece in arbitration.boiler_sent(part)]
        pieces += arbitration.let_pass()
        if arbitration.answer is None:
            self.assertEqual(passed(pieces), data)

    @given(st.lists(st.binary(max_size=50)), st.integers(0, 10), st.booleans())
    def test_the_gateways_bytes_all_pass_in_order(
        self, parts: list[bytes], at: int, answered: bool
    ) -> None:
        """Whether the answer comes or its time runs out, at any moment."""
        arbitration = Arbitration(SET)
        sent = b""
        for number, part in enumerate(parts):
            if number == at:
                if answered:
                    arbitration.boiler_sent(b"$ack\r\n")
                sent += arbitration.go_on()
            sent += arbitration.gateway_sent(part)
        self.assertEqual(sent + arbitration.go_on(), b"".join(parts))


class OwedTests(SynchronousTestCase):
    """The answer's time is up, and the gateway asks again."""

    def late(self, request: bytes, asked: bytes = b"") -> Arbitration:
        """An arbitration whose time ran out, with what the gateway has asked since."""
        arbitration = Arbitration(request)
        self.assertEqual(b"", arbitration.gateway_sent(asked))
        self.assertEqual(arbitration.go_on(), asked)
        return arbitration

    def check(
        self, arbitration: Arbitration, replies: list[bytes], gateway: bytes, bridge: bytes
    ) -> None:
        """Who gets what, and that nothing is owed afterwards."""
        pieces = [piece for each in replies for piece in arbitration.boiler_sent(each)]
        self.assertEqual((passed(pieces), kept(pieces)), (gateway, bridge))
        self.assertTrue(arbitration.over)
        self.assertEqual(arbitration.answer, bridge.removesuffix(b"\r\n") or None)

    def test_a_late_answer_is_kept_from_a_gateway_that_asks_nothing(self) -> None:
        self.check(self.late(SET), [PM + b"$ack\r\n"], PM, b"$ack\r\n")

    def test_a_late_answer_is_kept_and_the_gateways_reply_passes(self) -> None:
        self.check(
            self.late(SET, b"$setkomm\r\n"),
            [b"$ack\r\n$222", b"5410 ack\r\n"],
            b"$2225410 ack\r\n",
            b"$ack\r\n",
        )

    def test_a_reply_to_a_later_request_tells_that_the_answer_is_lost(self) -> None:
        arbitration = self.late(SET, b"$setkomm\r\n")
        self.check(arbitration, [b"$2225410 ack\r\n"], b"$2225410 ack\r\n", b"")
        # From now on even this is the gateway's.
        self.assertEqual([Piece(b"$ack\r\n", False)], arbitration.boiler_sent(b"$ack\r\n"))

    def test_a_reply_that_none_of_them_asked_for_tells_nothing(self) -> None:
        arbitration = self.late(SET, b"$uptime\r\n")
        self.assertEqual(b"$no errors\r\n", passed(arbitration.boiler_sent(b"$no errors\r\n")))
        self.check(arbitration, [b"$ack\r\n"], b"", b"$ack\r\n")

    def test_of_two_acknowledgements_the_first_is_ours(self) -> None:
        arbitration = self.late(SET, b'$par set "4;3;20"\r\n')
        self.assertEqual([], arbitration.boiler_sent(b"$err limit\r\n"))
        self.assertTrue(arbitration.doubtful)
        self.check(arbitration, [PM, b"$ack\r\n"], PM + b"$ack\r\n", b"$err limit\r\n")

    def test_of_one_acknowledgement_the_gateway_gets_it_before_its_next_reply(self) -> None:
        arbitration = self.late(SET, b'$par set "4;3;20"\r\n$setkomm\r\n')
        self.check(
            arbitration,
            [b"$ack\r\n", PM, b"$2225410 ack\r\n"],
            PM + b"$ack\r\n$2225410 ack\r\n",
            b"",
        )

    def test_without_another_reply_the_gateway_gets_it_when_the_time_is_up(self) -> None:
        arbitration = self.late(SET, b'$par set "4;3;20"\r\n')
        arbitration.boiler_sent(b"$ack\r\n")
        self.assertEqual([Piece(b"$ack\r\n", False)], arbitration.decide())
        # Its twin may come all the same, and is one too many.
        self.check(arbitration, [b"$ack\r\n"], b"", b"$ack\r\n")

    def test_it_is_not_put_inside_a_line(self) -> None:
        arbitration = self.late(SET, b"$igw set 0012345\r\n")
        arbitration.boiler_sent(b"$ack\r\npm 7 ")
        self.assertEqual([], arbitration.decide())
        self.assertEqual(b"65.9\r\n$ack\r\n", passed(arbitration.boiler_sent(b"65.9\r\n")))

    def test_the_line_that_has_begun_passes_whole_when_the_time_decides(self) -> None:
        arbitration = self.late(SET, b'$uptime\r\n$par set "4;3;20"\r\n')
        self.assertEqual([], arbitration.boiler_sent(b"$ack\r\n$66"))
        pieces = arbitration.decide()
        self.assertTrue(arbitration.over)
        pieces += arbitration.boiler_sent(b"6151\r\n")
        self.assertEqual((b"$666151\r\n", b"$ack\r\n"), (passed(pieces), kept(pieces)))

    def test_what_passed_of_a_line_when_the_time_decided_does_not_pass_again(self) -> None:
        arbitration = self.late(SET, b'$uptime\r\n$par set "4;3;20"\r\n')
        arbitration.boiler_sent(b"$ack\r\n$66")
        self.assertEqual(b"$66", passed(arbitration.decide()))
        self.assertEqual([], arbitration.let_pass())

    def test_an_acknowledgement_before_an_earlier_reply_is_ours(self) -> None:
        arbitration = self.late(SET, b'$setkomm\r\n$par set "4;3;20"\r\n')
        self.check(arbitration, [b"$ack\r\n", KOMM], KOMM, b"$ack\r\n")

    def test_a_block_for_a_later_request_tells_it_as_it_begins(self) -> None:
        arbitration = self.late(SET, b'$daq desc\r\n$par set "4;3;20"\r\n')
        self.check(arbitration, [b"$<<<DAQ", b"PRJ>\r\n>>\r\n"], b"$<<<DAQPRJ>\r\n>>\r\n", b"")
        self.assertEqual([Piece(b"$ack\r\n", False)], arbitration.boiler_sent(b"$ack\r\n"))

    def test_a_block_decides_about_a_doubtful_reply(self) -> None:
        arbitration = self.late(SET, b"$igw set 0012345\r\n$daq desc\r\n")
        self.check(arbitration, [b"$ack\r\n$<", b"<x>>\r\n"], b"$ack\r\n$<<x>>\r\n", b"")

    def test_a_line_of_those_that_have_changed_is_told_by_its_end(self) -> None:
        asked = b'$par get changed "2023-11-12 18:21:37"\r\n'
        changed = RECORD.removesuffix(b"0;\r\n") + b"\r\n"
        self.check(self.late(GET, asked), [changed, b"$--\r\n"], changed + b"$--\r\n", b"")
        self.check(
            self.late(GET, asked),
            [RECORD, changed, b"$--\r\n"],
            changed + b"$--\r\n",
            RECORD,
        )

    def test_a_line_of_blanks_is_no_request(self) -> None:
        """It has no reply that would tell that ours is lost."""
        arbitration = self.late(SET, b" \r\n")
        self.check(arbitration, [b"$55\r\n", b"$ack\r\n"], b"$55\r\n", b"$ack\r\n")

    def test_a_request_without_a_reply_does_not_count(self) -> None:
        self.check(self.late(SET, b"$dhcp renew\r\n"), [b"$ack\r\n"], b"", b"$ack\r\n")

    def test_what_may_be_an_unknown_requests_too_is_ours_as_it_comes_first(self) -> None:
        arbitration = self.late(SET, b"$frobnicate\r\n")
        self.check(arbitration, [b"$ack\r\n", b"$done\r\n"], b"$done\r\n", b"$ack\r\n")

    @given(
        st.lists(st.sampled_from([PM, KOMM, RECORD, b"$ack\r\n", b"$err limit\r\n", NOTICES])),
        any_cuts,
        st.integers(0, 40),
    )
    def test_no_byte_is_lost_whenever_the_time_decides(
        self, lines: list[bytes], places: list[int], at: int
    ) -> None:
        stream = b"".join(lines)
        arbitration = self.late(SET, b'$setkomm\r\n$par set "4;3;20"\r\n$par get PR001\r\n')
        pieces = []
        for number, part in enumerate(cuts(stream, places)):
            pieces += arbitration.decide() if number == at else []
            pieces += arbitration.boiler_sent(part)
        pieces += arbitration.let_pass()
        gone = sorted((passed(pieces) + kept(pieces)).splitlines())
        self.assertEqual(sorted(stream.splitlines()), gone)

    def test_requests_that_come_after_the_time_ran_out_count_too(self) -> None:
        arbitration = self.late(SET)
        self.assertEqual(b"$upt", arbitration.gateway_sent(b"$upt"))
        self.assertEqual(b"ime\r\n", arbitration.gateway_sent(b"ime\r\n"))
        self.check(arbitration, [b"$55\r\n"], b"$55\r\n", b"")

    def test_what_is_remembered_of_a_gateway_that_asks_without_end_is_bounded(self) -> None:
        arbitration = self.late(SET, b"$uptime\r\n" + b"$igw clear\r\n" * (2 * MOST_PENDING))
        self.check(arbitration, [b"$ack\r\n", b"$55\r\n"], b"$55\r\n", b"$ack\r\n")

    def test_a_boiler_that_closes_leaves_nothing_held(self) -> None:
        arbitration = self.late(SET, b"$igw clear\r\n")
        arbitration.boiler_sent(b"$ack\r\n$a")
        self.assertEqual(b"$ack\r\n$a", passed(arbitration.let_pass()))
        self.assertTrue(arbitration.over)
