"""Heating circuits as thermostats: where each is published, commanded and announced."""

from collections.abc import Callable, Iterable, Iterator

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.boiler.settable import Settable
from hargassner.catalogue import CircuitEntry
from hargassner.config import Config
from hargassner.dialogue.identifiers import object_id
from hargassner.homeassistant.entities import WITH_SESSION, Called, Entity, Json
from hargassner.homeassistant.states import States
from hargassner.homeassistant.thermostats import (
    NoSuchCommandError,
    Thermostat,
    climate_object,
    measured_room,
    thermostat,
    thermostats,
)
from hargassner.homeassistant.topics import Topics


class Climate:
    """Publishes what the thermostats show, and knows which parameters commands are for.

    Args:
        boiler: the model.
        settable: decides what may be set.
        topics: where.
        states: publishes states.
        interval: seconds that pass at least between two room temperatures.
    """

    def __init__(
        self, boiler: Boiler, settable: Settable, topics: Topics, states: States, interval: float
    ) -> None:
        self._boiler = boiler
        self._settable = settable
        self._topics = topics
        self._states = states
        self._interval = interval
        circuits = boiler.catalogue.circuits
        self._by_object = _indexed(circuits, lambda each: (climate_object(each),))
        self._by_channel = _indexed(circuits, lambda each: (each.room, each.pump))
        self._by_parameter = _indexed(circuits, lambda each: (each.mode, each.day, each.setback))

    @property
    def objects(self) -> frozenset[str]:
        """The identifiers of the thermostats that there are, or will be in a session."""
        return frozenset(
            object_
            for object_, circuit in self._by_object.items()
            if measured_room(self._boiler, self._settable, circuit) is not None
        )

    def show_all(self) -> None:
        """Publish what all thermostats show."""
        for each in self._by_object.values():
            self._show(each)

    def channels_changed(self, channels: Iterable[Channel]) -> None:
        """Publish what a thermostat shows, if a channel is one of its circuit."""
        by_channel = self._by_channel
        for channel in channels:
            entry = channel.entry
            if entry is not None and entry.name in by_channel:
                self._show(by_channel[entry.name])

    def setting_changed(self, setting: Setting) -> None:
        """Publish what a thermostat shows, if the parameter is one of its circuit."""
        self._show(self._by_parameter.get(setting.id))

    def command(self, object_: str, payload: str) -> tuple[str, str] | None:
        """The id of the parameter that a command is for, and what to set; None for another object.

        Args:
            object_: the thermostat and its part, as in ``climate_1/mode``.
            payload: what is asked.

        Raises:
            NoSuchCommandError: there is no such thermostat, or it cannot do that.
        """
        climate, _, part = object_.partition("/")
        if not part:
            return None
        known = self._known(self._by_object.get(climate))
        if known is None:
            raise NoSuchCommandError("there is no such thermostat, or not all of it is known yet")
        return known.command(part, payload)

    def _show(self, circuit: CircuitEntry | None) -> None:
        known = self._known(circuit)
        if known is None:
            return
        for part, value in known.values().items():
            interval = self._interval if part == "current" else 0.0
            self._states.show(_topic(self._topics, known, part), value, interval)

    def _known(self, circuit: CircuitEntry | None) -> Thermostat | None:
        return None if circuit is None else thermostat(self._boiler, self._settable, circuit)


def climates(boiler: Boiler, config: Config, settable: Settable) -> Iterator[Entity]:
    """A thermostat for each circuit of which everything is known that one needs."""
    topics = Topics.of(config.mqtt)
    for each in thermostats(boiler, settable):
        group = group_of(each.circuit)
        yield Entity(
            platform="climate",
            object=climate_object(each.circuit),
            # The circuit's device and its thermostat have the same name.
            called=Called(group, "", group, each.circuit.circuit),
            available_with=WITH_SESSION,
            properties=_properties(topics, each),
        )


def awaited_climates(boiler: Boiler, settable: Settable) -> Iterator[str]:
    """The identifiers of thermostats whose parameters are not known yet."""
    for circuit in boiler.catalogue.circuits:
        is_told = all(_is_told(boiler, each) for each in (circuit.mode, circuit.day))
        if not is_told and measured_room(boiler, settable, circuit) is not None:
            yield climate_object(circuit)


def _is_told(boiler: Boiler, id_: str) -> bool:
    setting = boiler.settings.get(id_)
    return setting is not None and setting.parameter is not None


def _indexed(
    circuits: Iterable[CircuitEntry], names: Callable[[CircuitEntry], Iterable[str]]
) -> dict[str, CircuitEntry]:
    """The circuits by some of their names."""
    return {name: each for each in circuits for name in names(each)}


def group_of(circuit: CircuitEntry) -> str:
    """The key of the group that is a circuit."""
    return object_id(f"circuit_{circuit.circuit}")


def _topic(topics: Topics, of: Thermostat, part: str) -> str:
    return topics.state(f"{climate_object(of.circuit)}/{part}")


def _properties(topics: Topics, of: Thermostat) -> Json:
    """What only a thermostat has: each of its parts has a plain topic."""
    mode, preset, temperature = (
        _topic(topics, of, part) for part in ("mode", "preset", "temperature")
    )
    lowest, highest = of.bounds
    action = {"action_topic": _topic(topics, of, "action")} if of.pump is not None else {}
    return {
        "modes": of.modes,
        "mode_state_topic": mode,
        "mode_command_topic": f"{mode}/set",
        # To turn it on is to leave it to the clock, not to heat for ever.
        "power_command_topic": f"{mode}/set",
        "payload_on": "auto",
        "payload_off": "off",
        "preset_modes": of.presets,
        "preset_mode_state_topic": preset,
        "preset_mode_command_topic": f"{preset}/set",
        "temperature_state_topic": temperature,
        "temperature_command_topic": f"{temperature}/set",
        "temperature_unit": "C",
        "min_temp": float(lowest),
        "max_temp": float(highest),
        "temp_step": float(of.limits.step) if of.limits.step > 0 else 0.5,
        "precision": 0.1,
        "current_temperature_topic": _topic(topics, of, "current"),
        **action,
    }
