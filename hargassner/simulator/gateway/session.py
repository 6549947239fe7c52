"""A session of the simulated gateway: what it does on its connection, and when."""

from collections.abc import Callable
from contextlib import suppress
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as LateError
from twisted.internet.interfaces import IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from hargassner.delayed import Delayed
from hargassner.simulator.coroutines import log_failure
from hargassner.simulator.gateway.dialogue import GatewayDialogue
from hargassner.simulator.gateway.timing import AFTER_RENEW, BEFORE_CLEAR, REPLY_TIMEOUT, Timing


class GatewaySession(Protocol):
    """One connection of the gateway's to what it takes for the boiler.

    A coroutine asks in cycles until the session's time is up, and ends it with the boiler's
    consent; the connection's end ends the coroutine. ``state`` says in words how far it is.

    Args:
        clock: time.
        timing: when it does what.
        serial: the gateway's serial number.
        problem: called with each thing that is not as it should be, in a sentence.
        over: called with this session and the reason when the connection is gone.
    """

    def __init__(
        self,
        clock: IReactorTime,
        timing: Timing,
        serial: str,
        problem: Callable[[str], None],
        over: "Callable[[GatewaySession, Failure], None]",
    ) -> None:
        self.dialogue = GatewayDialogue(serial, problem)
        self.state = "in a session"
        self._clock = clock
        self._timing = timing
        self._problem = problem
        self._over = over
        self._reply_timeout = Delayed(clock, REPLY_TIMEOUT, self._no_reply)
        self._heard: Deferred[None] = Deferred()

    def set_parameter(self, number: str, kind: int, value: str) -> "Deferred[str]":
        """Set a parameter; the result is the boiler's reply."""
        outcome: Deferred[str] = Deferred()
        self._write(self.dialogue.set_parameter(number, kind, value, outcome.callback))
        return outcome

    def reset(self) -> None:
        """Reset the connection."""
        self._tcp.abortConnection()

    def connectionMade(self) -> None:
        """Begin the dialogue; every request is sent at once."""
        self._tcp.setTcpNoDelay(True)
        self._talking = Deferred.fromCoroutine(self._talk())
        self._talking.addErrback(log_failure)

    def dataReceived(self, data: bytes) -> None:
        """Take what the boiler's side says, and go on."""
        self._write(self.dialogue.received(data))
        if not self.dialogue.waiting:
            self._reply_timeout.cancel()
        if not self._heard.called:
            self._heard.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The session is over, one way or another."""
        self._reply_timeout.cancel()
        self._talking.cancel()
        self._over(self, reason)

    async def _talk(self) -> None:
        asking = Deferred.fromCoroutine(self._ask())
        with suppress(LateError):
            await asking.addTimeout(self._timing.session_length, self._clock)
        self.state = "starting over"
        self._write(self.dialogue.renew())
        await self._pause(self._timing.paced(BEFORE_CLEAR))
        self._write(self.dialogue.clear())
        await self._until(lambda: self.dialogue.cleared)
        self._write(self.dialogue.renew())
        await self._pause(self._timing.paced(AFTER_RENEW))
        self._tcp.loseConnection()

    async def _ask(self) -> None:
        """Open the dialogue, and ask in cycles."""
        self._write(self.dialogue.begin())
        while True:
            await self._until(lambda: self.dialogue.opened)
            await self._pause(self._timing.keepalive)
            # A parameter may just be set.
            if not self.dialogue.waiting:
                self._write(self.dialogue.poll())

    async def _until(self, met: Callable[[], bool]) -> None:
        """Wait until what was heard meets a condition."""
        while not met():
            self._heard = Deferred()
            await self._heard

    def _pause(self, seconds: float) -> "Deferred[None]":
        return deferLater(self._clock, seconds)

    def _no_reply(self) -> None:
        self._problem(f"no reply within {REPLY_TIMEOUT:g} seconds")
        self.reset()

    @property
    def _tcp(self) -> ITCPTransport:
        return cast("ITCPTransport", self.transport)

    def _write(self, data: bytes) -> None:
        self._tcp.write(data)
        if self.dialogue.waiting:
            self._reply_timeout.start()
