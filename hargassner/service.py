"""Composition: everything that the bridge is made of, wired in one place."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from twisted.application.internet import TimerService
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IProtocolFactory,
)
from twisted.internet.threads import deferToThreadPool

from hargassner.admin.console import ways_inside
from hargassner.boiler.model import Boiler
from hargassner.clock import ReactorClock
from hargassner.config import Config
from hargassner.control.queue import Control
from hargassner.discovery import Devices, Relay, Side
from hargassner.discovery.side import sides
from hargassner.homeassistant.view import HomeView
from hargassner.monitor.direct_telemetry import DirectTelemetry
from hargassner.monitor.interpreter import Interpreter
from hargassner.monitor.recorded import Recorded
from hargassner.monitor.traffic_log import Journal, JournalKeeping
from hargassner.mqtt.link import BrokerLink
from hargassner.network.accepting import AcceptingPort, DescriptorWatch
from hargassner.network.interface import NetworkInterface
from hargassner.network.keeper import Keeper
from hargassner.network.resolver import Names
from hargassner.network.sockets import listening_socket
from hargassner.proxy.endpoint import BoilerLine
from hargassner.proxy.session import (
    Access,
    ISessionObserver,
    ProxyFactory,
    Session,
)
from hargassner.proxy.sessions import Sessions
from hargassner.reactor import IBridgeReactor
from hargassner.recording.writer import RecordingWriter
from hargassner.storage.directory import StateDirectory, state_directory
from hargassner.storage.snapshots import Memory
from hargassner.web.service import Parts, WebPage

TICK = 5.0
"""Seconds between two looks of the model at the time."""


class CleanExit(Service):
    """Makes SIGTERM and SIGINT a clean stop with exit status 0.

    Twisted would stop as cleanly, and then let the process die by the signal.
    """

    name = "clean exit"

    def __init__(self, reactor: IBridgeReactor) -> None:
        self._reactor = reactor
        self._stopping = False

    def startService(self) -> None:
        """Take the signals over as soon as the reactor has set its own handlers."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._take_over)

    def _take_over(self) -> None:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)

    def _stop(self, _signal: int, _frame: object) -> None:
        if self.running and not self._stopping:
            self._stopping = True
            self._reactor.callFromThread(self._reactor.stop)


