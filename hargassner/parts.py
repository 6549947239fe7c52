"""What the bridge is made of: each part built from those before it, none bound later."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.threads import deferToThreadPool

from hargassner.boiler.model import Boiler
from hargassner.clock import IClock, ReactorClock
from hargassner.config import Config
from hargassner.control.queue import Control
from hargassner.discovery import Devices, Relay, Side
from hargassner.discovery.finder import Finder, finding_side
from hargassner.discovery.side import sides
from hargassner.lazy_parts import LazyParts
from hargassner.monitor.direct_telemetry import DirectTelemetry
from hargassner.monitor.interpreter import Interpreter
from hargassner.monitor.traffic_log import Journal
from hargassner.network.accepting import AcceptingPort
from hargassner.network.interface import NetworkInterface
from hargassner.network.reopening import InterfaceOpening
from hargassner.network.sockets import listening_socket
from hargassner.proxy.access import Access
from hargassner.proxy.endpoint import BoilerLine
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.forwarding import ForwardAccess, ForwardFactory
from hargassner.reactor import IBridgeReactor
from hargassner.session_observers import SessionObservers
from hargassner.startup import described
from hargassner.storage.directory import StateDirectory, state_directory
from hargassner.storage.snapshots import Snapshots
from hargassner.web.timing import Timing

if TYPE_CHECKING:
    # Imported by whoever configured them only.
    from hargassner.mqtt.interfaces import LinkStatus
    from hargassner.mqtt.link import BrokerLink
    from hargassner.recording.writer import RecordingWriter
    from hargassner.storage.history.service import History

InThread = Callable[..., "Deferred[Any]"]
"""Calls what blocks, with arguments, off the reactor's thread."""


@dataclass(frozen=True, slots=True, repr=False)
class GatewayParts:
    """The parts that are there only with a gateway: sessions, and what is done on them.

    ``openings`` is what is open towards the gateway while its interface is there.
    """

    control: Control
    proxy: ProxyFactory
    forwards: tuple[ForwardFactory, ...]
    relay: Relay
    openings: tuple[InterfaceOpening, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Parts:
    """The parts of the bridge, for whoever starts them or looks at them.

    ``in_thread`` calls what blocks off the reactor's thread. ``timing`` measures while there
    is a page to show it. ``recordings`` is None where none are configured, ``gateway`` where there
    is none. ``finder`` asks for a boiler that neither a gateway asks for nor the configuration
    names. ``openings`` is what is open towards the boiler while its interface is there. ``lazy``
    has what is built when it is asked for.
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
    boiler_line: BoilerLine
    direct: DirectTelemetry
    recordings: "RecordingWriter | None"
    timing: Timing
    gateway: GatewayParts | None
    finder: Finder | None
    openings: tuple[InterfaceOpening, ...]
    lazy: LazyParts

    @property
    def history(self) -> "History | None":
        """Keeps the history, None where none is configured."""
        return self.lazy.history

    @property
    def broker(self) -> "BrokerLink | None":
        """The link to the broker, None where none is configured."""
        return self.lazy.broker

    @property
    def broker_status(self) -> "LinkStatus | None":
        """How the link to the broker is, None without one."""
        return None if self.broker is None else self.broker.status


def build(config: Config, reactor: IBridgeReactor) -> Parts:
    """Build a bridge's parts, each from those before it; nothing is opened, read or started yet."""
    clock, in_thread = ReactorClock(reactor), _threads(reactor)
    timing, journal = Timing(reactor), Journal(reactor)
    state = StateDirectory(state_directory(config.state.directory, os.environ))
    devices, boiler = Devices(reactor, config.boiler.host), _boiler(config)
    snapshots = Snapshots(state, devices, boiler, reactor, in_thread)
    interpreter = _interpreter(config, reactor, boiler, snapshots)
    interface = NetworkInterface(config.boiler.interface, config.boiler.address)
    line = BoilerLine(reactor, devices, interface, config.boiler.telnet_port)
    direct = DirectTelemetry(reactor, line, interpreter)
    recordings = _recordings(config, reactor, in_thread)
    control = _control(config, boiler, reactor)
    observers = SessionObservers(
        clock, timing, interpreter, journal, recordings, devices, direct, control
    )
    gateway = _gateway(config, reactor, observers, line, interface)
    finder = _finder(config, reactor, devices, line, interface)
    _wire(devices, interpreter, snapshots)
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
        boiler_line=line,
        direct=direct,
        recordings=recordings,
        timing=timing,
        gateway=gateway,
        finder=finder,
        openings=_openings(reactor, interface, gateway, finder),
        lazy=LazyParts(config, reactor, clock, boiler, state),
    )


def _wire(devices: Devices, interpreter: Interpreter, snapshots: Snapshots) -> None:
    """Have the model and the snapshots notified of who is found."""
    devices.on_gateway(interpreter.gateway_announced)
    devices.on_gateway(lambda _gateway: snapshots.save_devices())
    devices.on_boiler(interpreter.boiler_answered)
    devices.on_boiler(lambda _boiler: snapshots.save_devices())


