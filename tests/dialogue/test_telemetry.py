"""Telemetry lines as readings."""

import tracemalloc
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.channels import (
    AnalogChannel,
    Descriptor,
    DigitalChannel,
    LengthMismatch,
    Placement,
    Reading,
)
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.telemetry import Decoder
from tests.shared import shared_file


def descriptor_of(*names: str, words: int = 1, decimals: int | None = None) -> Descriptor:
    """Analog channels of these names, and words of which bits 0, 3 and 31 are described."""
    return Descriptor(
        analog=tuple(
            AnalogChannel(name, name, place, "", decimals) for place, name in enumerate(names)
        ),
        digital=tuple(
            DigitalChannel(f"w{word}b{bit}", f"W{word}B{bit}", word, bit)
            for word in range(words)
            for bit in (0, 3, 31)
        ),
        analog_values=len(names),
        words=words,
    )


def encode(tokens: Sequence[str], words: Sequence[int] = ()) -> bytes:
    """A line in the boiler's own form: a blank behind every value, words in hexadecimal."""
    values = [*tokens, *(f"{word:X}" for word in words)]
    return ("pm " + "".join(f"{value} " for value in values)).encode("latin-1")


def shown(readings: Sequence[Reading]) -> dict[str, str]:
    """The texts, by object."""
    return {reading.channel.object: reading.text for reading in readings}


def values_of(readings: Sequence[Reading]) -> dict[str, float | int | bool | None]:
    """The values, by object."""
    return {reading.channel.object: reading.value for reading in readings}


class NumberTests(SynchronousTestCase):
    """Analog values are decimal numbers."""

    def value(self, token: str) -> float | int | bool | None:
        """What one channel makes of a token that it keeps as its text."""
        [reading] = Decoder(descriptor_of("TK", words=0)).decode(encode([token]))
        self.assertEqual(reading.text, token)
        return reading.value

    def test_the_text_is_kept_beside_the_number(self) -> None:
        """The boiler's precision is not lost."""
        self.assertEqual(65.7, self.value("65.70"))
        self.assertEqual(-20.0, self.value("-20.0"))

    def test_whole_numbers_are_whole(self) -> None:
        """Without a point there is an int."""
        value = self.value("9")
        self.assertIsInstance(value, int)
        self.assertEqual(9, value)

    def test_minus_zero_is_zero(self) -> None:
        """Some boilers send it."""
        self.assertEqual(0, self.value("-0"))

    def test_what_is_no_number_is_unknown(self) -> None:
        """Nothing is guessed, though Python would read some of these as numbers."""
        for token in (
            "nan",
            "inf",
            "-inf",
            "1_000",
            "1E1",
            "+5",
            "5.",
            ".5",
            "-",
            "--",
            "1,5",
            "0x1",
        ):
            self.assertIsNone(self.value(token), token)
        for token in ("\xb2", "12\0", "\0", "4\xa0", "9" * 30):
            self.assertIsNone(self.value(token), token)

    def test_a_token_without_end_is_cut(self) -> None:
        """Its beginning is enough to show."""
        [reading] = Decoder(descriptor_of("TK", words=0)).decode(encode(["9" * 60_000]))
        self.assertIsNone(reading.value)
        self.assertLess(len(reading.text), 100)

    def test_one_unknown_value_leaves_the_others_known(self) -> None:
        """The line is decoded all the same."""
        decoder = Decoder(descriptor_of("TK", "O2"))
        readings = decoder.decode(b"pm 48.5 ??? 9 ")
        self.assertEqual(
            {"TK": "48.5", "O2": "???", "w0b0": "ON", "w0b3": "ON", "w0b31": "OFF"}, shown(readings)
        )
        self.assertIsNone(decoder.mismatch)


