"""A gateway, the bridge and a boiler in one memory, on one clock, with wires that cut and delay.

Gateway and boiler are the simulated ones; between them is a real session of the proxy, with the
interpreter and the control that belong to it.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.python.failure import Failure

from hargassner.boiler.model import Boiler
from hargassner.catalogue import Catalogue
from hargassner.control.queue import CommandError, Control
from hargassner.discovery import Devices
from hargassner.monitor.interpreter import Interpreter
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session
from hargassner.simulator.boiler.engine import BoilerEngine, Mishap
from hargassner.simulator.boiler.layout import standard_layout
from hargassner.simulator.boiler.plant import Plant
from hargassner.simulator.boiler.telnet import BoilerFactory, BoilerProtocol, Timing
from hargassner.simulator.gateway.dialogue import GatewayDialogue
from tests.doubles.clocks import EventClock
from tests.proxy.case import Connection

PARAMETERS = ("PR001", "PR011", "4", "A6d")
TIMEOUT = 5.0
EPOCH = datetime(2024, 1, 15, 7)
CATALOGUE = Catalogue.load()
LAYOUT = standard_layout()


class Wire:
    """Takes bytes one way, in order, in segments and at times of its own choice.

    Args:
        clock: time.
        random: cuts and delays.
        slowness: seconds that a segment is under way at most; with 0 all is there at once.
        deliver: gets the segments.
        is_full: says that nothing can be taken in now.
    """

    def __init__(
        self,
        clock: EventClock,
        random: Random,
        slowness: float,
        deliver: Callable[[bytes], object],
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        self._clock = clock
        self._random = random
        self._slowness = slowness
        self._deliver = deliver
        self._is_full = is_full
        self._segments: deque[bytes] = deque()
        self._moving = False
        self.cut = False

    def send(self, data: bytes) -> None:
        """Have bytes delivered."""
        if self._slowness:
            while len(data) > 1 and self._random.random() < 0.5:
                place = self._random.randrange(1, min(len(data), 400))
                self._segments.append(data[:place])
                data = data[place:]
        self._segments.append(data)
        self._move()

    def _move(self) -> None:
        if not self._moving and self._segments:
            self._moving = True
            self._clock.callLater(self._random.random() * self._slowness, self._arrive)

    def _arrive(self) -> None:
        self._moving = False
        if self.cut:
            self._segments.clear()
        elif not self._is_full():
            # Sometimes two segments arrive as one.
            data = self._segments.popleft()
            if self._slowness and self._segments and self._random.random() < 0.3:
                data += self._segments.popleft()
            self._deliver(data)
        self._move()


class Leg(Connection):
    """The proxy's end of a connection; what is written to it goes over a wire."""

    def __init__(self) -> None:
        super().__init__()
        self.wire: Wire | None = None

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.wire is not None:
            self.wire.send(data)


