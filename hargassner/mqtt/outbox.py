"""What is to be published: the newest state of each topic, events, and what the broker retains."""

from itertools import count

from hargassner.mqtt.messages import Message

MOST_EVENTS = 256
"""Messages that no broker is to retain and that wait; past it the oldest is lost."""


class Outbox:
    """Stores what is retained, and holds what cannot be sent now.

    Of what a broker retains, only the newest of a topic counts: whatever happens, two messages a
    topic are held at most, the one that waits and the one to be published again, mostly the same.
    What nobody retains, an event or the result of a command, waits in its turn, each for itself.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Message] = {}
        # By topic if the broker retains it, else by a number of its own; oldest first.
        self._waiting: dict[str | int, Message] = {}
        self._numbers = count()
        self._events = 0

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    @property
    def events(self) -> int:
        """How many messages wait that no broker is to retain."""
        return self._events

    def keep(self, message: Message) -> None:
        """Store what the broker retains from now on.

        An empty payload, by which the broker forgets the topic, is stored like any other:
        it may have been lost with the connection.
        """
        self._kept[message.topic] = message

    def wait(self, message: Message) -> int:
        """Let a message wait; an older state of its topic gives up its place to it.

        Returns:
            How many messages are lost for good to make room.
        """
        if message.retain:
            self._waiting[message.topic] = message
            return 0
        lost = self._events >= MOST_EVENTS
        if lost:
            self._take(next(key for key, each in self._waiting.items() if not each.retain))
        self._waiting[next(self._numbers)] = message
        self._events += 1
        return int(lost)

    def next(self) -> Message | None:
        """Take what has waited longest."""
        for key in self._waiting:
            return self._take(key)
        return None

    def _take(self, key: str | int) -> Message:
        message = self._waiting.pop(key)
        self._events -= not message.retain
        return message

    def publish_again(self) -> None:
        """Let everything wait that a broker is to retain."""
        self._waiting.update(self._kept)

    def interrupted(self) -> int:
        """Let nothing wait: the connection is lost.

        Returns:
            How many messages are lost for good, since no broker is to retain them.
        """
        lost, self._events = self._events, 0
        self._waiting.clear()
        return lost
