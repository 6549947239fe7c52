"""Keeping a port of the bridge's own open, for a view that may not stop the bridge."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IDelayedCall,
    IListeningPort,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.logger import Logger, LogLevel
from twisted.python import log as twisted_log
from twisted.python.failure import Failure

from hargassner.network.interface import NetworkInterface
from hargassner.network.reasons import plain_reason
from hargassner.network.sockets import explained
from hargassner.services import Service

log = Logger()

_SILENT = {"log_format": "", "log_level": LogLevel.debug}

RETRY_AFTER = 10.0
"""Seconds between two attempts to open the port."""


class Listener(Service):
    """Listens on an endpoint; where it cannot, it says so once and tries again.

    Args:
        clock: tells when to try again.
        endpoint: where to listen.
        description: the endpoint as the owner wrote it, for the log.
        factory: serves the connections.
        what: what is served, in a few words, for the log.
    """

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamServerEndpoint,
        description: str,
        factory: IProtocolFactory,
        what: str,
    ) -> None:
        self.name = what
        self._clock = clock
        self._endpoint = endpoint
        self._description = description
        self._factory = factory
        self._what = what
        self._port: IListeningPort | None = None
        self._opening: Deferred[Any] | None = None
        self._retry: IDelayedCall | None = None
        self._said = ""

    @property
    def is_open(self) -> bool:
        """Whether it listens now."""
        return self._port is not None

    def privilegedStartService(self) -> None:
        """Open the port while the rights are there that it may need."""
        self._open()

    def startService(self) -> None:
        """Open the port, now or as soon as it can be opened."""
        super().startService()
        self._open()

    def stopService(self) -> "Deferred[None] | None":
        """Close the port; the result comes when it is closed."""
        super().stopService()
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._opening is not None:
            self._opening.cancel()
        port, self._port = self._port, None
        return None if port is None else port.stopListening()

    def _open(self) -> None:
        if self._port is None and self._opening is None and self._retry is None:
            # Twisted's ports say that they start, with the name of their factory's class; the same
            # is said here in the owner's words.
            self._opening = maybeDeferred(
                twisted_log.callWithContext, _SILENT, self._endpoint.listen, self._factory
            )
            self._opening.addCallbacks(self._opened, self._failed)

    def _opened(self, port: IListeningPort) -> None:
        self._opening = None
        self._port = port
        self._said = ""
        log.info("{what} listens: {endpoint}", what=self._what, endpoint=self._description)

    def _failed(self, why: Failure) -> None:
        self._opening = None
        if why.check(CancelledError) is not None:
            return  # It was stopped.
        reason = _reason(why)
        if reason != self._said:
            self._said = reason
            log.warn(
                "{what} cannot listen on {endpoint}, and tries again: {reason}",
                what=self._what,
                endpoint=self._description,
                reason=reason,
            )
        self._retry = self._clock.callLater(RETRY_AFTER, self._again)

    def _again(self) -> None:
        self._retry = None
        self._open()


def _reason(why: Failure) -> str:
    """Why it cannot listen, with whoever holds the port where the system tells."""
    wrong = why.value
    if (
        isinstance(wrong, CannotListenError)
        and isinstance(wrong.socketError, OSError)
        and isinstance(wrong.port, int)
    ):
        interface = NetworkInterface(address=str(wrong.interface))
        return str(explained(wrong.socketError, "TCP", wrong.port, interface))
    return plain_reason(why)
