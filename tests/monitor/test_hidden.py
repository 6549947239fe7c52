"""Values that a boiler sends and its descriptor leaves out."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.channels import AnalogChannel, Descriptor, DigitalChannel, Fit
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.monitor.alignment import agreeing, certain, feasible
from hargassner.monitor.hidden import Hidden
from hargassner.monitor.observed import ANY_FORM, Observed, form_of
from hargassner.monitor.probability import posterior
from hargassner.monitor.readings import LineReader
from tests.shared import shared_file

CHANNELS = (
    ("ZK", 0, "7"),
    ("TK", None, "65.7"),
    ("TKsoll", 0, "70"),
    ("Taus", None, "3.5"),
    ("Effizienz", None, "91.3"),
    ("ExtHK Solltmp.", 0, "0"),
    ("TVL_A", None, "-20.0"),
    ("TVLs_A", 0, "0"),
    ("Wasserdruck", 2, "1.52"),
    ("TB1", None, "55.1"),
    ("TBs_1", 0, "60"),
    ("BoiZustand_1", 0, "0"),
    ("TBB", None, "-20.0"),
    ("TBs_B", 0, "0"),
)
"""An invented boiler: names, decimals, what is shown."""

WORDS = ("1", "8")


def invented(decimals: bool = True) -> Descriptor:
    """The boiler's descriptor; older firmware promises no decimals."""
    return Descriptor(
        analog=tuple(
            AnalogChannel(name, name, place, "", dop if decimals else None)
            for place, (name, dop, _) in enumerate(CHANNELS)
        ),
        digital=(DigitalChannel("fault", "Störung", 0, 0), DigitalChannel("stb", "Stb", 1, 3)),
        analog_values=len(CHANNELS),
        words=len(WORDS),
    )


def line_of(tokens: Sequence[str], words: Sequence[str] = WORDS) -> bytes:
    """A telemetry line."""
    return ("pm " + "".join(f"{token} " for token in [*tokens, *words])).encode("latin-1")


def with_hidden(*places: int, value: str = "98") -> list[str]:
    """What the boiler shows, with a value more at each of these places of the line."""
    tokens = [shown for *_, shown in CHANNELS]
    for place in places:
        tokens.insert(place, value)
    return tokens


class ReaderCase(SynchronousTestCase):
    """What is known after lines."""

    def setUp(self) -> None:
        self.known: dict[str, str] = {}
        self.begin(invented())

    def begin(self, descriptor: Descriptor, hidden: Hidden = "auto") -> None:
        """Read lines by this descriptor."""
        self.descriptor = descriptor
        self.reader = LineReader(hidden)

    def line(self, tokens: Sequence[str], words: Sequence[str] = WORDS) -> Fit:
        """Read a line; how it fits."""
        readings = self.reader.read(line_of(tokens, words), self.descriptor)
        for each in readings.changed:
            self.known[each.channel.object] = each.text if each.value is not None else ""
        assert readings.fit is not None
        return readings.fit

    def assert_true(self) -> None:
        """Everything that is shown is what the boiler shows."""
        truth = {name: shown for name, _, shown in CHANNELS} | {"fault": "ON", "stb": "ON"}
        shown = {name: text for name, text in self.known.items() if text}
        self.assertEqual({name: truth[name] for name in shown}, shown)

    def unknown(self) -> list[str]:
        """What is not shown."""
        return [name for name, *_ in CHANNELS if not self.known[name]]


