"""What the catalogue says of channels, those that it does not know included."""

from collections.abc import Iterator

from hargassner.boiler.model import Boiler, Channel
from hargassner.catalogue import NOWHERE, AnalogEntry, DigitalEntry, Text
from hargassner.homeassistant.entities import DIAGNOSTIC

_NONE = DigitalEntry(
    name="",
    text=Text("", "", ""),
    device_class="",
    entity_category=DIAGNOSTIC,
    enabled=False,
    inverted=False,
    role="",
    icon="",
    place=NOWHERE,
)
"""What is said of a channel of which nothing is known."""


def entry_of(channel: Channel) -> AnalogEntry | DigitalEntry:
    """What the catalogue says of a channel; one that it does not know has no name there."""
    return channel.entry or _NONE


def channels_named(boiler: Boiler, name: str) -> Iterator[Channel]:
    """The channels that the catalogue knows by this name."""
    return (each for each in boiler.channels.values() if entry_of(each).name == name)
