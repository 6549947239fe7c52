"""Heating circuits as thermostats, over the parameters and channels that belong to each."""

from collections.abc import Iterator, Mapping, Sequence

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.boiler.settable import Settable
from hargassner.catalogue import CircuitEntry
from hargassner.config import Config
from hargassner.dialogue.identifiers import object_id
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.entities import WITH_SESSION, Called, Entity, Json, lookup
from hargassner.homeassistant.topics import Topics

OFF, AUTO, REDUCED, COMFORT, COMFORT_ONCE, COOLING = range(6)
"""What the options of a circuit's mode mean, by their index; a boiler may have fewer."""

_SHOWN_AS = {
    OFF: "off",
    AUTO: "auto",
    REDUCED: "heat",
    COMFORT: "heat",
    COMFORT_ONCE: "auto",
    COOLING: "cool",
}
_SET_BY = {"off": OFF, "auto": AUTO, "heat": COMFORT, "cool": COOLING}
_PRESETS = {"eco": REDUCED, "boost": COMFORT_ONCE}
_NO_PRESET = "none"


def climate_object(circuit: CircuitEntry) -> str:
    """The identifier of a circuit's thermostat."""
    return object_id(f"climate_{circuit.circuit}")


def climates(boiler: Boiler, config: Config, settable: Settable) -> Iterator[Entity]:
    """A thermostat for each circuit of which everything is known that one needs."""
    topics = Topics.of(config.mqtt)
    for circuit, room in _circuits(boiler, settable):
        mode, day = boiler.settings.get(circuit.mode), boiler.settings.get(circuit.day)
        properties = _properties(topics, mode, day) if mode and day else None
        if properties is not None:
            properties["current_temperature_topic"] = topics.channel(room)
            group = group_of(circuit)
            yield Entity(
                platform="climate",
                object=climate_object(circuit),
                # The circuit's device and its thermostat have the same name.
                called=Called(group, "", group, circuit.circuit),
                available_with=WITH_SESSION,
                properties={**properties, **_action(topics, _channel(boiler, circuit.pump))},
            )


def group_of(circuit: CircuitEntry) -> str:
    """The key of the group that is a circuit."""
    return object_id(f"circuit_{circuit.circuit}")


def _action(topics: Topics, pump: Channel | None) -> Json:
    """Whether a circuit heats, by its pump."""
    if pump is None:
        return {}
    return {
        "action_topic": topics.channel(pump),
        "action_template": lookup({"ON": "heating", "OFF": "idle"}),
    }


def awaited_climates(boiler: Boiler, settable: Settable) -> Iterator[str]:
    """The identifiers of thermostats whose parameters are not known yet."""
    for circuit, _ in _circuits(boiler, settable):
        if not all(_is_told(boiler, each) for each in (circuit.mode, circuit.day)):
            yield climate_object(circuit)


def _is_told(boiler: Boiler, id_: str) -> bool:
    setting = boiler.settings.get(id_)
    return setting is not None and setting.parameter is not None


def _circuits(boiler: Boiler, settable: Settable) -> Iterator[tuple[CircuitEntry, Channel]]:
    """The circuits that can be set and whose room temperature is measured."""
    for circuit in boiler.catalogue.circuits:
        room = _channel(boiler, circuit.room)
        may_be_set = settable.allows(circuit.mode) and settable.allows(circuit.day)
        if may_be_set and room is not None and boiler.equipment.shows(room):
            yield circuit, room


def _channel(boiler: Boiler, name: str) -> Channel | None:
    for channel in boiler.channels.values():
        if channel.entry is not None and channel.entry.name == name:
            return channel
    return None


def _properties(topics: Topics, mode: Setting, day: Setting) -> Json | None:
    """What only a thermostat has, or None if these parameters make none."""
    options, temperature = _options(mode), _limits(day)
    if options is None or temperature is None:
        return None
    return {
        **_modes(topics, mode, options),
        **_presets(topics, mode, options),
        "temperature_state_topic": topics.state(day.object),
        "temperature_command_topic": topics.command(day.object),
        "temperature_unit": "C",
        "min_temp": float(temperature.minimum),
        "max_temp": float(temperature.maximum),
        "temp_step": float(temperature.step) if temperature.step > 0 else 0.5,
        "precision": 0.1,
    }


def _options(mode: Setting) -> Sequence[str] | None:
    """The options of a circuit's mode, if they are as many as are known, and no two alike."""
    match mode.parameter:
        case ChoiceParameter(options=options) if COMFORT < len(options) <= COOLING + 1:
            return options if len(set(options)) == len(options) else None
    return None


def _limits(day: Setting) -> NumberParameter | None:
    """The limits of a room temperature, if there is anything between them."""
    match day.parameter:
        case NumberParameter() as number if number.minimum < number.maximum:
            return number
    return None


def _named(names: Mapping[str, int], options: Sequence[str]) -> dict[str, str]:
    """The boiler's option for each of Home Assistant's names; it may have fewer options."""
    return {name: options[index] for name, index in names.items() if index < len(options)}


def _modes(topics: Topics, mode: Setting, options: Sequence[str]) -> Json:
    shown = {option: _SHOWN_AS[index] for index, option in enumerate(options)}
    set_by = _named(_SET_BY, options)
    return {
        "modes": list(set_by),
        "mode_state_topic": topics.state(mode.object),
        "mode_state_template": lookup(shown),
        "mode_command_topic": topics.command(mode.object),
        "mode_command_template": lookup(set_by),
    }


def _presets(topics: Topics, mode: Setting, options: Sequence[str]) -> Json:
    presets = _named(_PRESETS, options)
    shown = dict.fromkeys(options, _NO_PRESET) | {each: name for name, each in presets.items()}
    return {
        "preset_modes": list(presets),
        "preset_mode_state_topic": topics.state(mode.object),
        "preset_mode_value_template": lookup(shown),
        "preset_mode_command_topic": topics.command(mode.object),
        # Whoever ends a preset wants the clock back.
        "preset_mode_command_template": lookup({_NO_PRESET: options[AUTO]} | presets),
    }
