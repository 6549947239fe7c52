"""How often commands may reach the boiler, and how many of those that did not may be logged."""

from collections import deque
from collections.abc import Callable

MARGIN = 0.05
"""Seconds more than the limits ask for: what is written evenly need not arrive evenly."""
BETWEEN = 1.0 + MARGIN
"""Seconds between two commands for the same parameter."""
MINUTE = 60.0 + MARGIN
MOST_A_MINUTE = 30
"""Commands within any minute, whatever their parameters."""
APART = 1.0 + MARGIN
"""Seconds between two requests, whatever they are: the gateway waits for the answer to each."""
LONGEST_BACK_OFF = 60.0
"""Seconds for which nothing is asked of a boiler that leaves requests unanswered, at most."""
SHORTEST_WAIT = 0.001
"""Seconds; a timer that is rounded down must not be set for no time at all again and again."""


def _wait(left: float) -> float:
    """Seconds to wait where so many are left; 0 where none are."""
    return max(left, SHORTEST_WAIT) if left > 0 else 0.0


class Spacing:
    """Decides when the next request may be sent, whatever it is: the gateway waits meanwhile.

    After an answer that was slow the gateway has as long to itself. After a request that was not
    answered in time it has twice that, and after each further one twice as long as before, up to a
    minute, until one is answered.

    Args:
        seconds: monotonic time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._sent = 0.0
        self._free = 0.0
        self._back_off = 0.0

    @property
    def wait(self) -> float:
        """Seconds until a request may be sent; 0 where it may be now."""
        return _wait(self._free - self._seconds())

    @property
    def is_backing_off(self) -> bool:
        """Whether the last request was not answered in time."""
        return self._back_off > 0

    def sent(self) -> None:
        """A request is sent."""
        self._sent = self._seconds()
        self._free = self._sent + APART

    def answered(self) -> None:
        """The answer to the last one came."""
        now = self._seconds()
        self._back_off = 0.0
        self._free = max(self._sent + APART, now + (now - self._sent))

    def unanswered(self) -> None:
        """The time of the last one is up."""
        now = self._seconds()
        self._back_off = min(2 * max(self._back_off, now - self._sent), LONGEST_BACK_OFF)
        self._free = max(self._sent + APART, now + self._back_off)


class Pacing:
    """Decides when a command may be sent.

    A command counts from when its first request is sent, and anew when the one that sets the
    parameter is: both limits hold for the former and the latter alike. One command is under way
    at a time, so the newest is the one that sets.

    Args:
        seconds: monotonic time.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self.spacing = Spacing(seconds)
        self._seconds = seconds
        self._free: dict[str, float] = {}
        self._began: deque[float] = deque(maxlen=MOST_A_MINUTE)

    @property
    def is_used_up(self) -> bool:
        """Whether the last minute had as many commands as a minute may have."""
        return self._free_at() > self._seconds()

    def wait(self, id_: str) -> float:
        """Seconds until a command for a parameter may be sent; 0 where it may be now."""
        return _wait(max(self._free.get(id_, 0.0), self._free_at()) - self._seconds())

    def begins(self, id_: str) -> None:
        """A command's first request is sent."""
        self._began.append(self._seconds())
        self._free[id_] = self._seconds() + BETWEEN

    def sets(self, id_: str) -> None:
        """The newest command sets its parameter."""
        self._began.pop()
        self.begins(id_)

    def _free_at(self) -> float:
        full = len(self._began) == MOST_A_MINUTE
        return self._began[0] + MINUTE if full else 0.0


class Allowance:
    """So many of something in each minute, and no more.

    Args:
        seconds: monotonic time.
        most: how many.
    """

    def __init__(self, seconds: Callable[[], float], most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._since = 0.0
        self._taken = 0

    def take(self) -> int:
        """How many more may follow in this minute; less than 0 if this one is too many."""
        now = self._seconds()
        if self._taken == 0 or now - self._since >= MINUTE:
            self._since, self._taken = now, 0
        self._taken += 1
        return self._most - self._taken
