"""What an owner looks at first, whatever his boiler has of it."""

from hargassner.boiler.model import Channel
from hargassner.boiler.roles import OUTDOOR, OUTPUT, STATE

TILES = {
    "output": OUTPUT,
    "boiler": ("boiler_temperature", "pellet_boiler_temperature"),
    "flue": ("flue_temperature", "pellet_flue_temperature"),
    "outdoor": OUTDOOR,
}
"""For each the roles, of which the first one counts that a channel of the boiler has."""

_FIRST = frozenset({*STATE, *(role for roles in TILES.values() for role in roles)})


def rank(channel: Channel) -> int:
    """Where an owner looks for a channel: 0 first, 3 last."""
    entry = channel.entry
    if entry is None:
        return 3
    if entry.role in _FIRST:
        return 0
    return 1 if entry.role else 2 if entry.enabled else 3
