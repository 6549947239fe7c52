"""Keeping something open on one side of the bridge while its interface comes and goes."""

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from hargassner.network.interface import CannotOpenError, NetworkInterface, NotThereYetError
from hargassner.services import Service

log = Logger()

LOOK_EVERY = 2.0
"""Seconds between two looks at the interface."""


class CannotStartError(SystemExit, Exception):
    """The bridge cannot start; the message is the line for the user.

    An exit for whoever runs the bridge in the foreground.  To ``twistd``, which waits in the
    foreground for word of its daemon, only an Exception is a failure.
    """


class Opened(Protocol):
    """What was opened, and can be closed."""

    def close(self) -> "Deferred[None] | None":
        """Give everything back."""


class Keeper(Service):
    """Opens what a side needs when its interface is there, and again when it comes back.

    The first opening decides: a reason that waiting cannot mend (no right to the port, port in
    use) ends the start with one line.  Later ones are said once and tried again, whatever they
    are: a bridge that runs does not give up.

    Args:
        clock: tells when to look at the interface.
        interface: the side's.
        name: what is opened, in a few words, for the log.
        open_: opens it; raises ``CannotOpenError`` or ``OSError``.
    """

    def __init__(
        self,
        clock: IReactorTime,
        interface: NetworkInterface,
        name: str,
        open_: Callable[[], Opened],
    ) -> None:
        self.name = f"{name} on {interface}"
        self._interface = interface
        self._what = name
        self._open = open_
        self._opened: Opened | None = None
        self._identity: tuple[str, int, str] | None = None
        self._said: str | None = None
        self._closing: list[Deferred[Any]] = []
        self._look = LoopingCall(self._check)
        self._look.clock = clock

    @property
    def is_open(self) -> bool:
        """Whether it is open now."""
        return self._opened is not None

    def privilegedStartService(self) -> None:
        """Open what needs the rights that the daemon may give up after this.

        Raises:
            CannotStartError: it cannot be opened, and waiting would not help.
        """
        self._begin()

    def startService(self) -> None:
        """Open it, and look at the interface from now on.

        Raises:
            CannotStartError: it cannot be opened, and waiting would not help.
        """
        super().startService()
        self._begin()
        self._look.start(LOOK_EVERY, now=False)

    def stopService(self) -> "Deferred[Any]":
        """Close it; the result comes when everything is given back."""
        super().stopService()
        if self._look.running:
            self._look.stop()
        self._close()
        return DeferredList(self._closing)

    def _begin(self) -> None:
        if self._opened is None:
            try:
                self._try()
            except NotThereYetError as why:
                self._say(why)
            except (CannotOpenError, OSError) as why:
                raise CannotStartError(f"hargassner: {_words(why)}") from None

    def _try(self) -> None:
        identity = self._interface.identity()
        self._opened = self._open()
        self._identity = identity
        if self._said is not None:
            log.info(
                "{what} on {interface} is open", what=self._what, interface=str(self._interface)
            )
        self._said = None

    def _check(self) -> None:
        try:
            identity = self._interface.identity()
        except OSError:
            return  # That the system cannot be asked now is no reason to close what is open.
        if self._opened is not None and identity != self._identity:
            if identity is None:
                log.warn(
                    "{interface} went away or changed: closing {what} until it is back",
                    interface=str(self._interface),
                    what=self._what,
                )
                self._said = ""
            else:
                log.info(
                    "{interface} changed: opening {what} again",
                    interface=str(self._interface),
                    what=self._what,
                )
            self._close()
        if self._opened is None and not self._closing:
            try:
                self._try()
            except (CannotOpenError, OSError) as why:
                self._say(why)

    def _say(self, why: Exception) -> None:
        said = _words(why)
        if said != self._said:
            self._said = said
            log.warn("{what} waits: {why}", what=self._what, why=self._said)

    def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            closing: Deferred[Any] = maybeDeferred(opened.close)
            self._closing.append(closing)
            closing.addErrback(
                lambda failed: log.failure("closing {what}", failed, what=self._what)
            )
            closing.addBoth(lambda _: self._closing.remove(closing))


def _words(why: Exception) -> str:
    """Why something cannot be opened, without the system's error number."""
    return (isinstance(why, OSError) and why.strerror) or str(why)
