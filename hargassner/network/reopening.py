"""Keeping something open: opened again whenever its interface, or its port, allows it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
)
from twisted.internet.task import deferLater
from twisted.logger import Logger, LogLevel
from twisted.python import log as twisted_log
from twisted.python.failure import Failure

from hargassner.network.interface import CannotOpenError, NetworkInterface, NotThereYetError
from hargassner.network.reasons import plain_reason
from hargassner.network.sockets import explained
from hargassner.network.system import system_reason
from hargassner.observers import Once
from hargassner.services import Service

log = Logger()

LOOK_EVERY = 2.0
"""Seconds between two looks at the interface."""
RETRY_AFTER = 10.0
"""Seconds between two attempts to open a port."""

_SILENT = {"log_format": "", "log_level": LogLevel.debug}


class CannotStartError(SystemExit, Exception):
    """The bridge cannot start; the message is the line for the user.

    An exit for whoever runs the bridge in the foreground.  To ``twistd``, which waits in the
    foreground for word of its daemon, only an Exception is a failure.
    """


class Opened(Protocol):
    """What was opened, and can be closed."""

    def close(self) -> "Deferred[None] | None":
        """Give everything back."""


class Reopening(Service):
    """Something that is open while the service runs, as far as that is possible.

    A subclass tells how it is opened, when it has to be opened again, and what is said of it.

    Args:
        clock: tells when to try again.
        every: seconds between two attempts to open it.
        what: what is opened, in a few words, for the log.
    """

    def __init__(self, clock: IReactorTime, every: float, what: str) -> None:
        self._clock = clock
        self._every = every
        self._what = what
        self._said = Once()
        self._opened: Opened | None = None
        self._closing: Deferred[Any] = succeed(None)
        self._reopening: Deferred[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is open now."""
        return self._opened is not None

    def stopService(self) -> "Deferred[None] | None":
        """Close it; the result comes when everything is given back."""
        super().stopService()
        reopening, self._reopening = self._reopening, None
        if reopening is not None:
            reopening.cancel()
        self._close()
        return self._closed()

    def _begin(self) -> None:
        """Have it open from now on, if that has not begun yet."""
        if self._reopening is None:
            self._reopening = Deferred.fromCoroutine(self._reopen())
            self._reopening.addErrback(self._ended)

    async def _reopen(self) -> None:
        while True:
            while not await self._try():
                await deferLater(self._clock, self._every)
            await self._lost()
            self._close()
            await self._closed()

    async def _try(self) -> bool:
        """Open it where it is closed; the result is whether it is open."""
        if self._opened is None:
            try:
                self._opened = await self._open()
            except CancelledError:
                raise  # It was stopped.
            except Exception:
                self._could_not(Failure())
                return False
            self._is_open_again()
        return True

    async def _open(self) -> Opened:
        """Open it.

        Raises:
            Exception: it cannot be opened; ``_could_not`` says so.
        """
        raise NotImplementedError

    async def _lost(self) -> None:
        """Wait until it has to be closed, because it is of no use any more."""
        raise NotImplementedError

    def _could_not(self, why: Failure) -> None:
        """Say that it cannot be opened now, each reason once."""
        raise NotImplementedError

    def _is_open_again(self) -> None:
        """Say that it is open, where that is news."""
        raise NotImplementedError

    def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            self._closing = maybeDeferred(opened.close)
            self._closing.addErrback(
                lambda failed: log.failure("closing {what}", failed, what=self._what)
            )

    def _closed(self) -> "Deferred[None]":
        """A result that comes when what was closed is given back, and may be cancelled alone."""
        closed: Deferred[None] = Deferred()
        self._closing.addCallback(lambda _: closed.callback(None))
        return closed

    def _ended(self, why: Failure) -> None:
        if why.check(CancelledError) is None:
            log.failure("reopening {what} failed", why, what=self._what)


