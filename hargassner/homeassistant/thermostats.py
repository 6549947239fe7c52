"""Heating circuits as thermostats: what each shows, and which parameter a command is for.

The boiler has one parameter for a circuit's mode and two for its room temperatures. A thermostat
has a mode, a preset and one temperature, which is the setback temperature while the preset is
*eco* and the day temperature otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from hargassner.boiler.model import Boiler, Channel
from hargassner.catalogue import Catalogue, CircuitEntry
from hargassner.dialogue.identifiers import object_id
from hargassner.homeassistant.adjustables import Choice, Setpoint, choice, limits_of, setpoint
from hargassner.homeassistant.compound import CURRENT, TOPICS, Compound, Recipe
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
"""What a circuit does by what its pump shows: in some modes, and in all others. Frost protection
runs the pump of a circuit that is off."""

_TOPICS = {
    **TOPICS,
    "power_command_topic": "mode/set",
    "preset_mode_state_topic": "preset",
    "preset_mode_command_topic": "preset/set",
}
_TOPICS_WITH_PUMP = {**_TOPICS, "action_topic": "action"}

_TURNED_ON_AND_OFF = {"payload_on": "auto", "payload_off": "off"}
"""To turn it on is to leave it to the clock, not to heat for ever."""

_USUAL_STEP = 0.5


def thermostats(catalogue: Catalogue) -> Iterator[Recipe]:
    """What is needed for a thermostat of each circuit."""
    for each in catalogue.circuits:
        yield Recipe(
            platform="climate",
            object=object_id(f"climate_{each.circuit}"),
            group=object_id(f"circuit_{each.circuit}"),
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
        pumps = tuple(channels_named(boiler, circuit.pump))
        yield _thermostat(mode, day, setpoint(boiler, circuit.setback), room, pumps)


def _thermostat(
    mode: Choice, day: Setpoint, setback: Setpoint, room: Channel, pumps: Sequence[Channel]
) -> Compound:
    """A circuit's thermostat; ``pumps`` has the channel of its pump, if there is one."""
    shown_mode, preset = _SHOWN_AS.get(mode.chosen, (UNKNOWN, UNKNOWN))
    wanted = setback if mode.chosen == REDUCED else day
    by_mode, usual_action = _ACTIONS.get(next(map(shown, pumps), UNKNOWN), ({}, UNKNOWN))
    return Compound(
        noun="thermostat",
        values={
            "mode": shown_mode,
            "preset": preset,
            "temperature": wanted.shown,
            CURRENT: shown(room),
            "action": by_mode.get(mode.chosen, usual_action),
        },
        commands={
            "mode": partial(mode.command, _MODES),
            "preset": partial(mode.command, _PRESETS_TO_SET),
            "temperature": wanted.command,
        },
        topics=_TOPICS_WITH_PUMP if pumps else _TOPICS,
        properties={
            "modes": list(mode.named(_MODES)),
            "preset_modes": list(mode.named(_PRESETS)),
            **_TURNED_ON_AND_OFF,
            **limits_of(day, setback),
            "temp_step": float(day.step) if day.step > 0 else _USUAL_STEP,
        },
    )
