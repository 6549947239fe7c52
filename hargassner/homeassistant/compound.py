"""What an entity is that joins several channels and parameters: a thermostat, a water heater."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Protocol

from hargassner.boiler.model import Boiler, Channel
from hargassner.boiler.settable import Settable
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.entries import channels_named

CURRENT = "current"
"""The part that shows the temperature that is measured."""

Commands = Mapping[str, Callable[[str], tuple[str, str]]]
"""What commands come to, by the parts that can be set: each makes the id of a parameter, and what
is to be set, of what was asked. They raise ``NoSuchCommandError`` for what cannot be done."""


class Compound(Protocol):
    """One such entity, as it is now. It has parts, such as its mode and its temperatures.

    ``noun`` is what its kind is called.
    """

    noun: ClassVar[str]

    @property
    def modes(self) -> list[str]:
        """The modes that can be set."""

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The lowest and the highest temperature that it can be set to, in °C."""

    @property
    def values(self) -> Mapping[str, str]:
        """What it shows, by its parts."""

    @property
    def commands(self) -> Commands:
        """What can be set."""

    def own_properties(self, topic: Callable[[str], str]) -> Json:
        """What only entities of its kind have.

        Args:
            topic: where a part is published.
        """


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is needed for one such entity.

    ``object`` is its identifier, ``group`` the key of what it is of. ``measured`` names the channel
    of its temperature; ``needed`` are the ids of the parameters that have to be told, and that may
    be set, and ``replaced`` those of them whose own entities are not needed then. ``channels`` and
    ``parameters`` are all of which it shows something. ``make`` makes the entity of the measured
    channel and what else the boiler has, if that is as it has to be.
    """

    platform: str
    object: str
    group: str
    measured: str
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
            yield from filter(boiler.equipment.shows, channels_named(boiler, self.measured))
