"""The boiler's own description of its telemetry (docs/protocol.md, section 4)."""

import re
from collections.abc import Mapping, Sequence
from xml.parsers import expat

from hargassner.dialogue.channels import AnalogChannel, Descriptor, DigitalChannel
from hargassner.dialogue.identifiers import object_ids

LARGEST_DOCUMENT = 1 << 20
"""Bytes. Real descriptors have about ten thousand."""

MOST_CHANNELS = 4096
"""More are not read: whatever a forged document costs, the gateway's session waits for it."""

_MOST_ELEMENTS = 2 * MOST_CHANNELS

HIGHEST_ID = 4095
"""The highest place or word number that is believed; real boilers stay below 300."""

HIGHEST_BIT = 31
"""Digital words have 32 bits."""

_MOST_DECIMALS = 9

_is_small = re.compile(r"[0-9]{1,9}").fullmatch


class DescriptorError(ValueError):
    """The document is no description of telemetry; the text says in one sentence why."""


def parse_descriptor(document: bytes) -> Descriptor:
    """Read a ``DAQPRJ`` document, the joined blocks of a ``$daq desc`` reply or a file of one.

    Without an XML declaration the text is latin-1, as on the wire, or UTF-8, as editors save it,
    where it is valid UTF-8; with one it is what the declaration says. Attributes that are not known
    are passed over. Several channels may share an id (or a bit): each of them then shows that same
    value. A ``dop`` that is no small number is taken for absent, since it is only a check and no
    reason to lose the telemetry. Channels beyond ``MOST_CHANNELS`` are left out.

    Raises:
        DescriptorError: it is no XML, no ``DAQPRJ``, describes nothing, or describes a channel
            without an id, a name or a bit, or with an impossible one.
    """
    elements = _read(document)
    return descriptor_of(elements.analog, elements.digital, elements.truncated)


Attributes = Mapping[str, str]
"""Of a channel: ``id`` and ``name``, and as far as there are any ``unit``, ``dop`` and ``bit``."""


def descriptor_of(
    analog: Sequence[Attributes], digital: Sequence[Attributes], truncated: bool = False
) -> Descriptor:
    """The descriptor that has channels with these attributes.

    Raises:
        DescriptorError: there is none, or one lacks an id, a name or a bit, or has an impossible
            one.
    """
    channels = [*analog, *digital]
    if not channels:
        raise DescriptorError("the descriptor describes no channel")
    objects = iter(object_ids(map(_name, channels)))
    analog_channels = tuple(map(_analog_channel, analog, objects))
    digital_channels = tuple(map(_digital_channel, digital, objects))
    return Descriptor(
        analog=analog_channels,
        digital=digital_channels,
        analog_values=1 + max((channel.place for channel in analog_channels), default=-1),
        words=1 + max((channel.word for channel in digital_channels), default=-1),
        truncated=truncated,
    )


class _EnoughError(Exception):
    """The rest of the document is not read."""


class _Elements:
    """Collects the attributes of a document's channels while it is parsed.

    A parser that builds a tree takes 50 ms for as many channels as are read here, this one 3 ms.
    """

    def __init__(self) -> None:
        self.analog: list[Attributes] = []
        self.digital: list[Attributes] = []
        self.truncated = False
        self._channels: Mapping[tuple[str, ...], list[Attributes]] = {
            ("ANALOG", "CHANNEL"): self.analog,
            ("DIGITAL", "CHANNEL"): self.digital,
        }
        self._path: list[str] = []
        self._count = 0

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if not self._path and tag != "DAQPRJ":
            raise DescriptorError(f"the document is a {tag[:40]!r}, not a 'DAQPRJ'")
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise DescriptorError(
                f"the descriptor has too many elements; at most {_MOST_ELEMENTS} are read"
            )
        self._path.append(tag)
        channels = self._channels.get(tuple(self._path[1:]))
        if channels is not None:
            self._add(channels, attributes)

    def end(self, _tag: str) -> None:
        """An element ends."""
        self._path.pop()

    def doctype(self, *_: object) -> None:
        """A document type could define entities that expand without end."""
        raise DescriptorError("the descriptor is not readable as XML: it has a document type")

    def _add(self, channels: list[Attributes], attributes: Attributes) -> None:
        if len(self.analog) + len(self.digital) == MOST_CHANNELS:
            self.truncated = True
            raise _EnoughError
        channels.append(attributes)


def _read(document: bytes) -> _Elements:
    if len(document) > LARGEST_DOCUMENT:
        raise DescriptorError(
            f"the descriptor has {len(document)} bytes; at most {LARGEST_DOCUMENT} are read"
        )
    content = document.strip()
    declared = content.startswith((b"<?xml", b"\xef\xbb\xbf"))
    elements = _Elements()
    parser = expat.ParserCreate()
    parser.StartElementHandler = elements.begin
    parser.EndElementHandler = elements.end
    parser.StartDoctypeDeclHandler = elements.doctype
    try:
        parser.Parse(content if declared else _decoded(content), True)
    except _EnoughError:
        pass
    except (expat.ExpatError, LookupError, UnicodeError) as wrong:
        # LookupError: an encoding that does not exist.
        raise DescriptorError(f"the descriptor is not readable as XML: {wrong}") from wrong
    return elements


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _analog_channel(channel: Attributes, identifier: str) -> AnalogChannel:
    return AnalogChannel(
        object=identifier,
        name=_name(channel),
        place=_number(channel, "id", HIGHEST_ID),
        unit=channel.get("unit", "").strip(),
        decimals=_small_number(channel.get("dop", ""), _MOST_DECIMALS),
    )


def _digital_channel(channel: Attributes, identifier: str) -> DigitalChannel:
    return DigitalChannel(
        object=identifier,
        name=_name(channel),
        word=_number(channel, "id", HIGHEST_ID),
        bit=_number(channel, "bit", HIGHEST_BIT),
    )


def _name(channel: Attributes) -> str:
    return _required(channel, "name")


def _number(channel: Attributes, attribute: str, highest: int) -> int:
    number = _small_number(_required(channel, attribute), highest)
    if number is None:
        raise DescriptorError(
            f"the {attribute} of a channel is not a number from 0 to {highest}: {_shown(channel)}"
        )
    return number


def _required(channel: Attributes, attribute: str) -> str:
    text = channel.get(attribute)
    if text is None:
        raise DescriptorError(f"a channel of the descriptor has no {attribute}: {_shown(channel)}")
    return text


def _small_number(text: str, highest: int) -> int | None:
    digits = text.strip()
    return int(digits) if _is_small(digits) and int(digits) <= highest else None


def _shown(channel: Attributes) -> str:
    attributes = " ".join(f"{name}={value!r}" for name, value in channel.items())
    return attributes[:120] or "it has no attribute"
