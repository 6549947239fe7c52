"""The embedded broker as a service: a child process on a loopback port."""

import signal
import socket
import sys
from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IProcessTransport, IReactorProcess, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from hargassner.delayed import Delayed
from hargassner.services import Service

log = Logger()

USUAL_PORT = 1883
STOP_TIMEOUT = 2.0
"""Seconds that the broker has to end by itself."""

_LISTENING = 3
"""The descriptor under which the child has the listening socket."""


class IProcessReactor(IReactorProcess, IReactorTime):
    """A reactor that starts processes and measures time."""


class _Child(ProcessProtocol):
    """Watches the broker's process."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()
        self.stopping = False
        self._said = b""

    def errReceived(self, data: bytes) -> None:
        """Remember its last output, which says why it ended."""
        self._said = (self._said + data)[-4096:]

    def processEnded(self, reason: Failure) -> None:
        """It is gone; unless it was asked to go, say so."""
        if not self.stopping:
            lines = self._said.decode(errors="replace").strip().splitlines()
            log.error(
                "the embedded broker ended: {why}",
                why=lines[-1] if lines else reason.getErrorMessage(),
            )
        self.ended.callback(None)


class EmbeddedBroker(Service):
    """Runs the embedded broker while the service runs.

    It takes connections from the moment that this is constructed on: early clients wait.

    Args:
        reactor: starts the process.
        arguments: for ``hargassner.simulator.broker.embedded``, after the descriptor.

    Raises:
        OSError: nothing can listen there.
    """

    name = "embedded broker"
    host = "127.0.0.1"

    def __init__(self, reactor: IProcessReactor, arguments: Sequence[str] = ()) -> None:
        self._reactor = reactor
        self._arguments = arguments
        self._socket = self._listening()
        self.port: int = self._socket.getsockname()[1]
        self._child = _Child()
        self._process: IProcessTransport | None = None

    def _listening(self) -> socket.socket:
        """A socket that listens on the usual port, or on another where that is taken."""
        try:
            return socket.create_server((self.host, USUAL_PORT))
        except OSError:
            return socket.create_server((self.host, 0))

    def startService(self) -> None:
        """Start the process, and hand the socket over to it."""
        super().startService()
        command = [sys.executable, "-m", "hargassner.simulator.broker.embedded", str(_LISTENING)]
        # Ctrl-C reaches the whole group, but it is for us to say when the broker ends: last.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with self._socket:
                self._process = self._reactor.spawnProcess(
                    self._child,
                    sys.executable,
                    [*command, *self._arguments],
                    env=None,
                    childFDs={0: "w", 1: "r", 2: "r", _LISTENING: self._socket.fileno()},
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def stopService(self) -> "Deferred[None]":
        """Have the process end; the result comes when it has."""
        super().stopService()
        if self._process is None:
            self._socket.close()
            return succeed(None)
        ended = self._child.ended
        if not ended.called:
            self._child.stopping = True
            self._process.closeStdin()
            kill = Delayed(
                self._reactor, STOP_TIMEOUT, partial(self._process.signalProcess, "KILL")
            )
            kill.start()
            ended.addCallback(lambda _: kill.cancel())
        return ended
