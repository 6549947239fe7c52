"""What the catalogue says of channels and parameters, those that it does not know included."""

from collections.abc import Iterator, Mapping

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.catalogue import AnalogEntry, DigitalEntry, ParameterEntry
from hargassner.catalogue.reader import UNKNOWN_PARAMETER
from hargassner.catalogue.text import NO_WORDS
from hargassner.homeassistant.entities import DIAGNOSTIC

_NO_CHANNEL = DigitalEntry("", NO_WORDS, entity_category=DIAGNOSTIC)


def entry_of(channel: Channel) -> AnalogEntry | DigitalEntry:
    """What the catalogue says of a channel; no name and no words where it does not know it."""
    return channel.entry or _NO_CHANNEL


def entry_of_setting(setting: Setting) -> ParameterEntry:
    """What the catalogue says of a parameter; no words where it does not know it."""
    return setting.entry or UNKNOWN_PARAMETER


def known_in_full(boiler: Boiler) -> Mapping[str, Setting]:
    """The parameters that the boiler has described in full, by their ids."""
    return {id_: each for id_, each in boiler.settings.items() if each.parameter is not None}


def channels_named(boiler: Boiler, name: str) -> Iterator[Channel]:
    """The channels that the catalogue knows by this name."""
    channels = boiler.channels.values()
    # Looked up often: no call for each channel.
    return (each for each in channels if each.entry is not None and each.entry.name == name)
