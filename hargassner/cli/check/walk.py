"""The walk through the chain, step by step.

It listens where the bridge would listen, asks the boiler what the gateway would ask it, and opens
the connections that the bridge would open. It changes nothing: no datagram is passed on, and what
it publishes is not retained. Where a bridge runs already, that one is asked what it sees.
"""

import errno
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from zope.interface import implementer

from hargassner.cli.check.broker import Visit
from hargassner.cli.check.machine import (
    Interface,
    boiler_leases,
    bridge_processes,
    interfaces,
)
from hargassner.cli.check.report import Finding, Outcome, Reporter
from hargassner.cli.check.rights import broker_finding, discovery_finding
from hargassner.cli.check.running import LinkReport, NoAnswerError, ask
from hargassner.config import Config
from hargassner.dialogue.lines import LineSplitter
from hargassner.discovery import (
    Devices,
    FoundBoiler,
    NotDiscoveryError,
    parse_announcement,
    parse_service_list,
)
from hargassner.discovery.side import sides
from hargassner.network.datagrams import IDatagramReceiver
from hargassner.network.interface import (
    CannotOpenError,
    NetworkInterface,
    NotThereYetError,
    is_own_address,
)
from hargassner.network.sockets import listening_socket
from hargassner.proxy.endpoint import BoilerLine
from hargassner.reactor import IBridgeReactor

ASK_EVERY = 2.0
"""Seconds between two questions to the boiler's network."""
ASK_TIMES = 4
TELEMETRY_PATIENCE = 10.0
"""Seconds that the first telemetry line may take; one comes every second."""
BROKER_PATIENCE = 20.0
"""Seconds that the broker may take, from the first word to its echo."""
HOME_PATIENCE = 2.0
"""Seconds that Home Assistant is listened for after everything else."""

_LOOK_EVERY = 0.2
_TOLD_AFTER = 1.0
_GOODBYE = 2.0
_SERVICES_WANTED = b"get services\0"


