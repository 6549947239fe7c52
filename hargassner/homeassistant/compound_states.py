"""Thermostats and water heaters over MQTT: what each shows, and what commands come to."""

from collections.abc import Callable, Iterable, Mapping

from hargassner.boiler.model import Channel, Setting
from hargassner.homeassistant.adjustables import NoSuchCommandError
from hargassner.homeassistant.compound import CURRENT, Recipe
from hargassner.homeassistant.compounds import Compounds
from hargassner.homeassistant.entries import entry_of
from hargassner.homeassistant.states import States
from hargassner.homeassistant.topics import Topics

_LONGEST_SHOWN = 40
_NOT_THERE = "there is no such thermostat or water heater, or not all of it is known yet"


class CompoundStates:
    """Publishes what they show, and knows which parameters commands are for.

    Args:
        compounds: what there is.
        topics: where.
        states: publishes states.
        interval: seconds that pass at least between two temperatures that are measured.
    """

    def __init__(
        self, compounds: Compounds, topics: Topics, states: States, interval: float
    ) -> None:
        self._compounds = compounds
        self._topics = topics
        self._states = states
        self._intervals = {CURRENT: interval}
        recipes = compounds.recipes.values()
        self._by_channel = _indexed(recipes, lambda each: each.channels)
        self._by_parameter = _indexed(recipes, lambda each: each.parameters)

    @property
    def objects(self) -> frozenset[str]:
        """The identifiers of those that there are, or may be in a session."""
        return self._compounds.objects

    def show_all(self) -> None:
        """Publish what all of them show."""
        self._show(self._compounds.recipes)

    def channels_changed(self, channels: Iterable[Channel]) -> None:
        """Publish what those show that a channel belongs to."""
        for channel in channels:
            objects = self._by_channel.get(entry_of(channel).name)
            if objects:
                self._show(objects)

    def setting_changed(self, setting: Setting) -> None:
        """Publish what those show that the parameter belongs to."""
        self._show(self._by_parameter.get(setting.id, ()))

    def command(self, object_: str, part: str, payload: str) -> tuple[str, str]:
        """The id of the parameter that a command is for, and what to set.

        Args:
            object_: the identifier of a thermostat or a water heater.
            part: what of it is to be set.
            payload: what is asked.

        Raises:
            NoSuchCommandError: there is none, or it cannot do that.
        """
        for known in self._compounds.made(object_):
            if part not in known.commands:
                what = f"a {known.noun}'s {part[:_LONGEST_SHOWN]}"
                raise NoSuchCommandError(f"{what} cannot be set")
            return known.commands[part](payload)
        raise NoSuchCommandError(_NOT_THERE)

    def _show(self, objects: Iterable[str]) -> None:
        for object_ in objects:
            for known in self._compounds.made(object_):
                for part, value in known.values.items():
                    topic = self._topics.part(object_, part)
                    self._states.show(topic, value, self._intervals.get(part, 0.0))


def _indexed(
    recipes: Iterable[Recipe], names: Callable[[Recipe], Iterable[str]]
) -> Mapping[str, tuple[str]]:
    """The identifier by each of these names, of which no two have the same."""
    return {name: (each.object,) for each in recipes for name in names(each)}
