"""Which channels are what an owner looks at, whatever his boiler has of them.

Channels are known by their roles, which the catalogue gives them (``role``).
"""

from hargassner.boiler.model import Boiler, Channel
from hargassner.boiler.roles import CHARTS, OUTDOOR, OUTPUT, by_role

TILES = {
    "output": OUTPUT,
    "boiler": ("boiler_temperature", "pellet_boiler_temperature"),
    "flue": ("flue_temperature", "pellet_flue_temperature"),
    "outdoor": OUTDOOR,
}
"""What an owner looks at first: for each the roles, of which the first one counts that a channel of
the boiler has."""


def charted(boiler: Boiler) -> dict[str, list[Channel]]:
    """The channels that each chart shows; only charts that have one."""
    found = by_role(boiler)
    lines = {
        chart: [channel for role in roles for channel in found.get(role, ())]
        for chart, roles in CHARTS.items()
    }
    return {chart: channels for chart, channels in lines.items() if channels}