class Bridge(MultiService):
    """The whole service.

    Args:
        config: what the owner wants.
        reactor: everything runs on it.
    """

    name = "hargassner"

    def __init__(self, config: Config, reactor: IBridgeReactor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.config = config
        self.clock = ReactorClock(reactor)
        gateway_place = NetworkInterface(config.gateway.interface, config.gateway.address)
        boiler_place = NetworkInterface(config.boiler.interface, config.boiler.address)

        def in_thread(work: Callable[..., Any], *arguments: Any) -> "Deferred[Any]":
            pool = reactor.getThreadPool()
            return deferToThreadPool(reactor, pool, work, *arguments)

        # What outlives sessions: who is there, and what is known of the boiler.
        self.devices = Devices(reactor, config.boiler.host)
        self.boiler = Boiler(
            config.telemetry.hidden, config.energy.pellet_kwh_per_kg, config.energy.efficiency
        )
        state = StateDirectory(state_directory(config.state.directory, os.environ))
        memory = Memory(state, self.devices, self.boiler, reactor, in_thread)
        self.interpreter = Interpreter(self.boiler, reactor, memory.remember_descriptor)
        self.journal = Journal(reactor)

        self.control = Control(
            self.boiler, reactor, config.control.parameters, config.control.timeout
        )

        # The way of the bytes.
        self.boiler_line = BoilerLine(
            reactor, self.devices, boiler_place, config.boiler.telnet_port
        )
        access = Access(config.gateway.allow, self.devices)
        self.direct = DirectTelemetry(reactor, self.boiler_line, self.interpreter)
        self.recordings: RecordingWriter | None = None
        if config.recording.directory:
            folder = Path(config.recording.directory).expanduser()
            self.recordings = RecordingWriter(folder, in_thread)

        def watch(session: Session) -> list[ISessionObserver]:
            interpreter = self.interpreter.watch(session)
            watchers: list[ISessionObserver] = [interpreter, self.journal.watch(session)]
            if self.recordings is not None:
                now, date = reactor.seconds(), self.clock.wall()
                recorder = self.recordings.session(session.number, session.address, now, date)
                watchers.append(Recorded(recorder, reactor.seconds))
            if self.devices.is_gateway(session.address):
                watchers.append(self.direct.watch(session))
            # The last one: what it sends comes after what the others are told.
            watchers.append(self.control.watch(session, interpreter))
            return watchers if self.web is None else [self.web.watch(session), *watchers]

        self.proxy = ProxyFactory(reactor, self.boiler_line.connect, access, watch)

        # The home.
        self.broker = BrokerLink(config.mqtt, reactor) if config.mqtt.url else None

        # Who is told of whom.
        self.devices.on_announcement(self.proxy.gateway_announced)
        self.devices.on_gateway(self.interpreter.gateway_announced)
        self.devices.on_gateway(lambda _gateway: memory.remember_devices())
        self.proxy.on_login(lambda session: self.devices.gateway_logged_in(session.address))
        self.devices.on_boiler(self.interpreter.boiler_answered)
        self.devices.on_boiler(lambda _boiler: memory.remember_devices())

        # Towards the gateway it is the boiler, and the reverse.
        both = sides(config, gateway_place, boiler_place)
        self.relay = Relay(self.devices, config.discovery, *both, reactor, self.proxy.silence)

        def open_telnet_port() -> AcceptingPort:
            sock = listening_socket(gateway_place, config.gateway.telnet_port)
            return AcceptingPort(reactor, sock, cast("IProtocolFactory", self.proxy))

        to_gateway: list[tuple[str, Callable[[], AcceptingPort | Side]]] = [
            ("the gateway's discovery", lambda: self.relay.open_gateway_side(reactor)),
            ("the telnet port", open_telnet_port),
        ]
        gateway_keepers = [Keeper(reactor, gateway_place, *each) for each in to_gateway]
        boiler_keeper = Keeper(
            reactor,
            boiler_place,
            "the boiler's discovery",
            lambda: self.relay.open_boiler_side(reactor),
        )

        # Who looks on.
        self.web = self._page(gateway_keepers, [boiler_keeper], reactor, state, in_thread)

        parts: list[Service] = [
            CleanExit(reactor),
            JournalKeeping(self.journal, reactor),
            Names(reactor),
            DescriptorWatch(reactor),
            memory,
            *gateway_keepers,
            boiler_keeper,
            _ticking(self.boiler, reactor),
            self._sessions(),
        ]
        if config.boiler.direct_telemetry:
            parts.append(self.direct)
        parts += self._home(reactor, state, in_thread)
        if self.web is not None:
            parts.append(self.web)
        parts.extend(ways_inside(self, reactor))
        for part in parts:
            part.setServiceParent(self)

    def _sessions(self) -> Sessions:
        if self.recordings is None:
            return Sessions(self.proxy)
        return Sessions(self.proxy, self.recordings.written)

    def _home(
        self,
        reactor: IBridgeReactor,
        state: StateDirectory,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> list[Service]:
        """The link to the broker, last to stop, and what is said over it, if there is one."""
        if self.broker is None:
            return []
        view = HomeView(
            self.boiler,
            self.config,
            self.broker,
            self.control,
            self.clock,
            state,
            in_thread,
            socket.gethostname(),
        )
        return [self.broker, view]

    def _page(
        self,
        gateway_keepers: list[Keeper],
        boiler_keepers: list[Keeper],
        reactor: IBridgeReactor,
        state: StateDirectory,
        in_thread: Callable[..., "Deferred[Any]"],
    ) -> WebPage | None:
        """The page, if there is to be one."""
        if not self.config.web.listen:
            return None
        seen = Parts(
            config=self.config,
            boiler=self.boiler,
            devices=self.devices,
            proxy=self.proxy,
            direct=self.direct,
            interpreter=self.interpreter,
            journal=self.journal,
            gateway_keepers=gateway_keepers,
            boiler_keepers=boiler_keepers,
            boiler_problem=lambda: self.boiler_line.problem,
            broker=lambda: self.broker.status if self.broker else None,
            commands=lambda: self.control.counters,
        )
        return WebPage(seen, reactor, self.clock, state, in_thread)


def _ticking(boiler: Boiler, reactor: IBridgeReactor) -> TimerService:
    """Has the model look at the time."""
    ticking = TimerService(TICK, lambda: boiler.tick(reactor.seconds()))
    ticking.clock = reactor
    return ticking
