"""Recordings from the boiler's SD card."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.recording import sdcard
from hargassner.recording.sdcard import (
    Record,
    SdCardError,
    is_sdcard_recording,
    read_sdcard,
)

HEADER = b"<HISDAQ-V0.1;COMPRESSION(TOKEN-ESC(4B, 0x10, 6, 13, 13))>\r\n"
DOCUMENT = b"<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK'/></ANALOG></DAQPRJ>"
BEGINNING = HEADER + DOCUMENT + b"\r\n"

LONGEST = (1 << 13) - 1


def token(distance: int, length: int) -> bytes:
    """A reference to earlier text."""
    return (0b000100 << 26 | distance << 13 | length).to_bytes(4, "big")


def compress(text: bytes) -> bytes:
    """The text with every repetition replaced that a simple search finds."""
    places: dict[bytes, int] = {}
    compressed = bytearray()
    position = 0
    while position < len(text):
        beginning = text[position : position + 5]
        source = places.get(beginning)
        places[beginning] = position
        length = 0
        if source is not None and position - source <= LONGEST:
            while (
                length < LONGEST
                and position + length < len(text)
                and text[source + length] == text[position + length]
            ):
                length += 1
        if source is not None and length > 4:
            compressed += token(position - source, length)
            position += length
        else:
            compressed.append(text[position])
            position += 1
    return bytes(compressed)


def records_of(content: bytes) -> list[Record]:
    """All records of a recording."""
    return list(read_sdcard(content).records)


def record(payload: bytes, second: int = 0) -> bytes:
    """A record as it stands in the text."""
    return b"2019-10-07_16:52:%02d " % second + payload + b"\r\n"


class ReadingTests(SynchronousTestCase):
    """A sound recording gives its descriptor and its records."""

    def test_plain_text(self) -> None:
        """A recording in which nothing repeats has no token."""
        recording = read_sdcard(BEGINNING + record(b"pm 8 0000 ") + record(b"zPuffer Aus", 1))
        self.assertEqual(DOCUMENT, recording.document)
        self.assertEqual(
            [
                Record("2019-10-07 16:52:00", b"pm 8 0000 "),
                Record("2019-10-07 16:52:01", b"zPuffer Aus"),
            ],
            list(recording.records),
        )

    def test_a_token_repeats_what_stands_before(self) -> None:
        """Its distance counts back from where it stands."""
        text = record(b"pm 8 0000 ")
        [first, second] = records_of(BEGINNING + text + token(len(text), len(text)))
        self.assertEqual(first, second)

    def test_a_copy_may_run_into_itself(self) -> None:
        """Then it repeats what it has just written."""
        [only] = records_of(BEGINNING + b"2019-10-07_16:52:00 pm 1 " + token(2, 9) + b"\r\n")
        self.assertEqual(b"pm 1 1 1 1 1 1", only.payload)

    def test_a_line_feed_alone_ends_no_record(self) -> None:
        """Some notices have one inside."""
        [only] = records_of(BEGINNING + record(b"zfirst\nsecond"))
        self.assertEqual(b"zfirst\nsecond", only.payload)

    def test_what_is_cut_short_is_left_out(self) -> None:
        """The records before it are there, wherever the file ends."""
        text = record(b"pm 8 0000 ")
        whole = BEGINNING + text + token(len(text), len(text))
        for end in range(len(BEGINNING + text), len(whole)):
            self.assertEqual(1, len(records_of(whole[:end])))

    def test_a_recording_is_known_by_its_beginning(self) -> None:
        """A descriptor alone is none."""
        self.assertTrue(is_sdcard_recording(HEADER))
        self.assertFalse(is_sdcard_recording(DOCUMENT))

    @given(
        st.lists(st.text(alphabet="pm 0129.\n\xb0", max_size=60), max_size=30), st.integers(1, 40)
    )
    def test_what_is_compressed_is_read(self, payloads: list[str], times: int) -> None:
        """All records come back, with repetitions within and between them."""
        lines = [payload.encode("latin-1") for payload in payloads] * times
        recording = read_sdcard(compress(BEGINNING + b"".join(map(record, lines))))
        self.assertEqual(DOCUMENT, recording.document)
        self.assertEqual([each.payload for each in recording.records], lines)

    def test_repetitions_from_far_back(self) -> None:
        """As far back as a token can tell, in a text much longer than that."""
        filler = [record(b"z%d" % number * 30) for number in range(4000)]
        text = BEGINNING + b"".join(filler)
        [*_, last] = records_of(text + b"2019-10-07_16:52:00 " + token(LONGEST, 20) + b"\r\n")
        end = text + b"2019-10-07_16:52:00 "
        self.assertEqual(last.payload, end[-LONGEST:][:20])


class DamageTests(SynchronousTestCase):
    """A damaged recording is refused with a sentence that says where."""

    def assert_refused(self, content: bytes, why: str) -> None:
        """The error's text contains ``why``."""
        self.assertIn(why, str(self.assertRaises(SdCardError, records_of, content)))

    def test_other_files(self) -> None:
        """Nothing, another beginning, another compression, no descriptor."""
        self.assert_refused(b"", "no SD card recording")
        self.assert_refused(DOCUMENT + b"\r\n", "no SD card recording")
        self.assert_refused(b"<HISDAQ-V9;COMPRESSION(ZIP)>\r\n", "format is not known")
        self.assert_refused(HEADER + record(b"pm 8 "), "no descriptor")

    def test_references_to_nothing(self) -> None:
        """A token can refer to the text before it only."""
        self.assert_refused(BEGINNING + token(5000, 3), f"damaged at byte {len(BEGINNING)}")
        self.assert_refused(BEGINNING + token(0, 3), f"damaged at byte {len(BEGINNING)}")

    def test_records_without_time(self) -> None:
        """The line is named."""
        self.assert_refused(BEGINNING + record(b"pm 8 ") + b"pm 9 \r\n", "line 4 has no time")

    def test_records_before_the_damage_are_given(self) -> None:
        """Only then the error comes."""
        records = read_sdcard(BEGINNING + record(b"pm 8 ") + b"pm 9 \r\n").records
        self.assertEqual(b"pm 8 ", next(records).payload)
        self.assertRaises(SdCardError, next, records)

    def test_endless_lines(self) -> None:
        """A line has a largest size, however few bytes it is compressed to."""
        self.assert_refused(BEGINNING + b"x" + token(1, LONGEST) * 200, "a line has more than")

    def test_endless_texts(self) -> None:
        """So has the text."""
        self.patch(sdcard, "LARGEST_TEXT", 100_000)
        text = record(b"z" * 100)
        self.assert_refused(BEGINNING + text + token(len(text), LONGEST) * 20, "more than 100000")

    @given(st.binary(max_size=200))
    def test_any_bytes(self, content: bytes) -> None:
        """Nothing but the one error is raised."""
        try:
            records_of(BEGINNING + content)
        except SdCardError as error:
            self.assertIn("damaged", str(error))
