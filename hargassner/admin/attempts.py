"""How often an address may try a password.

After a wrong password an address waits 1 second until its next attempt, then 2, 4, 8 and so on up
to a minute, whatever connections it makes; an hour without a wrong one, or a right one, ends that.
All addresses together have ten wrong attempts a minute. This does not count for those that have
logged in before, nor for this machine itself: however many guess, they are not locked out.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any

from twisted.internet.interfaces import IReactorTime

LONGEST_WAIT = 60.0
"""Seconds that an address waits at most."""
FORGOTTEN_AFTER = 3600.0
"""Seconds after which a wrong attempt is forgotten."""
WRONG_A_MINUTE = 10
"""Wrong attempts of all addresses together."""
MOST_ADDRESSES = 256
"""Addresses that are remembered with wrong attempts."""
MOST_KNOWN = 16
"""Addresses that are remembered because they logged in."""

_MINUTE = 60.0


@dataclass(slots=True)
class _Record:
    """Wrong attempts of an address, in a row; and when its next one may come."""

    wrong: int = 0
    last: float = 0.0
    free: float = 0.0


class Attempts:
    """Counts attempts, and says who has to wait.

    Args:
        clock: time.
        own: the address that this machine itself has here; it is known from the beginning.
    """

    def __init__(self, clock: IReactorTime, own: str) -> None:
        self._clock = clock
        self._own = own
        self._records: dict[str, _Record] = {}
        # Keys in the order of their last login.
        self._known: dict[str, None] = {}
        self._recent: deque[float] = deque(maxlen=WRONG_A_MINUTE)

    def is_known(self, address: str) -> bool:
        """Whether an address is not held up by what others do."""
        return address == self._own or address in self._known

    def wait(self, address: str) -> float:
        """Seconds until an address may make its next attempt, 0 if it may now."""
        now = self._clock.seconds()
        free = self._records.get(address, _Record()).free
        if not self.is_known(address) and len(self._recent) == WRONG_A_MINUTE:
            free = max(free, self._recent[0] + _MINUTE)
        return max(0.0, free - now)

    def failed(self, address: str) -> int:
        """An attempt was wrong; returns how many there are now in a row."""
        now = self._clock.seconds()
        record = self._records.pop(address, _Record())
        if now - record.last >= FORGOTTEN_AFTER:
            record = _Record()
        record.wrong += 1
        record.last = now
        record.free = now + min(LONGEST_WAIT, 2.0 ** min(record.wrong - 1, 10))
        self._records[address] = record
        _shorten(self._records, MOST_ADDRESSES)
        if not self.is_known(address):
            self._recent.append(now)
        return record.wrong

    def succeeded(self, address: str) -> None:
        """An attempt was right."""
        self._records.pop(address, None)
        self._known.pop(address, None)
        self._known[address] = None
        _shorten(self._known, MOST_KNOWN)


def _shorten(things: dict[str, Any], most: int) -> None:
    """Forget the oldest of too many."""
    while len(things) > most:
        del things[next(iter(things))]
