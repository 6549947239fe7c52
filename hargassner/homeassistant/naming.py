"""What channels and parameters are called on the device that shows them."""

from hargassner.boiler.model import Channel, Setting
from hargassner.catalogue import BOILER, Catalogue, Place, Text
from hargassner.catalogue.text import NO_WORDS
from hargassner.dialogue.identifiers import object_id
from hargassner.homeassistant.entities import Called
from hargassner.homeassistant.entries import entry_of, entry_of_setting

_BETWEEN = " :"
"""What stands between a group's name and what follows it; French has a blank before a colon."""


def channel_called(catalogue: Catalogue, channel: Channel, language: str) -> Called:
    """What a channel is called: the catalogue's words, else the boiler's."""
    words = entry_of(channel).text
    return _called(catalogue, channel.place, words, channel.name or channel.object, language)


def setting_called(catalogue: Catalogue, setting: Setting, language: str) -> Called:
    """What a parameter is called: the catalogue's words, else the boiler's."""
    words = entry_of_setting(setting).text
    called = _called(catalogue, setting.place, words, setting.name or setting.id, language)
    return Called(called.device, called.name, called.id, setting.id)


def _called(catalogue: Catalogue, place: Place, text: Text, source: str, language: str) -> Called:
    device = catalogue.equipment.device(place.group)
    if text == NO_WORDS:
        return Called(device, source, object_id(source), source)
    if place.part:
        return Called(device, place.text.to(language), f"{device}_{place.part}", source)
    if device == BOILER:
        return Called(device, text.to(language), object_id(text.en), source)
    group = catalogue.equipment.groups[device].text
    id_ = object_id(f"{device} {_without(text.en, group.en)}")
    return Called(device, _without(text.to(language), group.to(language)), id_, source)


def _without(name: str, group: str) -> str:
    """A name without that of the group in front, which the device has already."""
    rest = name.removeprefix(group)
    if not rest.startswith((" ", ":")):
        return name
    rest = rest.lstrip(_BETWEEN)
    is_in_brackets = rest.startswith("(") and rest.endswith(")")
    return rest[1:-1] if is_in_brackets else rest
