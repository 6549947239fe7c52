"""Heating circuits as thermostats: what each shows, and which parameter a command is for.

The boiler has one parameter for a circuit's mode and two for its room temperatures. A thermostat
has a mode, a preset and one temperature, which is the setback temperature while the preset is
*eco* and the day temperature otherwise.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import ClassVar

from hargassner.boiler.model import Boiler, Channel
from hargassner.catalogue import Catalogue, CircuitEntry
from hargassner.dialogue.identifiers import object_id
from hargassner.homeassistant.adjustables import Choice, Setpoint, choice, setpoint
from hargassner.homeassistant.compound import CURRENT, Commands, Compound, Recipe
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.entries import channels_named
from hargassner.homeassistant.info import shown
from hargassner.homeassistant.states import UNKNOWN

OFF, AUTO, REDUCED, COMFORT, COMFORT_ONCE, COOLING = range(6)
"""What the options of a circuit's mode mean, by their index; a boiler may have fewer."""

_SOUND = range(COMFORT + 1, COOLING + 2)
"""How many options a circuit's mode has."""

_NO_PRESET = "none"
_SHOWN_AS = {
    OFF: ("off", _NO_PRESET),
    AUTO: ("auto", _NO_PRESET),
    REDUCED: ("heat", "eco"),
    COMFORT: ("heat", _NO_PRESET),
    COMFORT_ONCE: ("auto", "boost"),
    COOLING: ("cool", _NO_PRESET),
}
"""The mode and the preset that an option is shown as."""

_MODES = {"off": OFF, "auto": AUTO, "heat": COMFORT, "cool": COOLING}
_PRESETS = {"eco": REDUCED, "boost": COMFORT_ONCE}
_PRESETS_TO_SET = {_NO_PRESET: AUTO, **_PRESETS}
"""Whoever ends a preset wants the clock back."""

_ACTIONS: Mapping[str, tuple[Mapping[int, str], str]] = {
    "ON": ({COOLING: "cooling"}, "heating"),
    "OFF": ({OFF: "off"}, "idle"),
}
"""What a circuit does by what its pump shows: in some modes, and in all others."""

_USUAL_STEP = 0.5


@dataclass(frozen=True, slots=True)
class Thermostat:
    """A circuit of which everything is known that a thermostat needs.

    ``pumps`` has the channel of its pump, if there is one.
    """

    noun: ClassVar[str] = "thermostat"

    mode: Choice
    day: Setpoint
    setback: Setpoint
    room: Channel
    pumps: tuple[Channel, ...]

    @property
    def modes(self) -> list[str]:
        """The modes that can be set."""
        return list(self.mode.named(_MODES))

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The lowest and the highest temperature that either of its temperatures can be."""
        return (
            min(self.day.lowest, self.setback.lowest),
            max(self.day.highest, self.setback.highest),
        )

    @property
    def values(self) -> Mapping[str, str]:
        """What it shows, by its parts."""
        mode, preset = _SHOWN_AS.get(self.mode.chosen, (UNKNOWN, UNKNOWN))
        return {
            "mode": mode,
            "preset": preset,
            "temperature": self._wanted.shown,
            CURRENT: shown(self.room),
            "action": self._action(),
        }

    @property
    def commands(self) -> Commands:
        """What can be set: the temperature is the one that is shown."""
        return {
            "mode": partial(self.mode.command, _MODES),
            "preset": partial(self.mode.command, _PRESETS_TO_SET),
            "temperature": self._wanted.command,
        }

    def own_properties(self, topic: Callable[[str], str]) -> Json:
        """What only a thermostat has."""
        return {
            # To turn it on is to leave it to the clock, not to heat for ever.
            "power_command_topic": f"{topic('mode')}/set",
            "payload_on": "auto",
            "payload_off": "off",
            "preset_modes": list(self.mode.named(_PRESETS)),
            "preset_mode_state_topic": topic("preset"),
            "preset_mode_command_topic": f"{topic('preset')}/set",
            "temp_step": float(self.day.step) if self.day.step > 0 else _USUAL_STEP,
            **({"action_topic": topic("action")} if self.pumps else {}),
        }

    @property
    def _wanted(self) -> Setpoint:
        return self.setback if self.mode.chosen == REDUCED else self.day

    def _action(self) -> str:
        """What the circuit does, by its pump; frost protection runs it while the circuit is off."""
        by_mode, usual = _ACTIONS.get(next(map(shown, self.pumps), UNKNOWN), ({}, UNKNOWN))
        return by_mode.get(self.mode.chosen, usual)


def thermostats(catalogue: Catalogue) -> Iterator[Recipe]:
    """What is needed for a thermostat of each circuit."""
    for each in catalogue.circuits:
        yield Recipe(
            platform="climate",
            object=object_id(f"climate_{each.circuit}"),
            group=object_id(f"circuit_{each.circuit}"),
            measured=each.room,
            needed=frozenset({each.mode, each.day}),
            replaced=frozenset(),
            channels=(each.room, each.pump),
            parameters=(each.mode, each.day, each.setback),
            make=partial(_made, each),
        )


def _made(circuit: CircuitEntry, boiler: Boiler, room: Channel) -> Iterator[Compound]:
    """The thermostat, if the mode has the options of one, and the temperature can be set."""
    mode, day = choice(boiler, circuit.mode), setpoint(boiler, circuit.day)
    if len(mode.options) in _SOUND and day.is_known:
        setback, pumps = setpoint(boiler, circuit.setback), channels_named(boiler, circuit.pump)
        yield Thermostat(mode, day, setback, room, tuple(pumps))
