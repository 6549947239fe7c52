"""Dialogues lose their secrets and nothing else, however they are cut."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.recording.redaction import HELD_SEGMENT, LARGEST_HOLD, Redactor, Segment

TOKEN = b"7A3F00C9"
KEY = b"0912F3C4A5D6B7E8091A2B3C4D5E6F7081"
GATEWAY_SERIAL = b"0071234"
IO_SERIAL = b"2900417"
CONTROLLER_SERIAL = b"2900418"
SETKOMM_NUMBER = b"2900416"
SECRETS = (TOKEN, KEY, GATEWAY_SERIAL, IO_SERIAL, CONTROLLER_SERIAL, SETKOMM_NUMBER)

TELEMETRY = b"pm 9 20.0 7.7 65.9 0 62.3 \xb0 008B 0 \r\n"

CONVERSATION = (
    ("boiler", TELEMETRY),
    ("gateway", b"$login token\r\n"),
    ("boiler", TELEMETRY + b"$" + TOKEN + b"\r\n"),
    ("gateway", b"$login key " + KEY + b"\r\n"),
    ("boiler", b"zclient login (7321)\r\n$ack\r\n"),
    ("gateway", b"$setkomm\r\n"),
    ("boiler", b"$" + SETKOMM_NUMBER + b" ack\r\n"),
    ("gateway", b"$igw set " + GATEWAY_SERIAL + b"\r\n"),
    ("boiler", b"$ack\r\nzigw " + GATEWAY_SERIAL + b"\r\n"),
    ("gateway", b"$daq stop\r\n$logging disable\r\n"),
    ("boiler", b"$daq stopped\r\n" + TELEMETRY + b"$logging disabled\r\n"),
    ("gateway", b"$info\r\n"),
    ("boiler", b"$KT: 'Nano.2(.3) 15'\r\n$SWV: 'V14.0n3'\r\n$FWV I/O: 'V1.2.8'\r\n"),
    ("boiler", b"$SN I/O: '" + IO_SERIAL + b"'\r\n$SN BCE: '" + CONTROLLER_SERIAL + b"'\r\n"),
    ("gateway", b"$uptime\r\n"),
    ("boiler", b"$666151\r\n"),
    ("gateway", b"$par get PR011\r\n"),
    ("boiler", b"$PR011;6;0;2;1;0;0;0;Zone 1 Mode;Arr;Auto;R\xe9duire;0;\r\n" + TELEMETRY),
)


def redacted(segments, seed=1):
    """What becomes of segments by the end of their session."""
    redactor = Redactor(random.Random(seed).choice)
    passed = [each for segment in segments for each in redactor.passed(*segment)]
    return passed + redactor.over()


def said_by(direction, segments):
    """One side's bytes, joined."""
    return b"".join(each.data for each in segments if each.direction == direction)


def one_piece(direction, data, seed=1):
    """What becomes of bytes that one side says at once."""
    return said_by(direction, redacted([(0.0, direction, data)], seed))


def cut_anywhere(draw):
    """The conversation, cut into segments anywhere, one a second."""
    segments = []
    for direction, text in CONVERSATION:
        places = sorted(draw(st.sets(st.integers(1, len(text) - 1), max_size=12)))
        for start, end in pairwise([0, *places, len(text)]):
            segments.append((float(len(segments)), direction, text[start:end]))
    return segments


