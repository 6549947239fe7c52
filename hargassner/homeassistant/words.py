"""The owner's words for what the boiler tells in codes, or in the language of its panel."""

from collections.abc import Sequence

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.dialogue.parameters import ChoiceParameter


def state_words(boiler: Boiler, channel: Channel, language: str) -> dict[int, str]:
    """What the codes of a state channel mean; empty for another channel.

    One with a unit has measured values, whatever its name: options go with no unit.
    """
    if channel.entry is None or channel.entry.device_class != "enum":
        return {}
    states = boiler.catalogue.states(channel.name, boiler.family)
    return {code: text.to(language) for code, text in (states or {}).items()}


def option_words(boiler: Boiler, setting: Setting, language: str) -> Sequence[str]:
    """The words for a parameter's options, by their indexes; none where they are not known.

    A boiler that lacks the last one of them, such as cooling, has the others all the same. Options
    that have no names, or that cannot be told apart, have no words either.
    """
    options = _options(setting)
    known = boiler.catalogue.options(setting.id)
    words = [known[index].to(language) for index in sorted(known)]
    are_these = len(words) - 1 <= len(options) <= len(words)
    return words[: len(options)] if options and are_these else ()


def option_word(boiler: Boiler, setting: Setting, language: str) -> str | None:
    """The word for the option to which a parameter is set, None where that is not known."""
    words = dict(
        zip(_options(setting), option_words(boiler, setting, language), strict=False),
    )
    return words.get(setting.text)


def option_meant(boiler: Boiler, setting: Setting, language: str, requested: str) -> str:
    """An option as the boiler takes it: by its index, if it was asked for by the owner's word."""
    words = [each.casefold() for each in option_words(boiler, setting, language)]
    is_own_word = requested.casefold() in words and requested not in _options(setting)
    return str(words.index(requested.casefold())) if is_own_word else requested


def _options(setting: Setting) -> Sequence[str]:
    match setting.parameter:
        case ChoiceParameter(options=options) if all(options) and len(set(options)) == len(options):
            return options
    return ()
