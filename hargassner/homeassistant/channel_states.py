"""What channels show, each published in its turn."""

from collections.abc import Callable, Iterable
from functools import partial

from twisted.logger import Logger

from hargassner.boiler.model import Channel
from hargassner.config import Config
from hargassner.homeassistant.entries import entry_of
from hargassner.homeassistant.info import shown
from hargassner.homeassistant.pace import interval_of
from hargassner.homeassistant.states import States
from hargassner.homeassistant.texts import TextStates
from hargassner.homeassistant.topics import Topics

log = Logger()

_Way = tuple[str, Callable[[], str], float, bool]
"""How a channel is published: its topic, what gives its state, the seconds between two, and whether
it is published in words, too."""


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

    def changed(self, channels: Iterable[Channel]) -> None:
        """Channels show something else; one that fails keeps no other from being published."""
        for channel in channels:
            try:
                self._show(channel)
            except Exception:
                log.failure("publishing {channel} failed", channel=channel.object)

    def _show(self, channel: Channel) -> None:
        way = self._ways.get(channel)
        if way is None:
            way = self._ways[channel] = self._way_of(channel)
        topic, read, interval, has_words = way
        self._states.show_in_turn(topic, read, interval)
        if has_words:
            self._texts.show(channel, interval)

    def forget(self, gone: Iterable[Channel]) -> None:
        """These channels are there no more."""
        for channel in gone:
            self._ways.pop(channel, None)

    def _way_of(self, channel: Channel) -> _Way:
        interval = interval_of(channel, self._config)
        read = partial(shown, channel)
        return self._topics.channel(channel), read, interval, entry_of(channel).states != ""
