"""Finding out that a broker closes the connection for a message that is too large for it.

MQTT 3.1.1 cannot express it. After a large payload the broker is asked for an answer, and it
answers in order: a connection that the broker closes before is one that it may have closed for the
payload. Once may have another cause; in a row it is a proof.
"""

from collections import deque

LARGE = 8_192
"""Bytes of a payload for which a broker may close the connection."""
PROOFS = 2
"""Connections in a row that end so before the payload counts as too large."""


class Limit:
    """What is known of the largest payload that the broker takes.

    ``bytes`` is a size that it does not take, 0 where none is known.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._not_taken: deque[int] = deque()
        self._suspected = 0
        self._proofs = 0

    def forbids(self, size: int) -> bool:
        """Whether a payload of so many bytes is not to be sent."""
        return 0 < self.bytes <= size

    def sent(self, size: int) -> bool:
        """A payload was sent; whether the broker is to be asked for an answer now."""
        if size >= LARGE:
            self._not_taken.append(size)
        return size >= LARGE

    def answered(self) -> None:
        """The broker has taken the first of the payloads for which it was asked."""
        if self._not_taken and self._not_taken.popleft() >= self._suspected:
            self._suspected = self._proofs = 0

    def connection_lost(self, *, hung_up: bool) -> bool:
        """The connection ended, closed by the broker or not; whether that proves a limit."""
        size = self._not_taken[0] if self._not_taken else 0
        self._not_taken.clear()
        return hung_up and size > 0 and self._suspect(size)

    def _suspect(self, size: int) -> bool:
        """A payload of so many bytes may be too large; whether that is proved now."""
        self._proofs += 1
        self._suspected = min(size, self._suspected or size)
        if self._proofs < PROOFS:
            return False
        self.bytes = self._suspected
        self._suspected = self._proofs = 0
        return True