class SecretsTests(SynchronousTestCase):
    """What is secret, and what it becomes."""

    def test_a_login_key_is_replaced(self):
        """Of a key nothing is left but its length and its being hexadecimal digits."""
        said = one_piece("gateway", b"$login key " + KEY + b"\r\n")
        self.assertRegex(said, rb"\A\$login key [0-9A-F]{34}\r\n\Z")
        self.assertNotIn(KEY, said)

    def test_requests_are_known_in_any_case(self):
        """The boiler takes requests in capitals too, so they are no way around."""
        self.assertNotIn(KEY, one_piece("gateway", b"$LOGIN  KEY " + KEY + b"\r\n"))

    def test_a_key_is_secret_to_the_end_of_its_line(self):
        """Quotes and blanks do not end a key."""
        said = one_piece("gateway", b"$login key 'abc' d3f\xe9gh'ijk\r\n")
        self.assertEqual([], [word for word in (b"abc", b"d3f", b"gh", b"ijk") if word in said])
        self.assertEqual(len(said), len(b"$login key 'abc' d3f\xe9gh'ijk\r\n"))

    def test_a_token_is_replaced(self):
        """The reply to a request for a token is secret; notices and telemetry before it are not."""
        segments = redacted(
            [
                (0.0, "gateway", b"$login token\r\n"),
                (1.0, "boiler", TELEMETRY + b"z0815\r\n$" + TOKEN + b"\r\n"),
            ]
        )
        said = said_by("boiler", segments)
        self.assertTrue(said.startswith(TELEMETRY + b"z0815\r\n$"))
        self.assertRegex(said[len(TELEMETRY) + 7 :], rb"\A\$[0-9A-F]{8}\r\n\Z")
        self.assertNotIn(TOKEN, said)

    def test_a_token_without_a_decimal_digit_is_replaced(self):
        """Eight hexadecimal digits can be letters only."""
        segments = redacted(
            [(0.0, "gateway", b"$login token\r\n"), (1.0, "boiler", b"$ABCDEFAB\r\n")]
        )
        self.assertNotIn(b"ABCDEFAB", said_by("boiler", segments))

    def test_a_number_asked_for_after_the_login_stays(self):
        """Once the key was sent, bare numbers such as the uptime are no tokens."""
        segments = redacted(
            [
                (0.0, "gateway", b"$login token\r\n"),
                (1.0, "boiler", b"$" + TOKEN + b"\r\n"),
                (2.0, "gateway", b"$login key " + KEY + b"\r\n"),
                (3.0, "boiler", b"$ack\r\n"),
                (4.0, "gateway", b"$uptime\r\n"),
                (5.0, "boiler", b"$666151\r\n"),
            ]
        )
        self.assertEqual(b"$666151\r\n", segments[-1].data)

    def test_a_key_sent_before_the_token_came_changes_nothing(self):
        """Whoever does not wait for the token does not get it recorded."""
        segments = redacted(
            [
                (0.0, "gateway", b"$login token\r\n$login key 1\r\n"),
                (1.0, "boiler", b"$" + TOKEN + b"\r\n"),
            ]
        )
        self.assertNotIn(TOKEN, said_by("boiler", segments))

    def test_serial_numbers_are_replaced(self):
        """Those of the boiler's boards and of the gateway become other numbers."""
        for direction, text in (
            ("boiler", b"$SN I/O: '%s'\r\n"),
            ("boiler", b"$SN BCE: '%s'\r\n"),
            ("boiler", b"zSN:%s\r\n"),
            ("boiler", b"$%s ack\r\n"),
            ("gateway", b"$igw set %s\r\n"),
            ("gateway", b"serialnr:%s\r\n"),
        ):
            said = one_piece(direction, text % b"2900417")
            before, after = text.split(b"%s")
            self.assertTrue(said.startswith(before) and said.endswith(after), said)
            self.assertRegex(said[len(before) : len(said) - len(after)], rb"\A[0-9]{7}\Z")
            self.assertNotIn(b"2900417", said)

    def test_the_installations_number_is_replaced(self):
        """The reply to ``$asnr get`` is a serial number, where it is anything; the next is not."""
        segments = redacted(
            [
                (0.0, "gateway", b"$asnr get\r\n"),
                (1.0, "boiler", b"$0123456\r\n"),
                (2.0, "gateway", b"$uptime\r\n"),
                (3.0, "boiler", b"$0666151\r\n"),
            ]
        )
        self.assertNotEqual(b"$0123456\r\n", segments[1].data)
        self.assertEqual(b"$0666151\r\n", segments[3].data)

    def test_a_secret_is_replaced_wherever_it_is_said_again(self):
        """The replacement is the same each time, and for each secret another."""
        said = one_piece("boiler", b"$SN I/O: '2900417'\r\nzBoard 2900417, 2900418\r\n")
        replacement = said[len(b"$SN I/O: '") :][:7]
        self.assertEqual(
            said, b"$SN I/O: '" + replacement + b"'\r\nzBoard " + replacement + b", 2900418\r\n"
        )

    def test_replacements_cannot_be_computed(self):
        """They are chosen anew each time: a number of seven digits could be found by trying all."""
        line = b"$SN I/O: '2900417'\r\n"
        self.assertNotEqual(one_piece("boiler", line, seed=1), one_piece("boiler", line, seed=2))


