"""The relay: repeats on each network what is heard on the other.

The gateway finds the boiler by UDP broadcasts, and opens its telnet connection to the address
that the boiler's answer came from (docs/protocol.md, section 1).  The relay repeats on each
network what it hears on the other, so that the gateway believes it talks to a boiler, and the
boiler to a gateway.

Each datagram heard leads to at most one datagram sent, and nothing goes round. What is asked of a
datagram, in this order:

1. Is it the bridge's own? Linux hands a broadcast to the sender's own sockets on that interface.
2. Where both sides share a network: does it belong to the opposite side?
3. Does its sender send more than any device of this kind?
4. Does it come from a port of discovery?
5. Was the same relayed a moment ago? So it is where both interfaces are on one switch, or a second
   bridge is between the same networks.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from twisted.internet.interfaces import IReactorFDSet, IReactorTime
from twisted.logger import Logger

from hargassner.config import DiscoveryConfig
from hargassner.discovery.devices import Devices
from hargassner.discovery.gateways import address_of
from hargassner.discovery.limits import ASKED_WITHIN, RATE, Askers, RateLimit, Repetitions
from hargassner.discovery.packets import (
    ANNOUNCES,
    ASKS_FOR_SERVICES,
    NotDiscoveryError,
    asks,
    is_captured_list,
    parse_announcement,
    parse_service_list,
)
from hargassner.discovery.side import Side
from hargassner.network.system import system_reason
from hargassner.observers import Once

log = Logger()


@dataclass(slots=True)
class RelayCounters:
    """How many datagrams went which way.

    ``own`` were the bridge's own, ``repeated`` had come by another way, ``limited`` were more than
    one address may send, and ``dropped`` could not be sent on or were none of discovery.
    """

    to_boiler: int = 0
    to_gateway: int = 0
    dropped: int = 0
    own: int = 0
    repeated: int = 0
    limited: int = 0


class Relay:
    """Repeats on each network what is heard on the other (docs/protocol.md, section 1).

    Args:
        devices: learn who was found.
        ports: the four port numbers.
        gateway_side: towards the gateway, where the relay stands for the boiler.
        boiler_side: towards the boiler, where it stands for the gateway.
        clock: time.
        silence: the seconds since a session from this address, in which the gateway is logged in,
            heard something of it; None where there is no such session.
    """

    def __init__(
        self,
        devices: Devices,
        ports: DiscoveryConfig,
        gateway_side: Side,
        boiler_side: Side,
        clock: IReactorTime,
        silence: Callable[[str], float | None] = lambda _address: None,
    ) -> None:
        self.counters = RelayCounters()
        self._devices = devices
        self._ports = ports
        self._gateway_side = gateway_side
        self._boiler_side = boiler_side
        self._clock = clock
        self._silence = silence
        self._rates = {gateway_side: RateLimit(), boiler_side: RateLimit()}
        self._repetitions = Repetitions()
        self._askers: defaultdict[int, Askers] = defaultdict(Askers)
        self._services_asked = -inf
        self._said = Once()
        self._said_unsent = Once()
        self._said_limited = Once()

    def open_gateway_side(self, reactor: IReactorFDSet) -> Side:
        """Open the ports towards the gateway.

        Raises:
            CannotOpenError: one of them cannot be opened.
        """
        return self._gateway_side.open(reactor, self.heard_from_gateway, self._boiler_side)

    def open_boiler_side(self, reactor: IReactorFDSet) -> Side:
        """Open the ports towards the boiler.

        Raises:
            CannotOpenError: one of them cannot be opened.
        """
        return self._boiler_side.open(reactor, self.heard_from_boiler, self._gateway_side)

    def heard_from_gateway(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """A datagram came from the gateway's network: the boiler, or its network, gets it.

        ``broadcast`` is None where the system does not tell.
        """
        address, source_port = source
        opposite = address_of(self._devices.boiler)
        known = self._devices.may_be_gateway(address)
        if not self._is_for_relay(self._gateway_side, source, opposite, known, len(data), port):
            return
        now = self._clock.seconds()
        self._askers[source_port].heard(
            address, now, waits=asks(data), preferred=self._preferred_asker()
        )
        if data.startswith(ASKS_FOR_SERVICES):
            self._services_asked = now
        host = self._boiler_side.broadcast
        if broadcast is False:
            host = opposite or host
        if self._sent(self._gateway_side, data, source, (host, port)):
            self.counters.to_boiler += 1
        self._learn_gateway(data, source, port)

    def heard_from_boiler(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """A datagram came from the boiler's network: the gateway, or its network, gets it.

        ``broadcast`` is None where the system does not tell.
        """
        opposite = address_of(self._devices.gateway)
        known = address_of(self._devices.boiler) == source[0]
        if not self._is_for_relay(self._boiler_side, source, opposite, known, len(data), port):
            return
        host: str | None = self._gateway_side.broadcast
        if not broadcast:
            asker = self._askers[port].answer_for(self._preferred_asker(), self._clock.seconds())
            host = asker or opposite
        if host is None:
            self._drop(source, port, len(data))
        elif self._sent(self._boiler_side, data, source, (host, port)):
            self.counters.to_gateway += 1
        self._learn_boiler(data, source, port, broadcast)

    def _preferred_asker(self) -> str | None:
        """Who is answered first: the gateway that logged in, else whoever announced itself last."""
        return address_of(self._devices.trusted_gateway or self._devices.gateway)

    def _learn_gateway(self, data: bytes, source: tuple[str, int], port: int) -> None:
        """Whoever announces itself from the gateway's port to the boiler's may be the gateway."""
        ports = self._ports
        if (source[1], port) != (ports.gateway_port, ports.boiler_port):
            return
        if data.startswith(ANNOUNCES):
            trusted = self._devices.trusted_gateway
            silence = None if trusted is None else self._silence(trusted.address)
            self._devices.gateway_announced(source[0], parse_announcement(data), silence)

    def _learn_boiler(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """Whoever answers "get services" from the boiler's port is the boiler."""
        ports = self._ports
        if (source[1], port) != (ports.boiler_port, ports.gateway_port):
            return
        if not is_captured_list(data) and not self._may_answer(broadcast):
            return
        try:
            services = parse_service_list(data)
        except NotDiscoveryError:
            return
        self._devices.boiler_answered(source[0], services)

    def _may_answer(self, broadcast: bool | None) -> bool:
        """Whether it may be an answer to a question that was relayed: those are no broadcasts."""
        answers = self._clock.seconds() - self._services_asked < ASKED_WITHIN
        return answers and not broadcast

    def _is_for_relay(
        self,
        side: Side,
        source: tuple[str, int],
        opposite: str | None,
        known: bool,
        size: int,
        port: int,
    ) -> bool:
        """Whether a datagram that a side heard is to be relayed, but for repetitions.

        Args:
            side: heard it.
            source: where it came from.
            opposite: the address of the device on the opposite side.
            known: whether it comes from the device on this side.
            size, port: its bytes, and where it was sent to.
        """
        if self._is_own(side, source, opposite):
            self.counters.own += 1
            return False
        if not self._rates[side].admits(source[0], self._clock.seconds(), known=known):
            self._limit(source[0])
            return False
        if source[1] not in self._other(side).ports:
            self._drop(source, port, size)
            return False
        return True

    def _is_own(self, side: Side, source: tuple[str, int], opposite: str | None) -> bool:
        """Whether a datagram that a side heard is the bridge's, or belongs to the opposite side."""
        if side.is_ours(source):
            return True
        other = self._other(side)
        # On two networks the same address may be in use twice, and means nothing.
        return side.shares_network_with(other) and (source[0] == opposite or other.is_ours(source))

    def _sent(
        self, heard_on: Side, data: bytes, source: tuple[str, int], target: tuple[str, int]
    ) -> bool:
        """Send a datagram on from the port that it came from, unless it is a repetition."""
        side = self._other(heard_on)
        name = "gateway" if heard_on is self._gateway_side else "boiler"
        if self._repetitions.is_one(data, target[1], name, source[0], self._clock.seconds()):
            self.counters.repeated += 1
            return False
        sent = self._send(side, data, source, target)
        self.counters.dropped += not sent
        return sent

    def _send(
        self, side: Side, data: bytes, source: tuple[str, int], target: tuple[str, int]
    ) -> bool:
        """Send it, unless the ports are closed or the system refuses it."""
        try:
            return side.send(data, source[1], target)
        except OSError as wrong:
            if self._said_unsent.first(source[0]):
                log.warn(
                    "{size} bytes from {source} cannot be sent on to {target}: {why}",
                    size=len(data),
                    source=source[0],
                    target=target[0],
                    why=system_reason(wrong),
                )
            return False

    def _limit(self, address: str) -> None:
        self.counters.limited += 1
        if self._said_limited.first(address):
            log.warn(
                "{source} sends more datagrams than any boiler or gateway does: at most "
                "{rate:.0f} a second of it are relayed",
                source=address,
                rate=RATE,
            )

    def _drop(self, source: tuple[str, int], port: int, size: int) -> None:
        self.counters.dropped += 1
        if self._said.first(source[0]):
            log.info(
                "not relayed: {size} bytes from {source} port {source_port} to port {port}",
                size=size,
                source=source[0],
                source_port=source[1],
                port=port,
            )

    def _other(self, side: Side) -> Side:
        return self._boiler_side if side is self._gateway_side else self._gateway_side
