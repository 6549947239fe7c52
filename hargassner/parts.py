"""What the bridge is made of: each part built from those before it, none bound later."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.threads import deferToThreadPool

from hargassner.boiler.model import Boiler
from hargassner.clock import IClock, ReactorClock
from hargassner.config import Config
from hargassner.control.queue import Control
from hargassner.discovery import Devices, Relay, Side
from hargassner.discovery.side import sides
from hargassner.monitor.direct_telemetry import DirectTelemetry
from hargassner.monitor.interpreter import Interpreter
from hargassner.monitor.recorded import Recorded
from hargassner.monitor.traffic_log import Journal
from hargassner.mqtt.interfaces import LinkStatus
from hargassner.mqtt.link import BrokerLink
from hargassner.network.accepting import AcceptingPort
from hargassner.network.interface import NetworkInterface
from hargassner.network.reopening import InterfaceOpening
from hargassner.network.sockets import listening_socket
from hargassner.proxy.access import Access
from hargassner.proxy.endpoint import BoilerLine
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session
from hargassner.reactor import IBridgeReactor
from hargassner.recording.writer import RecordingWriter
from hargassner.storage.directory import StateDirectory, state_directory
from hargassner.storage.snapshots import Snapshots
from hargassner.web.timing import Timing

InThread = Callable[..., "Deferred[Any]"]
"""Calls what blocks, with arguments, off the reactor's thread."""


@dataclass(frozen=True, slots=True)
class Openings:
    """What is open towards each side while its interface is there."""

    gateway: tuple[InterfaceOpening, ...]
    boiler: tuple[InterfaceOpening, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Parts:
    """The parts of the bridge, for whoever starts them or looks at them.

    ``in_thread`` calls what blocks off the reactor's thread. ``timing`` measures while there
    is a page to show it. ``recordings`` and ``broker`` are None where none are configured.
    """

    config: Config
    clock: IClock
    in_thread: InThread
    state: StateDirectory
    devices: Devices
    boiler: Boiler
    snapshots: Snapshots
    interpreter: Interpreter
    journal: Journal
    control: Control
    boiler_line: BoilerLine
    direct: DirectTelemetry
    recordings: RecordingWriter | None
    timing: Timing
    proxy: ProxyFactory
    relay: Relay
    openings: Openings
    broker: BrokerLink | None

    @property
    def broker_status(self) -> LinkStatus | None:
        """How the link to the broker is, None without one."""
        return None if self.broker is None else self.broker.status


@dataclass(frozen=True, slots=True)
class SessionObservers:
    """Makes those who observe a session.

    ``recordings`` is None where nothing is recorded.
    """

    clock: IClock
    timing: Timing
    interpreter: Interpreter
    journal: Journal
    recordings: RecordingWriter | None
    devices: Devices
    direct: DirectTelemetry
    control: Control

    def watch(self, session: Session) -> list[ISessionObserver]:
        """The observers of a session that begins, in the order in which they see what passes."""
        interpreter = self.interpreter.watch(session)
        # The first one times what all the others need.
        observers: list[ISessionObserver] = [
            self.timing.observer(),
            interpreter,
            self.journal.watch(session),
        ]
        if self.recordings is not None:
            now, date = self.clock.seconds(), self.clock.wall()
            recorder = self.recordings.session(session.number, session.address, now, date)
            observers.append(Recorded(recorder, self.clock.seconds))
        is_gateway = self.devices.is_gateway(session.address)
        observers.append(self.direct.watch(session, is_gateway=is_gateway))
        # What the last one sends comes after what the others have seen.
        observers.append(self.control.watch(session, interpreter))
        return observers


def build(config: Config, reactor: IBridgeReactor) -> Parts:
    """Build a bridge's parts, each from those before it; nothing is opened, read or started yet."""
    clock, in_thread = ReactorClock(reactor), _threads(reactor)
    timing, journal = Timing(reactor, CollectorRegistry()), Journal(reactor)
    gateway, boiler_interface = _interfaces(config)
    state = StateDirectory(state_directory(config.state.directory, os.environ))
    devices, boiler = Devices(reactor, config.boiler.host), _boiler(config)
    snapshots = Snapshots(state, devices, boiler, reactor, in_thread)
    interpreter = Interpreter(boiler, reactor, snapshots.save_descriptor, config.telemetry.hidden)
    control = _control(config, boiler, reactor)
    line = BoilerLine(reactor, devices, boiler_interface, config.boiler.telnet_port)
    direct = DirectTelemetry(reactor, line, interpreter)
    recordings = _recordings(config, in_thread)
    observers = SessionObservers(
        clock, timing, interpreter, journal, recordings, devices, direct, control
    )
    access, both = Access(config.gateway.allow, devices), sides(config, gateway, boiler_interface)
    proxy = ProxyFactory(reactor, line.connect, access, observers.watch)
    relay = Relay(devices, config.discovery, *both, reactor, proxy.silence)
    _wire(devices, proxy, interpreter, snapshots, direct)
    return Parts(
        config=config,
        clock=clock,
        in_thread=in_thread,
        state=state,
        devices=devices,
        boiler=boiler,
        snapshots=snapshots,
        interpreter=interpreter,
        journal=journal,
        control=control,
        boiler_line=line,
        direct=direct,
        recordings=recordings,
        timing=timing,
        proxy=proxy,
        relay=relay,
        openings=_openings(config, reactor, relay, proxy, (gateway, boiler_interface)),
        broker=BrokerLink(config.mqtt, reactor) if config.mqtt.url else None,
    )


def _wire(
    devices: Devices,
    proxy: ProxyFactory,
    interpreter: Interpreter,
    snapshots: Snapshots,
    direct: DirectTelemetry,
) -> None:
    """Have each part notified of what concerns it."""
    devices.on_announcement(proxy.gateway_announced)
    devices.on_gateway(interpreter.gateway_announced)
    devices.on_gateway(lambda _gateway: snapshots.save_devices())
    devices.on_boiler(interpreter.boiler_answered)
    devices.on_boiler(lambda _boiler: snapshots.save_devices())
    proxy.on_login(lambda session: devices.gateway_logged_in(session.address))
    proxy.on_login(direct.give_way)


def _threads(reactor: IBridgeReactor) -> InThread:
    """What runs on the reactor's threads, which are there when it runs."""

    def in_thread(work: Callable[..., Any], *arguments: Any) -> "Deferred[Any]":
        return deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments)

    return in_thread


