"""How often a channel's state is published."""

from hargassner.boiler.model import Channel
from hargassner.config import Config
from hargassner.homeassistant.channel_entities import is_wanted
from hargassner.homeassistant.entries import entry_of

UNASKED_INTERVAL = 60.0
"""Seconds between two states of a channel that Home Assistant does not show unless it is asked."""

_URGENT_ROLES = frozenset({"fault", "fault_number"})


def interval_of(channel: Channel, config: Config) -> float:
    """Seconds that pass at least between two states of a channel; 0 for one that cannot wait.

    What most owners want to see is told as it changes, states at once. The rest can wait: some bits
    flicker with every line.
    """
    usual = config.telemetry.interval
    if _is_urgent(channel):
        return 0.0
    is_asked = is_wanted(channel) or config.homeassistant.entities == "all"
    return usual if is_asked else max(usual, UNASKED_INTERVAL)


def _is_urgent(channel: Channel) -> bool:
    return channel.role in _URGENT_ROLES or (is_wanted(channel) and _is_state(channel))


def _is_state(channel: Channel) -> bool:
    """Whether what a channel shows is a bit, or one of several states."""
    return channel.kind == "digital" or entry_of(channel).states != ""
