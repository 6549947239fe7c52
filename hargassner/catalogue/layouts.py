"""The table of known layouts: what telemetry lines of real boilers mean, as their owners published.

The table is made by ``packaging/make-layouts``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from hargassner.tables import rows


@dataclass(frozen=True, slots=True)
class LayoutEntry:
    """One layout.

    ``name`` is the firmware, with what else tells it apart; ``boiler`` and ``source`` are which
    boiler it is of and who published it. ``analog`` and ``digital`` have the attributes of each
    channel, by the names that they have in a boiler's own document.
    """

    name: str
    boiler: str
    source: str
    words: int
    analog: tuple[Mapping[str, str], ...]
    digital: tuple[Mapping[str, str], ...]


@cache
def layout_entries() -> tuple[LayoutEntry, ...]:
    """Every known layout, read once."""
    channels = {row["number"]: row for row in rows(__package__, "layout_channels.tsv")}
    return tuple(_entry(row, channels) for row in rows(__package__, "layouts.tsv"))


def _entry(row: Mapping[str, str], channels: Mapping[str, Mapping[str, str]]) -> LayoutEntry:
    analog = map(channels.__getitem__, _numbers(row["analog"]))
    return LayoutEntry(
        name=row["layout"],
        boiler=row["boiler"],
        source=row["source"],
        words=int(row["words"]),
        analog=tuple(_analog(place, channel) for place, channel in enumerate(analog)),
        digital=tuple(_digital(each, channels) for each in row["digital"].split()),
    )


def _analog(place: int, channel: Mapping[str, str]) -> Mapping[str, str]:
    attributes = {"id": str(place), "name": channel["name"], "unit": channel["unit"]}
    return attributes | ({"dop": channel["decimals"]} if channel["decimals"] else {})


def _digital(text: str, channels: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    place, number = text.split("=")
    word, bit = place.split(".")
    return {"id": word, "bit": bit, "name": channels[number]["name"]}


def _numbers(text: str) -> Iterator[str]:
    """Numbers that are written with ranges, such as ``3-5 9``."""
    for part in text.split():
        low, _, high = part.partition("-")
        yield from map(str, range(int(low), int(high or low) + 1))
