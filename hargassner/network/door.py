"""A door for people: a port that is tried again while it cannot be opened, and harms nobody."""

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IDelayedCall,
    IListeningPort,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.network.sockets import Place, explained

log = Logger()

TRY_EVERY = 10.0
"""Seconds between two attempts to open the door."""


class Door(Service):
    """Listens at an endpoint while it runs.

    A view is no reason for the bridge not to run: where the port cannot be opened, that is said
    once, and tried again.

    Args:
        clock: tells when to try again.
        name: what is opened, in a few words, for the log.
        endpoint: where to listen.
        factory: builds what serves a connection.
    """

    def __init__(
        self,
        clock: IReactorTime,
        name: str,
        endpoint: IStreamServerEndpoint,
        factory: IProtocolFactory,
    ) -> None:
        self.name = name
        self._clock = clock
        self._endpoint = endpoint
        self._factory = factory
        self._opening: Deferred[None] | None = None
        self._port: IListeningPort | None = None
        self._again: IDelayedCall | None = None
        self._said = ""

    @property
    def port(self) -> IListeningPort | None:
        """Where it listens now, or None."""
        return self._port

    def startService(self) -> None:
        """Open the door, now or as soon as that can be done."""
        super().startService()  # type: ignore[no-untyped-call]
        self._open()

    def stopService(self) -> "Deferred[None]":
        """Close it; the result comes when the port is given back."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._again is not None and self._again.active():
            self._again.cancel()
        if self._opening is not None:
            self._opening.cancel()
        port, self._port = self._port, None
        closing: Deferred[None] | None = port.stopListening() if port is not None else None
        return closing if closing is not None else succeed(None)

    def _open(self) -> None:
        listening: Deferred[IListeningPort] = self._endpoint.listen(self._factory)
        self._opening = listening.addCallbacks(self._opened, self._failed)

    def _opened(self, port: IListeningPort) -> None:
        self._opening = None
        self._port = port
        if self._said:
            log.info("{what} is open", what=self.name)
        self._said = ""

    def _failed(self, failure: Failure) -> None:
        self._opening = None
        if failure.check(CancelledError) is not None:
            return
        why = _why(failure)
        if why != self._said:
            self._said = why
            log.warn("{what} waits: {why}", what=self.name, why=why)
        self._again = self._clock.callLater(TRY_EVERY, self._open)


def _why(failure: Failure) -> str:
    wrong = failure.value
    if isinstance(wrong, CannotListenError):
        cause = wrong.socketError
        if isinstance(wrong.port, int) and isinstance(cause, OSError):
            return str(explained(cause, "TCP", wrong.port, Place(address=wrong.interface)))
    return failure.getErrorMessage()
