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
from contextlib import suppress
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


@dataclass(frozen=True, slots=True)
class _Datagram:
    """What was heard: where from, at which port, and whether it was broadcast, if that is known."""

    data: bytes
    address: str
    source_port: int
    port: int
    broadcast: bool | None

    @property
    def ports(self) -> tuple[int, int]:
        return (self.source_port, self.port)


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
        self._opposite = {gateway_side: boiler_side, boiler_side: gateway_side}
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
        heard = _Datagram(data, *source, port, broadcast)
        opposite = address_of(self._devices.boiler)
        known = self._devices.may_be_gateway(heard.address)
        if self._is_for_relay(self._gateway_side, heard, opposite, known):
            self._note_asker(heard)
            self.counters.to_boiler += self._sent(
                self._gateway_side, heard, self._boiler_host(heard)
            )
            self._learn_gateway(heard)

    def heard_from_boiler(
        self, data: bytes, source: tuple[str, int], port: int, broadcast: bool | None
    ) -> None:
        """A datagram came from the boiler's network: the gateway, or its network, gets it.

        ``broadcast`` is None where the system does not tell.
        """
        heard = _Datagram(data, *source, port, broadcast)
        opposite = address_of(self._devices.gateway)
        known = address_of(self._devices.boiler) == heard.address
        if self._is_for_relay(self._boiler_side, heard, opposite, known):
            self.counters.to_gateway += self._sent_to_gateway(heard)
            self._learn_boiler(heard)

    def _boiler_host(self, heard: _Datagram) -> str:
        """What was sent to one host goes to the boiler alone, where that is known."""
        everybody = self._boiler_side.broadcast
        if heard.broadcast is False:
            return address_of(self._devices.boiler) or everybody
        return everybody

    def _sent_to_gateway(self, heard: _Datagram) -> bool:
        """Send it on, if there is somebody to send it to."""
        host = self._gateway_host(heard)
        if host is None:
            self._drop(heard)
            return False
        return self._sent(self._boiler_side, heard, host)

    def _gateway_host(self, heard: _Datagram) -> str | None:
        """What was not broadcast goes to who asked for it, else to the gateway."""
        if heard.broadcast:
            return self._gateway_side.broadcast
        asker = self._askers[heard.port].answer_for(self._preferred_asker(), self._clock.seconds())
        return asker or address_of(self._devices.gateway)

    def _note_asker(self, heard: _Datagram) -> None:
        now, preferred = self._clock.seconds(), self._preferred_asker()
        self._askers[heard.source_port].heard(
            heard.address, now, waits=asks(heard.data), preferred=preferred
        )
        if heard.data.startswith(ASKS_FOR_SERVICES):
            self._services_asked = now

    def _preferred_asker(self) -> str | None:
        """Who is answered first: the gateway that logged in, else whoever announced itself last."""
        return address_of(self._devices.trusted_gateway or self._devices.gateway)

    def _learn_gateway(self, heard: _Datagram) -> None:
        """Whoever announces itself from the gateway's port to the boiler's may be the gateway."""
        ports = (self._ports.gateway_port, self._ports.boiler_port)
        if heard.ports == ports and heard.data.startswith(ANNOUNCES):
            trusted = self._devices.trusted_gateway
            silence = None if trusted is None else self._silence(trusted.address)
            announcement = parse_announcement(heard.data)
            self._devices.gateway_announced(heard.address, announcement, silence)

    def _learn_boiler(self, heard: _Datagram) -> None:
        """Whoever answers "get services" from the boiler's port is the boiler."""
        ports = (self._ports.boiler_port, self._ports.gateway_port)
        if heard.ports == ports and (is_captured_list(heard.data) or self._may_answer(heard)):
            with suppress(NotDiscoveryError):
                services = parse_service_list(heard.data)
                self._devices.boiler_answered(heard.address, services)

    def _may_answer(self, heard: _Datagram) -> bool:
        """Whether it may be an answer to a question that was relayed: those are no broadcasts."""
        answers = self._clock.seconds() - self._services_asked < ASKED_WITHIN
        return answers and not heard.broadcast

    def _is_for_relay(
        self, side: Side, heard: _Datagram, opposite: str | None, known: bool
    ) -> bool:
        """Whether a datagram that a side heard is to be relayed, but for repetitions.

        Args:
            side: heard it.
            heard: the datagram.
            opposite: the address of the device on the opposite side.
            known: whether it comes from the device on this side.
        """
        if self._is_own(side, heard, opposite):
            self.counters.own += 1
            return False
        if not self._rates[side].admits(heard.address, self._clock.seconds(), known=known):
            self._limit(heard.address)
            return False
        if heard.source_port not in self._opposite[side].ports:
            self._drop(heard)
            return False
        return True

    def _is_own(self, side: Side, heard: _Datagram, opposite: str | None) -> bool:
        """Whether a datagram that a side heard is the bridge's, or belongs to the opposite side."""
        source = (heard.address, heard.source_port)
        if side.is_ours(source):
            return True
        other = self._opposite[side]
        # On two networks the same address may be in use twice, and means nothing.
        theirs = heard.address == opposite or other.is_ours(source)
        return theirs and side.shares_network_with(other)

    def _sent(self, heard_on: Side, heard: _Datagram, host: str) -> bool:
        """Send a datagram on from the port that it came from, unless it is a repetition."""
        if self._repetitions.is_one(
            heard.data, heard.port, heard_on, heard.address, self._clock.seconds()
        ):
            self.counters.repeated += 1
            return False
        sent = self._send(self._opposite[heard_on], heard, host)
        self.counters.dropped += not sent
        return sent

    def _send(self, side: Side, heard: _Datagram, host: str) -> bool:
        """Send it, unless the ports are closed or the system refuses it."""
        try:
            return side.send(heard.data, heard.source_port, (host, heard.port))
        except OSError as wrong:
            if self._said_unsent.first(heard.address):
                log.warn(
                    "{size} bytes from {source} cannot be sent on to {target}: {why}",
                    size=len(heard.data),
                    source=heard.address,
                    target=host,
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

    def _drop(self, heard: _Datagram) -> None:
        self.counters.dropped += 1
        if self._said.first(heard.address):
            log.info(
                "not relayed: {size} bytes from {source} port {source_port} to port {port}",
                size=len(heard.data),
                source=heard.address,
                source_port=heard.source_port,
                port=heard.port,
            )