class SegmentsTests(SynchronousTestCase):
    """Segments come out as they went in."""

    def test_a_finished_line_is_given_at_once(self):
        """Nothing waits for more than it must."""
        redactor = Redactor(random.Random(1).choice)
        self.assertEqual(
            [Segment(1.5, "boiler", TELEMETRY)], redactor.passed(1.5, "boiler", TELEMETRY)
        )

    def test_an_unfinished_line_is_held_and_what_follows_with_it(self):
        """The order in which segments passed is kept over both directions."""
        redactor = Redactor(random.Random(1).choice)
        self.assertEqual([], redactor.passed(1.0, "gateway", b"$set"))
        self.assertEqual([], redactor.passed(2.0, "boiler", TELEMETRY))
        self.assertEqual(
            [
                Segment(1.0, "gateway", b"$set"),
                Segment(2.0, "boiler", TELEMETRY),
                Segment(3.0, "gateway", b"komm\r\n"),
            ],
            redactor.passed(3.0, "gateway", b"komm\r\n"),
        )

    def test_a_line_end_cut_in_two_holds_nothing(self):
        """A carriage return ends a line for this purpose, and so does a line feed."""
        redactor = Redactor(random.Random(1).choice)
        segments = redactor.passed(1.0, "gateway", b"$setkomm\r")
        segments += redactor.passed(2.0, "gateway", b"\n")
        self.assertEqual([b"$setkomm\r", b"\n"], [each.data for each in segments])

    @given(st.data())
    def test_any_segmentation_leaks_nothing_and_changes_nothing_else(self, data):
        """However a session is cut, its secrets go, and lengths, times and other bytes stay."""
        segments = cut_anywhere(data.draw)
        result = redacted(segments, data.draw(st.integers(0, 1000)))
        self.assertEqual(
            [(each.time, each.direction, len(each.data)) for each in result],
            [(time, direction, len(text)) for time, direction, text in segments],
        )
        for direction in ("gateway", "boiler"):
            original = b"".join(text for _, by, text in segments if by == direction)
            said = said_by(direction, result)
            for secret in SECRETS:
                self.assertNotIn(secret, said)
            # With the secrets' places made alike, nothing differs.
            for secret in SECRETS:
                start = original.find(secret)
                while start >= 0:
                    end = start + len(secret)
                    gap = bytes(len(secret))
                    original = original[:start] + gap + original[end:]
                    said = said[:start] + gap + said[end:]
                    start = original.find(secret)
            self.assertEqual(said, original)

    @given(st.data())
    def test_the_segmentation_makes_no_difference_to_what_is_said(self, data):
        """The same choices give the same text, cut anywhere or not at all."""
        whole = [(0.0, direction, text) for direction, text in CONVERSATION]
        cut = redacted(cut_anywhere(data.draw))
        for direction in ("gateway", "boiler"):
            self.assertEqual(said_by(direction, cut), said_by(direction, redacted(whole)))

    @given(
        st.lists(
            st.tuples(
                st.floats(0, 1e6),
                st.sampled_from(["gateway", "boiler"]),
                st.one_of(
                    st.binary(max_size=40),
                    st.sampled_from([b"$login token\r\n", b"$", b"sn:", b"igw set ", b"\n", b"'"]),
                ),
            ),
            max_size=30,
        )
    )
    def test_any_bytes_keep_their_place(self, segments):
        """Whatever is said comes out at its time, by its sender, in its length."""
        self.assertEqual(
            [(each.time, each.direction, len(each.data)) for each in redacted(segments)],
            [(time, direction, len(text)) for time, direction, text in segments],
        )


