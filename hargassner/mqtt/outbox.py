"""What is to be published: the newest payload of each topic, and what the broker retains."""

from hargassner.mqtt.engine import Message


class Outbox:
    """Remembers what is retained, and holds what cannot be sent now.

    Whatever happens, it holds two messages a topic at most: the one that waits and the one that
    the broker should retain, as a rule the same.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Message] = {}
        self._waiting: dict[str, Message] = {}

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def keep(self, message: Message) -> None:
        """Remember what the broker retains from now on.

        An empty payload, by which the broker forgets the topic, is remembered like any other:
        it may have been lost with the connection.
        """
        self._kept[message.topic] = message

    def wait(self, message: Message) -> None:
        """Let a message wait; an older one of its topic gives up its place to it."""
        self._waiting[message.topic] = message

    def next(self) -> Message | None:
        """Take the message whose topic has waited longest."""
        for topic in self._waiting:
            return self._waiting.pop(topic)
        return None

    def say_again(self) -> None:
        """Let everything wait that a broker should retain."""
        self._waiting.update(self._kept)

    def interrupted(self) -> int:
        """Let nothing wait: the connection is lost.

        Returns:
            How many messages are lost for good, since no broker is to retain them.
        """
        lost = sum(not each.retain for each in self._waiting.values())
        self._waiting.clear()
        return lost
