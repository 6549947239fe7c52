"""Signals that stop the bridge."""

import signal

from twisted.internet.interfaces import IReactorCore, IReactorFromThreads

from hargassner.services import Service


class ISignalReactor(IReactorCore, IReactorFromThreads):
    """What a clean exit needs of a reactor."""


class CleanExit(Service):
    """Makes SIGTERM and SIGINT a clean stop with exit status 0.

    Twisted would stop as cleanly, and then let the process die by the signal.
    """

    name = "clean exit"

    def __init__(self, reactor: ISignalReactor) -> None:
        self._reactor = reactor
        self._stopping = False

    def startService(self) -> None:
        """Take the signals over as soon as the reactor has set its own handlers."""
        super().startService()
        self._reactor.callWhenRunning(self._take_over)

    def _take_over(self) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)

    def _stop(self, _signal: int, _frame: object) -> None:
        # Only the first one counts, and none once the bridge stops for another reason.
        if self.running and not self._stopping:
            self._stopping = True
            self._reactor.callFromThread(self._reactor.stop)
