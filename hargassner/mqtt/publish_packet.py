"""The packet that publishes a message at most once (MQTT 3.1.1, section 3.3).

Nothing has to be kept of such a message, and paho, which keeps a lot of each, takes ten times as
long for it.
"""

from hargassner.mqtt.messages import Message

_PUBLISH = 0x30
_RETAIN = 0x01


def publish_packet(message: Message) -> bytes:
    """A PUBLISH in QoS 0."""
    topic = message.topic.encode()
    body = b"".join((len(topic).to_bytes(2), topic, message.payload))
    header = _PUBLISH | _RETAIN if message.retain else _PUBLISH
    return b"".join((bytes((header,)), _remaining_length(len(body)), body))


def _remaining_length(size: int) -> bytes:
    """A packet's length as its header has it: seven bits a byte, the lowest first."""
    if size < 128:
        return bytes((size,))
    return bytes((size % 128 | 128,)) + _remaining_length(size // 128)
