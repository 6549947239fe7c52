"""What the simulated boiler's telemetry looks like (docs/protocol.md, section 4)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from xml.sax.saxutils import escape

from hargassner.tables import rows

FIRST_BLOCK = 3500
"""Characters after which the first block of a descriptor is cut at the next element."""

FURTHER_BLOCK = 1430
"""The same for every further block."""


@dataclass(frozen=True, slots=True)
class AnalogChannel:
    """One value of a line.

    ``decimals`` is the number of places promised in the descriptor, None where none is promised;
    then one place is printed, and ``short`` channels leave out a final ``.0``.  ``rest`` is shown
    while the plant has no value for the channel.
    """

    name: str
    unit: str
    decimals: int | None
    short: bool
    rest: str

    def text(self, value: float) -> str:
        """The value as the boiler prints it."""
        places = 1 if self.decimals is None else self.decimals
        # A boiler does print -0 here and there; a simulated one has no reason to.
        text = f"{value:z.{places}f}"
        return text.removesuffix(".0") if self.short else text

    def shown(self, values: Mapping[str, float]) -> str:
        """What a line has of it, where these values are known."""
        return self.text(values[self.name]) if self.name in values else self.rest

    def attributes(self) -> str:
        """The further attributes of its element in the descriptor."""
        unit = f" unit='{_attribute(self.unit)}'" if self.unit else ""
        return unit if self.decimals is None else f"{unit} dop='{self.decimals}'"


@dataclass(frozen=True, slots=True)
class DigitalChannel:
    """One bit of a digital word, and its state while the plant says nothing of it."""

    name: str
    word: int
    bit: int
    rest: bool


@dataclass(frozen=True)
class Layout:
    """The channels of a boiler, in the order of its telemetry; ``words`` digital words follow."""

    analog: tuple[AnalogChannel, ...]
    digital: tuple[DigitalChannel, ...]
    words: int = 8

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """The descriptor's document in pieces that a block never cuts."""
        return tuple(self._elements())

    def document(self) -> bytes:
        """The descriptor as one document, ``<DAQPRJ>`` to the line end behind ``</DAQPRJ>``."""
        return "".join(self.elements).encode("latin-1")

    def blocks(self) -> list[bytes]:
        """The descriptor in the pieces of a ``$daq desc`` reply, each ending at an element."""
        return split(self.elements, FIRST_BLOCK, FURTHER_BLOCK)

    def line(self, values: Mapping[str, float], bits: Mapping[str, bool]) -> bytes:
        """A telemetry line, from ``pm`` to the blank and the line end.

        Args:
            values: by channel name; a channel without one shows its rest.
            bits: the same for the digital channels.
        """
        tokens = [channel.shown(values) for channel in self.analog]
        tokens += [f"{word:X}" for word in self._words(bits)]
        return f"pm {' '.join(tokens)} \r\n".encode("latin-1")

    def _words(self, bits: Mapping[str, bool]) -> list[int]:
        words = [0] * self.words
        for bit in self.digital:
            words[bit.word] |= bits.get(bit.name, bit.rest) << bit.bit
        return words

    def _elements(self) -> Iterable[str]:
        yield "<DAQPRJ><ANALOG>"
        for place, analog in enumerate(self.analog):
            yield f"<CHANNEL id='{place}' name='{_attribute(analog.name)}'{analog.attributes()}/>"
        yield "</ANALOG><DIGITAL>"
        for bit in self.digital:
            yield f"<CHANNEL id='{bit.word}' bit='{bit.bit}' name='{_attribute(bit.name)}'/>"
        yield "</DIGITAL></DAQPRJ>\r\n"


def standard_layout() -> Layout:
    """The layout that the tables of this package describe: a pellet boiler with a buffer."""
    analog = map(_analog_channel, rows(__package__, "analog.tsv"))
    digital = map(_digital_channel, rows(__package__, "digital.tsv"))
    return Layout(tuple(analog), tuple(digital))


def _analog_channel(row: Mapping[str, str]) -> AnalogChannel:
    return AnalogChannel(
        name=row["name"],
        unit=row["unit"],
        decimals=int(row["decimals"]) if row["decimals"] else None,
        short=row["form"] == "short",
        rest=row["rest"] or "0",
    )


def _digital_channel(row: Mapping[str, str]) -> DigitalChannel:
    return DigitalChannel(row["name"], int(row["word"]), int(row["bit"]), row["rest"] == "1")


def split(pieces: Iterable[str], first: int, further: int) -> list[bytes]:
    """Join pieces to blocks, each ended by the piece that brings it to its size in characters."""
    blocks = [""]
    sizes = chain([first], repeat(further))
    size = next(sizes)
    for piece in pieces:
        blocks[-1] += piece
        if len(blocks[-1]) >= size:
            blocks.append("")
            size = next(sizes)
    return [block.encode("latin-1") for block in filter(None, blocks)]


def _attribute(text: str) -> str:
    return escape(text, {"'": "&apos;"})
