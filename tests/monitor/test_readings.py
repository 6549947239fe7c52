"""Lines by what they show otherwise than the ones before, and lines as a whole."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.channels import (
    AnalogChannel,
    Descriptor,
    DigitalChannel,
    LengthMismatch,
    Reading,
)
from hargassner.monitor.hidden import Hidden
from hargassner.monitor.readings import LineReader

DECIMALS = (0, None, 1, 2, None, 0)
"""What an invented boiler promises of its values."""
DESCRIPTOR = Descriptor(
    analog=tuple(
        AnalogChannel(f"a{place}", f"A {place}", place, "", decimals)
        for place, decimals in enumerate(DECIMALS)
    ),
    digital=(DigitalChannel("fault", "Störung", 0, 0), DigitalChannel("stb", "Stb", 1, 3)),
    analog_values=len(DECIMALS),
    words=2,
)
SOUND = ("7", "65.7", "3.5", "1.52", "20.0", "0", "1", "8")
"""A line of that boiler's."""

changes = st.dictionaries(
    st.integers(0, 9),
    st.sampled_from(["0", "7", "12", "0.5", "99.5", "1.52", "-20.0", "x", "F", "G", ""]),
    max_size=4,
)
"""What a line shows otherwise than a sound one, by place; an empty token cuts it short."""
hidings = st.sampled_from(["auto", (), (2,), (1, 9)])


def tokens_of(changed: dict[int, str], extra: int) -> list[str]:
    """A line with so many values too many."""
    tokens = [*SOUND[:3], *("98",) * extra, *SOUND[3:]]
    shown = (changed.get(place, token) for place, token in enumerate(tokens))
    return [token for token in shown if token]


def told(reader: LineReader, line: bytes) -> tuple[list[Reading], LengthMismatch | None, object]:
    """What a reader tells of a line."""
    readings = reader.read(line, DESCRIPTOR)
    return [*readings.changed], readings.mismatch, readings.fit


class LineTests(SynchronousTestCase):
    """What a reader tells of a line depends on nothing but the lines so far."""

    @given(st.lists(st.tuples(changes, st.integers(0, 1)), max_size=40), st.booleans(), hidings)
    def test_changes_tell_what_whole_lines_tell(
        self, lines: list[tuple[dict[int, str], int]], repeated: bool, hidden: Hidden
    ) -> None:
        """Lines with two blanks between values mean the same, and are always read as a whole."""
        by_changes, as_a_whole = LineReader(hidden), LineReader(hidden)
        for changed, extra in lines:
            tokens = tokens_of(changed, extra)
            for _ in range(12 if repeated else 1):
                one = ("pm " + "".join(f"{each} " for each in tokens)).encode()
                whole = one.replace(b" ", b"  ")
                self.assertEqual(told(as_a_whole, whole), told(by_changes, one))
