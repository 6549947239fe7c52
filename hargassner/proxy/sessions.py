"""The end of every session when the bridge stops."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

from hargassner.proxy.factory import ProxyFactory
from hargassner.services import Service


class Sessions(Service):
    """Ends the sessions when the bridge stops.

    Args:
        factory: what the sessions belong to.
        written: gives a result when whatever the sessions' observers have to write is written.
    """

    name = "sessions"

    def __init__(
        self,
        factory: ProxyFactory,
        written: "Callable[[], Deferred[None]]" = lambda: succeed(None),
    ) -> None:
        self._factory = factory
        self._written = written

    def stopService(self) -> "Deferred[None]":
        """End every session; the result comes when all are over, and what they left is written."""
        super().stopService()
        return self._factory.close().addCallback(lambda _: self._written())
