"""Hot water tanks as water heaters: what each shows, and which parameter a command is for.

A tank that is charged now is shown as *performance*, one that is charged by its clock as *eco*.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from hargassner.boiler.model import Boiler, Channel
from hargassner.catalogue import Catalogue
from hargassner.homeassistant.adjustables import choice, limits_of, setpoint
from hargassner.homeassistant.compound import CURRENT, TOPICS, Compound, Recipe
from hargassner.homeassistant.info import shown
from hargassner.homeassistant.states import UNKNOWN

_MODES = {"eco": 0, "performance": 1}
_NAMES = dict(enumerate(_MODES))


def water_heaters(catalogue: Catalogue) -> Iterator[Recipe]:
    """What is needed for a water heater of each tank."""
    measured = {
        place.group: name
        for name, place in catalogue.equipment.channels.items()
        if place.part == "temperature"
    }
    charge, wanted = _ids(catalogue, "charge"), _ids(catalogue, "hot_water_temperature")
    for group in wanted:
        parameters = (wanted[group], charge[group])
        yield Recipe(
            platform="water_heater",
            object=f"water_heater_{group}",
            group=group,
            needed=frozenset(parameters),
            replaced=frozenset({wanted[group]}),
            channels=(measured[group],),
            parameters=parameters,
            make=partial(_made, *parameters),
        )


def _ids(catalogue: Catalogue, part: str) -> Mapping[str, str]:
    """The ids of the parameters that are this part of something, by the groups that have it."""
    return {
        entry.place.group: id_
        for id_, entry in catalogue.parameters.items()
        if entry.place.part == part
    }


def _made(wanted_id: str, charge_id: str, boiler: Boiler, water: Channel) -> Iterator[Compound]:
    """The water heater, if the temperature can be set, and charging be started or not."""
    charge, wanted = choice(boiler, charge_id), setpoint(boiler, wanted_id)
    if len(charge.options) == len(_MODES) and wanted.is_known:
        yield Compound(
            noun="water heater",
            values={
                "mode": _NAMES.get(charge.chosen, UNKNOWN),
                "temperature": wanted.shown,
                CURRENT: shown(water),
            },
            commands={"mode": partial(charge.command, _MODES), "temperature": wanted.command},
            topics=TOPICS,
            properties={"modes": list(_MODES), **limits_of(wanted)},
        )
