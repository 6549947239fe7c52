"""Heating circuits as thermostats, over the parameters and channels that belong to each."""

from collections.abc import Iterator

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.catalogue import CircuitEntry
from hargassner.config import Config
from hargassner.dialogue.identifiers import object_id, parameter_object
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.entities import WITH_SESSION, Entity, Json, lookup
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


def climates(boiler: Boiler, config: Config) -> Iterator[Entity]:
    """A thermostat for each circuit of which everything is known that one needs."""
    topics = Topics.of(config.mqtt)
    for circuit, room in _circuits(boiler, config):
        mode, day = boiler.settings.get(circuit.mode), boiler.settings.get(circuit.day)
        if mode is None or day is None:
            continue
        properties = _properties(topics, mode, day)
        if properties is None:
            continue
        properties["current_temperature_topic"] = topics.channel(room)
        pump = _channel(boiler, circuit.pump)
        if pump is not None:
            properties["action_topic"] = topics.channel(pump)
            properties["action_template"] = lookup({"ON": "heating", "OFF": "idle"})
        yield Entity(
            platform="climate",
            object=climate_object(circuit),
            name=circuit.text.to(config.homeassistant.language),
            source=circuit.circuit,
            available_with=WITH_SESSION,
            properties=properties,
        )


def awaited_climates(boiler: Boiler, config: Config) -> Iterator[str]:
    """The identifiers of thermostats whose parameters the boiler has not told yet."""
    for circuit, _ in _circuits(boiler, config):
        known = [boiler.settings.get(each) for each in (circuit.mode, circuit.day)]
        if any(setting is None or setting.parameter is None for setting in known):
            yield climate_object(circuit)


def _circuits(boiler: Boiler, config: Config) -> Iterator[tuple[CircuitEntry, Channel]]:
    """The circuits that can be set and whose room temperature is measured."""
    for circuit in boiler.catalogue.circuits:
        room = _channel(boiler, circuit.room)
        settable = {circuit.mode, circuit.day} <= set(config.control.parameters)
        if settable and room is not None:
            yield circuit, room


def _channel(boiler: Boiler, name: str) -> Channel | None:
    for channel in boiler.channels.values():
        if channel.entry is not None and channel.entry.name == name:
            return channel
    return None


def _properties(topics: Topics, mode: Setting, day: Setting) -> Json | None:
    """What only a thermostat has, or None if these parameters make none."""
    if not isinstance(mode.parameter, ChoiceParameter):
        return None
    if not isinstance(day.parameter, NumberParameter):
        return None
    options = mode.parameter.options
    lowest, highest = day.parameter.minimum, day.parameter.maximum
    if not COMFORT < len(options) <= COOLING + 1 or len(set(options)) < len(options):
        return None
    if not lowest < highest:
        return None
    shown = {option: _SHOWN_AS[index] for index, option in enumerate(options)}
    set_by = {name: options[index] for name, index in _SET_BY.items() if index < len(options)}
    presets = {name: options[index] for name, index in _PRESETS.items() if index < len(options)}
    preset_shown = dict.fromkeys(options, _NO_PRESET) | {
        option: name for name, option in presets.items()
    }
    mode_state, mode_command = topics.state(mode.object), topics.command(mode.object)
    return {
        "modes": list(set_by),
        "mode_state_topic": mode_state,
        "mode_state_template": lookup(shown),
        "mode_command_topic": mode_command,
        "mode_command_template": lookup(set_by),
        "preset_modes": list(presets),
        "preset_mode_state_topic": mode_state,
        "preset_mode_value_template": lookup(preset_shown),
        "preset_mode_command_topic": mode_command,
        # Whoever ends a preset wants the clock back.
        "preset_mode_command_template": lookup({_NO_PRESET: options[AUTO]} | presets),
        "temperature_state_topic": topics.state(day.object),
        "temperature_command_topic": topics.command(day.object),
        "temperature_unit": "C",
        "min_temp": float(lowest),
        "max_temp": float(highest),
        "temp_step": float(day.parameter.step) if day.parameter.step > 0 else 0.5,
        "precision": 0.1,
    }


def circuit_temperatures(boiler: Boiler) -> frozenset[str]:
    """The identifiers of the parameters that are room temperatures."""
    ids = (id_ for each in boiler.catalogue.circuits for id_ in (each.day, each.setback))
    return frozenset(map(parameter_object, ids))
