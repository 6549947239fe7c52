"""Replies that have gone to the wrong side once: each case by its name.

``B`` is the bridge's request, whose time is up; the gateway has asked since.
"""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.proxy.arbitration import Arbitration, Piece

SET = b'$par set "4;3;20.5"\r\n'
GET = b"$par get 4\r\n"
GATEWAYS_SET = b'$par set "7;3;20"\r\n'
CHANGED = b'$par get changed "2023-11-12 18:21:37"\r\n'
RECORD = b"$4;3;20.500;14.000;26.000;0.500;\xb0C;20.000;0;0;0;Zone 1;0;\r\n"
NOTICES = b"zPa A: 4 (Zone 1) = 20.0\r\nzPa N: 4 (Zone 1) = 20.5\r\n"
ACK, LIMIT, DENIED = b"$ack\r\n", b"$err limit\r\n", b"$permission denied\r\n"


class LateAnswerTests(SynchronousTestCase):
    """What the gateway gets, and what is kept from it."""

    def late(self, request: bytes, asked: bytes) -> Arbitration:
        """An arbitration whose time ran out, with what the gateway has asked since."""
        arbitration = Arbitration(request)
        arbitration.go_on()
        arbitration.gateway_sent(asked)
        return arbitration

    def check(self, arbitration: Arbitration, said: bytes, gateway: bytes, bridge: bytes) -> None:
        """Who gets what of that, in the end."""
        pieces: list[Piece] = arbitration.boiler_sent(said)
        if arbitration.doubtful:
            pieces += arbitration.decide()
        passed = b"".join(each.data for each in pieces if not each.kept)
        kept = b"".join(each.data for each in pieces if each.kept)
        self.assertEqual((passed, kept), (gateway, bridge))

    def test_a_late_refusal_before_the_list_of_changed_parameters_is_ours(self) -> None:
        late = self.late(SET, CHANGED)
        self.check(late, DENIED + b"$--\r\n", b"$--\r\n", DENIED)

    def test_a_late_refusal_of_a_parameter_is_ours_too(self) -> None:
        late = self.late(GET, CHANGED)
        self.check(late, DENIED + b"$--\r\n", b"$--\r\n", DENIED)

    def test_a_notice_that_refuses_the_gateways_set_leaves_the_held_answer_ours(self) -> None:
        refusal = b"zERR 7 nicht vorhanden\r\n"
        late = self.late(SET, GATEWAYS_SET)
        self.assertEqual([], late.boiler_sent(ACK))
        self.check(late, refusal, refusal, ACK)

    def test_a_notice_that_overtakes_a_held_answer_is_told_as_one(self) -> None:
        late = self.late(SET, GATEWAYS_SET + GATEWAYS_SET)
        notice = b"zERR 7 nicht vorhanden\r\n"
        self.assertEqual([], late.boiler_sent(ACK))
        self.assertEqual([Piece(notice, overtakes=True)], late.boiler_sent(notice))

    def test_a_notice_of_our_value_says_that_the_acknowledgement_behind_it_is_ours(self) -> None:
        late = self.late(SET, GATEWAYS_SET)
        self.check(late, NOTICES + ACK, NOTICES, ACK)
        self.check(late, LIMIT, LIMIT, b"")

    def test_a_notice_of_the_gateways_value_says_that_ours_is_lost(self) -> None:
        late = self.late(SET, GATEWAYS_SET)
        notice = b"zPa N: 7 (Zone 2) = 20.0\r\n"
        self.check(late, notice + ACK, notice + ACK, b"")

    def test_a_notice_of_another_value_of_our_parameter_says_nothing(self) -> None:
        late = self.late(SET, GATEWAYS_SET)
        panel = b"zPa N: 4 (Zone 1) = 15.0\r\n"
        self.check(late, panel + ACK, panel + ACK, b"")

    def test_a_late_parameter_line_is_no_active_error(self) -> None:
        late = self.late(GET, b"$erract\r\n")
        self.assertEqual([Piece(RECORD, True)], late.boiler_sent(RECORD))

    def test_a_late_acknowledgement_is_no_active_error(self) -> None:
        late = self.late(SET, b"$erract\r\n")
        self.assertEqual([Piece(ACK, True)], late.boiler_sent(ACK))

    def test_replies_of_a_known_form_are_no_texts_of_active_errors(self) -> None:
        """Else the refusal might be that of ``$uptime``, and the other two be errors."""
        late = self.late(SET, b"$uptime\r\n$erract\r\n" + GATEWAYS_SET)
        notice = b"zERR 4 nicht vorhanden\r\n"
        replies = b"$666151\r\n$no errors\r\n"
        self.check(late, notice + LIMIT + replies, notice + replies, LIMIT)

    def test_both_ways_of_refusal_are_ours_where_the_gateways_reply_follows(self) -> None:
        arbitration = Arbitration(SET)
        notice = b"zERR 4 nicht vorhanden\r\n"
        [piece] = arbitration.boiler_sent(notice)
        self.assertEqual((piece.data, piece.refuses), (notice, True))
        arbitration.go_on()
        arbitration.gateway_sent(GATEWAYS_SET)
        self.check(arbitration, LIMIT + ACK, ACK, LIMIT)

    def test_a_reply_that_stood_for_ours_is_not_told_again_when_its_own_comes(self) -> None:
        """Nothing decides: the gateway gets the first, and exactly one."""
        late = self.late(SET, GATEWAYS_SET)
        self.check(late, ACK, ACK, b"")
        self.check(late, ACK, b"", ACK)
        self.assertTrue(late.over)