class FoundTests(ReaderCase):
    """Hidden values are found without being told."""

    def test_a_line_as_described_is_plain(self) -> None:
        self.assertTrue(self.line(with_hidden()).plain)
        self.assertEqual([], self.unknown())

    def test_the_decimals_prove_a_place(self) -> None:
        """Between two channels with two decimals and none, one decimal is no channel's."""
        fit = self.line(with_hidden(8, value="12.5"))
        self.assertEqual((16, 17, (8,), ()), (fit.expected, fit.got, fit.hidden, fit.assumed))
        self.assertEqual([], self.unknown())
        self.assert_true()

    def test_a_known_place_is_assumed_and_named(self) -> None:
        """Where a state or a missing sensor shows what stands on either side of it."""
        fit = self.line(with_hidden(12, value="98"))
        self.assertEqual(((), (12,)), (fit.hidden, fit.assumed))
        self.assertLessEqual(fit.unknown, 1)
        self.assert_true()

    def test_what_stays_open_is_unknown(self) -> None:
        """Nothing tells which of two equal zeros is the hidden one, if they were to differ."""
        fit = self.line(with_hidden(5, value="0"))
        self.assertIsNotNone(fit.mismatch)
        self.assertIn("ExtHK Solltmp.", self.unknown())
        self.assertNotIn("TB1", self.unknown())
        self.assert_true()

    def test_more_lines_tell_more(self) -> None:
        """A value that once has a decimal is none of those that have none."""
        self.line(with_hidden(5, value="0"))
        before = self.unknown()
        self.line(with_hidden(5, value="7.5"))
        self.assertLess(len(self.unknown()), len(before))
        self.assert_true()

    def test_more_than_four_are_not_looked_for(self) -> None:
        """Then only the digital words are certain."""
        fit = self.line(with_hidden(5, 5, 5, 5, 5))
        self.assertEqual(len(CHANNELS), fit.unknown)
        self.assertEqual(("ON", "ON"), (self.known["fault"], self.known["stb"]))

    def test_firmware_that_promises_nothing(self) -> None:
        """No value behind a place where one may be hidden is shown."""
        self.begin(invented(decimals=False))
        fit = self.line(with_hidden(5))
        self.assertEqual(((), ()), (fit.hidden, fit.assumed))
        self.assertEqual({"TVL_A", "TB1", "TBB"}, set(self.unknown()) & {"TVL_A", "TB1", "TBB"})
        self.assert_true()

    @given(
        st.lists(st.integers(0, len(CHANNELS)), min_size=1, max_size=4),
        st.sampled_from(["0", "98", "12.5", "-20.0", "1.52", "60"]),
        st.booleans(),
    )
    def test_nothing_that_is_shown_is_wrong(
        self, places: list[int], value: str, decimals: bool
    ) -> None:
        """Wherever values are hidden, and whatever they show."""
        self.known = {}
        self.begin(invented(decimals))
        tokens = with_hidden(*sorted(places, reverse=True), value=value)
        for _ in range(3):
            self.line(tokens)
            self.assert_true()


class OddLineTests(ReaderCase):
    """A damaged line is not believed against those before it."""

    def test_a_line_cut_short_says_nothing(self) -> None:
        """After whichever value, and with or without hidden values before."""
        for tokens in (with_hidden(), with_hidden(5, 12)):
            whole = [*tokens, *WORDS]
            for size in range(len(whole)):
                self.setUp()
                for _ in range(3):
                    self.line(tokens)
                self.line(whole[:size], ())
                self.assert_true()

    def test_as_many_lines_of_another_length_are_believed(self) -> None:
        """Ten are enough against any number."""
        for _ in range(50):
            self.line(with_hidden())
        for _ in range(9):
            self.assertTrue(self.line(with_hidden(12)).plain)
        self.assertEqual((12,), self.line(with_hidden(12)).assumed)
        self.assert_true()

    def test_one_damaged_value_takes_nothing_back(self) -> None:
        """It is passed over, with its line."""
        for _ in range(3):
            self.line(with_hidden())
        self.line(["7", "6.5", "7.0", *with_hidden()[3:]])
        self.assertEqual([], self.unknown())
        self.assert_true()

    def test_lines_that_contradict_their_descriptor_show_nothing(self) -> None:
        """Though they have as many values as described."""
        fit = self.line(["3.5", *with_hidden()[1:]])
        self.assertEqual(("ZK",), fit.contradicted)
        self.assertEqual({""}, set(self.known.values()))
        self.line(with_hidden())
        self.assertEqual([], self.unknown())


class GivenTests(ReaderCase):
    """The owner can name the places."""

    def test_given_places_are_used(self) -> None:
        """Places count from 0 in the line as it is sent."""
        self.begin(invented(), [5, 13])
        fit = self.line(with_hidden(5, 13, value="0"))
        self.assertEqual(((5, 13), (), ()), (fit.hidden, fit.assumed, fit.unused))
        self.assertEqual([], self.unknown())
        self.assert_true()

    def test_contradicted_places_are_not_used(self) -> None:
        """They are said, and the right ones are looked for."""
        self.begin(invented(), [0])
        fit = self.line(with_hidden(12))
        self.assertEqual((0,), fit.unused)
        self.assertEqual((12,), fit.assumed)
        self.assert_true()

    def test_places_that_are_not_needed(self) -> None:
        """A line that fits without them shows everything."""
        self.begin(invented(), [5])
        fit = self.line(with_hidden())
        self.assertEqual((5,), fit.unused)
        self.assertEqual([], self.unknown())
        self.assert_true()

    def test_places_beyond_the_analog_part_are_refused(self) -> None:
        """Words stand at the right end, and nothing hides among them."""
        self.begin(invented(), [12, 16])
        fit = self.line(with_hidden(12))
        self.assertEqual(((16,), (12,)), (fit.beyond, fit.hidden))
        self.assert_true()

    def test_none(self) -> None:
        """Then a longer line is not understood, and the right length is not checked."""
        self.begin(invented(), [])
        self.assertEqual(len(CHANNELS), self.line(with_hidden(12)).unknown)
        self.assertTrue(self.line(["3.5", *with_hidden()[1:]]).plain)


