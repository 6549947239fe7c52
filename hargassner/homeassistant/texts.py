"""State channels in words, for whoever reads topics without templates."""

from collections.abc import Iterable, Mapping

from hargassner.boiler.model import Boiler, Channel
from hargassner.homeassistant.channel_entities import meanings
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.states import UNKNOWN, States
from hargassner.homeassistant.topics import Topics


class TextStates:
    """Publishes the words.

    Home Assistant complains of a word that is none of the options that it was told, such as one in
    another language than before. Until it is told the new options, such a word is not published.

    Args:
        boiler: the model.
        topics: where.
        states: publishes states.
        language: of the words.
    """

    def __init__(self, boiler: Boiler, topics: Topics, states: States, language: str) -> None:
        self._boiler = boiler
        self._topics = topics
        self._states = states
        self._language = language
        self._options: dict[str, Iterable[str]] = {}

    def announced(self, components: Mapping[str, Json]) -> None:
        """These are the entities that Home Assistant knows now."""
        self._options = {
            each["state_topic"]: each["options"]
            for each in components.values()
            if each["platform"] == "sensor" and "options" in each
        }
        self.show_all()

    def show_all(self) -> None:
        """Publish the words of all state channels."""
        for channel in self._boiler.channels.values():
            self.show(channel)

    def show(self, channel: Channel, interval: float = 0.0) -> None:
        """Publish what a channel shows, if it is a state channel.

        Args:
            channel: the channel.
            interval: seconds that pass at least between two words.
        """
        words = meanings(self._boiler, channel, self._language)
        if words and channel.text is not None:
            topic = self._topics.text(channel)
            word = self._word(channel, words)
            is_known = word in self._options.get(topic, [word])
            self._states.show(topic, word if is_known else UNKNOWN, interval)

    def _word(self, channel: Channel, words: Mapping[int, str]) -> str:
        known = channel.connected and channel.value is not None
        return words.get(int(channel.value or 0), UNKNOWN) if known else UNKNOWN
