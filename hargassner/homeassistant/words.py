"""The owner's words for what the boiler tells in codes, or in the language of its panel."""

from collections.abc import Mapping, Sequence

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.dialogue.parameters import ChoiceParameter
from hargassner.homeassistant.entries import entry_of


def state_words(boiler: Boiler, channel: Channel, language: str) -> dict[int, str]:
    """What the codes of a state channel mean; empty for another channel.

    One with a unit has measured values, whatever its name: options go with no unit.
    """
    if entry_of(channel).device_class != "enum":
        return {}
    states = boiler.catalogue.states(channel.name, boiler.family)
    return {code: text.to(language) for code, text in states.items()}


def option_words(boiler: Boiler, setting: Setting, language: str) -> Mapping[str, str]:
    """The words for a parameter's options, in their order; none where they are not known.

    A boiler that lacks the last one of them, such as cooling, has the others all the same. Options
    that have no names, or that cannot be told apart, have no words either.
    """
    options = named_options(setting)
    known = boiler.catalogue.options(setting.id)
    words = [known[index].to(language) for index in sorted(known)]
    are_these = len(words) - 1 <= len(options) <= len(words)
    return dict(zip(options, words, strict=False)) if are_these else {}


def option_meant(boiler: Boiler, setting: Setting, language: str, requested: str) -> str:
    """An option as the boiler takes it: by its index, if it was asked for by the owner's word."""
    words = option_words(boiler, setting, language)
    indexes = {word.casefold(): str(index) for index, word in enumerate(words.values())}
    return requested if requested in words else indexes.get(requested.casefold(), requested)


def named_options(setting: Setting) -> Sequence[str]:
    """What a parameter can be set to, if each option has a name of its own."""
    match setting.parameter:
        case ChoiceParameter(options=options) if all(options) and len(set(options)) == len(options):
            return options
    return ()