def _threads(reactor: IBridgeReactor) -> InThread:
    """What runs on the reactor's threads, which are there when it runs."""

    def in_thread(work: Callable[..., Any], *arguments: Any) -> "Deferred[Any]":
        return deferToThreadPool(reactor, reactor.getThreadPool(), work, *arguments)

    return in_thread


def _boiler(config: Config) -> Boiler:
    energy = config.energy
    return Boiler(energy.pellet_kwh_per_kg, energy.efficiency, counts_energy=config.energy.enabled)


def _control(config: Config, boiler: Boiler, reactor: IBridgeReactor) -> Control:
    control = config.control
    return Control(
        boiler, reactor, control.parameters, control.timeout, control.while_display_in_use
    )


def _interpreter(
    config: Config, reactor: IBridgeReactor, boiler: Boiler, snapshots: Snapshots
) -> Interpreter:
    hidden, given = config.telemetry.hidden, described(config)
    return Interpreter(boiler, reactor, snapshots.save_descriptor, hidden, given)


def _recordings(
    config: Config, reactor: IBridgeReactor, in_thread: InThread
) -> "RecordingWriter | None":
    if not config.recording.directory:
        return None
    from hargassner.recording.writer import RecordingWriter

    return RecordingWriter(Path(config.recording.directory).expanduser(), in_thread, reactor)


def _gateway(
    config: Config,
    reactor: IBridgeReactor,
    observers: SessionObservers,
    line: BoilerLine,
    boiler_interface: NetworkInterface,
) -> GatewayParts | None:
    """What stands between the gateway and the boiler, where there is a gateway."""
    if not config.gateway.enabled:
        return None
    devices, direct = observers.devices, observers.direct
    interface = NetworkInterface(config.gateway.interface, config.gateway.address)
    access, both = Access(config.gateway.allow, devices), sides(config, interface, boiler_interface)
    proxy = ProxyFactory(reactor, line.connect, access, observers.observe)
    relay = Relay(devices, config.discovery, *both, reactor, proxy.silence)
    forwards = _forwards(config, reactor, devices, (interface, boiler_interface))
    devices.on_announcement(proxy.gateway_announced)
    proxy.on_login(lambda session: devices.gateway_logged_in(session.address))
    proxy.on_login(direct.give_way)
    openings = _gateway_openings(config, reactor, interface, relay, proxy, forwards)
    return GatewayParts(observers.control, proxy, forwards, relay, openings)


def _forwards(
    config: Config,
    reactor: IBridgeReactor,
    devices: Devices,
    interfaces: tuple[NetworkInterface, NetworkInterface],
) -> tuple[ForwardFactory, ...]:
    """What passes further ports of the boiler's on."""
    gateway, boiler = interfaces
    access = ForwardAccess(config.gateway.forward_allow, gateway)
    lines = {port: BoilerLine(reactor, devices, boiler, port) for port in config.gateway.forward}
    return tuple(ForwardFactory(port, line.connect, access) for port, line in lines.items())


def _gateway_openings(
    config: Config,
    reactor: IBridgeReactor,
    interface: NetworkInterface,
    relay: Relay,
    proxy: ProxyFactory,
    forwards: tuple[ForwardFactory, ...],
) -> tuple[InterfaceOpening, ...]:
    """What is opened towards the gateway."""

    def accept(port: int, factory: ProxyFactory | ForwardFactory) -> AcceptingPort:
        sock = listening_socket(interface, port)
        return AcceptingPort(reactor, sock, cast("IProtocolFactory", factory))

    open_side = partial(relay.open_gateway_side, reactor)
    open_telnet_port = partial(accept, config.gateway.telnet_port, proxy)
    return (
        InterfaceOpening(reactor, interface, "the gateway's discovery", open_side),
        InterfaceOpening(reactor, interface, "the telnet port", open_telnet_port),
        *(
            InterfaceOpening(
                reactor,
                interface,
                f"port {each.port} of the boiler",
                partial(accept, each.port, each),
            )
            for each in forwards
        ),
    )


def _finder(
    config: Config,
    reactor: IBridgeReactor,
    devices: Devices,
    line: BoilerLine,
    interface: NetworkInterface,
) -> Finder | None:
    """What asks for the boiler, where no gateway does and the configuration does not name it."""
    if config.gateway.enabled or config.boiler.host:
        return None
    side = finding_side(config, interface)
    return Finder(devices, config.discovery, side, reactor, lambda: line.problem)


def _openings(
    reactor: IBridgeReactor,
    interface: NetworkInterface,
    gateway: GatewayParts | None,
    finder: Finder | None,
) -> tuple[InterfaceOpening, ...]:
    """What is opened towards the boiler."""

    def opening(open_: Callable[[IBridgeReactor], Side]) -> InterfaceOpening:
        what = "the boiler's discovery"
        return InterfaceOpening(reactor, interface, what, lambda: open_(reactor))

    if gateway is not None:
        return (opening(gateway.relay.open_boiler_side),)
    return (opening(finder.open),) if finder is not None else ()
