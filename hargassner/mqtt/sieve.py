"""Keeping from memory what a broker should not send us.

Whoever may publish to the broker may publish 256 MB to a topic that we listen to, and MQTT 3.1.1
has no way to tell the broker how much is too much.
"""

LARGEST = 65_536
"""Bytes of a packet that are still let through; a command takes some ten."""

_PUBLISH = 0x30
_QOS = 0x06
_MORE = 0x80
_LONGEST_HEADER = 6
"""Bytes, the last of which makes the length longer than MQTT allows."""


class Sieve:
    """Lets the packets of a stream through, but for those that nobody should send us.

    These are packets larger than ``LARGEST``, and messages in another quality of service than
    the one (0) that we subscribe with: they would have to be kept or answered.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._header = bytearray()
        self._left = 0
        self._pass = True

    def feed(self, data: bytes) -> bytes:
        """What of the stream's next bytes comes through."""
        through = bytearray()
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                if self._pass:
                    through += piece
            else:
                self._header.append(data[at])
                at += 1
                if self._header_is_whole():
                    self._judge()
                    if self._pass:
                        through += self._header
                    self._header.clear()
        return bytes(through)

    def _header_is_whole(self) -> bool:
        size = len(self._header)
        return size == _LONGEST_HEADER or (size > 1 and not self._header[-1] & _MORE)

    def _judge(self) -> None:
        kind, *digits = self._header
        length = sum((digit & ~_MORE) << 7 * place for place, digit in enumerate(digits))
        if len(self._header) == _LONGEST_HEADER:
            length = 0  # Whoever reads it will find that it is none.
        self._left = length
        answered = kind & 0xF0 == _PUBLISH and kind & _QOS
        self._pass = length <= LARGEST and not answered
        if not self._pass:
            self.dropped += 1
