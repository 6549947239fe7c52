"""What channels show, each published in its turn."""

from collections.abc import Callable, Iterable
from functools import partial

from hargassner.boiler.model import Channel
from hargassner.catalogue import AnalogEntry
from hargassner.config import Config
from hargassner.homeassistant.info import shown
from hargassner.homeassistant.pace import interval_of
from hargassner.homeassistant.states import States
from hargassner.homeassistant.texts import TextStates
from hargassner.homeassistant.topics import Topics

_Way = tuple[str, Callable[[], str], float]
"""How a channel is published: its topic, what gives its state, and the seconds between two."""


def _has_words(channel: Channel) -> bool:
    """Whether what the channel shows is also published in words."""
    return isinstance(channel.entry, AnalogEntry) and bool(channel.entry.states)


class ChannelStates:
    """Publishes what channels show: a state at once, a measurement in its turn.

    Ten channels change every second, for years: how each is published is decided once.

    Args:
        topics: where.
        states: publishes states.
        texts: publishes the words of state channels.
        config: the configuration.
    """

    def __init__(self, topics: Topics, states: States, texts: TextStates, config: Config) -> None:
        self._topics = topics
        self._states = states
        self._texts = texts
        self._config = config
        self._ways: dict[Channel, _Way] = {}

    def changed(self, channel: Channel) -> None:
        """A channel shows something else."""
        way = self._ways.get(channel)
        if way is None:
            way = self._ways[channel] = self._way_of(channel)
        self._states.show_in_turn(*way)
        if _has_words(channel):
            self._texts.show(channel, way[2])

    def forget(self, gone: Iterable[Channel]) -> None:
        """These channels are there no more."""
        for channel in gone:
            self._ways.pop(channel, None)

    def _way_of(self, channel: Channel) -> _Way:
        interval = interval_of(channel, self._config)
        return self._topics.channel(channel), partial(shown, channel), interval
