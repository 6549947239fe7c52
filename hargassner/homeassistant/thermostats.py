"""Heating circuits as thermostats: what each shows, and which parameter a command is for.

The boiler has one parameter for a circuit's mode and two for its room temperatures. A thermostat
has a mode, a preset and one temperature, which is the setback temperature while the preset is
*eco* and the day temperature otherwise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.boiler.settable import Settable
from hargassner.catalogue import CircuitEntry
from hargassner.dialogue.identifiers import object_id
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.info import shown
from hargassner.homeassistant.states import UNKNOWN

OFF, AUTO, REDUCED, COMFORT, COMFORT_ONCE, COOLING = range(6)
"""What the options of a circuit's mode mean, by their index; a boiler may have fewer."""

_SHOWN_AS = ("off", "auto", "heat", "heat", "auto", "cool")
_MODES = {"off": OFF, "auto": AUTO, "heat": COMFORT, "cool": COOLING}
_PRESETS = {"eco": REDUCED, "boost": COMFORT_ONCE}
NO_PRESET = "none"

_ACTIONS: Mapping[str, tuple[Mapping[int | None, str], str]] = {
    "ON": ({COOLING: "cooling"}, "heating"),
    "OFF": ({OFF: "off"}, "idle"),
}
"""What a circuit does by what its pump shows: in some modes, and in all others."""

_LONGEST_SHOWN = 40
_NO_NUMBER = Decimal("Infinity")


class NoSuchCommandError(ValueError):
    """A thermostat cannot do that; the text says in one sentence why."""


@dataclass(frozen=True, slots=True)
class Thermostat:
    """A circuit of which everything is known that a thermostat needs.

    ``setback`` and ``pump`` are None where they are not known.
    """

    circuit: CircuitEntry
    room: Channel
    mode: Setting
    options: Sequence[str]
    day: Setting
    limits: NumberParameter
    setback: Setting | None
    pump: Channel | None

    @property
    def modes(self) -> list[str]:
        """The modes that can be set."""
        return [name for name, index in _MODES.items() if index < len(self.options)]

    @property
    def presets(self) -> list[str]:
        """The presets that can be set, besides none."""
        return [name for name, index in _PRESETS.items() if index < len(self.options)]

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The lowest and the highest temperature that either of its temperatures can be."""
        both = [each for each in (self.limits, _limits(self.setback)) if each is not None]
        return min(each.minimum for each in both), max(each.maximum for each in both)

    def values(self) -> dict[str, str]:
        """What it shows, by the parts of a thermostat."""
        return {
            "mode": UNKNOWN if self._index is None else _SHOWN_AS[self._index],
            "preset": UNKNOWN if self._index is None else self._preset(self._index),
            "temperature": _temperature(self._wanted),
            "current": shown(self.room),
            "action": self._action(),
        }

    def command(self, part: str, payload: str) -> tuple[str, str]:
        """The id of the parameter that a command is for, and what is to be set.

        Raises:
            NoSuchCommandError: the thermostat cannot do that.
        """
        command = _COMMANDS.get(part)
        if command is None:
            raise NoSuchCommandError(f"a thermostat's {part[:_LONGEST_SHOWN]} cannot be set")
        return command(self, payload)

    def set_mode(self, payload: str) -> tuple[str, str]:
        """Set the mode."""
        return self.circuit.mode, self._option(_MODES, payload)

    def set_preset(self, payload: str) -> tuple[str, str]:
        """Set a preset; whoever ends one wants the clock back."""
        return self.circuit.mode, self._option({NO_PRESET: AUTO, **_PRESETS}, payload)

    def set_temperature(self, payload: str) -> tuple[str, str]:
        """Set the temperature that is shown, to what the boiler's steps allow."""
        id_ = self.circuit.setback if self._index == REDUCED else self.circuit.day
        return id_, _on_step(_limits(self._wanted), payload)

    @property
    def _index(self) -> int | None:
        """Which option its mode is, None for one that it should not have."""
        return self.options.index(self.mode.text) if self.mode.text in self.options else None

    @property
    def _wanted(self) -> Setting | None:
        return self.setback if self._index == REDUCED else self.day

    def _preset(self, index: int) -> str:
        return next((name for name, each in _PRESETS.items() if each == index), NO_PRESET)

    def _option(self, names: Mapping[str, int], payload: str) -> str:
        index = names.get(payload.casefold(), len(self.options))
        if index >= len(self.options):
            can_be = ", ".join(name for name, each in names.items() if each < len(self.options))
            raise NoSuchCommandError(f"{payload[:_LONGEST_SHOWN]!r} is none of {can_be}")
        return self.options[index]

    def _action(self) -> str:
        """What the circuit does, by its pump; frost protection runs it while the circuit is off."""
        pump = UNKNOWN if self.pump is None else shown(self.pump)
        by_mode, usual = _ACTIONS.get(pump, ({}, UNKNOWN))
        return by_mode.get(self._index, usual)


