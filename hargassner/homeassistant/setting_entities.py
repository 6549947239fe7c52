"""The entity of a parameter, by what it can be set to."""

from collections.abc import Sequence
from itertools import permutations

from hargassner.boiler.model import Setting
from hargassner.catalogue import spelled_unit
from hargassner.config import Config
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.entities import DIAGNOSTIC, WITH_SESSION, Entity, Json
from hargassner.homeassistant.topics import Topics

SMALLEST_STEP = 0.001
"""Of a number; Home Assistant refuses smaller ones."""

_YES_NO = frozenset({("yes", "no"), ("ja", "nein"), ("oui", "non")})

_SENSOR: tuple[str, Json] = "sensor", {}


def setting_entity(config: Config, setting: Setting, is_temperature: bool) -> Entity | None:
    """The entity of a parameter; None for one that can be set and is not known in full yet.

    Args:
        config: names the parameters that can be set.
        setting: the parameter.
        is_temperature: whether it is one, and no difference of two.
    """
    settable = setting.id in config.control.parameters
    if settable and setting.parameter is None:
        return None
    platform, only_here = _control(setting, is_temperature) if settable else _SENSOR
    shared = _read_only(config, setting) if platform == "sensor" else _writable(config, setting)
    return Entity(
        platform=platform,
        object=setting.object,
        name=_name(setting, config.homeassistant.language),
        source=setting.id,
        available_with=WITH_SESSION,
        properties={**shared, **only_here},
        category=DIAGNOSTIC if platform == "sensor" else "",
        enabled=settable or config.homeassistant.entities == "all",
    )


def _name(setting: Setting, language: str) -> str:
    text = setting.entry.text.to(language) if setting.entry else ""
    return text or setting.name or setting.id


def _read_only(config: Config, setting: Setting) -> Json:
    properties: Json = {"state_topic": Topics.of(config.mqtt).state(setting.object)}
    if isinstance(setting.parameter, NumberParameter) and setting.parameter.unit:
        properties["unit_of_measurement"] = spelled_unit(setting.parameter.unit)
    return properties


def _writable(config: Config, setting: Setting) -> Json:
    topics = Topics.of(config.mqtt)
    return {
        "state_topic": topics.state(setting.object),
        "command_topic": topics.command(setting.object),
    }


def _control(setting: Setting, is_temperature: bool) -> tuple[str, Json]:
    """The platform on which a parameter can be set, and what only that platform has.

    A sensor for one that has no sound limits or options.
    """
    match setting.parameter:
        case ChoiceParameter(options=options):
            return _switch(options) or _select(options) or _SENSOR
        case NumberParameter() as number if number.minimum < number.maximum:
            return "number", _limits(number, is_temperature)
        case _:
            return _SENSOR


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


def _switch(options: Sequence[str]) -> tuple[str, Json] | None:
    """A switch, if the options are yes and no."""
    for off, on in permutations(options) if len(options) == 2 else ():
        if (on.casefold(), off.casefold()) in _YES_NO:
            states = {"state_on": on, "state_off": off}
            return "switch", {"payload_on": on, "payload_off": off, **states}
    return None


def _select(options: Sequence[str]) -> tuple[str, Json] | None:
    """A choice, if the options have names, each another one."""
    if all(options) and len(set(options)) == len(options):
        return "select", {"options": list(options)}
    return None