class BoundTests(SynchronousTestCase):
    """What is held back is bounded, and what is given up is not leaked."""

    def test_an_endless_line_is_given_up(self):
        """All of its bytes become placeholders, those that come later at once."""
        redactor = Redactor(random.Random(1).choice)
        kilobyte = b"$login key " + b"7" * 1013
        segments = []
        passed = 0
        while not segments:
            segments = redactor.passed(0.0, "gateway", kilobyte)
            passed += 1
        self.assertLess(passed, LARGEST_HOLD // 1024 + 2)
        self.assertEqual([each.data for each in segments], [b"?" * 1024] * passed)
        for _ in range(3):
            [segment] = redactor.passed(1.0, "gateway", b"777")
            self.assertEqual(b"???", segment.data)
        self.assertEqual(1, redactor.given_up)

    def test_the_line_after_an_endless_one_is_read_again(self):
        """A line that was given up ends at its line end."""
        redactor = Redactor(random.Random(1).choice)
        redactor.passed(0.0, "boiler", b"x" * (LARGEST_HOLD + 1))
        [segment] = redactor.passed(1.0, "boiler", b"xyz\r\n" + TELEMETRY)
        self.assertEqual(b"?????" + TELEMETRY, segment.data)

    def test_a_line_can_end_in_a_carriage_return_alone(self):
        """Its segments are held no longer than it."""
        redactor = Redactor(random.Random(1).choice)
        self.assertEqual([], redactor.passed(0.0, "gateway", b"$upt"))
        released = redactor.passed(1.0, "gateway", b"ime\r$rtc")
        self.assertEqual([b"$upt"], [each.data for each in released])

    def test_a_long_line_is_judged_in_one_pass(self):
        """No content makes judging a line take more than its length (this test would not end)."""
        size = LARGEST_HOLD - 1024
        for text in (
            b"$" + b"1" * size + b"!\n",
            b"$" + b"g" * size + b"\n",
            b"$" + b" " * size + b"!\n",
            b"sn" * (size // 2) + b"\n",
            b"login " * (size // 6) + b"\n",
            b"a" * size + b"!",
        ):
            redactor = Redactor(random.Random(1).choice)
            redactor.passed(0.0, "gateway", b"$login token\r\n")
            segments = redactor.passed(1.0, "boiler", text) + redactor.over()
            self.assertEqual([each.data for each in segments], [text])

    def test_what_is_too_long_for_a_secret_becomes_placeholders(self):
        """It is not made up letter by letter."""
        said = one_piece("gateway", b"$igw set " + b"7" * 1000 + b"\r\n")
        self.assertEqual(b"$igw set " + b"?" * 1000 + b"\r\n", said)

    def test_many_tiny_segments_are_bounded_too(self):
        """A segment costs memory beside its content."""
        redactor = Redactor(random.Random(1).choice)
        most = LARGEST_HOLD // (HELD_SEGMENT + 1)
        for _ in range(most):
            self.assertEqual([], redactor.passed(0.0, "gateway", b"x"))
        self.assertEqual(len(redactor.passed(0.0, "gateway", b"x")), most + 1)

    def test_one_sides_unfinished_line_does_not_hold_the_other_for_ever(self):
        """It is the unfinished line that is given up, not what the other side said."""
        redactor = Redactor(random.Random(1).choice)
        redactor.passed(0.0, "gateway", b"$log")
        segments = []
        while not segments:
            segments = redactor.passed(1.0, "boiler", TELEMETRY)
        self.assertEqual(b"????", segments[0].data)
        self.assertEqual({TELEMETRY}, {each.data for each in segments[1:]})

    def test_both_sides_unfinished_lines_are_given_up_if_need_be(self):
        """What is held is within its bound whenever a segment has passed."""
        redactor = Redactor(random.Random(1).choice)
        redactor.passed(0.0, "gateway", b"$log")
        segments = redactor.passed(1.0, "boiler", b"x" * (LARGEST_HOLD + 1))
        self.assertEqual([b"????", b"?" * (LARGEST_HOLD + 1)], [each.data for each in segments])

    def test_what_is_held_no_more_weighs_nothing(self):
        """However many lines are cut in two."""
        redactor = Redactor(random.Random(1).choice)
        for _ in range(2 * LARGEST_HOLD // HELD_SEGMENT):
            redactor.passed(0.0, "boiler", b"z")
            redactor.passed(0.0, "boiler", b"1\r\n")
        self.assertEqual(0, redactor.given_up)

    def test_a_request_that_was_given_up_may_have_asked_for_a_token(self):
        """What could be its answer is replaced."""
        redactor = Redactor(random.Random(1).choice)
        redactor.passed(0.0, "gateway", b"$login tok")
        redactor.passed(1.0, "boiler", TELEMETRY * (LARGEST_HOLD // len(TELEMETRY)))
        redactor.passed(2.0, "gateway", b"en\r\n")
        [segment] = redactor.passed(3.0, "boiler", b"$" + TOKEN + b"\r\n")
        self.assertNotIn(TOKEN, segment.data)


class UnfinishedTests(SynchronousTestCase):
    """A session can end within a line."""

    def test_the_beginning_of_a_key_is_replaced(self):
        """What came of a key is as secret as all of it."""
        said = one_piece("gateway", b"$login key " + KEY[:20])
        self.assertEqual(31, len(said))
        self.assertNotIn(KEY[:20], said)

    def test_the_beginning_of_a_serial_number_is_replaced(self):
        """The closing quote need not have come."""
        self.assertNotIn(b"29004", one_piece("boiler", b"$SN BCE: '29004"))

    def test_the_beginning_of_a_secret_said_before_is_replaced(self):
        """A number that is said again is not told in part either."""
        said = one_piece("boiler", b"$SN BCE: '2900418'\r\nzBoard 29004")
        self.assertEqual(said[-5:], said[10:15])

    def test_other_unfinished_lines_stay(self):
        """They are told as they came."""
        self.assertEqual(b"pm 9 20.0 7", one_piece("boiler", b"pm 9 20.0 7"))
