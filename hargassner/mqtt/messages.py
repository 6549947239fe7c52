"""What is said to a broker: messages, and who says them."""

import re
from dataclasses import dataclass, field

LONGEST_TOPIC = 65_535
"""Bytes."""
_NOT_IN_TOPICS = re.compile(r"[+#\0]")


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: a topic, and a payload that the broker retains or does not.

    Raises:
        ValueError: no message can have that topic.
    """

    topic: str
    payload: bytes
    retain: bool

    def __post_init__(self) -> None:
        """Refuse what MQTT does not allow."""
        size = len(self.topic.encode())
        if not 0 < size <= LONGEST_TOPIC or _NOT_IN_TOPICS.search(self.topic):
            raise ValueError("no MQTT topic")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who connects, and what the broker publishes when we vanish without a goodbye."""

    client_id: str
    will: Message
    username: str = ""
    password: str = field(default="", repr=False)
