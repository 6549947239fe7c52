"""Which channels are what an owner looks at, whatever his boiler has of them.

Channels are known by their roles, which the catalogue gives them (``role``).
"""

from hargassner.boiler.model import Boiler, Channel
from hargassner.boiler.roles import CHARTS, OUTDOOR, OUTPUT, STATE, by_role

TILES = {
    "output": OUTPUT,
    "boiler": ("boiler_temperature", "pellet_boiler_temperature"),
    "flue": ("flue_temperature", "pellet_flue_temperature"),
    "outdoor": OUTDOOR,
}
"""What an owner looks at first: for each the roles, of which the first one counts that a channel of
the boiler has."""

_FIRST = frozenset({*STATE, *(role for roles in TILES.values() for role in roles)})


def charted(boiler: Boiler) -> dict[str, list[Channel]]:
    """The channels that each chart shows; only charts that have one."""
    found = by_role(boiler)
    lines = {
        chart: [channel for role in roles for channel in found.get(role, ())]
        for chart, roles in CHARTS.items()
    }
    return {chart: channels for chart, channels in lines.items() if channels}


def rank(channel: Channel) -> int:
    """Where an owner looks for a channel: 0 first, 3 last."""
    entry = channel.entry
    if entry is None:
        return 3
    if entry.role in _FIRST:
        return 0
    return 1 if entry.role else 2 if entry.enabled else 3