class InterfaceOpening(Reopening):
    """What one side needs: opened when its interface is there, and again when it comes back.

    The first opening decides: a reason that waiting cannot mend (no right to the port, port in
    use) ends the start with one line.  Later ones are said once and tried again, whatever they
    are: a bridge that runs does not give up.

    Args:
        clock: tells when to look at the interface.
        interface: the side's.
        what: what is opened, in a few words, for the log.
        open_: opens it; raises ``CannotOpenError`` or ``OSError``.
    """

    def __init__(
        self,
        clock: IReactorTime,
        interface: NetworkInterface,
        what: str,
        open_: Callable[[], Opened],
    ) -> None:
        super().__init__(clock, LOOK_EVERY, what)
        self.name = f"{what} on {interface}"
        self._interface = interface
        self._opens = open_
        self._identity: tuple[str, int, str] | None = None
        self._waits = False

    def privilegedStartService(self) -> None:
        """Open what needs the rights that the daemon may give up after this.

        Raises:
            CannotStartError: it cannot be opened, and waiting would not help.
        """
        self._open_first()

    def startService(self) -> None:
        """Open it, and look at the interface from now on.

        Raises:
            CannotStartError: it cannot be opened, and waiting would not help.
        """
        super().startService()
        self._open_first()
        self._begin()

    def _open_first(self) -> None:
        if self._opened is None:
            try:
                self._opened = self._open_now()
                self._is_open_again()
            except NotThereYetError:
                self._could_not(Failure())
            except (CannotOpenError, OSError) as why:
                raise CannotStartError(f"hargassner: {system_reason(why)}") from None

    def _open_now(self) -> Opened:
        identity = self._interface.identity()
        opened = self._opens()
        self._identity = identity
        return opened

    async def _open(self) -> Opened:
        return self._open_now()

    async def _lost(self) -> None:
        identity = self._identity
        while identity == self._identity:
            await deferLater(self._clock, LOOK_EVERY)
            # That the system cannot be asked now is no reason to close what is open.
            with suppress(OSError):
                identity = self._interface.identity()
        shown = str(self._interface)
        if identity is None:
            self._waits = True
            log.warn(
                "{interface} went away or changed: closing {what} until it is back",
                interface=shown,
                what=self._what,
            )
        else:
            log.info("{interface} changed: opening {what} again", interface=shown, what=self._what)

    def _could_not(self, why: Failure) -> None:
        self._waits = True
        reason = system_reason(why.value)
        if self._said.first(reason):
            log.warn("{what} waits: {why}", what=self._what, why=reason)

    def _is_open_again(self) -> None:
        if self._waits:
            log.info(
                "{what} on {interface} is open", what=self._what, interface=str(self._interface)
            )
        self._waits = False
        self._said = Once()


class EndpointOpening(Reopening):
    """A port of the bridge's own, for a view that may not stop the bridge.

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
        super().__init__(clock, RETRY_AFTER, what)
        self.name = what
        self._endpoint = endpoint
        self._description = description
        self._factory = factory

    def privilegedStartService(self) -> None:
        """Open the port while the rights are there that it may need."""
        self._begin()

    def startService(self) -> None:
        """Open the port, now or as soon as it can be opened."""
        super().startService()
        self._begin()

    async def _open(self) -> Opened:
        # Twisted's ports say that they start, with the name of their factory's class; the same
        # is said here in the owner's words.
        port: IListeningPort = await maybeDeferred(
            twisted_log.callWithContext, _SILENT, self._endpoint.listen, self._factory
        )
        return _Port(port)

    async def _lost(self) -> None:
        # A port stays what it is; this ends when the service stops.
        await Deferred()

    def _could_not(self, why: Failure) -> None:
        reason = _listening_reason(why)
        if self._said.first(reason):
            log.warn(
                "{what} cannot listen on {endpoint}, and tries again: {reason}",
                what=self._what,
                endpoint=self._description,
                reason=reason,
            )

    def _is_open_again(self) -> None:
        self._said = Once()
        log.info("{what} listens: {endpoint}", what=self._what, endpoint=self._description)


class _Port:
    """A listening port of Twisted's."""

    def __init__(self, port: IListeningPort) -> None:
        self._port = port

    def close(self) -> "Deferred[None] | None":
        return self._port.stopListening()


def _listening_reason(why: Failure) -> str:
    """Why it cannot listen, with whoever holds the port where the system tells."""
    match why.value:
        case CannotListenError(
            socketError=OSError() as wrong, port=int() as port, interface=address
        ):
            interface = NetworkInterface(address=str(address))
            return str(explained(wrong, "TCP", port, interface))
    return plain_reason(why)
