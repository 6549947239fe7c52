"""What keeps the relay from doing harm, whoever sends what.

Everything here is bounded in memory, and measures time in seconds of a monotonic clock.
"""

import sys
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import Protocol, TypeVar

RATE = 50.0
"""Datagrams a second of one address; the devices send a few a minute."""
BURST = 250.0
"""Datagrams that one address may send at once: five seconds of the rate."""
MOST_SOURCES = 256
"""Addresses whose rate is measured one by one; with more, the others share one rate."""
REPEATED_WITHIN = 1.0
"""Seconds within which the same datagram from elsewhere is one that came back, or a copy."""
MOST_REPEATED = 20.0
"""How often the same datagram is relayed at once; after that, once a second."""
MOST_REMEMBERED = 1024
"""Datagrams remembered to know their repetitions."""
ASKED_WITHIN = 10.0
"""Seconds for which whoever asked is remembered."""
MOST_ASKERS = 64
"""Askers remembered for each port."""


class _Dated(Protocol):
    at: float


K = TypeVar("K")
V = TypeVar("V", bound=_Dated)


class _Recent(OrderedDict[K, V]):
    """What there was lately, each thing with its moment, the newest last."""

    def keep(self, key: K, value: V) -> V:
        """Remember it as the newest."""
        self[key] = value
        self.move_to_end(key)
        return value

    def forget(self, until: float, at_most: int = sys.maxsize) -> None:
        """Forget what there was until this moment, and the oldest of more than so many."""
        while self and (len(self) > at_most or next(iter(self.values())).at <= until):
            self.popitem(last=False)


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float

    def take(self, now: float) -> bool:
        self.tokens = min(BURST, self.tokens + (now - self.at) * RATE)
        self.at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class RateLimit:
    """How many datagrams of each address are relayed.

    An address has its own rate, so that one that sends too much crowds out nobody else. When more
    addresses send at once than are measured one by one, the newer ones share a rate.
    """

    def __init__(self) -> None:
        self._buckets: _Recent[str, _Bucket] = _Recent()
        self._others = _Bucket(BURST, 0.0)

    def admits(self, address: str, now: float, *, known: bool) -> bool:
        """Whether one more datagram of this address is relayed.

        Args:
            address: where it came from.
            now: seconds of a monotonic clock.
            known: whether it is the gateway's or the boiler's, which always have their own rate.
        """
        self._buckets.forget(now - BURST / RATE)  # Their buckets are full again.
        if known or address in self._buckets or len(self._buckets) < MOST_SOURCES:
            bucket = self._buckets.get(address, _Bucket(BURST, now))
            return self._buckets.keep(address, bucket).take(now)
        return self._others.take(now)


@dataclass(slots=True)
class _Relayed:
    source: Hashable
    at: float
    left: float

    def left_now(self, now: float) -> float:
        """How often it may be relayed at once."""
        return min(MOST_REPEATED, self.left + (now - self.at))

    def comes_round(self, source: Hashable, now: float) -> bool:
        """Whether it comes back, or as a copy, where it has this source now."""
        return now - self.at < REPEATED_WITHIN and source != self.source


_NEVER_RELAYED = _Relayed("", -inf, MOST_REPEATED)


class Repetitions:
    """Knows a datagram that was relayed a moment ago, by its payload and port.

    A broadcast comes back where the networks are one, and where a second bridge relays what this
    one relayed. So nothing is relayed both ways within a second, or twice when it comes from two
    addresses; the devices do neither, and on the other network one datagram is as good as two. And
    because a bridge that stalls may send such a copy late, the same datagram is not
    relayed again and again: each time that it goes round costs it one of a few.
    """

    def __init__(self) -> None:
        self._relayed: _Recent[tuple[bytes, int], _Relayed] = _Recent()

    def is_one(self, data: bytes, port: int, side: Hashable, address: str, now: float) -> bool:
        """Whether this datagram is such a repetition; if not, it counts as relayed now.

        Args:
            data: its payload.
            port: the port that it was sent to.
            side: which side heard it.
            address: where it came from.
            now: seconds of a monotonic clock.
        """
        key, source = (blake2b(data, digest_size=16).digest(), port), (side, address)
        before = self._relayed.get(key, _NEVER_RELAYED)
        left = before.left_now(now)
        if left < 1.0 or before.comes_round(source, now):
            return True
        self._relayed.keep(key, _Relayed(source, now, left - 1.0))
        self._relayed.forget(now - MOST_REPEATED, MOST_REMEMBERED)
        return False


@dataclass(slots=True)
class _Asker:
    at: float
    answered: bool


_NEVER_ASKED = _Asker(-inf, answered=True)


class Askers:
    """Who asked from one port, so that an answer goes to whoever waits for it."""

    def __init__(self) -> None:
        self._askers: _Recent[str, _Asker] = _Recent()

    def heard(self, address: str, now: float, *, waits: bool, preferred: str | None) -> None:
        """Somebody sent from the port.

        Args:
            address: who; one who waits for an answer already keeps its turn.
            now: seconds of a monotonic clock.
            waits: whether it is a question.
            preferred: who is not forgotten when there are too many.
        """
        self._askers.forget(now - ASKED_WITHIN)
        if not self._askers.get(address, _NEVER_ASKED).answered:
            return
        self._askers.keep(address, _Asker(now, answered=not waits))
        if len(self._askers) > MOST_ASKERS:
            self._forget_one(preferred)

    def _forget_one(self, preferred: str | None) -> None:
        """Forget who was heard longest ago, but for the preferred one."""
        oldest, next_one, *_ = self._askers
        del self._askers[next_one if oldest == preferred else oldest]

    def answer_for(self, preferred: str | None, now: float) -> str | None:
        """Who gets an answer: of those who wait the preferred one, or who waits longest; then the
        preferred one if it was heard, then who was heard last; None where nobody was.
        """
        self._askers.forget(now - ASKED_WITHIN)
        candidates = self._candidates()
        if not candidates:
            return None
        chosen = preferred if preferred in candidates else candidates[0]
        self._askers[chosen].answered = True
        return chosen

    def _candidates(self) -> list[str]:
        """Who waits for an answer, in turn; where nobody does, who was heard, the last first."""
        waiting = [address for address, each in self._askers.items() if not each.answered]
        return waiting or [*reversed(self._askers)]
