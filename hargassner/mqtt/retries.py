"""When the link to the broker is tried again."""

from twisted.application.internet import backoffPolicy

from hargassner.mqtt.events import ConnectionProblem

RETRY_LONGEST = 60.0
"""Seconds between two attempts at most, where the broker is only away."""
REFUSED_RETRY = 60.0
"""Seconds between two attempts at least, where trying again would come to the same."""
REFUSED_RETRY_LONGEST = 300.0
SETTLED = 10.0
"""Seconds that a connection must last for the next attempt to be a first one again."""

_backoff = backoffPolicy(initialDelay=0.5, maxDelay=RETRY_LONGEST, factor=2.0)
_slow_backoff = backoffPolicy(
    initialDelay=REFUSED_RETRY / 2, maxDelay=REFUSED_RETRY_LONGEST, factor=2.0
)


class Retries:
    """Waits longer and longer, and longest where the problem lasts."""

    def __init__(self) -> None:
        self._failures = 0
        self._backoff = _backoff

    def was_online(self, seconds: float) -> None:
        """The connection that is lost now was online for so long."""
        if seconds >= SETTLED:
            self._failures = 0

    def failed(self, problem: ConnectionProblem) -> None:
        """No connection came about, or one was lost."""
        self._failures += 1
        self._backoff = _slow_backoff if problem.lasting else _backoff

    def delay(self) -> float:
        """Seconds to the next attempt."""
        return self._backoff(self._failures)