class WordTests(SynchronousTestCase):
    """Digital words are hexadecimal, and each described bit is a channel."""

    def setUp(self) -> None:
        """A boiler with one word only."""
        self.decoder = Decoder(descriptor_of())

    def on(self, token: str) -> list[str]:
        """The channels that are on in the first line with this word."""
        readings = Decoder(descriptor_of()).decode(encode([token]))
        return [reading.channel.object for reading in readings if reading.value is True]

    def test_a_word_that_looks_decimal_is_not(self) -> None:
        """0x1000 has bit 12 and 1E1 is no exponent."""
        self.assertEqual([], self.on("1000"))
        self.assertEqual(["w0b0", "w0b3"], self.on("9"))
        self.assertEqual(["w0b0"], self.on("1E1"))

    def test_words_are_padded_or_not(self) -> None:
        """Older firmware sends four digits, newer as many as it takes."""
        self.assertEqual(["w0b3"], self.on("0008"))
        self.assertEqual(["w0b3"], self.on("8"))
        self.assertEqual(["w0b0", "w0b31"], self.on("80000001"))

    def test_only_bits_that_changed_are_told(self) -> None:
        """The other bits of the word are no news."""
        self.decoder.decode(b"pm 1 ")
        self.assertEqual({"w0b3": "ON"}, shown(self.decoder.decode(b"pm 9 ")))
        self.assertEqual(
            {"w0b0": "OFF", "w0b31": "ON"}, shown(self.decoder.decode(b"pm 80000008 "))
        )

    def test_another_spelling_is_no_change(self) -> None:
        """Nor is a bit that nobody has described."""
        self.decoder.decode(b"pm a ")
        self.assertEqual([], self.decoder.decode(b"pm 000A "))
        self.assertEqual([], self.decoder.decode(b"pm 000E "))

    def test_the_last_lines_words_are_there_as_they_came(self) -> None:
        """A word that is not known is an empty one; another spelling is another word."""
        decoder = Decoder(descriptor_of(*"abcdef", words=2, decimals=0))
        self.assertEqual(("", ""), decoder.words)
        decoder.decode(b"pm 1 2 3 4 5 6 000A ff ")
        self.assertEqual(("000A", "ff"), decoder.words)
        decoder.decode(b"pm 1 2 3 4 5 6 000A 0 ")
        self.assertEqual(("000A", "0"), decoder.words)
        decoder.decode(b"pm 1 2 3 4 5 ")
        self.assertEqual(("", ""), decoder.words)

    def test_what_is_no_word_is_unknown(self) -> None:
        """Too wide, not hexadecimal, negative: then all its channels are, and come back whole."""
        for token in (b"100000000", b"G", b"-1", b"1.0", b"0x1", b"1_0"):
            self.decoder.decode(b"pm 1 ")
            unknown = self.decoder.decode(b"pm " + token + b" ")
            self.assertEqual({"w0b0": None, "w0b3": None, "w0b31": None}, values_of(unknown))
            self.assertEqual(shown(unknown)["w0b0"], token.decode())
            known = self.decoder.decode(b"pm 1 ")
            self.assertEqual({"w0b0": True, "w0b3": False, "w0b31": False}, values_of(known))


class SeveralWordsTests(SynchronousTestCase):
    """A line with several digital words."""

    def test_none_is_told_where_one_of_them_is_none(self) -> None:
        """Such a line is damaged, and a fault's bit may be anything."""
        for damaged in (b"pm G 8 ", b"pm 8 G ", b"pm 9 G "):
            with self.subTest(damaged=damaged):
                decoder = Decoder(descriptor_of(words=2))
                decoder.decode(b"pm 1 1 ")
                decoder.decode(damaged)
                told = values_of(decoder.decode(b"pm 1 1 "))
                self.assertEqual(6, len(told))
                self.assertEqual({None}, {*values_of(decoder.decode(damaged)).values()})


class BoundTests(SynchronousTestCase):
    """What is kept for reuse."""

    def test_long_tokens_are_not_kept(self) -> None:
        decoder = Decoder(descriptor_of("TK", words=0))
        tracemalloc.start()
        try:
            for number in range(200):
                decoder.decode(b"pm " + b"%d" % number * 10_000 + b" ")
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(held, 1 << 20)


