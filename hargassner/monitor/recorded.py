"""A session that is recorded."""

from collections.abc import Callable

from zope.interface import implementer

from hargassner.proxy.observers import IExchangeObserver, ISegmentObserver
from hargassner.recording.writer import SessionRecorder


@implementer(IExchangeObserver, ISegmentObserver)
class Recorded:
    """Has a session recorded.

    Args:
        recorder: records it.
        seconds: tells the moment at which something passed.
    """

    __slots__ = ("_recorder", "_seconds")

    def __init__(self, recorder: SessionRecorder, seconds: Callable[[], float]) -> None:
        self._recorder = recorder
        self._seconds = seconds

    def gateway_sent(self, data: bytes) -> None:
        """Record bytes from the gateway."""
        self._recorder.passed(self._seconds(), "gateway", data)

    def boiler_sent(self, data: bytes) -> None:
        """Record bytes from the boiler."""
        self._recorder.passed(self._seconds(), "boiler", data)

    def bridge_sent(self, data: bytes) -> None:
        """Record a request of the bridge's own."""
        self._recorder.passed(self._seconds(), "bridge", data)

    def bridge_received(self, data: bytes) -> None:
        """Record bytes from the boiler that were kept from the gateway."""
        self._recorder.passed(self._seconds(), "boiler", data, kept=True)

    def notice_follows(self, of_bridge: bool) -> None:
        """The notice is recorded as one that passes."""

    def over(self, reason: str) -> None:
        """Record the end."""
        self._recorder.over(self._seconds(), reason)
