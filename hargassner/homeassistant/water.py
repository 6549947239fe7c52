"""Hot water tanks as water heaters, over the parameters and channels that belong to each."""

from collections.abc import Iterator
from dataclasses import dataclass

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.boiler.settable import Settable
from hargassner.config import Config
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.entities import WITH_SESSION, Called, Entity, Json, lookup
from hargassner.homeassistant.topics import Topics

TEMPERATURE, WANTED, CHARGE = "temperature", "hot_water_temperature", "charge"
"""The parts of a tank that a water heater needs: what is measured, what is set, what charges it."""

_RESTS, _CHARGES = "eco", "performance"
"""How Home Assistant calls a tank that is charged by its clock, and one that is charged now."""


@dataclass(frozen=True, slots=True)
class _Tank:
    """A tank of which everything is known that a water heater needs."""

    group: str
    measured: Channel
    wanted: Setting
    limits: NumberParameter
    charge: Setting
    options: tuple[str, ...]


def water_heaters(boiler: Boiler, config: Config, settable: Settable) -> Iterator[Entity]:
    """A water heater for each tank of which everything is known that one needs."""
    topics = Topics.of(config.mqtt)
    for tank in _tanks(boiler, settable):
        yield Entity(
            platform="water_heater",
            object=f"water_heater_{tank.group}",
            # The tank's device and its water heater have the same name.
            called=Called(tank.group, "", tank.group, tank.group),
            available_with=WITH_SESSION,
            properties=_properties(topics, tank),
        )


def awaited_water_heaters(boiler: Boiler) -> Iterator[str]:
    """The identifiers of water heaters whose parameters are not known yet."""
    for group in _measured(boiler):
        if not all(_is_told(_setting(boiler, group, part)) for part in (WANTED, CHARGE)):
            yield f"water_heater_{group}"


def _is_told(setting: Setting | None) -> bool:
    return setting is not None and setting.parameter is not None


def _tanks(boiler: Boiler, settable: Settable) -> Iterator[_Tank]:
    for group, channel in _measured(boiler).items():
        wanted, charge = (_setting(boiler, group, part) for part in (WANTED, CHARGE))
        if wanted is not None and charge is not None:
            yield from _tank(group, channel, wanted, charge, settable)


def _tank(
    group: str, channel: Channel, wanted: Setting, charge: Setting, settable: Settable
) -> Iterator[_Tank]:
    """The tank, if it can be set within sound limits."""
    can_be_set = settable.allows(wanted.id) and settable.allows(charge.id)
    match wanted.parameter, charge.parameter:
        case NumberParameter() as limits, ChoiceParameter(options=(no, yes)):
            is_sound = limits.minimum < limits.maximum and no != yes
            if can_be_set and is_sound:
                yield _Tank(group, channel, wanted, limits, charge, (no, yes))


def _measured(boiler: Boiler) -> dict[str, Channel]:
    """The tanks whose temperature is measured."""
    return {
        each.place.group: each
        for each in boiler.channels.values()
        if each.place.part == TEMPERATURE and boiler.equipment.shows(each)
    }


def _setting(boiler: Boiler, group: str, part: str) -> Setting | None:
    """The parameter that is this part of a tank, if it was told."""
    found = (
        each
        for each in boiler.settings.values()
        if (each.place.group, each.place.part) == (group, part)
    )
    return next(found, None)


def _properties(topics: Topics, tank: _Tank) -> Json:
    rests, charges = tank.options
    return {
        "modes": [_RESTS, _CHARGES],
        "mode_state_topic": topics.state(tank.charge.object),
        "mode_state_template": lookup({rests: _RESTS, charges: _CHARGES}),
        "mode_command_topic": topics.command(tank.charge.object),
        "mode_command_template": lookup({_RESTS: "0", _CHARGES: "1"}),
        "current_temperature_topic": topics.channel(tank.measured),
        "temperature_state_topic": topics.state(tank.wanted.object),
        "temperature_command_topic": topics.command(tank.wanted.object),
        "temperature_unit": "C",
        "min_temp": float(tank.limits.minimum),
        "max_temp": float(tank.limits.maximum),
        "precision": 0.1,
    }
