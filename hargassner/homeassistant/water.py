"""Hot water tanks as water heaters: what each shows, and which parameter a command is for.

A tank that is charged now is shown as *performance*, one that is charged by its clock as *eco*.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import ClassVar

from hargassner.boiler.model import Boiler, Channel
from hargassner.catalogue import Catalogue
from hargassner.homeassistant.adjustables import Choice, Setpoint, choice, setpoint
from hargassner.homeassistant.compound import CURRENT, Commands, Compound, Recipe
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.info import shown
from hargassner.homeassistant.states import UNKNOWN

_MODES = {"eco": 0, "performance": 1}
_NAMES = dict(enumerate(_MODES))


@dataclass(frozen=True, slots=True)
class WaterHeater:
    """A tank of which everything is known that a water heater needs."""

    noun: ClassVar[str] = "water heater"

    charge: Choice
    wanted: Setpoint
    water: Channel

    @property
    def modes(self) -> list[str]:
        """The modes that can be set."""
        return list(_MODES)

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The lowest and the highest temperature that the water can be set to."""
        return self.wanted.lowest, self.wanted.highest

    @property
    def values(self) -> Mapping[str, str]:
        """What it shows, by its parts."""
        return {
            "mode": _NAMES.get(self.charge.chosen, UNKNOWN),
            "temperature": self.wanted.shown,
            CURRENT: shown(self.water),
        }

    @property
    def commands(self) -> Commands:
        """What can be set."""
        return {
            "mode": partial(self.charge.command, _MODES),
            "temperature": self.wanted.command,
        }

    def own_properties(self, topic: Callable[[str], str]) -> Json:
        """Nothing: a water heater has only what others have, too."""
        return {}


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
            measured=measured[group],
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


def _made(wanted: str, charge: str, boiler: Boiler, water: Channel) -> Iterator[Compound]:
    """The water heater, if the temperature can be set, and charging be started or not."""
    heater = WaterHeater(choice(boiler, charge), setpoint(boiler, wanted), water)
    if len(heater.charge.options) == len(_MODES) and heater.wanted.is_known:
        yield heater
