"""The entity of a parameter, by what it can be set to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from hargassner.boiler.model import Boiler, Setting
from hargassner.boiler.settable import Settable
from hargassner.catalogue import spelled_unit
from hargassner.config import Config
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.entities import DIAGNOSTIC, WITH_SESSION, Entity, Json
from hargassner.homeassistant.naming import setting_called
from hargassner.homeassistant.topics import Topics
from hargassner.homeassistant.words import option_words

SMALLEST_STEP = 0.001
"""Of a number; Home Assistant refuses smaller ones."""

_YES_NO = frozenset({("yes", "no"), ("ja", "nein"), ("oui", "non")})


def setting_entity(
    boiler: Boiler, config: Config, settable: Settable, setting: Setting
) -> Entity | None:
    """The entity of a parameter; None for one that can be set and is not known in full yet.

    Args:
        boiler: the model.
        config: the configuration.
        settable: decides what can be set.
        setting: the parameter.
    """
    can_be_set = settable.allows(setting.id)
    if can_be_set and setting.parameter is None:
        return None
    language = config.homeassistant.language
    topics = Topics.of(config.mqtt)
    control = _control(boiler, topics, setting, language) if can_be_set else _SENSOR
    return Entity(
        platform=control.platform,
        object=setting.object,
        called=setting_called(boiler.catalogue, setting, language),
        available_with=WITH_SESSION,
        properties={**_topics(topics, setting, control.platform), **control.properties},
        category=DIAGNOSTIC if control.platform == "sensor" else "",
        enabled=can_be_set or config.homeassistant.entities == "all",
        icon=setting.place.icon,
    )


@dataclass(frozen=True, slots=True)
class _Control:
    """The platform on which a parameter can be set, and what only that platform has."""

    platform: str
    properties: Json


_SENSOR = _Control("sensor", {})


def _topics(topics: Topics, setting: Setting, platform: str) -> Json:
    """Where the state is and commands go, and the unit of one that is only shown."""
    state = {"state_topic": topics.state(setting.object)}
    command = {"command_topic": topics.command(setting.object)}
    match platform:
        case "sensor":
            return {**state, **_unit(setting)}
        case "button":
            return command
    return {**state, **command}


def _unit(setting: Setting) -> Json:
    match setting.parameter:
        case NumberParameter(unit=unit) if unit:
            return {"unit_of_measurement": spelled_unit(unit)}
    return {}


def _control(boiler: Boiler, topics: Topics, setting: Setting, language: str) -> _Control:
    """How a parameter can be set; a sensor for one that has no sound limits or options."""
    match setting.parameter:
        case ChoiceParameter(options=options):
            return (
                _button(setting, options)
                or _switch(options)
                or _select(topics, setting, options, option_words(boiler, setting, language))
                or _SENSOR
            )
        case NumberParameter() as number if number.minimum < number.maximum:
            return _Control("number", _limits(number, _is_temperature(setting)))
    return _SENSOR


def _is_temperature(setting: Setting) -> bool:
    """Whether a parameter in °C is a temperature, and no difference of two."""
    return setting.place.part.endswith("_temperature")


def _limits(number: NumberParameter, is_temperature: bool) -> Json:
    limits: Json = {
        "min": float(number.minimum),
        "max": float(number.maximum),
        "step": max(float(number.step), SMALLEST_STEP) if number.step > 0 else 1.0,
        "mode": "box",
    }
    unit = spelled_unit(number.unit)
    if unit:
        limits["unit_of_measurement"] = unit
    # Not every parameter in °C is a temperature; it may be a difference of two.
    if is_temperature and unit == "°C":
        limits["device_class"] = "temperature"
    return limits


def _yes(options: Sequence[str]) -> int | None:
    """The index of yes, if the options are yes and no."""
    for no, yes in permutations(range(len(options))) if len(options) == 2 else ():
        if (options[yes].casefold(), options[no].casefold()) in _YES_NO:
            return yes
    return None


def _button(setting: Setting, options: Sequence[str]) -> _Control | None:
    """A button for what is only ever started; the boiler takes an option by its index, too."""
    yes = _yes(options)
    is_button = setting.entry is not None and setting.entry.is_button and yes is not None
    return _Control("button", {"payload_press": str(yes)}) if is_button else None


def _switch(options: Sequence[str]) -> _Control | None:
    """A switch, if the options are yes and no."""
    yes = _yes(options)
    if yes is None:
        return None
    on, off = options[yes], options[1 - yes]
    return _Control(
        "switch", {"payload_on": on, "payload_off": off, "state_on": on, "state_off": off}
    )


def _select(
    topics: Topics, setting: Setting, options: Sequence[str], words: Sequence[str]
) -> _Control | None:
    """A choice, if the options have names, each another one.

    Args:
        topics: where the state is in the owner's words.
        setting: the parameter.
        options: the boiler's words, in the language of its panel.
        words: the owner's, none where they are not known.
    """
    if not all(options) or len(set(options)) < len(options):
        return None
    if not words:
        return _Control("select", {"options": list(options)})
    return _Control("select", {"state_topic": topics.text(setting.object), "options": list(words)})
