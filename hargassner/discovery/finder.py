"""Finding the boiler without a gateway: the bridge asks what the gateway would ask.

Where there is a gateway, its own question is relayed and nothing is asked (relay.py).
"""

from collections.abc import Callable
from contextlib import suppress

from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from hargassner.config import Config, DiscoveryConfig
from hargassner.discovery.devices import Devices
from hargassner.discovery.gateways import address_of
from hargassner.discovery.packets import (
    GET_SERVICES,
    NotDiscoveryError,
    ServiceList,
    parse_service_list,
)
from hargassner.discovery.side import Side
from hargassner.network.interface import NetworkInterface
from hargassner.network.system import system_reason
from hargassner.observers import Once
from hargassner.services import Service

log = Logger()

ASK_EVERY = 60.0
"""Seconds between two questions at least."""
CONNECT_WITHIN = 120.0
"""Seconds that a boiler which has answered has to be connected to, until it is asked for again; the
connection is tried every minute at most."""
LOOK_EVERY = 2.0
"""Seconds between two looks whether there is something to ask, and an open port to ask from."""


def finding_side(config: Config, interface: NetworkInterface) -> Side:
    """The one port that finding the boiler takes, not open yet."""
    return Side(interface, config.boiler.broadcast, (config.discovery.gateway_port,))


class Finder(Service):
    """Asks for the boiler once a minute until it is found, and again when it cannot be reached.

    The first one that answers is the boiler (docs/protocol.md, section 1, packets 4 and 5).

    Args:
        devices: told of the boiler.
        ports: the port numbers.
        side: the boiler's network.
        clock: time.
        unreachable: why no connection to the boiler can be made; empty where one can.
    """

    name = "finder"

    def __init__(
        self,
        devices: Devices,
        ports: DiscoveryConfig,
        side: Side,
        clock: IReactorTime,
        unreachable: Callable[[], str],
    ) -> None:
        self._devices = devices
        self._ports = ports
        self._side = side
        self._clock = clock
        self._unreachable = unreachable
        self._asked = self._answered = float("-inf")
        self._said = Once(16)
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock

    def open(self, reactor: IReactorFDSet) -> Side:
        """Open the port that is asked from.

        Raises:
            CannotOpenError: it cannot be opened.
        """
        nobody = Side(self._side.interface, self._side.broadcast, ())
        return self._side.open(reactor, self.heard, nobody)

    def startService(self) -> None:
        """Ask whenever it is due."""
        super().startService()
        self._looking.start(LOOK_EVERY)

    def stopService(self) -> None:
        """Ask nothing more."""
        super().stopService()
        self._looking.stop()

    @property
    def wanted(self) -> bool:
        """Whether a boiler is looked for."""
        if self._devices.boiler is None:
            return True
        tried = self._clock.seconds() - self._answered >= CONNECT_WITHIN
        return tried and bool(self._unreachable())

    def _look(self) -> None:
        now = self._clock.seconds()
        if self.wanted and self._side.open_ports and now - self._asked >= ASK_EVERY:
            self._asked = now
            self._ask()

    def _ask(self) -> None:
        side, ports = self._side, self._ports
        if self._said.first("asked"):
            log.info("asking for the boiler on {interface}", interface=str(side.interface))
        try:
            side.send(GET_SERVICES, ports.gateway_port, (side.broadcast, ports.boiler_port))
        except OSError as wrong:
            self._say_unsent(system_reason(wrong))

    def _say_unsent(self, why: str) -> None:
        if self._said.first(why):
            log.warn(
                "the boiler cannot be asked for on {interface}: {why}",
                interface=str(self._side.interface),
                why=why,
            )

    def heard(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """Take a boiler's answer; whatever else comes is for others."""
        if source[1] == self._ports.boiler_port and not self._side.is_ours(source):
            with suppress(NotDiscoveryError):
                self._answer(source[0], parse_service_list(data))

    def _answer(self, address: str, services: ServiceList) -> None:
        if self.wanted:
            self._answered = self._clock.seconds()
            self._devices.boiler_answered(address, services)
        else:
            self._say_another(address)

    def _say_another(self, address: str) -> None:
        known = address_of(self._devices.boiler) == address
        if not known and self._said.first(("another", address)):
            log.warn(
                "another boiler answers at {address}: it is not read; boiler.host in the "
                "configuration names the one that is",
                address=address,
            )
