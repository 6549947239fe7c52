"""Which channels are what an owner looks at, whatever his boiler has of them.

The names are the catalogue's.
"""

from collections.abc import Mapping

from hargassner.boiler.model import Boiler, Channel

CIRCUITS = ("A", "1", "2", "3", "4", "5", "6", "B")
TANKS = ("A", "1", "2", "3", "B")
FILL = ("Puff Füllgrad", "Pufferfüllgrad", "PufLad")
BUFFER = {"top": "TPo", "middle": "TPm", "bottom": "TPu"}
TILES = {
    "output": ("Leistung", "PK_Leistung"),
    "boiler": ("TK", "PK_TK"),
    "flue": ("TRG", "PK_TRG"),
    "outdoor": ("Taus", "TA Gem."),
}
"""What an owner looks at first: for each the catalogue's names, of which the first one counts that
the boiler has."""

CHARTS: Mapping[str, tuple[str, ...]] = {
    "boiler": ("TK", "TRL"),
    "output": ("Leistung", "PK_Leistung"),
    "flue": ("TRG", "PK_TRG"),
    "buffer": tuple(BUFFER.values()),
    "fill": FILL,
    "water": tuple(f"TB{each}" for each in TANKS),
    "circuits": tuple(f"TVL_{each}" for each in CIRCUITS),
    "outdoor": ("Taus",),
}
"""The charts, each with the catalogue's names of its lines."""


def by_name(boiler: Boiler) -> dict[str, Channel]:
    """The boiler's channels that are connected, by the catalogue's names."""
    found: dict[str, Channel] = {}
    for channel in boiler.channels.values():
        name = _shown_name(channel)
        if name:
            found.setdefault(name, channel)
    return found


def _shown_name(channel: Channel) -> str:
    """A channel's name in the catalogue, empty for one that has none or shows nothing."""
    if channel.entry is None or channel.text is None or not channel.connected:
        return ""
    return channel.entry.name


def charted(boiler: Boiler) -> dict[str, list[Channel]]:
    """The channels that each chart shows; only charts that have one."""
    named = by_name(boiler)
    lines = {
        chart: [named[each] for each in names if each in named] for chart, names in CHARTS.items()
    }
    return {chart: channels for chart, channels in lines.items() if channels}
