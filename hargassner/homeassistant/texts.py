"""States and settings, also in the owner's words for whoever reads topics without templates."""

from collections.abc import Iterable, Mapping

from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.info import has_told, shown
from hargassner.homeassistant.states import LONGEST_STATE, UNKNOWN, States
from hargassner.homeassistant.topics import Topics, channel_object
from hargassner.homeassistant.words import option_meant, option_words, state_words

_NO_CODE = -1


class TextStates:
    """Publishes how parameters are set, and the words for that and for states.

    Home Assistant complains of a word that is none of the options that it was told, such as one in
    another language than before, the owner's or the panel's. Until it is told the new options, such
    a word is not published.

    Args:
        boiler: the model.
        topics: where.
        states: publishes states.
        language: of the words.
        with_settings: whether parameters are published.
    """

    def __init__(
        self, boiler: Boiler, topics: Topics, states: States, language: str, *, with_settings: bool
    ) -> None:
        self._boiler = boiler
        self._topics = topics
        self._states = states
        self._language = language
        self._with_settings = with_settings
        self._options: dict[str, Iterable[str]] = {}

    def announced(self, components: Mapping[str, Json]) -> None:
        """These are the entities that Home Assistant knows now."""
        self._options = {
            each["state_topic"]: _words_of(each)
            for each in components.values()
            if "options" in each or "state_on" in each
        }
        self.show_all()

    def show_all(self) -> None:
        """Publish the words of all state channels, and how all parameters are set."""
        for channel in self._boiler.channels.values():
            self.show(channel)
        for setting in self._boiler.settings.values():
            self.show_setting(setting)

    def show(self, channel: Channel, interval: float = 0.0) -> None:
        """Publish what a channel shows, if it is a state channel.

        Args:
            channel: the channel.
            interval: seconds that pass at least between two words.
        """
        words = state_words(self._boiler, channel, self._language)
        if words and has_told(channel):
            word = words.get(_code(channel), UNKNOWN)
            self._publish(self._topics.text(channel_object(channel)), word, interval)

    def show_setting(self, setting: Setting) -> None:
        """Publish to what a parameter is set, and the word for it, if there are any."""
        if not self._with_settings:
            return
        text = setting.text[:LONGEST_STATE] or UNKNOWN
        self._publish(self._topics.state(setting.object), text)
        words = option_words(self._boiler, setting, self._language)
        if words:
            self._publish(self._topics.text(setting.object), words.get(setting.text, UNKNOWN))

    def meant(self, id_: str, requested: str) -> str:
        """What the boiler takes, if the owner's word for an option of a parameter was asked for."""
        setting = self._boiler.settings.get(id_)
        if setting is None:
            return requested
        return option_meant(self._boiler, setting, self._language, requested)

    def _publish(self, topic: str, word: str, interval: float = 0.0) -> None:
        is_known = word in self._options.get(topic, [word])
        self._states.show(topic, word if is_known else UNKNOWN, interval)


def _code(channel: Channel) -> int:
    """The code that a state channel shows, one that means nothing if it shows none."""
    return int(channel.value or 0) if shown(channel) != UNKNOWN else _NO_CODE


def _words_of(component: Json) -> Iterable[str]:
    """The words that an entity can show."""
    if "options" in component:
        options: list[str] = component["options"]
        return options
    return component["state_on"], component["state_off"]
