"""The gateway of a session announces itself: it starts over, or so it says."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from hargassner.proxy.relaying import Traffic

log = Logger()

START_OVER_TIMEOUT = 3.0
"""Seconds that a session has to end by itself when its gateway starts over."""


class StartOver:
    """The few seconds that a session has to end by itself after an announcement.

    It stays only if the gateway goes on asking on it.

    Args:
        clock: time.
        session: the session's number, for the log.
        traffic: what the gateway has sent on the session so far.
        end: ends the session, for a reason.
    """

    __slots__ = ("_asked_before", "_clock", "_end", "_session", "_timer", "_traffic")

    def __init__(
        self,
        clock: IReactorTime,
        session: int,
        traffic: Traffic,
        end: Callable[[str], object],
    ) -> None:
        self._clock = clock
        self._session = session
        self._traffic = traffic
        self._end = end
        self._asked_before = 0
        self._timer: IDelayedCall | None = None

    def announced(self) -> None:
        """The gateway announced itself."""
        asked_before, self._asked_before = self._asked_before, self._traffic.from_client
        if self._timer is None:
            self._timer = self._clock.callLater(START_OVER_TIMEOUT, self._due)
        elif self._asked_before > asked_before:
            # One that announces itself again and again and asks nothing has had its time.
            self._timer.reset(START_OVER_TIMEOUT)

    def stop(self) -> None:
        """The session ends: nothing is waited for any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _due(self) -> None:
        self._timer = None
        if self._traffic.from_client > self._asked_before:
            log.info(
                "session {session}: the gateway announced itself and goes on asking: it stays",
                session=self._session,
            )
        else:
            self._end("the gateway starts over")
