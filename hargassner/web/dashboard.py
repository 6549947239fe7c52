"""What an owner looks at first, whatever his boiler has of it."""

from hargassner.boiler.roles import OUTDOOR, OUTPUT

TILES = {
    "output": OUTPUT,
    "boiler": ("boiler_temperature", "pellet_boiler_temperature"),
    "flue": ("flue_temperature", "pellet_flue_temperature"),
    "outdoor": OUTDOOR,
}
"""For each the roles, of which the first one counts that a channel of the boiler has."""
