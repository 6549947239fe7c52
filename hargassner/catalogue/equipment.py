"""What a boiler may have besides itself: circuits, tanks, buffers, lines, and what belongs to each.

``groups.tsv`` has the groups, ``equipment.tsv`` the channels of each and what shows that a group
exists. A parameter's row in ``parameters.tsv`` names its group itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from hargassner.catalogue.text import NO_WORDS, Text
from hargassner.tables import rows

BOILER = "boiler"
"""The device of the boiler itself."""


class Proof(StrEnum):
    """What of a channel shows that its group exists."""

    NONE = ""
    CONNECTED = "connected"
    ON = "on"
    POSITIVE = "positive"
    HEATING = "heating"
    """It is above 0 while the boiler heats."""
    MOVED = "moved"
    """A room's temperature is another one than what is shown where nothing measures it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Something that a boiler may have, such as ``circuit_1``.

    ``device`` is the device that shows it: its own, that of the group whose part it is, or the
    boiler's.
    """

    key: str
    device: str
    text: Text


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel or a parameter belongs, and what it is there.

    ``part`` and its words are empty for one that keeps its own name.
    """

    group: str
    part: str = ""
    proof: Proof = Proof.NONE
    icon: str = ""
    text: Text = NO_WORDS


NOWHERE = Place("")
"""The place of what belongs to the boiler itself."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """The groups by their keys, and the place of everything that belongs to one.

    ``channels`` are the places of channels by their names, ``beginnings`` of those whose names
    begin so.
    """

    groups: Mapping[str, Group]
    channels: Mapping[str, Place]
    beginnings: Mapping[str, Place]
    parts: Mapping[tuple[str, str], Place]

    @staticmethod
    @cache
    def load() -> "Equipment":
        """The tables that come with the package, read once."""
        group_rows = list(rows(__package__, "groups.tsv"))
        numbers = {row["group"]: _numbers(row) for row in group_rows}
        placed = list(_placed(numbers))
        # Of several rows with a name the first one counts.
        named = dict(reversed(placed))
        return Equipment(
            groups={each.key: each for each in _groups(group_rows)},
            channels=named,
            beginnings=_beginnings(named),
            parts={(place.group, place.part): place for _, place in placed},
        )

    def of_channel(self, name: str) -> Place:
        """The place of a channel, by its name in the catalogue."""
        beginning = next(filter(name.startswith, self.beginnings), "")
        return self.channels.get(name) or self.beginnings.get(beginning, NOWHERE)

    def of_parameter(self, group: str, part: str) -> Place:
        """The place of a parameter, by what its row names."""
        return self.parts.get((group, part)) or Place(group)

    def device(self, group: str) -> str:
        """The device that shows a group; the boiler's for no group."""
        known = self.groups.get(group)
        return BOILER if known is None else known.device


def _groups(group_rows: Iterable[Mapping[str, str]]) -> Iterator[Group]:
    for row in group_rows:
        for number in _numbers(row):
            key, device = _with(row["group"], number), _with(row["device"], number)
            yield Group(key, device, Text.of(row).about(number))


def _numbers(row: Mapping[str, str]) -> list[str]:
    """What the groups of a row are distinguished by: nothing, where it has only one."""
    return row["numbers"].split() or [""]


def _with(pattern: str, number: str) -> str:
    return pattern.replace("{n}", number.lower())


def _placed(numbers: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, Place]]:
    """The places that the rows give, each with a channel's name, empty for none."""
    for row in rows(__package__, "equipment.tsv"):
        for number in numbers[row["group"]]:
            group, proof = _with(row["group"], number), Proof(row["proof"])
            place = Place(group, row["part"], proof, row["icon"], Text.of(row))
            for name in row["channels"].split("|"):
                yield name.replace("{n}", number), place


def _beginnings(named: Mapping[str, Place]) -> Mapping[str, Place]:
    """The places of names that end in a star, without it."""
    return {name[:-1]: place for name, place in named.items() if name.endswith("*")}
