"""What the steps of a check share: the configuration, the ports, and what was found so far."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.task import deferLater

from hargassner.cli.check.report import Finding, Outcome, Reporter
from hargassner.cli.check.running import LinkReport
from hargassner.config import Config
from hargassner.discovery import (
    Announcement,
    Devices,
    NotDiscoveryError,
    parse_announcement,
    parse_service_list,
)
from hargassner.discovery.finder import finding_side
from hargassner.discovery.side import Side, sides
from hargassner.network.connecting import SingleFactory
from hargassner.network.interface import NetworkInterface
from hargassner.proxy.endpoint import BoilerLine
from hargassner.reactor import IBridgeReactor

_LOOK_EVERY = 0.2
"""Seconds between two looks at whether a condition is met."""
_SAY_AFTER = 1.0
"""Seconds of waiting after which it is reported."""


@dataclass(frozen=True, slots=True)
class Network:
    """One of the two networks."""

    name: str
    interface: NetworkInterface
    side: Side


def _sides(
    config: Config, gateway: NetworkInterface, boiler: NetworkInterface
) -> tuple[Side, Side]:
    """Both sides' discovery ports; without a gateway, what finding the boiler takes."""
    if config.gateway.enabled:
        return sides(config, gateway, boiler)
    return Side(gateway, config.gateway.broadcast, ()), finding_side(config, boiler)


class Context:
    """One check, as its steps see it.

    ``devices`` are those that were discovered, ``strangers`` the addresses from which something
    else came than an announcement, ``running`` how a bridge that runs already sees its links.

    Args:
        config: the configuration that is checked.
        reactor: everything runs on it.
        reporter: gets each finding.
    """

    def __init__(self, config: Config, reactor: IBridgeReactor, reporter: Reporter) -> None:
        self.config = config
        self.reactor = reactor
        self.reporter = reporter
        self.devices = Devices(reactor)
        self.strangers: set[str] = set()
        self.running: dict[str, LinkReport] = {}
        gateway, boiler = config.gateway, config.boiler
        to_gateway = NetworkInterface(gateway.interface, gateway.address)
        to_boiler = NetworkInterface(boiler.interface, boiler.address)
        gateway_side, boiler_side = _sides(config, to_gateway, to_boiler)
        self.gateway = Network("gateway", to_gateway, gateway_side)
        self.boiler = Network("boiler", to_boiler, boiler_side)

    def open_gateway_side(self) -> None:
        """Open the discovery ports to the gateway.

        Raises:
            CannotOpenError: one of them cannot be opened.
            OSError: the system is short of something.
        """
        self.gateway.side.open(self.reactor, self._gateway_sent, self.boiler.side)

    def open_boiler_side(self) -> None:
        """Open the discovery ports to the boiler; it raises what ``open_gateway_side`` does."""
        self.boiler.side.open(self.reactor, self._boiler_sent, self.gateway.side)

    def close(self) -> None:
        """Close the discovery ports."""
        self.gateway.side.close()
        self.boiler.side.close()

    async def connect_to_boiler(self, host: str, port: int, protocol: IProtocol) -> None:
        """Connect to a TCP port of the boiler's, as the bridge would.

        Raises:
            UnreachableError: it cannot be reached.
            CannotOpenError: the interface to it is absent.
        """
        devices = Devices(self.reactor, host)
        line = BoilerLine(self.reactor, devices, self.boiler.interface, port)
        await line.connect(cast("IProtocolFactory", SingleFactory(protocol)))

    def found(self, step: str, outcome: Outcome, what: str, advice: str = "") -> None:
        """Report what a step found."""
        self.reporter.found(Finding(step, outcome, what, advice))

    async def until(
        self, met: Callable[[], bool], seconds: float, what: str, more: float = 0.0
    ) -> bool:
        """Wait for a condition, and report how long it may take.

        Args:
            met: whether it is met.
            seconds: how long to wait for it.
            what: what is waited for, in words.
            more: seconds that may follow, in what is reported.
        """
        began = self.reactor.seconds()
        while not met():
            waited = self.reactor.seconds() - began
            left = seconds - waited
            if left <= 0:
                return False
            if waited >= _SAY_AFTER:
                self.reporter.waiting(what, left + more)
            await deferLater(self.reactor, min(_LOOK_EVERY, left), lambda: None)
        return True

    def _gateway_sent(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        # A broadcast is received by its sender, too.
        if not any(each.side.is_ours(source) for each in (self.gateway, self.boiler)):
            try:
                self._announced(source, parse_announcement(data))
            except NotDiscoveryError:
                self.strangers.add(source[0])

    def _announced(self, source: tuple[str, int], announcement: Announcement) -> None:
        address, port = source
        if port == self.config.discovery.gateway_port:
            self.devices.gateway_announced(address, announcement)

    def _boiler_sent(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        ports = self.config.discovery
        if (source[1], port) == (ports.boiler_port, ports.gateway_port):
            with suppress(NotDiscoveryError):
                self.devices.boiler_answered(source[0], parse_service_list(data))