def _interfaces(config: Config) -> tuple[NetworkInterface, NetworkInterface]:
    """This machine's interfaces towards the gateway and towards the boiler."""
    gateway, boiler = config.gateway, config.boiler
    return (
        NetworkInterface(gateway.interface, gateway.address),
        NetworkInterface(boiler.interface, boiler.address),
    )


def _boiler(config: Config) -> Boiler:
    energy = config.energy
    return Boiler(energy.pellet_kwh_per_kg, energy.efficiency, counts_energy=config.energy.enabled)


def _control(config: Config, boiler: Boiler, reactor: IBridgeReactor) -> Control:
    control = config.control
    return Control(
        boiler, reactor, control.parameters, control.timeout, control.while_display_in_use
    )


def _recordings(config: Config, in_thread: InThread) -> RecordingWriter | None:
    if not config.recording.directory:
        return None
    return RecordingWriter(Path(config.recording.directory).expanduser(), in_thread)


def _openings(
    config: Config,
    reactor: IBridgeReactor,
    relay: Relay,
    proxy: ProxyFactory,
    interfaces: tuple[NetworkInterface, NetworkInterface],
) -> Openings:
    """What is opened on both interfaces."""
    gateway, boiler = interfaces

    def open_telnet_port() -> AcceptingPort:
        sock = listening_socket(gateway, config.gateway.telnet_port)
        return AcceptingPort(reactor, sock, cast("IProtocolFactory", proxy))

    def open_gateway_side() -> Side:
        return relay.open_gateway_side(reactor)

    def open_boiler_side() -> Side:
        return relay.open_boiler_side(reactor)

    return Openings(
        gateway=(
            InterfaceOpening(reactor, gateway, "the gateway's discovery", open_gateway_side),
            InterfaceOpening(reactor, gateway, "the telnet port", open_telnet_port),
        ),
        boiler=(InterfaceOpening(reactor, boiler, "the boiler's discovery", open_boiler_side),),
    )
