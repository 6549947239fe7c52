"""A listening port that lives through a lack of file descriptors.

Twisted's own port closes newcomers meanwhile, with a descriptor that it puts by for that. Where
that one is lost, or the whole system has none left, it is woken for the waiting newcomer again and
again, and logs each time.
"""

import errno
import os
import socket
from typing import Any, cast

from twisted.internet.interfaces import (
    IProtocolFactory,
    IReactorTime,
    IReadDescriptor,
)
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from hargassner.delayed import Delayed
from hargassner.network.connecting import ISocketReactor
from hargassner.network.interfaces import EXHAUSTED
from hargassner.services import Service

log = Logger()

ACCEPT_AGAIN_AFTER = 1.0
"""Seconds that newcomers wait in the system's queue until it is tried again to accept them."""
LOOK_EVERY = 2.0
"""Seconds between two looks whether a file descriptor is free."""
_AT_A_TIME = 32


@implementer(IReadDescriptor)
class AcceptingPort:
    """A listening TCP socket on the reactor, whose connections a factory serves.

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
        self._again = Delayed(reactor, ACCEPT_AGAIN_AFTER, lambda: reactor.addReader(self))
        factory.doStart()
        reactor.addReader(self)

    def fileno(self) -> int:
        """The socket's file descriptor, -1 when closed."""
        return self._socket.fileno()

    def logPrefix(self) -> str:
        """How log lines of the reactor name it."""
        return "listening port"

    def doRead(self) -> Failure | None:
        """Accept who has come."""
        for _ in range(_AT_A_TIME):
            if self._socket.fileno() < 0:
                return None  # The factory closed this port.
            try:
                client, _address = self._socket.accept()
            except BlockingIOError:
                return None
            except OSError as wrong:
                if wrong.errno in EXHAUSTED:
                    self._pause()
                    return None
                continue  # This one is gone already.
            with client:
                self._serve(client)
        return None

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gives the descriptor up."""
        self.close()

    def close(self) -> None:
        """Accept nobody any more; what has been accepted stays."""
        if self._socket.fileno() >= 0:
            self._again.cancel()
            self._reactor.removeReader(self)
            self._socket.close()
            self._factory.doStop()

    def _serve(self, client: socket.socket) -> None:
        client.setblocking(False)
        # Whatever goes wrong with one of them must not reach the reactor: it would close the port.
        with log.failuresHandled("serving a connection that was accepted"):
            try:
                self._reactor.adoptStreamConnection(
                    client.fileno(),
                    socket.AF_INET,
                    cast("Any", self._factory),
                )
            except OSError as wrong:
                # It has hung up already, or there was a descriptor for it and none for its copy.
                if wrong.errno in EXHAUSTED:
                    self._pause()

    def _pause(self) -> None:
        self._reactor.removeReader(self)
        self._again.start()


class DescriptorWatch(Service):
    """Says it when the process has no file descriptor left, and when it has again.

    Args:
        clock: tells when to look.
    """

    name = "file descriptors"

    def __init__(self, clock: IReactorTime) -> None:
        self._said = False
        self._look = LoopingCall(self._check)
        self._look.clock = clock

    def startService(self) -> None:
        """Look from now on."""
        super().startService()
        self._look.start(LOOK_EVERY)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._look.running:
            self._look.stop()

    def _check(self) -> None:
        try:
            os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as wrong:
            if wrong.errno in EXHAUSTED:
                self._lacks("the bridge" if wrong.errno == errno.EMFILE else "this machine")
        else:
            self._has_some()

    def _lacks(self, whose: str) -> None:
        if not self._said:
            self._said = True
            log.warn(
                "{whose} has no file descriptor left: what is open stays open, "
                "and new connections wait until some are free",
                whose=whose,
            )

    def _has_some(self) -> None:
        if self._said:
            self._said = False
            log.info("file descriptors are free again: new connections are taken")
