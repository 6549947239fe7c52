"""Filters out what a broker should not send us, before it takes up memory.

Whoever may publish to the broker may publish 256 MB to a topic that we listen to, and MQTT 3.1.1
cannot set the broker a limit.
"""

from dataclasses import dataclass

LARGEST = 65_536
"""Bytes of a packet that still passes; a command takes some ten."""

_PUBLISH = 0x30
_KIND = 0xF0
_QOS = 0x06
_RETAINED = 0x01
_MORE = 0x80
_LONGEST_HEADER = 6
"""Bytes, the last of which makes the length longer than MQTT allows."""
_LENGTH = 2
"""Bytes that hold the length of a topic."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A message was left out; ``topic`` is what it was published to, in UTF-8 as a rule."""

    topic: bytes


class PacketFilter:
    """Passes the packets of a stream on, but for those that nobody should send us.

    These are packets larger than ``LARGEST``, and messages in another quality of service than
    the one (0) that we subscribe with: they would have to be stored or answered. For a message
    that is too large, and that the broker had not retained from before, there is a ``TooLarge``
    with its topic. ``dropped`` counts the packets that are left out.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._header = bytearray()
        self._left = 0
        self._pass = True
        self._topic: bytearray | None = None
        self._found: list[bytes | TooLarge] = []
        self._passed = bytearray()

    def feed(self, data: bytes) -> list[bytes | TooLarge]:
        """Filter the stream's next bytes.

        Returns:
            What passes and what was left out, in order.
        """
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._body(piece)
            else:
                self._header_byte(data[at])
                at += 1
        self._end_piece()
        found, self._found = self._found, []
        return found

    def _body(self, piece: bytes) -> None:
        """Bytes that follow a header."""
        self._left -= len(piece)
        if self._pass:
            self._passed += piece
        elif (topic := self._topic_in(piece)) is not None:
            self._end_piece()
            self._found.append(TooLarge(topic))

    def _header_byte(self, byte: int) -> None:
        """The next byte of a header: the packet's kind, then its length."""
        self._header.append(byte)
        size = len(self._header)
        if size == _LONGEST_HEADER or (size > 1 and not byte & _MORE):
            self._judge()
            if self._pass:
                self._passed += self._header
            self._header.clear()

    def _end_piece(self) -> None:
        if self._passed:
            self._found.append(bytes(self._passed))
            self._passed.clear()

    def _judge(self) -> None:
        """Decide whether the packet passes whose header is complete."""
        kind = self._header[0]
        self._left = _length(self._header)
        is_message = kind & _KIND == _PUBLISH
        answered = is_message and kind & _QOS
        self._pass = self._left <= LARGEST and not answered
        self.dropped += not self._pass
        if not self._pass and is_message and not kind & (_QOS | _RETAINED):
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


def _length(header: bytearray) -> int:
    """The length of the packet that follows a header."""
    if len(header) == _LONGEST_HEADER:
        return 0  # Whoever reads it will find that it is none.
    return sum((digit & ~_MORE) << 7 * place for place, digit in enumerate(header[1:]))
