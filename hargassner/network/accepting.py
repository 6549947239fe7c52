"""A listening port that lives through a lack of file descriptors.

Twisted's own port closes newcomers meanwhile, with a descriptor that it puts by for that. Where
that one is lost, or the whole system has none left, it is woken for the waiting newcomer again and
again, and logs each time.
"""

import errno
import os
import socket
from typing import Any, cast

from twisted.application.internet import TimerService
from twisted.internet.interfaces import IProtocolFactory, IReactorTime, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.delayed import Delayed
from hargassner.network.connecting import ISocketReactor
from hargassner.network.interfaces import EXHAUSTED

log = Logger()

ACCEPT_AGAIN_AFTER = 1.0
"""Seconds that newcomers wait in the system's queue until it is tried again to accept them."""
LOOK_EVERY = 2.0
"""Seconds between two looks whether a file descriptor is free."""
_WHOSE: dict[int | None, str] = {
    **dict.fromkeys(EXHAUSTED, "this machine"),
    errno.EMFILE: "the bridge",
}
"""Who has no file descriptor left, by the system's error."""


@implementer(IReadDescriptor)
class AcceptingPort:
    """A listening TCP socket on the reactor, whose connections a factory serves.

    Each needs a second file descriptor, for the reactor's copy of it. Where there is none, who was
    accepted waits for it here, alone: the others wait in the system's queue.

    Args:
        reactor: watches the socket.
        sock: it listens and does not block; it belongs to the port from now on.
        factory: serves the connections.
    """

    def __init__(
        self, reactor: ISocketReactor, sock: socket.socket, factory: IProtocolFactory
    ) -> None:
        self._reactor = reactor
        self._socket = sock
        self._factory = factory
        self._accepted: list[socket.socket] = []
        self._again = Delayed(reactor, ACCEPT_AGAIN_AFTER, self._resume)
        factory.doStart()
        reactor.addReader(self)

    def fileno(self) -> int:
        """The socket's file descriptor, -1 when closed."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """How log lines of the reactor name it."""
        return "listening port"

    def doRead(self) -> None:
        """Accept and serve who has come first; the reactor calls again for the next one."""
        try:
            client, _address = self._socket.accept()
        except OSError as wrong:
            self._pause_if_exhausted(wrong)  # Else it is gone already.
        else:
            client.setblocking(False)
            self._serve(client)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives the descriptor up."""
        self.close()

    def close(self) -> None:
        """Accept and serve nobody any more; who is served already stays."""
        if self._socket.fileno() >= 0:
            self._again.cancel()
            self._reactor.removeReader(self)
            for each in (self._socket, *self._accepted):
                each.close()
            self._factory.doStop()

    def _serve(self, client: socket.socket) -> None:
        # Whatever goes wrong with one of them must not reach the reactor: it would close the port.
        with log.failuresHandled("serving a connection that was accepted"):
            try:
                self._reactor.adoptStreamConnection(
                    client.fileno(),
                    socket.AF_INET,
                    cast("Any", self._factory),
                )
            except OSError as wrong:
                if self._pause_if_exhausted(wrong):
                    self._accepted.append(client)
                    return  # Else it has hung up already.
        client.close()

    def _pause_if_exhausted(self, wrong: OSError) -> bool:
        """Try again later, where this says that there was no descriptor."""
        exhausted = wrong.errno in EXHAUSTED
        if exhausted:
            self._reactor.removeReader(self)
            self._again.start()
        return exhausted

    def _resume(self) -> None:
        """Serve who was accepted, if that did not succeed, and then who waits."""
        self._reactor.addReader(self)
        accepted, self._accepted = self._accepted, []
        for client in accepted:
            self._serve(client)


class DescriptorWatch(TimerService):
    """Says it when the process has no file descriptor left, and when it has again.

    Args:
        clock: tells when to look.
    """

    name = "file descriptors"

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__(LOOK_EVERY, self._check)  # type: ignore[no-untyped-call]
        self.clock = clock
        self._exhausted = False

    def _check(self) -> None:
        whose = _exhausted()
        if self._exhausted != bool(whose):
            self._exhausted = bool(whose)
            self._say_changed(whose)

    def _say_changed(self, whose: str) -> None:
        if whose:
            log.warn(
                "{whose} has no file descriptor left: what is open stays open, "
                "and new connections wait until some are free",
                whose=whose,
            )
        else:
            log.info("file descriptors are free again: new connections are taken")


def _exhausted() -> str:
    """Who has no file descriptor left, "" while one is free."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError as wrong:
        return _WHOSE.get(wrong.errno, "")
    return ""
