"""Which channels are what an owner looks at, whatever his boiler has of them.

Channels are known by their roles, which the catalogue gives them (``role``).
"""

from collections.abc import Mapping
from itertools import chain
from typing import TypeVar

from hargassner.boiler.model import Boiler, Channel

T = TypeVar("T")

CIRCUITS = ("A", "1", "2", "3", "4", "5", "6", "B")
TANKS = ("A", "1", "2", "3", "B")
BUFFER = {"top": "buffer_top", "middle": "buffer_middle", "bottom": "buffer_bottom"}
OUTPUT = ("output", "pellet_output")
OUTDOOR = ("outdoor_temperature", "outdoor_average")
STATE = ("boiler_state", "pellet_boiler_state")
"""Of several roles the first one counts that a channel of the boiler has."""

CHARTS: Mapping[str, tuple[str, ...]] = {
    "boiler": ("boiler_temperature", "return_temperature"),
    "output": OUTPUT,
    "flue": ("flue_temperature", "pellet_flue_temperature"),
    "buffer": tuple(BUFFER.values()),
    "fill": ("buffer_fill",),
    "water": tuple(f"tank_{each}" for each in TANKS),
    "circuits": tuple(f"circuit_{each}_flow" for each in CIRCUITS),
    "outdoor": ("outdoor_temperature",),
}
"""The charts, each with the roles of its lines: the boiler's main values."""

PUMPS = (
    *(f"circuit_{each}_pump" for each in CIRCUITS),
    *(f"tank_{each}_pump" for each in TANKS),
)
"""The roles of pumps."""


def by_role(boiler: Boiler) -> dict[str, list[Channel]]:
    """The boiler's channels that are connected, by their roles, first the one that counts."""
    # Of several channels with a name the first one counts.
    named = {_shown_name(each): each for each in reversed([*boiler.channels.values()])}
    return _not_empty(
        {
            role: [*filter(None, map(named.get, names))]
            for role, names in boiler.catalogue.roles.items()
        }
    )


def _shown_name(channel: Channel) -> str:
    """A channel's name in the catalogue, empty for one that has none or shows nothing."""
    if channel.entry is None or channel.text is None or not channel.connected:
        return ""
    return channel.entry.name


def charted(found: Mapping[str, list[T]]) -> dict[str, list[T]]:
    """Of the channels by their roles those that each chart shows; only charts that have one."""
    return _not_empty(
        {
            chart: [*chain.from_iterable(filter(None, map(found.get, roles)))]
            for chart, roles in CHARTS.items()
        }
    )


def _not_empty(channels: Mapping[str, list[T]]) -> dict[str, list[T]]:
    return {key: found for key, found in channels.items() if found}
