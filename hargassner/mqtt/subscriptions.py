"""Who is called with which messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from paho.mqtt.client import topic_matches_sub
from twisted.logger import Logger

log = Logger()


@dataclass(frozen=True, slots=True)
class Handlers:
    """What a subscriber has called with a message, and with one that cannot be read."""

    received: Callable[[str, str], None]
    unreadable: Callable[[str, str], None] | None


class Subscriptions:
    """The subscribers by their topic filters."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handlers]] = {}

    def __iter__(self) -> Iterator[str]:
        """The topic filters."""
        return iter(tuple(self._handlers))

    def add(self, topic_filter: str, handlers: Handlers) -> bool:
        """Add a subscriber; whether it is the first one to that filter."""
        subscribed = self._handlers.setdefault(topic_filter, [])
        subscribed.append(handlers)
        return len(subscribed) == 1

    def received(self, topic: str, payload: str) -> None:
        """Call those who subscribed to a topic with a message."""
        for each in self._matching(topic):
            with log.failuresHandled("handling a message to {topic!r}", topic=topic):
                each.received(topic, payload)

    def unreadable(self, topic: str, why: str) -> None:
        """Call those who subscribed to a topic with the reason why a message cannot be read."""
        for each in self._matching(topic):
            if each.unreadable is not None:
                with log.failuresHandled("handling a message to {topic!r}", topic=topic):
                    each.unreadable(topic, why)

    def _matching(self, topic: str) -> list[Handlers]:
        return [
            handlers
            for topic_filter, subscribed in self._handlers.items()
            if topic_matches_sub(topic_filter, topic)
            for handlers in subscribed
        ]
