"""The states of entities that Home Assistant reads in another way now."""

from collections.abc import Callable, Mapping

from twisted.internet.interfaces import IReactorTime

from hargassner.delayed import Delayed
from hargassner.homeassistant.entities import Json

REREAD = 1.0
"""Seconds that Home Assistant gets to take in what an entity has become, before its state comes."""


class Rereading:
    """Has states published again that Home Assistant is to read anew.

    Home Assistant asks the broker only for the topics of a new entity; one that has other options
    or another template keeps showing what it made of its state before.

    Args:
        clock: time.
        repeat: has the state of a topic published again, if it has one.
    """

    def __init__(self, clock: IReactorTime, repeat: Callable[[str], object]) -> None:
        self._repeat = repeat
        self._topics: set[str] = set()
        self._later = Delayed(clock, REREAD, self._repeat_all)

    def announced(self, before: Mapping[str, Json], now: Mapping[str, Json]) -> None:
        """Take in what was announced: the components by their keys, before and now."""
        self._topics |= {
            topic
            for key, component in now.items()
            if before.get(key, component) != component
            for name, topic in component.items()
            if name.endswith("_topic")
        }
        if self._topics:
            self._later.start()

    def stop(self) -> None:
        """Have nothing published any more."""
        self._later.cancel()

    def _repeat_all(self) -> None:
        topics, self._topics = self._topics, set()
        for topic in sorted(topics):
            self._repeat(topic)
