"""The entity of a parameter, by what it can be set to."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hargassner.boiler.model import Boiler, Setting
from hargassner.boiler.settable import Settable
from hargassner.catalogue import spelled_unit
from hargassner.config import Config
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.entities import DIAGNOSTIC, WITH_SESSION, Entity, Json, known
from hargassner.homeassistant.entries import entry_of_setting
from hargassner.homeassistant.naming import setting_called
from hargassner.homeassistant.topics import Topics
from hargassner.homeassistant.words import named_options, option_words

SMALLEST_STEP = 0.001
"""Of a number; Home Assistant refuses smaller ones."""

_USUAL_STEP = 1.0

_NO_YES = (("no", "yes"), ("nein", "ja"), ("non", "oui"))
_YES: Mapping[tuple[str, ...], int] = {
    **dict.fromkeys(_NO_YES, 1),
    **dict.fromkeys([pair[::-1] for pair in _NO_YES], 0),
}
"""The index of yes, where the options are yes and no."""


def is_known(settable: Settable, setting: Setting) -> bool:
    """Whether a parameter is known in full, or cannot be set anyway."""
    return setting.parameter is not None or not settable.allows(setting.id)


def setting_entity(
    boiler: Boiler,
    config: Config,
    settable: Settable,
    setting: Setting,
    replaced: Container[str],
) -> Entity:
    """The entity of a parameter.

    Args:
        boiler: the model.
        config: the configuration.
        settable: decides what can be set.
        setting: the parameter.
        replaced: the ids of parameters that another entity sets as well, which are not enabled.
    """
    home, topics = config.homeassistant, Topics.of(config.mqtt)
    can_be_set = settable.allows(setting.id)
    control = _shown(setting)
    if can_be_set:
        words = list(option_words(boiler, setting, home.language).values())
        control = next(_controls(topics, setting, words), control)
    return Entity(
        platform=control.platform,
        object=setting.object,
        called=setting_called(boiler.catalogue, setting, home.language),
        available_with=WITH_SESSION,
        properties={**_topics(topics, setting, control.platform), **control.properties},
        category=_CATEGORIES.get(control.platform, ""),
        enabled=home.entities == "all" or (can_be_set and setting.id not in replaced),
        icon=setting.place.icon,
    )


_CATEGORIES = {"sensor": DIAGNOSTIC}


@dataclass(frozen=True, slots=True)
class _Control:
    """The platform on which a parameter is shown, or can be set, and what only that has."""

    platform: str
    properties: Json


_TOPICS = {"sensor": ("state_topic",), "button": ("command_topic",)}
"""What a platform has of the topics, where that is not both of them."""


def _topics(topics: Topics, setting: Setting, platform: str) -> Json:
    """Where the state is and commands go."""
    both = {
        "state_topic": topics.state(setting.object),
        "command_topic": topics.command(setting.object),
    }
    return {each: both[each] for each in _TOPICS.get(platform, both)}


def _shown(setting: Setting) -> _Control:
    """How a parameter is shown that cannot be set."""
    match setting.parameter:
        case NumberParameter(unit=unit):
            return _Control("sensor", known({"unit_of_measurement": spelled_unit(unit)}))
    return _Control("sensor", {})


def _controls(topics: Topics, setting: Setting, words: Sequence[str]) -> Iterator[_Control]:
    """How a parameter can be set, the best way first; none if its limits or options are not sound.

    Args:
        topics: where the state is in the owner's words.
        setting: the parameter.
        words: the owner's words for its options, none where they are not known.
    """
    match setting.parameter:
        case ChoiceParameter(options=options):
            yield from _yes_or_no(setting, options)
            yield from _select(topics, setting, words)
        case NumberParameter() as number if number.minimum < number.maximum:
            yield _Control("number", _limits(number, setting.place.part))


def _limits(number: NumberParameter, part: str) -> Json:
    unit = spelled_unit(number.unit)
    # Not every parameter in °C is a temperature; it may be a difference of two.
    is_temperature = unit == "°C" and part.endswith("_temperature")
    return known(
        {
            "min": float(number.minimum),
            "max": float(number.maximum),
            "step": max(float(number.step), SMALLEST_STEP) if number.step > 0 else _USUAL_STEP,
            "mode": "box",
            "unit_of_measurement": unit,
            "device_class": "temperature" if is_temperature else "",
        }
    )


def _yes_or_no(setting: Setting, options: Sequence[str]) -> Iterator[_Control]:
    """A button for what is only ever started, a switch for what else is yes or no.

    The boiler takes an option by its index, too.
    """
    yes = _YES.get(tuple(map(str.casefold, options)))
    if yes is None:
        return
    if entry_of_setting(setting).is_button:
        yield _Control("button", {"payload_press": str(yes)})
    on, off = options[yes], options[1 - yes]
    yield _Control(
        "switch", {"payload_on": on, "payload_off": off, "state_on": on, "state_off": off}
    )


def _select(topics: Topics, setting: Setting, words: Sequence[str]) -> Iterator[_Control]:
    """A choice, in the owner's words if they are known, else in those of the boiler's panel."""
    if words:
        yield _Control("select", {"state_topic": topics.text(setting.object), "options": words})
    options = list(named_options(setting))
    if options:
        yield _Control("select", {"options": options})