@implementer(IDatagramReceiver)
class _Ear:
    """Hears one side's network."""

    def __init__(self, told: Callable[[bytes, str, int], None]) -> None:
        self._told = told

    def datagram_received(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        self._told(data, source[0], port)


class _TelemetryEar(Protocol):
    """Waits for a telemetry line."""

    def __init__(self) -> None:
        self.values = 0
        self._lines = LineSplitter()

    def dataReceived(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            if isinstance(line, bytes) and line.startswith(b"pm "):
                self.values = len(line.split()) - 1


class _Ears(Factory[_TelemetryEar]):
    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> _TelemetryEar:
        return _TelemetryEar()


class Walk:
    """One walk through the chain.

    Args:
        config: what the owner wants.
        reactor: everything runs on it.
        wait: seconds to wait for the gateway's announcement.
        report: is told of each step.
    """

    def __init__(
        self, config: Config, reactor: IBridgeReactor, wait: float, report: Reporter
    ) -> None:
        self._config = config
        self._reactor = reactor
        self._wait_for_gateway = wait
        self._report = report
        self._gateway_place = NetworkInterface(config.gateway.interface, config.gateway.address)
        self._boiler_place = NetworkInterface(config.boiler.interface, config.boiler.address)
        self._devices = Devices(reactor)
        self._gateway_side, self._boiler_side = sides(
            config, self._gateway_place, self._boiler_place
        )
        self._strangers: set[str] = set()
        self._running: dict[str, LinkReport] = {}

    async def go(self) -> None:
        """Walk; every finding has been reported at the end."""
        visit: Visit | None = None
        if self._config.mqtt.url:
            # Home Assistant may start while the gateway is waited for.
            visit = Visit(self._config.mqtt, self._config.homeassistant, self._reactor)
            ensureDeferred(visit.begin())
        try:
            self._look_at_network("gateway", self._gateway_place, self._config.gateway.address)
            self._look_at_network("boiler", self._boiler_place, self._config.boiler.address)
            await self._open_ports()
            await self._look_for_boiler()
            await self._wait_for_announcement()
        finally:
            self._gateway_side.close()
            self._boiler_side.close()
        await self._read_telemetry()
        await self._look_at_broker(visit)
        await self._look_for_home(visit)
        if visit is not None and visit.let_in:
            visit.end()
            await self._until(lambda: visit.over, _GOODBYE, "the broker's goodbye")

    # Interfaces, ports.

    def _look_at_network(self, side: str, place: NetworkInterface, address: str) -> None:
        step = f"the {side}'s network"
        what, advice = "", ""
        if place.interface:
            found = {each.name: each for each in interfaces()}
            what, advice = _interface_trouble(place.interface, address, found)
            shown = str(found.get(place.interface, place.interface))
        else:
            shown = str(place)
            try:
                place.device()
            except CannotOpenError as wrong:
                what = str(wrong)
                advice = f"Correct {side}.address, or name the interface in {side}.interface."
        if what:
            self._found(step, Outcome.FAILED, what, advice)
        else:
            self._found(step, Outcome.OK, shown)

    async def _open_ports(self) -> None:
        step, other_step = "ports and privileges", "another bridge"
        troubles = [
            trouble
            for open_ in (self._try_telnet_port, self._open_gateway_side, self._open_boiler_side)
            if (trouble := _trouble(open_)) is not None
        ]
        held = [str(each) for each in troubles if _is_in_use(each)]
        absent = [str(each) for each in troubles if isinstance(each, NotThereYetError)]
        others = [str(each) for each in troubles if str(each) not in (*held, *absent)]
        if others:
            self._found(step, Outcome.FAILED, others[0], _rights_advice(others[0]))
        elif absent:
            self._found(step, Outcome.SKIPPED, absent[0])
        elif held:
            self._found(step, Outcome.SKIPPED, "somebody holds them already")
        else:
            telnet = self._config.gateway.telnet_port
            ports = sorted({*self._gateway_side.ports, *self._boiler_side.ports})
            self._found(
                step, Outcome.OK, f"TCP {telnet} and UDP {', '.join(map(str, ports))} can be opened"
            )
        if not held:
            self._found(other_step, Outcome.OK, "none runs")
        else:
            await self._look_at_holder(other_step, held[0])

    async def _look_at_holder(self, step: str, held: str) -> None:
        try:
            self._running = await ask(self._reactor, self._config.web)
        except NoAnswerError as why:
            processes = bridge_processes()
            if "(process " in held:
                # The system tells who it is; other bridges may run here and hold other ports.
                processes = [each for each in processes if f"(process {each})" in held]
            if processes:
                advice = (
                    "To see more of the chain, switch its page on ([web] listen), or stop it for "
                    "this check: sudo systemctl stop hargassner-bridge"
                )
                what = f"the bridge itself runs ({held}), and cannot be asked: {why}"
                self._found(step, Outcome.OK, what, advice)
            else:
                advice = "Stop that program, or give the bridge other addresses or interfaces."
                self._found(step, Outcome.FAILED, held, advice)
        else:
            self._found(step, Outcome.OK, "the bridge itself runs, and tells what it sees")

    def _try_telnet_port(self) -> None:
        listening_socket(self._gateway_place, self._config.gateway.telnet_port).close()

    def _open_gateway_side(self) -> None:
        self._gateway_side.open(self._reactor, _Ear(self._heard_from_gateway), self._boiler_side)

    def _open_boiler_side(self) -> None:
        self._boiler_side.open(self._reactor, _Ear(self._heard_from_boiler), self._gateway_side)

    def _heard_from_gateway(self, data: bytes, source: str, port: int) -> None:
        try:
            announcement = parse_announcement(data)
        except NotDiscoveryError:
            self._strangers.add(source)
        else:
            self._devices.gateway_announced(source, announcement)

    def _heard_from_boiler(self, data: bytes, source: str, port: int) -> None:
        try:
            services = parse_service_list(data)
        except NotDiscoveryError:
            return
        if port == self._config.discovery.gateway_port:
            self._devices.boiler_answered(source, services)

    # The boiler's network, the gateway.

    async def _look_for_boiler(self) -> None:
        step = "the boiler"
        leases = boiler_leases()
        leased = ", ".join(f"{each.address} is leased to {each.hardware}" for each in leases)
        if not self._boiler_side.open_ports:
            self._tell_of_running(step, "boiler", leased or "its ports cannot be opened")
            return
        found = await self._ask_for_services()
        if found is not None:
            name = " ".join(
                each for each in (found.services.model, found.services.firmware) if each
            )
            self._found(step, Outcome.OK, f"{name or 'a boiler'} answers from {found.address}")
            return
        if leased:
            what = f"it does not answer, though {leased}"
            advice = (
                "Is it switched on, and the gateway or the app switched on at its panel? Has it "
                "kept an older address? Switch its panel off and on."
            )
        else:
            what = f"nothing answers on {self._boiler_place}"
            advice = (
                "Is its cable in this port, and has it got an address (does a DHCP server run "
                "there)? Switch its panel off and on, so that it asks for one."
            )
        self._found(step, Outcome.FAILED, what, advice)

    async def _ask_for_services(self) -> FoundBoiler | None:
        """Ask as the gateway would, a few times: a datagram can be lost."""
        ports = self._config.discovery
        target = (self._boiler_side.broadcast, ports.boiler_port)
        for asked in range(ASK_TIMES):
            # No route, say: then nobody answers.
            with suppress(OSError):
                self._boiler_side.send(_SERVICES_WANTED, ports.gateway_port, target)
            left = (ASK_TIMES - asked - 1) * ASK_EVERY
            if await self._until(
                lambda: self._devices.boiler is not None, ASK_EVERY, "the boiler's answer", left
            ):
                break
        return self._devices.boiler

    async def _wait_for_announcement(self) -> None:
        step = "the gateway"
        if not self._gateway_side.open_ports:
            self._tell_of_running(step, "gateway", "its ports cannot be opened")
            return
        await self._until(
            lambda: self._devices.gateway is not None,
            self._wait_for_gateway,
            "the gateway's announcement",
        )
        gateway = self._devices.gateway
        if gateway is not None:
            serial = gateway.announcement.serial or "without number"
            software = gateway.announcement.software or "unknown"
            what = f"{serial} announced itself from {gateway.address}, software {software}"
            self._found(step, Outcome.OK, what)
            return
        what = f"no announcement within {self._wait_for_gateway:g} s"
        if self._strangers:
            what += f", though {', '.join(sorted(self._strangers)[:3])} sent something else"
        advice = (
            "It announces itself only before a new dialogue: unplug it for a moment, and check "
            f"again with a longer --wait. Is it in the network of {self._gateway_place}?"
        )
        self._found(step, Outcome.FAILED, what, advice)

    def _tell_of_running(self, step: str, link: str, otherwise: str) -> None:
        """What the running bridge says of a link, if one can be asked."""
        said = self._running.get(link)
        if said is None:
            self._found(step, Outcome.SKIPPED, otherwise)
            return
        outcome = {"ok": Outcome.OK, "broken": Outcome.FAILED}.get(said.level, Outcome.SKIPPED)
        what = f"{said.text}, {said.address}" if said.address else said.text
        self._found(step, outcome, f"the bridge says: {what}", said.advice)

    # Connections.

    async def _read_telemetry(self) -> None:
        step = "telnet to the boiler"
        host = self._boiler_host()
        if not host:
            self._found(step, Outcome.SKIPPED, "its address is not known")
            return
        devices = Devices(self._reactor, host)
        line = BoilerLine(
            self._reactor, devices, self._boiler_place, self._config.boiler.telnet_port
        )
        try:
            ear = cast("_TelemetryEar", await line.connect(cast("IProtocolFactory", _Ears())))
        except Exception as wrong:
            advice = (
                "Is the boiler switched on? Has it another address than it had? boiler.host fixes "
                "one."
            )
            why = str(wrong) or type(wrong).__name__
            self._found(step, Outcome.FAILED, f"{host} cannot be reached: {why}", advice)
            return
        flows = await self._until(lambda: ear.values > 0, TELEMETRY_PATIENCE, "telemetry")
        if ear.transport is not None:
            ear.transport.loseConnection()
        if flows:
            what = f"telemetry flows from {host}, {ear.values} values a line"
            self._found(step, Outcome.OK, what)
        else:
            advice = "Is this the boiler? Switch its panel off and on."
            what = f"connected, but no telemetry came within {TELEMETRY_PATIENCE:g} s"
            self._found(step, Outcome.FAILED, what, advice)

    def _boiler_host(self) -> str:
        """Where the boiler is, as far as that is known by now."""
        found = self._devices.boiler
        said = self._running.get("boiler")
        leases = boiler_leases()
        known = (
            self._config.boiler.host,
            found.address if found is not None else "",
            said.address if said is not None else "",
            leases[0].address if leases else "",
        )
        return next((host for host in known if host), "")

    async def _look_at_broker(self, visit: Visit | None) -> None:
        step = "the broker"
        url = self._config.mqtt.url
        if visit is None:
            self._found(step, Outcome.SKIPPED, "none is configured (mqtt.url)")
            return
        await self._until(lambda: visit.is_known or visit.over, BROKER_PATIENCE, "the broker")
        self._report.found(broker_finding(visit, url, self._config.homeassistant))

    async def _look_for_home(self, visit: Visit | None) -> None:
        step = "Home Assistant"
        if self._config.homeassistant.discovery == "off":
            self._found(step, Outcome.SKIPPED, "homeassistant.discovery is off")
        elif visit is None or not visit.let_in or visit.over:
            self._found(step, Outcome.SKIPPED, "it is reached over the broker")
        elif (trouble := discovery_finding(visit, self._config.homeassistant)) is not None:
            self._report.found(trouble)
        elif await self._until(lambda: visit.home_started, HOME_PATIENCE, "Home Assistant"):
            self._found(step, Outcome.OK, f"it said online on {visit.home_topic}")
        else:
            advice = (
                "If no device appears there, add the MQTT integration with the same broker; to "
                "see it here, restart Home Assistant during the check."
            )
            what = f"nothing on {visit.home_topic}: it speaks there only when it starts"
            self._found(step, Outcome.SKIPPED, what, advice)

    # Telling and waiting.

    def _found(self, step: str, outcome: Outcome, what: str, advice: str = "") -> None:
        self._report.found(Finding(step, outcome, what, advice))

    async def _until(
        self, met: Callable[[], bool], seconds: float, what: str, more: float = 0.0
    ) -> bool:
        """Wait for a condition, and tell how long it may take; ``more`` is what follows."""
        began = self._reactor.seconds()
        while not met():
            waited = self._reactor.seconds() - began
            left = seconds - waited
            if left <= 0:
                return False
            if waited >= _TOLD_AFTER:
                self._report.waiting(what, left + more)
            await deferLater(self._reactor, min(_LOOK_EVERY, left), lambda: None)
        return True


def _interface_trouble(name: str, address: str, found: dict[str, Interface]) -> tuple[str, str]:
    """What is wrong with an interface, and what to do about it; empty where nothing is."""
    interface = found.get(name)
    if not found:
        return "", ""  # The system does not tell.
    if interface is None:
        others = ", ".join(sorted(each for each in found if not found[each].loopback))
        return f"there is no interface {name}", f"This machine has {others or 'none'}."
    if not interface.up:
        return f"{name} is switched off", f"Switch it on: sudo ip link set {name} up"
    if not interface.running:
        return (
            f"nothing is plugged into {name}",
            "Look at the cable, and whether the device at its other end is switched on.",
        )
    if not interface.address:
        return f"{name} has no IPv4 address", f"Give {name} a fixed one (packaging/README.md)."
    if address and not is_own_address(address):
        return (
            f"this machine does not have the address {address}; {name} has {interface.address}",
            "Correct the address in the configuration, or leave it out.",
        )
    return "", ""


def _trouble(open_: Callable[[], None]) -> Exception | None:
    try:
        open_()
    except (CannotOpenError, OSError) as wrong:
        return wrong
    return None


def _is_in_use(trouble: Exception) -> bool:
    cause = trouble.__cause__
    return isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE


def _rights_advice(trouble: str) -> str:
    if "CAP_" not in trouble:
        return ""
    return (
        "Run this check with sudo. The service itself gets the right from its unit "
        "(AmbientCapabilities, packaging/README.md)."
    )