class BoilerEnd(Connection):
    """The boiler's own transport."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 40000)

    def write(self, data: bytes) -> None:
        self.wire.send(data)


class _Boiler(BoilerFactory):
    """Notes what was asked by whom, and what the gateway has to get of what is said."""

    is_ours: Callable[[bytes], bool]

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.asked_by_gateway: list[bytes] = []
        self.asked_by_bridge: list[bytes] = []
        self.for_gateway = b""
        self._ours = False

    def buildProtocol(self, addr: object) -> BoilerProtocol:
        return _Connection(self)

    def stop_telemetry(self) -> None:
        self._ticking.stop()

    def asked(self, protocol: BoilerProtocol, request: bytes) -> None:
        self._ours = self.is_ours(request)
        (self.asked_by_bridge if self._ours else self.asked_by_gateway).append(request)
        super().asked(protocol, request)
        self._ours = False

    def saying(self, data: bytes) -> None:
        lines = data.splitlines(keepends=True)
        if self._ours:
            lines = [line for line in lines if not line.startswith(b"$")]
        self.for_gateway += b"".join(lines)


class _Connection(BoilerProtocol):
    def __init__(self, factory: _Boiler) -> None:
        super().__init__(factory)
        self._boiler = factory

    def send(self, data: bytes) -> None:
        self._boiler.saying(data)
        super().send(data)


class House:
    """Everything, from the gateway to the boiler.

    Requests of the bridge's differ from the gateway's in what they name: the gateway here sets
    only parameter 7, which is not among those of control.parameters.

    Args:
        seed: decides everything that is left to chance.
        slowness: seconds that a segment is under way at most.
        hesitation: seconds longer that the boiler thinks about a request.
        mishap: what goes wrong with a request.
        poll_pause: seconds between two cycles of the gateway's at most.
        parameters: those that can be set.
        while_display_in_use: whether they can be while somebody operates the boiler's display.
    """

    def __init__(
        self,
        seed: int = 0,
        slowness: float = 0.0,
        hesitation: Callable[[bytes], float] = lambda _request: 0.0,
        mishap: Callable[[str], Mishap | None] = lambda _request: None,
        poll_pause: float = 5.0,
        parameters: Sequence[str] = PARAMETERS,
        while_display_in_use: str = "allow",
    ) -> None:
        self.clock = EventClock()
        self.random = Random(seed)
        self.model = Boiler(catalogue=CATALOGUE)
        self.interpreter = Interpreter(self.model, self.clock, lambda _: None)
        self.control = Control(self.model, self.clock, parameters, TIMEOUT, while_display_in_use)
        self.problems: list[str] = []
        self.outcomes: list[tuple[str, str, str]] = []
        self.commands = 0
        self.received = b""
        self.sent = b""
        self.cycles = 0
        self._poll_pause = poll_pause
        self._polling = True
        self._stopped = False

        self.engine = BoilerEngine(
            Plant(seed),
            lambda: EPOCH + timedelta(seconds=self.clock.seconds()),
            layout=LAYOUT,
            seed=seed,
            mishap=mishap,
        )
        self.boiler = _Boiler(
            self.clock,
            self.engine,
            Timing(
                period=1.0,
                speed=1.0,
                segment_gap=0.00013,
                reply_delay=0.02,
                hesitation=hesitation,
            ),
        )
        self.boiler.is_ours = lambda line: bool(re.match(rb'\$par (get [^c]|set "(?!7;))', line))
        self.proxy = ProxyFactory(
            self.clock,
            self._connect,
            Access(["any"], Devices(self.clock)),
            self._observers_of,
        )
        self.client = Leg()
        self.boiler_leg = Leg()
        self.dialogue = GatewayDialogue("0012345", self.problems.append)
        self._to_bridge = Wire(
            self.clock,
            self.random,
            slowness,
            lambda data: self.client.protocol.dataReceived(data),
            lambda: self.client.paused,
        )
        self.client.wire = Wire(self.clock, self.random, slowness, self._gateway_receives)
        to_client = Wire(
            self.clock,
            self.random,
            slowness,
            lambda data: self.boiler_leg.protocol.dataReceived(data),
            lambda: self.boiler_leg.paused,
        )
        self.boiler_end = BoilerEnd(to_client)
        self.boiler_leg.wire = Wire(
            self.clock,
            self.random,
            slowness,
            lambda data: self.boiler_end.protocol.dataReceived(data),
        )
        self.wires = (self._to_bridge, self.client.wire, to_client, self.boiler_leg.wire)
        self.client.protocol = self.proxy.buildProtocol(IPv4Address("TCP", "192.0.2.7", 51975))
        self.client.protocol.makeConnection(self.client)
        self.gateway_says(self.dialogue.begin())

    @property
    def session(self) -> Session:
        """The session; it must stand."""
        return self.proxy.sessions[1]

    def _observers_of(self, session: Session) -> list[ISessionObserver]:
        self.session_interpreter = self.interpreter.observe(session)
        return [self.session_interpreter, self.control.observe(session, self.session_interpreter)]

    def _connect(self, factory: IProtocolFactory) -> "Deferred[IProtocol]":
        self.boiler_end.protocol = self.boiler.buildProtocol(None)
        self.boiler_end.protocol.makeConnection(self.boiler_end)
        self.boiler.start()
        protocol = factory.buildProtocol(None)
        self.boiler_leg.protocol = protocol
        protocol.makeConnection(self.boiler_leg)
        connected: Deferred[IProtocol] = Deferred()
        connected.callback(protocol)
        return connected

    # The gateway.

    def gateway_says(self, data: bytes) -> None:
        """The gateway sends something, in any segments."""
        if data:
            self.sent += data
            self._to_bridge.send(data)

    def _gateway_receives(self, data: bytes) -> None:
        self.received += data
        self.gateway_says(self.dialogue.received(data))
        if self.dialogue.opened and self._polling:
            self._polling = False
            self.clock.callLater(self.random.random() * self._poll_pause, self._poll)

    def _poll(self) -> None:
        if not self.client.closing and not self._stopped:
            self._polling = True
            self.cycles += 1
            self.gateway_says(self.dialogue.poll())

    # What a test does.

    def advance(self, seconds: float) -> None:
        """Let time pass, each call when it is due."""
        self.clock.pass_each(seconds)

    def log_in(self) -> "House":
        """The gateway opens its dialogue, and the bridge reads the parameters."""
        self.advance(20)
        assert self.cycles, "the gateway did not finish its opening"
        return self

    def command(self, id_: str, requested: str) -> list[str]:
        """Give a command; the list gets its outcome, which ``outcomes`` has too."""
        self.commands += 1
        outcome: list[str] = []

        def done(value: str) -> None:
            outcome.append(value)
            self.outcomes.append((id_, requested, value))

        def failed(why: Failure) -> None:
            why.trap(CommandError)
            done(f"error: {why.getErrorMessage()}")

        self.control.set_parameter(id_, requested).addCallbacks(done, failed)
        return outcome

    def boiler_closes(self) -> None:
        """The boiler sends FIN, and nothing any more."""
        self.boiler_end.wire.cut = True
        self.boiler_leg.sends_fin()

    def stop_polling(self) -> None:
        """The gateway asks nothing more by itself, and time stops at the boiler."""
        self._stopped = True
        self.boiler.stop_telemetry()

    def end(self) -> None:
        """End every session and connection."""
        for session in list(self.proxy.sessions.values()):
            session.end("the test is over")
        self.boiler_end.gone()
        self.boiler.stop()
        for wire in self.wires:
            wire.cut = True
        self.advance(60)
