"""Recognising the layout of lines whose boiler does not describe itself."""

from collections.abc import Iterable, Iterator
from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import BoilerDescribed, TelemetryLine
from hargassner.dialogue.origin import Source
from hargassner.monitor.interpreter import Interpreter
from hargassner.monitor.layouts import Layout, known_layouts
from hargassner.monitor.readings import LineReader
from hargassner.monitor.recognition import FEWEST_LINES, Recogniser, Recognition
from hargassner.monitor.variants import MARGIN, best_scores
from tests.doubles.lines import lines_of
from tests.shared import shared_file

NAMES = ("V14.0HAR.o3", "V14.0HAR.o4-pr30", "V14.0l1", "V14.0n", "V14.1HAR.q1", "V10.2HAR.n1")
"""Some layouts: the alike, the old, the new, wood and pellets. benchmarks/bench_layouts.py takes
all."""

ENOUGH = FEWEST_LINES + 20


def layout(name: str) -> Layout:
    """The known layout of this name."""
    return next(each for each in known_layouts() if each.name == name)


def recognised(lines: Iterable[bytes], layouts: list[Layout] | None = None) -> Recognition | None:
    """What so many lines are recognised as."""
    recogniser = Recogniser(layouts)
    for line in islice(lines, ENOUGH):
        recognition = recogniser.take(line)
        if recognition is not None:
            return recognition
    return None


def shown(line: bytes, descriptor: Descriptor) -> dict[str, str]:
    """What channels show, by name, of those whose name there is once."""
    names = [channel.name for channel in (*descriptor.analog, *descriptor.digital)]
    readings = LineReader().read(line, descriptor).changed
    return {
        reading.channel.name: reading.text
        for reading in readings
        if names.count(reading.channel.name) == 1 and reading.value is not None
    }


class KnownLayoutTests(SynchronousTestCase):
    """A boiler with a layout that somebody has published."""

    def test_it_is_recognised_and_shown_as_it_is(self) -> None:
        """By its lines alone; with its name, and who published it."""
        for name in NAMES:
            known = layout(name)
            lines = lines_of(known.descriptor, seed=7)
            recognition = recognised(lines)
            assert recognition is not None, name
            self.assertEqual(
                (Source.RECOGNISED, name, known.published),
                (
                    recognition.origin.source,
                    recognition.origin.layout,
                    recognition.origin.published,
                ),
            )
            line = next(lines)
            self.assertEqual(shown(line, known.descriptor), shown(line, recognition.descriptor))

    def test_it_is_not_taken_for_another(self) -> None:
        """Where its own is not known, none is recognised, alike as some are."""
        for name in NAMES:
            lines = lines_of(layout(name).descriptor, seed=3)
            others = [each for each in known_layouts() if each.name != name]
            self.assertIsNone(recognised(lines, others), name)

    def test_what_two_layouts_agree_on_is_taken(self) -> None:
        """Two that differ in the last channel's name only go equally well with all lines."""
        one, other = layout("V14.0m"), layout("V14.0m5")
        recognition = recognised(lines_of(one.descriptor, seed=1))
        assert recognition is not None
        self.assertEqual({one.name, other.name}, set(recognition.origin.layout.split(" or ")))
        names = {channel.name for channel in recognition.descriptor.analog}
        self.assertEqual(set(), names & {"BoiZustand_1", "BoiZustand_2"})
        self.assertEqual(one.descriptor.values, recognition.descriptor.values)
        self.assertEqual(len(one.descriptor.analog) - 1, len(recognition.descriptor.analog))

    def test_a_hidden_value_at_a_known_place_is_no_obstacle(self) -> None:
        """As real boilers have one before the external circuit's setpoint."""
        descriptor = layout("V14.1HAR.q1").descriptor
        [slot] = [each.place for each in descriptor.analog if each.name == "ExtHK Solltmp."]

        def longer() -> Iterator[bytes]:
            for line in lines_of(descriptor, seed=5):
                tokens = line.split(b" ")
                yield b" ".join([*tokens[: slot + 1], b"98", *tokens[slot + 1 :]])

        recognition = recognised(longer())
        assert recognition is not None
        self.assertEqual("V14.1HAR.q1", recognition.origin.layout)

    def test_every_layout_is_as_published(self) -> None:
        """The table holds what the documents say, but for umlauts that were damaged in them."""
        folder = shared_file("layouts/README.md").parent
        documents = sorted(folder.glob("*.xml"))
        self.assertEqual(len(documents), len(known_layouts()))
        for path, known in zip(documents, known_layouts(), strict=True):
            published = parse_descriptor(path.read_bytes())
            self.assertEqual(
                [(each.place, each.unit, each.decimals) for each in published.analog],
                [(each.place, each.unit, each.decimals) for each in known.descriptor.analog],
            )
            self.assertEqual(
                [(each.word, each.bit) for each in published.digital],
                [(each.word, each.bit) for each in known.descriptor.digital],
            )
            for one, other in zip(published.analog, known.descriptor.analog, strict=True):
                self.assertTrue("\N{DEGREE SIGN}" in one.name or one.name == other.name, one.name)


