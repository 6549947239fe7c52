"""What an entity is that joins several channels and parameters: a thermostat, a water heater."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from hargassner.boiler.model import Boiler, Channel
from hargassner.boiler.settable import Settable
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.entries import channels_named

CURRENT = "current"
"""The part that shows the temperature that is measured."""

TOPICS: Mapping[str, str] = {
    "mode_state_topic": "mode",
    "mode_command_topic": "mode/set",
    "temperature_state_topic": "temperature",
    "temperature_command_topic": "temperature/set",
    "current_temperature_topic": CURRENT,
}
"""The topics of every such entity, below its own."""


@dataclass(frozen=True, slots=True)
class Compound:
    """One such entity, as it is now. It has parts, such as its mode and its temperatures.

    ``noun`` is what its kind is called. ``values`` are what its parts show. ``commands`` are what
    commands for a part come to: each makes the id of a parameter, and what is to be set, of what
    was asked, or raises ``NoSuchCommandError``. ``topics`` and ``properties`` are what only its
    platform has; the topics stand below its own.
    """

    noun: str
    values: Mapping[str, str]
    commands: Mapping[str, Callable[[str], tuple[str, str]]]
    topics: Mapping[str, str]
    properties: Json


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is needed for one such entity.

    ``object`` is its identifier, ``group`` the key of what it is of. ``needed`` are the ids of the
    parameters that have to be told, and that may be set, and ``replaced`` those of them whose own
    entities are not needed then. ``channels`` and ``parameters`` are all of which it shows
    something; the first channel is that of its temperature. ``make`` makes the entity of that
    channel and what else the boiler has, if that is as it has to be.
    """

    platform: str
    object: str
    group: str
    needed: frozenset[str]
    replaced: frozenset[str]
    channels: tuple[str, ...]
    parameters: tuple[str, ...]
    make: Callable[[Boiler, Channel], Iterator[Compound]]

    def made(self, boiler: Boiler, settable: Settable) -> Iterator[Compound]:
        """The entity, if everything is known that it needs."""
        for channel in self._measured(boiler, settable):
            yield from self.make(boiler, channel)

    def may_come(self, boiler: Boiler, settable: Settable) -> bool:
        """Whether there is one, or will be if its parameters turn out to be as they have to be."""
        return any(self._measured(boiler, settable))

    def _measured(self, boiler: Boiler, settable: Settable) -> Iterator[Channel]:
        """The channel of its temperature, if that is measured and its parameters may be set."""
        if all(map(settable.allows, self.needed)):
            measured = channels_named(boiler, self.channels[0])
            yield from islice(filter(boiler.equipment.shows, measured), 1)
