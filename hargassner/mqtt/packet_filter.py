"""Keeping from memory what a broker should not send us.

Whoever may publish to the broker may publish 256 MB to a topic that we listen to, and MQTT 3.1.1
has no way to tell the broker how much is too much.
"""

from dataclasses import dataclass

LARGEST = 65_536
"""Bytes of a packet that are still let through; a command takes some ten."""

_PUBLISH = 0x30
_KIND = 0xF0
_QOS = 0x06
_RETAINED = 0x01
_MORE = 0x80
_LONGEST_HEADER = 6
"""Bytes, the last of which makes the length longer than MQTT allows."""
_LENGTH = 2
"""Bytes that tell how long a topic is."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A message was left out; ``topic`` is what it was published to, in UTF-8 as a rule."""

    topic: bytes


class Sieve:
    """Lets the packets of a stream through, but for those that nobody should send us.

    These are packets larger than ``LARGEST``, and messages in another quality of service than
    the one (0) that we subscribe with: they would have to be kept or answered. Of a message that
    is too large, and that the broker had not retained from before, the topic is told.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._header = bytearray()
        self._left = 0
        self._pass = True
        self._topic: bytearray | None = None

    def feed(self, data: bytes) -> list[bytes | TooLarge]:
        """What of the stream's next bytes comes through, and what was left out, in order."""
        found: list[bytes | TooLarge] = []
        through = bytearray()
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                if self._pass:
                    through += piece
                elif (topic := self._topic_in(piece)) is not None:
                    if through:
                        found.append(bytes(through))
                        through.clear()
                    found.append(TooLarge(topic))
            else:
                self._header.append(data[at])
                at += 1
                if self._header_is_whole():
                    self._judge()
                    if self._pass:
                        through += self._header
                    self._header.clear()
        if through:
            found.append(bytes(through))
        return found

    def _header_is_whole(self) -> bool:
        size = len(self._header)
        return size == _LONGEST_HEADER or (size > 1 and not self._header[-1] & _MORE)

    def _judge(self) -> None:
        kind, *digits = self._header
        length = sum((digit & ~_MORE) << 7 * place for place, digit in enumerate(digits))
        if len(self._header) == _LONGEST_HEADER:
            length = 0  # Whoever reads it will find that it is none.
        self._left = length
        is_message = kind & _KIND == _PUBLISH
        answered = is_message and kind & _QOS
        self._pass = length <= LARGEST and not answered
        if not self._pass:
            self.dropped += 1
            if is_message and not answered and not kind & _RETAINED:
                self._topic = bytearray()

    def _topic_in(self, piece: bytes) -> bytes | None:
        """The topic of a message that is left out, when it is there."""
        if self._topic is None:
            return None
        # A topic is shorter than LARGEST, and so than any packet that is left out for its size.
        self._topic += piece[: _LENGTH + LARGEST - len(self._topic)]
        end = _LENGTH + int.from_bytes(self._topic[:_LENGTH])
        if len(self._topic) < max(end, _LENGTH):
            return None
        topic, self._topic = bytes(self._topic[_LENGTH:end]), None
        return topic