_COMMANDS: Mapping[str, Callable[[Thermostat, str], tuple[str, str]]] = {
    "mode": Thermostat.set_mode,
    "preset": Thermostat.set_preset,
    "temperature": Thermostat.set_temperature,
}


def climate_object(circuit: CircuitEntry) -> str:
    """The identifier of a circuit's thermostat."""
    return object_id(f"climate_{circuit.circuit}")


def thermostats(boiler: Boiler, settable: Settable) -> Iterator[Thermostat]:
    """A thermostat for each circuit of which everything is known that one needs."""
    for circuit in boiler.catalogue.circuits:
        known = thermostat(boiler, settable, circuit)
        if known is not None:
            yield known


def thermostat(boiler: Boiler, settable: Settable, circuit: CircuitEntry) -> Thermostat | None:
    """A circuit's thermostat, None if something is missing."""
    room = measured_room(boiler, settable, circuit)
    mode, day = boiler.settings.get(circuit.mode), boiler.settings.get(circuit.day)
    options, limits = _options(mode), _limits(day)
    # The second half follows from the first, which the types do not tell.
    if room is None or options is None or limits is None or mode is None or day is None:
        return None
    setback, pump = boiler.settings.get(circuit.setback), channel_named(boiler, circuit.pump)
    return Thermostat(circuit, room, mode, options, day, limits, setback, pump)


def measured_room(boiler: Boiler, settable: Settable, circuit: CircuitEntry) -> Channel | None:
    """The room temperature of a circuit that can be set; None where nothing measures it."""
    room = channel_named(boiler, circuit.room)
    may_be_set = settable.allows(circuit.mode) and settable.allows(circuit.day)
    is_there = room is not None and may_be_set and boiler.equipment.shows(room)
    return room if is_there else None


def channel_named(boiler: Boiler, name: str) -> Channel | None:
    """The channel that the catalogue knows by this name."""
    for channel in boiler.channels.values():
        if channel.entry is not None and channel.entry.name == name:
            return channel
    return None


def _options(mode: Setting | None) -> Sequence[str] | None:
    """The options of a circuit's mode, if they are as many as are known, and no two alike."""
    match mode and mode.parameter:
        case ChoiceParameter(options=options) if COMFORT < len(options) <= COOLING + 1:
            return options if len(set(options)) == len(options) else None
    return None


def _limits(temperature: Setting | None) -> NumberParameter | None:
    """The limits of a room temperature, if there is anything between them."""
    match temperature and temperature.parameter:
        case NumberParameter() as number if number.minimum < number.maximum:
            return number
    return None


def _temperature(setting: Setting | None) -> str:
    """A temperature as it is set, without zeros at its end."""
    number = _limits(setting)
    if setting is None or number is None or number.text != setting.text:
        return UNKNOWN
    return _plain(number.value)


def _on_step(limits: NumberParameter | None, payload: str) -> str:
    """The nearest number that the boiler takes; what is no number is for it to refuse."""
    number = _number(payload)
    if limits is None or limits.step <= 0 or abs(number) > limits.maximum:
        return payload
    steps = round((number - limits.minimum) / limits.step)
    return _plain(limits.minimum + steps * limits.step)


def _number(payload: str) -> Decimal:
    """A number as it was sent; an endless one for what is none."""
    try:
        number = Decimal(payload)
    except InvalidOperation:
        return _NO_NUMBER
    return number if number.is_finite() else _NO_NUMBER


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