class UnknownTests(SynchronousTestCase):
    """Lines that no known layout goes with."""

    def test_an_invented_line_is_not_recognised(self) -> None:
        """213 values; looked at again after twice as many lines, and so on."""
        recogniser = Recogniser()
        line = b"pm " + b"7 " * 205 + b"0 " * 8
        looks = []
        for _ in range(250):
            self.assertIsNone(recogniser.take(line))
            looks.append(recogniser.failed_looks)
        changes = [number for number, (one, two) in enumerate(pairwise(looks), 2) if one != two]
        self.assertEqual([30, 60, 120, 240], changes)
        self.assertEqual((213, 250), (recogniser.values, recogniser.lines))

    def test_too_few_lines_are_not_recognised(self) -> None:
        """However well they go with a layout."""
        recogniser = Recogniser()
        lines = lines_of(layout("V14.0n").descriptor, seed=1)
        for line in islice(lines, FEWEST_LINES - 1):
            self.assertIsNone(recogniser.take(line))
        self.assertIsNone(recogniser.finish())
        self.assertIsNone(recogniser.take(next(lines)))
        self.assertIsNotNone(recogniser.finish())

    def test_cut_lines_do_not_count(self) -> None:
        """Nor do they keep the others from being recognised."""
        lines = lines_of(layout("V14.0n").descriptor, seed=1)

        def damaged() -> Iterator[bytes]:
            for number, line in enumerate(lines):
                yield line[: len(line) // 2] if number % 5 == 4 else line

        recognition = recognised(damaged())
        assert recognition is not None
        self.assertEqual("V14.0n", recognition.origin.layout)

    def test_lines_of_another_length_begin_anew(self) -> None:
        """When ten of them have come in a row."""
        recogniser = Recogniser()
        for _ in range(20):
            recogniser.take(b"pm 1 2 3 ")
        for _ in range(9):
            recogniser.take(b"pm 1 2 ")
        self.assertEqual((3, 20), (recogniser.values, recogniser.lines))
        recogniser.take(b"pm 1 2 ")
        self.assertEqual((2, 1), (recogniser.values, recogniser.lines))

    @given(st.lists(st.binary(max_size=60).map(b"pm ".__add__), max_size=40))
    def test_any_lines_can_be_looked_at(self, lines: list[bytes]) -> None:
        """Nothing is raised, and nothing recognised."""
        self.assertIsNone(recognised(lines))


class VariantTests(SynchronousTestCase):
    """The best score of a layout and of what differs from it a little."""

    @given(st.data())
    def test_more_moves_are_never_worse(self, data: st.DataObject) -> None:
        """And without one, the score is that of the layout with values hidden at known places."""
        hidden = data.draw(st.integers(0, 2))
        size = data.draw(st.integers(1, 6))
        row = st.lists(
            st.floats(-9, 9), min_size=hidden + 2 * MARGIN + 1, max_size=hidden + 2 * MARGIN + 1
        )
        scores = data.draw(st.lists(row, min_size=size, max_size=size))
        slot = data.draw(st.integers(0, size))
        best = best_scores(scores, hidden, [slot])
        path = [hidden if place >= slot else 0 for place in range(size)]
        plain = sum(row[MARGIN + shift] for row, shift in zip(scores, path, strict=True))
        self.assertAlmostEqual(plain, best[0])

    def test_a_channel_more_and_one_less(self) -> None:
        """What lies between the two is shifted by one, and scores as it does there."""
        scores = [[0.0] * (2 * MARGIN + 1) for _ in range(5)]
        for place in (1, 2):
            scores[place][MARGIN] = -5.0
            scores[place][MARGIN + 1] = 5.0
        plain, _, both = best_scores(scores, 0, ())
        self.assertEqual((-10.0, 10.0), (plain, both))


class RealLineTests(SynchronousTestCase):
    """Lines of real boilers."""

    def test_each_is_recognised_soon(self) -> None:
        """After 32 lines at most."""
        for name, lines_name in (
            ("V10.2HAR.n1", "layouts/neo-hv30-nano20-combi-V10.2HAR.n1.txt"),
            ("V14.0k3", "firmware/nano2-25-V14.0k3.txt"),
            ("V10.2e1-a", "firmware/sthv2-V10.2e1.txt"),
        ):
            content = shared_file(lines_name).read_bytes()
            lines = [line.rstrip() for line in content.splitlines() if line.startswith(b"pm ")]
            recognition = recognised(lines[:32])
            assert recognition is not None, name
            self.assertEqual(name, recognition.origin.layout)


class InterpreterTests(SynchronousTestCase):
    """What the model is told while the boiler does not describe itself."""

    def setUp(self) -> None:
        self.boiler = Boiler()
        self.known = layout("V14.0n")
        self.lines = lines_of(self.known.descriptor, seed=1)

    def interpreter(self, given: Descriptor | None = None) -> Interpreter:
        """An interpreter of the model's."""
        return Interpreter(self.boiler, Clock(), lambda _: None, "auto", given)

    def read(self, interpreter: Interpreter, lines: Iterable[bytes]) -> None:
        """Have lines interpreted."""
        for line in lines:
            interpreter.take([TelemetryLine(line)])

    def test_a_recognised_layout_is_said_with_its_source(self) -> None:
        """And its channels are there."""
        self.read(self.interpreter(), islice(self.lines, ENOUGH))
        understanding = self.boiler.understanding
        self.assertEqual(Source.RECOGNISED, understanding.origin.source)
        self.assertEqual("V14.0n", understanding.facts["layout"])
        self.assertEqual(112, understanding.facts["values"])
        self.assertIsNotNone(self.boiler.channels["tk"].text)
        self.assertFalse(understanding.boilers_own)

    def test_the_boilers_own_descriptor_replaces_it_at_once(self) -> None:
        """Whatever was recognised."""
        interpreter = self.interpreter()
        self.read(interpreter, islice(self.lines, ENOUGH))
        document = (
            b"<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK'/></ANALOG>"
            b"<DIGITAL><CHANNEL id='0' bit='0' name='STB'/></DIGITAL></DAQPRJ>"
        )
        interpreter.take([BoilerDescribed(document, parse_descriptor(document))])
        self.assertEqual(Source.BOILER, self.boiler.understanding.origin.source)
        self.read(interpreter, [b"pm 7 1 "])
        self.assertEqual(["zk", "stb"], list(self.boiler.channels))
        self.assertEqual("7", self.boiler.channels["zk"].text)

    def test_the_owners_file_goes_before_recognising(self) -> None:
        """From the first line on."""
        self.read(self.interpreter(self.known.descriptor), islice(self.lines, 1))
        self.assertEqual(Source.FILE, self.boiler.understanding.origin.source)
        self.assertIsNotNone(self.boiler.channels["tk"].text)

    def test_what_is_not_recognised_is_said(self) -> None:
        """With the number of values, so that somebody can help."""
        self.read(self.interpreter(), [b"pm " + b"7 " * 205 + b"0 " * 8] * ENOUGH)
        understanding = self.boiler.understanding
        self.assertTrue(understanding.not_recognised)
        self.assertEqual((False, 213), (understanding.understood, understanding.values))
        self.assertEqual({}, dict(self.boiler.channels))
