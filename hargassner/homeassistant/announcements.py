"""The discovery messages at the broker: published, moved to other topics, and cleared.

Home Assistant takes its time, and complains where it is not given: of what is announced anew before
it has let the old go, of states that it is to read in another way than before, of states that are
gone while it still reads them. So an announcement is a sequence (docs/home-assistant.md).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from hargassner.homeassistant.entities import Json, compact, device_of
from hargassner.homeassistant.migration import Migration, without
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.mqtt.interfaces import IBroker

log = Logger()

REREAD = 1.0
"""Seconds that Home Assistant gets to take in what was said, before the next thing is."""

_READING = ("template", "options", "modes", "min", "max", "min_temp", "max_temp")
"""How the names of those properties end that decide how a state is read."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What has to be done around the messages.

    Args:
        hide: has every entity be unavailable.
        reveal: has those be available again that are.
        repeat: has the state of a topic published again, if it has one.
        forget: clears the states that nothing reads any more.
    """

    hide: Callable[[], object]
    reveal: Callable[[], object]
    repeat: Callable[[str], object]
    forget: Callable[[], object]


class Announcements:
    """The discovery messages of this life of the bridge, and what earlier ones left.

    Args:
        broker: takes them.
        clock: time.
        retained: what earlier lives left; kept up to date here.
        surroundings: what has to be done around the messages.
    """

    def __init__(
        self,
        broker: IBroker,
        clock: IReactorTime,
        retained: RetainedSnapshot,
        surroundings: Surroundings,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._retained = retained
        self._around = surroundings
        self._published: dict[str, str] = {}
        self._migration = Migration(broker, clock, self._forget)

    async def publish(
        self, discovery: str, messages: Mapping[str, Json], components: dict[str, Json]
    ) -> None:
        """Publish what has changed, and take back what is not among the messages any more.

        Args:
            discovery: how entities are announced, as the configuration calls it.
            messages: the messages by their topics.
            components: the components in them by their keys.
        """
        before = self._retained.known.components
        await self._let_go(discovery, messages)
        changed = _otherwise(before, components, dict)
        try:
            if _otherwise(before, components, _reading):
                self._around.hide()
                await deferLater(self._clock, REREAD)
            self._replace(discovery, messages, components)
            if changed:
                await self._reread(changed)
        finally:
            self._around.reveal()

    def withdraw(self) -> None:
        """Take everything back."""
        known = self._retained.known
        if known.announcements:
            # What is behind a device goes before it.
            self._clear(reversed(known.announcements))
            known.discovery, known.announcements, known.components = "off", [], {}
            self._retained.changed()

    def again(self) -> None:
        """Let everything be published again next time."""
        self._published.clear()

    def reaches(self, size: int) -> bool:
        """Whether a message has so many bytes, or more."""
        return any(len(each.encode()) >= size for each in self._published.values())

    def stop(self) -> None:
        """Publish nothing any more."""
        self._published.clear()
        self._migration.stop()

    async def _let_go(self, discovery: str, messages: Mapping[str, Json]) -> None:
        """Have Home Assistant let entities go that are to be announced in another way."""
        known = self._retained.known
        if known.components and known.discovery != discovery:
            log.info("announcing to Home Assistant in another way than before")
            self._migration.begin(without(known.announcements, messages))
            known.discovery = discovery
            self._retained.changed()
            await self._migration.released()

    def _replace(
        self, discovery: str, messages: Mapping[str, Json], components: dict[str, Json]
    ) -> None:
        """Publish the messages, without those of before, and note that they are retained."""
        known = self._retained.known
        before = known.components, known.announcements, known.discovery
        _tell_what_stays(known.components, components)
        old = without(known.announcements, [*messages, *self._migration.topics])
        self._clear(reversed(old))
        self._publish_changed(messages)
        known.discovery, known.components = discovery, components
        known.announcements = [*messages, *self._migration.topics]
        if (known.components, known.announcements, known.discovery) != before:
            self._retained.changed()
        self._around.forget()

    async def _reread(self, components: Iterable[Json]) -> None:
        """Have the states published again that these components read.

        Home Assistant asks the broker only for the topics of a new entity; one that has other
        options or another template keeps showing what it made of its state before.
        """
        await deferLater(self._clock, REREAD)
        for topic in sorted(set().union(*map(_topics, components))):
            self._around.repeat(topic)

    def _publish_changed(self, messages: Mapping[str, Json]) -> None:
        for topic, message in messages.items():
            payload = compact(message)
            if self._published.get(topic) != payload:
                self._published[topic] = payload
                self._broker.publish(topic, payload)

    def _clear(self, topics: Iterable[str]) -> None:
        for topic in topics:
            self._published.pop(topic, None)
            self._broker.clear(topic)

    def _forget(self, cleared: list[str]) -> None:
        """The broker has nothing of these topics any more."""
        known = self._retained.known
        known.announcements = without(known.announcements, cleared)
        self._retained.changed()


def _tell_what_stays(before: Mapping[str, Json], now: Mapping[str, Json]) -> None:
    """Log that Home Assistant keeps entities that are gone, if it never enabled them."""
    devices = set(map(device_of, now))
    # With its device, an entity leaves the list.
    gone = (key for key in before.keys() - now.keys() if device_of(key) in devices)
    count = sum("enabled_by_default" in before[key] for key in gone)
    if count:
        log.info(
            "{count} entities are gone that Home Assistant had not enabled: it lists them until "
            "they are deleted there",
            count=count,
        )


def _otherwise(
    before: Mapping[str, Json], now: Mapping[str, Json], what: Callable[[Json], Json]
) -> list[Json]:
    """The components that were announced before, and of which this is otherwise now."""
    return [each for key, each in now.items() if what(before.get(key, each)) != what(each)]


def _reading(component: Json) -> Json:
    """What decides how the component's state is read."""
    return {name: value for name, value in component.items() if name.endswith(_READING)}


def _topics(component: Json) -> set[str]:
    return {topic for name, topic in component.items() if name.endswith("_topic")}
