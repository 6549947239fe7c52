"""What a broker sends and nobody should: left out of the stream, however it is cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.mqtt.packet_filter import LARGEST, PacketFilter, TooLarge
from tests.mqtt.packets import CONNACK, PONG, length, published

FITTING = published("a", bytes(LARGEST - 3))
TOO_LARGE = published("a", bytes(LARGEST - 2))
ANSWERED = published("a", b"on", qos=1)


def through(found: list[bytes | TooLarge]) -> bytes:
    """The bytes among what was found."""
    return b"".join(each for each in found if isinstance(each, bytes))


class SieveTests(SynchronousTestCase):
    """PacketFilter lets packets through but those that nobody should send."""

    def test_packets_up_to_the_limit_come_through(self) -> None:
        packet_filter = PacketFilter()
        self.assertEqual(
            CONNACK + FITTING + PONG, through(packet_filter.feed(CONNACK + FITTING + PONG))
        )
        self.assertEqual(0, packet_filter.dropped)

    def test_a_packet_past_the_limit_is_left_out_and_what_follows_is_not(self) -> None:
        packet_filter = PacketFilter()
        found = packet_filter.feed(CONNACK + TOO_LARGE + PONG)
        self.assertEqual([CONNACK, TooLarge(b"a"), PONG], found)
        self.assertEqual(1, packet_filter.dropped)

    def test_the_topic_of_one_that_was_retained_is_not_told(self) -> None:
        packet_filter = PacketFilter()
        self.assertEqual([], packet_filter.feed(published("a", bytes(LARGEST), retain=True)))
        self.assertEqual(1, packet_filter.dropped)

    def test_the_longest_topic_is_told(self) -> None:
        topic = "ä" * 32_767 + "a"
        self.assertEqual([TooLarge(topic.encode())], PacketFilter().feed(published(topic, b"")))

    def test_messages_that_would_have_to_be_answered_are_left_out(self) -> None:
        packet_filter = PacketFilter()
        self.assertEqual([PONG], packet_filter.feed(ANSWERED + published("a", b"on", qos=2) + PONG))
        self.assertEqual(2, packet_filter.dropped)

    def test_the_largest_packet_that_mqtt_knows_is_not_kept(self) -> None:
        """Nothing is held of 256 MB while they arrive."""
        packet_filter = PacketFilter()
        size = 268_435_455
        self.assertEqual([], packet_filter.feed(b"\x31" + length(size)))
        piece = bytes(1_000_000)
        while size > 0:
            self.assertEqual([], packet_filter.feed(piece[:size]))
            size -= len(piece)
        self.assertEqual([PONG], packet_filter.feed(PONG))

    def test_a_length_that_is_none_is_left_to_the_engine(self) -> None:
        """Five bytes of length are against MQTT; whoever reads them finds out."""
        nonsense = b"\x30\xff\xff\xff\xff\x7f"
        self.assertEqual(PacketFilter().feed(nonsense), [nonsense])

    @given(st.lists(st.integers(0), max_size=12))
    def test_however_the_stream_is_cut_the_same_comes_through(self, places: list[int]) -> None:
        stream = CONNACK + ANSWERED + TOO_LARGE + FITTING + ANSWERED + PONG
        ends = sorted({0, len(stream), *(place % len(stream) for place in places)})
        packet_filter = PacketFilter()
        found = [each for a, b in pairwise(ends) for each in packet_filter.feed(stream[a:b])]
        self.assertEqual(CONNACK + FITTING + PONG, through(found))
        self.assertEqual(1, found.count(TooLarge(b"a")))
        self.assertEqual(3, packet_filter.dropped)