class ConsensusTests(SynchronousTestCase):
    """What all alignments agree on."""

    @given(st.data())
    def test_it_is_what_trying_them_all_gives(self, data: st.DataObject) -> None:
        """Each place's shifts are those of the alignments that obey everything."""
        width = data.draw(st.integers(0, 3))
        shifts = st.integers(0, (2 << width) - 1)
        agreed = data.draw(st.lists(shifts, min_size=1, max_size=5))
        alignments = [[]]
        for possible in agreed:
            alignments = [
                [*alignment, shift]
                for alignment in alignments
                for shift in range(alignment[-1] if alignment else 0, width + 1)
                if possible >> shift & 1
            ]
        expected = [
            sum(1 << shift for shift in {each[place] for each in alignments})
            for place in range(len(agreed))
        ]
        self.assertEqual(expected if alignments else None, feasible(agreed))

    def test_one_shift_is_certain(self) -> None:
        self.assertEqual([0, None, 2], certain([1, 3, 4]))

    def test_an_unknown_form_rules_nothing_out(self) -> None:
        self.assertEqual([3, 3], agreeing([1, 2], [form_of("1"), form_of("x"), 2], 1))
        self.assertEqual([3], agreeing([ANY_FORM], [4, 8], 1))

    @given(
        st.lists(st.lists(st.floats(-9, 9), min_size=3, max_size=3), min_size=1, max_size=6),
        st.floats(-9, 0),
    )
    def test_probabilities_are_those_of_all_alignments(
        self, scores: list[list[float]], slot: float
    ) -> None:
        """They add up to one; and no place comes back to a lower shift than the one before it."""
        table = posterior(scores, [slot] * (len(scores) + 1))
        for row in table:
            self.assertAlmostEqual(1.0, sum(row))
        for before, after in pairwise(table):
            self.assertLessEqual(after[0], before[0] + 1e-9)
            self.assertGreaterEqual(after[2], before[2] - 1e-9)


class ObservedTests(SynchronousTestCase):
    """What is kept of lines."""

    @given(st.lists(st.sampled_from(["0", "5.5", "7", "1.52", "x"]), max_size=20))
    def test_it_is_bounded(self, tokens: list[str]) -> None:
        """A place keeps forms, a range and a few values."""
        observed = Observed(1)
        for token in tokens:
            observed.see([(0, token)])
        numbers = [float(token) for token in tokens if token != "x"]
        place = observed.places[0]
        self.assertEqual(set(numbers), set(place.values))
        if numbers:
            self.assertEqual((min(numbers), max(numbers)), (place.low, place.high))
        falls = any(one > other for one, other in pairwise(numbers))
        self.assertEqual(falls, place.fell)


class RealLineTests(SynchronousTestCase):
    """Lines of a real boiler that promises decimals."""

    def setUp(self) -> None:
        folder = "layouts/neo-hv30-nano20-combi-V10.2HAR.n1"
        self.descriptor = parse_descriptor(shared_file(f"{folder}.xml").read_bytes())
        content = shared_file(f"{folder}.txt").read_text("latin-1")
        self.lines = [line.split()[1:] for line in content.splitlines() if line[:3] == "pm "]

    def shown(self, lines: Sequence[Sequence[str]]) -> dict[str, str]:
        """What is shown after lines."""
        known: dict[str, str] = {}
        reader = LineReader()
        for tokens in lines:
            for each in reader.read(line_of(tokens, ()), self.descriptor).changed:
                known[each.channel.object] = "" if each.value is None else each.text
        return {name: text for name, text in known.items() if text}

    def test_no_cut_gives_a_false_value(self) -> None:
        """After each of the 140 values, in the first line and after others."""
        tokens = self.lines[0]
        truth = self.shown(self.lines[:1])
        for size in range(len(tokens)):
            self.assertEqual({}, self.shown([tokens[:size]]))
            self.assertEqual({}, self.shown([tokens, tokens[:size]]))
            self.assertEqual(truth, self.shown([tokens[:size], tokens]))

    def test_hidden_values_give_no_false_value(self) -> None:
        """One before each place in its turn, of each kind; most of the others are shown."""
        described = self.descriptor.analog_values
        truth = self.shown(self.lines[:1])
        for place in range(0, described + 1, 7):
            for value in ("0", "20.0", "98"):
                tokens = list(self.lines[0])
                tokens.insert(place, value)
                shown = self.shown([tokens])
                self.assertEqual({name: truth[name] for name in shown}, shown)
                self.assertGreater(len(shown), 0.8 * len(truth))
