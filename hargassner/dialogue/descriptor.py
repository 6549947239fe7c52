"""The boiler's own description of its telemetry (docs/protocol.md, section 4)."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from hargassner.dialogue.names import object_ids

LARGEST_DOCUMENT = 1 << 20
"""Bytes. Real descriptors have about ten thousand."""

HIGHEST_ID = 4095
"""The highest place or word number that is believed; real boilers stay below 300."""

HIGHEST_BIT = 31
"""Digital words have 32 bits."""


class DescriptorError(ValueError):
    """The document is no description of telemetry; the text says in one sentence why."""


@dataclass(frozen=True, slots=True)
class AnalogChannel:
    """One measured value.

    ``place`` counts the values after ``pm`` from 0. ``unit`` is as the boiler writes it, empty
    where there is none. ``decimals`` is the number of decimal places that the boiler promises, or
    None where it promises nothing.
    """

    object: str
    name: str
    place: int
    unit: str
    decimals: int | None


@dataclass(frozen=True, slots=True)
class DigitalChannel:
    """One bit of a digital word; words count from 0, bit 0 is the lowest."""

    object: str
    name: str
    word: int
    bit: int


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What each value of a telemetry line means, for one boiler.

    A line has ``analog_values`` values and then ``words`` digital words. Either number can be
    higher than the number of places described: ids have gaps, and a value without a description
    is sent all the same.
    """

    analog: tuple[AnalogChannel, ...]
    digital: tuple[DigitalChannel, ...]
    analog_values: int
    words: int

    @property
    def values(self) -> int:
        """How many tokens a telemetry line has after ``pm``."""
        return self.analog_values + self.words


def parse_descriptor(document: bytes) -> Descriptor:
    """Read a ``DAQPRJ`` document, the joined blocks of a ``$daq desc`` reply or a file of one.

    Without an XML declaration the text is latin-1, as on the wire; with one it is what the
    declaration says. Attributes that are not known are passed over. Several channels may share an
    id (or a bit): each of them then shows that same value. A ``dop`` that is no small number is
    taken for absent, since it is only a check and no reason to lose the telemetry.

    Raises:
        DescriptorError: it is no XML, no ``DAQPRJ``, describes nothing, or describes a channel
            without an id, a name or a bit, or with an impossible one.
    """
    root = _read(document)
    if root.tag != "DAQPRJ":
        raise DescriptorError(f"the document is a {root.tag[:40]!r}, not a 'DAQPRJ'")
    analog = root.findall("ANALOG/CHANNEL")
    digital = root.findall("DIGITAL/CHANNEL")
    if not analog and not digital:
        raise DescriptorError("the descriptor describes no channel")
    objects = iter(object_ids([_name(channel) for channel in [*analog, *digital]]))
    analog_channels = tuple(
        AnalogChannel(
            object=next(objects),
            name=_name(channel),
            place=_number(channel, "id", HIGHEST_ID),
            unit=channel.get("unit", "").strip(),
            decimals=_decimals(channel),
        )
        for channel in analog
    )
    digital_channels = tuple(
        DigitalChannel(
            object=next(objects),
            name=_name(channel),
            word=_number(channel, "id", HIGHEST_ID),
            bit=_number(channel, "bit", HIGHEST_BIT),
        )
        for channel in digital
    )
    return Descriptor(
        analog=analog_channels,
        digital=digital_channels,
        analog_values=1 + max((channel.place for channel in analog_channels), default=-1),
        words=1 + max((channel.word for channel in digital_channels), default=-1),
    )


def _read(document: bytes) -> Element:
    if len(document) > LARGEST_DOCUMENT:
        raise DescriptorError(
            f"the descriptor has {len(document)} bytes; at most {LARGEST_DOCUMENT} are read"
        )
    content = document.strip()
    declared = content.startswith((b"<?xml", b"\xef\xbb\xbf"))
    try:
        root: Element = fromstring(
            content if declared else content.decode("latin-1"), forbid_dtd=True
        )
    except (ParseError, ValueError, LookupError) as wrong:
        # ValueError: entities and the like, which defusedxml refuses; LookupError: an encoding
        # that does not exist.
        raise DescriptorError(f"the descriptor is not readable as XML: {wrong}") from wrong
    return root


def _name(channel: Element) -> str:
    name = channel.get("name")
    if name is None:
        raise DescriptorError(f"a channel of the descriptor has no name: {_shown(channel)}")
    return name


def _number(channel: Element, attribute: str, highest: int) -> int:
    text = channel.get(attribute)
    if text is None:
        raise DescriptorError(f"a channel of the descriptor has no {attribute}: {_shown(channel)}")
    number = _small_number(text)
    if number is None or number > highest:
        raise DescriptorError(
            f"the {attribute} of a channel is not a number from 0 to {highest}: {_shown(channel)}"
        )
    return number


def _decimals(channel: Element) -> int | None:
    decimals = _small_number(channel.get("dop", ""))
    return decimals if decimals is not None and decimals < 10 else None


def _small_number(text: str) -> int | None:
    digits = text.strip()
    if len(digits) > 9 or not (digits.isascii() and digits.isdigit()):
        return None
    return int(digits)


def _shown(channel: Element) -> str:
    attributes = " ".join(f"{name}={value!r}" for name, value in channel.attrib.items())
    return attributes[:120] or "it has no attribute"