class ChangeTests(SynchronousTestCase):
    """A decoder gives what is new."""

    def setUp(self) -> None:
        """A boiler with more values than are compared at once."""
        self.descriptor = descriptor_of(*(f"a{place}" for place in range(30)), words=2)
        self.decoder = Decoder(self.descriptor)
        self.tokens = [f"{place}.0" for place in range(30)]

    def test_the_first_line_gives_everything(self) -> None:
        """In the order of the line."""
        readings = self.decoder.decode(encode(self.tokens, [0, 0]))
        self.assertEqual(
            [reading.channel for reading in readings],
            [*self.descriptor.analog, *self.descriptor.digital],
        )

    def test_the_same_line_gives_nothing(self) -> None:
        """However often it comes."""
        line = encode(self.tokens, [0, 0])
        self.decoder.decode(line)
        self.assertEqual(0, len(self.decoder.decode(line)))

    def test_a_line_gives_what_changed(self) -> None:
        """Values of another length move all that follow, and those are not news."""
        self.decoder.decode(encode(self.tokens, [0, 0]))
        self.tokens[3] = "1234.5"
        self.tokens[29] = "0"
        readings = self.decoder.decode(encode(self.tokens, [0, 8]))
        self.assertEqual({"a3": "1234.5", "a29": "0", "w1b3": "ON"}, shown(readings))

    def test_another_precision_is_a_change(self) -> None:
        """The text is what is shown."""
        self.decoder.decode(encode(self.tokens, [0, 0]))
        self.tokens[0] = "0.00"
        self.assertEqual({"a0": "0.00"}, shown(self.decoder.decode(encode(self.tokens, [0, 0]))))

    def test_blanks_do_not_matter(self) -> None:
        """Doubled, missing at the end, at the beginning: the values are the same."""
        line = encode(self.tokens, [0, 0])
        self.decoder.decode(line)
        for same in (
            line.rstrip(),
            line + b" ",
            line.replace(b" ", b"  "),
            line.replace(b"pm", b"pm "),
        ):
            self.assertEqual(0, len(self.decoder.decode(same)))
            self.assertIsNone(self.decoder.mismatch)
        self.tokens[7] = "8"
        changed = encode(self.tokens, [0, 0]).replace(b" 9.0", b"  9.0").rstrip()
        self.assertEqual({"a7": "8"}, shown(self.decoder.decode(changed)))

    def test_a_doubled_blank_is_no_value(self) -> None:
        """Neither inside a line nor at its beginning does it make up for one that is missing."""
        line = encode(self.tokens, [0, 0])
        self.decoder.decode(line)
        self.decoder.decode(line.replace(b" 7.0 ", b"  "))
        self.assertEqual(LengthMismatch(expected=32, got=31), self.decoder.mismatch)
        fresh = Decoder(self.descriptor)
        fresh.decode(encode(["", *self.tokens[12:]], [0, 0]))
        self.assertEqual(LengthMismatch(expected=32, got=20), fresh.mismatch)

    def test_a_value_behind_a_known_line_is_one_too_many(self) -> None:
        """Though all before it is as it was."""
        line = encode(self.tokens, [0, 0])
        self.decoder.decode(line)
        self.decoder.decode(line + b"0 ")
        self.assertEqual(LengthMismatch(expected=32, got=33), self.decoder.mismatch)

    def test_two_channels_of_one_place_both_change(self) -> None:
        """They show the same value."""
        both = Descriptor(
            analog=(AnalogChannel("a", "A", 1, "", None), AnalogChannel("b", "B", 1, "", None)),
            digital=(),
            analog_values=2,
            words=0,
        )
        self.assertEqual({"a": "2", "b": "2"}, shown(Decoder(both).decode(b"pm 1 2 ")))

    @given(
        st.lists(
            st.tuples(
                st.lists(
                    st.sampled_from(["0", "-0", "1", "1.0", "-20", "65.70", "x"]),
                    min_size=15,
                    max_size=15,
                ),
                st.integers(0, 0xFFFFFFFF),
                st.sampled_from([0, 1, 8]),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def test_what_is_encoded_is_decoded(self, states: list[tuple[list[str], int, int]]) -> None:
        """After every line what was told last is what was sent, and only changes were told."""
        decoder = Decoder(descriptor_of(*(f"a{place}" for place in range(15)), words=2))
        known: dict[str, str] = {}
        for tokens, *words in states:
            sent = {f"a{place}": token for place, token in enumerate(tokens)}
            for word, value in enumerate(words):
                for bit in (0, 3, 31):
                    sent[f"w{word}b{bit}"] = "ON" if value >> bit & 1 else "OFF"
            news = shown(decoder.decode(encode(tokens, words)))
            self.assertEqual(
                news, {name: text for name, text in sent.items() if known.get(name) != text}
            )
            known |= news
            self.assertEqual(known, sent)

    @given(
        st.lists(st.decimals(-10_000, 10_000, places=2), min_size=20, max_size=20),
        st.lists(st.integers(0, 0xFFFFFFFF), min_size=2, max_size=2),
    )
    def test_values_survive_the_line(self, numbers: list[object], words: list[int]) -> None:
        """Numbers and bits are the same after encoding and decoding."""
        decoder = Decoder(descriptor_of(*(f"a{place}" for place in range(20)), words=2))
        decoded = values_of(decoder.decode(encode([str(number) for number in numbers], words)))
        expected = {f"a{place}": float(str(number)) for place, number in enumerate(numbers)}
        for word, value in enumerate(words):
            for bit in (0, 3, 31):
                expected[f"w{word}b{bit}"] = bool(value >> bit & 1)
        self.assertEqual(expected, decoded)

    @given(st.lists(st.binary(max_size=40).map(b"pm ".__add__), max_size=4))
    def test_any_lines_can_be_decoded(self, lines: list[bytes]) -> None:
        """Nothing is raised, and a line tells the same after others as on its own."""
        descriptor = descriptor_of("a", "b")
        decoder = Decoder(descriptor)
        known: dict[str, Reading] = {}
        for line in lines:
            known |= {reading.channel.object: reading for reading in decoder.decode(line)}
            alone = Decoder(descriptor)
            expected = {reading.channel.object: reading for reading in alone.decode(line)}
            self.assertEqual(values_of([*known.values()]), values_of([*expected.values()]))
            self.assertEqual(decoder.mismatch, alone.mismatch)


class LengthMismatchTests(SynchronousTestCase):
    """A line of another length is decoded as far as it can be trusted."""

    def setUp(self) -> None:
        """A boiler with the channels beside which extra values have been met."""
        self.descriptor = descriptor_of(
            "TK", "TRG", "ExtHK Solltmp.", "TB", "BoiZustand_1", "TA", words=2, decimals=0
        )
        self.decoder = Decoder(self.descriptor)

    def known(self, line: bytes) -> dict[str, str]:
        """What a decoder on its own knows after this line."""
        readings = Decoder(self.descriptor).decode(line)
        self.assertEqual(12, len(readings))
        unknown = [reading for reading in readings if reading.value is None]
        self.assertEqual({""}, {reading.text for reading in unknown})
        return shown([reading for reading in readings if reading.value is not None])

    def test_lengths_are_told(self) -> None:
        """They stay told as long as lines do not fit."""
        self.decoder.decode(b"pm 1 2 3 4 5 6 7 0 0 ")
        self.assertEqual(LengthMismatch(expected=8, got=9), self.decoder.mismatch)
        self.decoder.decode(b"pm 1 2 3 4 5 6 7 0 0 ")
        self.assertEqual(LengthMismatch(expected=8, got=9), self.decoder.mismatch)
        self.decoder.decode(b"pm 1 2 0 0 ")
        self.assertEqual(LengthMismatch(expected=8, got=4), self.decoder.mismatch)

    def test_too_many_values(self) -> None:
        """Certain are the words, from the right end."""
        self.assertEqual(
            {"w0b0": "ON", "w0b3": "OFF", "w0b31": "OFF"}
            | {"w1b0": "OFF", "w1b3": "ON", "w1b31": "OFF"},
            self.known(b"pm 1 2 99 3 4 5 6 1 8 "),
        )

    def test_too_many_values_and_words_that_are_none(self) -> None:
        """One that is not hexadecimal shows that they are not the words, none of them."""
        readings = Decoder(self.descriptor).decode(b"pm 1 2 99 3 4 5 6 1.0 8 ")
        self.assertEqual({None}, {reading.value for reading in readings})

    def test_too_few_values(self) -> None:
        """Nothing is certain: what stands at the right end may be analog values."""
        self.assertEqual({}, self.known(b"pm 1 2 3 4 5 1 8 "))
        self.assertEqual({}, self.known(b"pm 1 "))
        self.assertEqual({}, self.known(b"pm "))

    def test_channels_become_unknown_once(self) -> None:
        """A length mismatch takes back what was known, and tells it once."""
        self.decoder.decode(b"pm 1 2 3 4 5 6 0 0 ")
        lost = self.decoder.decode(b"pm 1 2 99 3 4 5 6 0 0 ")
        self.assertEqual(
            dict.fromkeys(("TK", "TRG", "ExtHK Solltmp.", "TB", "BoiZustand_1", "TA")),
            values_of(lost),
        )
        self.assertEqual({}, shown(self.decoder.decode(b"pm 7 2 99 9 9 9 9 0 0 ")))

    def test_a_line_that_fits_again_gives_everything(self) -> None:
        """The length mismatch is over."""
        self.decoder.decode(b"pm 1 2 99 3 4 5 6 0 0 ")
        readings = self.decoder.decode(b"pm 1 2 3 4 5 6 0 0 ")
        self.assertIsNone(self.decoder.mismatch)
        self.assertEqual(12, len(readings))
        self.assertNotIn(None, values_of(readings).values())

    def test_everything_can_be_taken_back(self) -> None:
        """Once; and the next line gives everything."""
        self.decoder.decode(b"pm 1 2 3 4 5 6 0 0 ")
        taken = self.decoder.take_back()
        self.assertEqual((12, {None}), (len(taken), {reading.value for reading in taken}))
        self.assertEqual([], self.decoder.take_back())
        self.assertEqual(12, len(self.decoder.decode(b"pm 1 2 3 4 5 6 0 0 ")))


class PlacementTests(SynchronousTestCase):
    """A line may have values that the descriptor leaves out."""

    def setUp(self) -> None:
        """A boiler of three described values, in lines of five."""
        self.descriptor = descriptor_of("a", "b", "c", words=1)
        self.decoder = Decoder(self.descriptor, Placement((0, 2, 3), 5))

    def test_hidden_values_are_passed_over(self) -> None:
        """They belong to no channel."""
        known = shown(self.decoder.decode(b"pm 1 98 2 3 99 8 "))
        self.assertIsNone(self.decoder.mismatch)
        self.assertEqual(
            {"a": "1", "b": "2", "c": "3", "w0b0": "OFF", "w0b3": "ON", "w0b31": "OFF"}, known
        )

    def test_hidden_values_are_no_news(self) -> None:
        """Whatever they show."""
        self.decoder.decode(b"pm 1 98 2 3 99 0 ")
        self.assertEqual([], self.decoder.decode(b"pm 1 97 2 3 98 0 "))

    def test_a_line_without_them_does_not_fit(self) -> None:
        """They are expected; what is named is what the boiler describes."""
        self.decoder.decode(b"pm 1 2 3 0 ")
        self.assertEqual(LengthMismatch(expected=4, got=4), self.decoder.mismatch)

    def test_a_channel_whose_place_is_not_known_is_unknown(self) -> None:
        """It is told once, with the first line."""
        decoder = Decoder(self.descriptor, Placement((0, None, 3), 5))
        self.assertEqual("", shown(decoder.decode(b"pm 1 98 2 3 99 8 "))["b"])
        self.assertEqual({"a": "7"}, shown(decoder.decode(b"pm 7 98 2 3 99 8 ")))


class RealLineTests(SynchronousTestCase):
    """Lines of real boilers fit their descriptors, every one."""

    def assert_all_fit(self, descriptor_name: str, lines_name: str, count: int) -> None:
        """Each of so many lines shows a value for every channel, as it is printed there."""
        descriptor = parse_descriptor(shared_file(f"firmware/{descriptor_name}").read_bytes())
        decoder = Decoder(descriptor)
        known: dict[str, Reading] = {}
        content = shared_file(f"firmware/{lines_name}").read_bytes()
        lines = [line for line in content.split(b"\r\n") if line.startswith(b"pm ")]
        self.assertEqual(len(lines), count)
        for line in lines:
            known |= {reading.channel.object: reading for reading in decoder.decode(line)}
            self.assertIsNone(decoder.mismatch)
            self.assertNotIn(None, values_of([*known.values()]).values())
            tokens = line.decode("latin-1").split()[1:]
            for channel in descriptor.analog:
                self.assertEqual(known[channel.object].text, tokens[channel.place])
                self.assertEqual(known[channel.object].value, float(tokens[channel.place]))
            for bit in descriptor.digital:
                word = int(tokens[descriptor.analog_values + bit.word], 16)
                self.assertEqual(known[bit.object].value, bool(word & 1 << bit.bit))

    def test_pellets(self) -> None:
        """A Nano.2 25 over an evening."""
        self.assert_all_fit("nano2-25-V14.0k3.xml", "nano2-25-V14.0k3.txt", 187)

    def test_log_wood(self) -> None:
        """An STHV2, whose state is not the first channel."""
        self.assert_all_fit("sthv2-V10.2e1-a.xml", "sthv2-V10.2e1.txt", 172)
