"""Who sent a frame, as far as it says."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.check.frames import Sender, sender

HARDWARE = bytes.fromhex("0024bd010203")
EVERYBODY = b"\xff" * 6
ADDRESS = bytes([192, 168, 1, 30])
ARP = EVERYBODY + HARDWARE + bytes.fromhex("0806 0001 0800 06 04 0001") + HARDWARE + ADDRESS
IPV4 = EVERYBODY + HARDWARE + b"\x08\x00" + bytes([0x45, *range(11)]) + ADDRESS + bytes(4)


class SenderTests(SynchronousTestCase):
    """Frames of a boiler."""

    def test_a_question_for_an_address_says_whose_it_is(self) -> None:
        self.assertEqual(Sender("00:24:bd:01:02:03", "192.168.1.30"), sender(ARP + bytes(28)))

    def test_a_packet_says_its_source(self) -> None:
        self.assertEqual(Sender("00:24:bd:01:02:03", "192.168.1.30"), sender(IPV4))

    def test_who_has_no_address_yet_says_none(self) -> None:
        self.assertIsNone(sender(IPV4.replace(ADDRESS, bytes(4))))

    @given(st.binary(max_size=100))
    def test_any_bytes_raise_nothing(self, frame: bytes) -> None:
        sender(frame)

    @given(st.integers(0, 37))
    def test_a_frame_cut_short_says_none(self, length: int) -> None:
        self.assertIsNone(sender((ARP + bytes(28))[: min(length, 31)]))
