"""What a broker sends and nobody should: left out of the stream, however it is cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.mqtt.sieve import LARGEST, Sieve
from tests.mqtt.packets import LET_IN, PONG, length, published

FITTING = published("a", bytes(LARGEST - 3))
TOO_LARGE = published("a", bytes(LARGEST - 2))
ANSWERED = published("a", b"on", qos=1)


class SieveTests(SynchronousTestCase):
    """Sieve lets packets through but those that nobody should send."""

    def test_packets_up_to_the_limit_come_through(self) -> None:
        sieve = Sieve()
        self.assertEqual(sieve.feed(LET_IN + FITTING + PONG), LET_IN + FITTING + PONG)
        self.assertEqual(sieve.dropped, 0)

    def test_a_packet_past_the_limit_is_left_out_and_what_follows_is_not(self) -> None:
        sieve = Sieve()
        self.assertEqual(sieve.feed(LET_IN + TOO_LARGE + PONG), LET_IN + PONG)
        self.assertEqual(sieve.dropped, 1)

    def test_messages_that_would_have_to_be_answered_are_left_out(self) -> None:
        sieve = Sieve()
        self.assertEqual(sieve.feed(ANSWERED + published("a", b"on", qos=2) + PONG), PONG)
        self.assertEqual(sieve.dropped, 2)

    def test_the_largest_packet_that_mqtt_knows_is_not_kept(self) -> None:
        """Nothing is held of 256 MB while they arrive."""
        sieve = Sieve()
        size = 268_435_455
        self.assertEqual(sieve.feed(b"\x30" + length(size)), b"")
        piece = bytes(1_000_000)
        while size > 0:
            self.assertEqual(sieve.feed(piece[:size]), b"")
            size -= len(piece)
        self.assertEqual(sieve.feed(PONG), PONG)

    def test_a_length_that_is_none_is_left_to_the_engine(self) -> None:
        """Five bytes of length are against MQTT; whoever reads them finds out."""
        nonsense = b"\x30\xff\xff\xff\xff\x7f"
        self.assertEqual(Sieve().feed(nonsense), nonsense)

    @given(st.lists(st.integers(0), max_size=12))
    def test_however_the_stream_is_cut_the_same_comes_through(self, places: list[int]) -> None:
        stream = LET_IN + ANSWERED + TOO_LARGE + FITTING + ANSWERED + PONG
        ends = sorted({0, len(stream), *(place % len(stream) for place in places)})
        sieve = Sieve()
        through = b"".join(sieve.feed(stream[a:b]) for a, b in pairwise(ends))
        self.assertEqual(through, LET_IN + FITTING + PONG)
        self.assertEqual(sieve.dropped, 3)
