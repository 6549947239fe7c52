"""What holds for everything that a relay sends, on any networks, whatever is said there.

The networks are those of ``tests.doubles.wires``, which do what Linux does; the relay, its sides
and what it knows of the devices are the real ones.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, cycle, repeat
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.config import DiscoveryConfig
from hargassner.discovery import Devices, Relay, Side, side
from hargassner.discovery.relay import RelayCounters
from tests.discovery.packets import (
    ANNOUNCEMENT,
    DIAGNOSTICS,
    DIAGNOSTICS_WANTED,
    SERVICES,
    SERVICES_WANTED,
)
from tests.doubles.wires import EVERYBODY, Address, Host, Interface, Wire, Wires

PORTS = DiscoveryConfig()
GATEWAY = "192.0.2.7"
STRANGER = "192.0.2.99"
BOILER = "198.51.100.2"
ALL_PORTS = (
    PORTS.boiler_port,
    PORTS.gateway_port,
    PORTS.boiler_diagnostics_port,
    PORTS.gateway_diagnostics_port,
)


@dataclass(frozen=True)
class MemoryInterface:
    """A side's interface on a host in memory, or just its address."""

    host: Host
    interface: Interface
    address: str
    bound: bool = True

    def device(self) -> str:
        return self.interface.name if self.bound else ""

    def owns(self, address: str) -> bool:
        interfaces = (self.interface,) if self.bound else self.host.interfaces
        return any(address in each.addresses for each in interfaces)

    def may_meet(self, other: "MemoryInterface") -> bool:
        return not (self.bound and other.bound) or self.interface is other.interface


@dataclass(frozen=True)
class Bound:
    """What stands for the bound socket that a side opens."""

    place: MemoryInterface
    port: int


class MemoryPort:
    """What stands for a UDP port of the reactor."""

    def __init__(self, wires: Any, sock: Bound, listener: Any, address: str = "") -> None:
        self._wires = wires
        self._place = sock.place
        self._port = sock.port
        self._address = address or sock.place.interface.addresses[0]
        self._socket = sock.place.host.bind(sock.port, listener, sock.place.device())

    def send(self, data: bytes, target: Address) -> None:
        place = self._place
        source = (self._address, self._port)
        self._wires.send(place.host, place.interface, data, source, target)

    def close(self) -> None:
        self._socket.open = False


class Topology:
    """Devices and bridges on wires.

    Args:
        case: patches what opens sockets.
        wires: the networks.
    """

    def __init__(self, case: SynchronousTestCase, wires: Wires) -> None:
        self.wires = wires
        self.bridges: list[Host] = []
        self.devices: list[Host] = []
        case.patch(
            side, "datagram_socket", lambda place, _address, port, **_options: Bound(place, port)
        )
        case.patch(side, "DatagramPort", MemoryPort)
        case.patch(side, "is_broadcast", lambda _address: False)
        self._asking: Host | None = None

    def bridge(
        self, gateway_side: Interface, boiler_side: Interface, *, named: bool, bound: bool = True
    ) -> Relay:
        """A bridge; ``named`` tells whether its configuration has its addresses."""
        interfaces = {gateway_side, boiler_side}
        host = self.wires.host(f"bridge {len(self.bridges)}", *interfaces)
        self.bridges.append(host)
        sides = []
        ports = PORTS
        diagnostics = (ports.boiler_diagnostics_port, ports.gateway_diagnostics_port)
        for interface, first, which in (
            (gateway_side, ports.boiler_port, 0),
            (boiler_side, ports.gateway_port, -1),
        ):
            address = interface.addresses[which]
            bound_to: Any = MemoryInterface(host, interface, address if named else "", bound)
            sides.append(Side(bound_to, EVERYBODY, (first, *diagnostics)))
        clock = self.wires.clock
        relay = Relay(Devices(clock), ports, sides[0], sides[1], clock)
        reactor: Any = self.wires
        relay.open_gateway_side(reactor)
        relay.open_boiler_side(reactor)
        return relay

    def gateway(self, wire: Wire, address: str = GATEWAY) -> "Device":
        """A gateway, or whoever has its ports."""
        return self._device(wire, address, lambda _device, *_heard: None)

    def boiler(self, wire: Wire, address: str = BOILER) -> "Device":
        """A boiler, which answers what is asked."""

        def answer(device: "Device", data: bytes, source: Address, port: int) -> None:
            if data == SERVICES_WANTED and port == PORTS.boiler_port:
                device.say(SERVICES, port, source)
            elif data == DIAGNOSTICS_WANTED and port == PORTS.boiler_diagnostics_port:
                device.say(b"hargassner.diagnostics\ntype:answer", port, source)

        return self._device(wire, address, answer)

    def _device(self, wire: Wire, address: str, heard: Any) -> "Device":
        host = self.wires.host(address, Interface("eth0", wire, (address,)))
        self.devices.append(host)
        device = Device(self.wires, host)
        for port in ALL_PORTS:
            host.bind(port, lambda data, source, port, _b: heard(device, data, source, port))
        return device

    @property
    def said(self) -> int:
        """Datagrams that the devices sent."""
        return sum(each.sent for each in self.devices)


@dataclass(frozen=True, eq=False)
class Device:
    """A device with all ports of discovery."""

    wires: Wires
    host: Host

    def say(self, data: bytes, source_port: int, target: Address) -> None:
        """Send a datagram."""
        [interface] = self.host.interfaces
        source = (interface.addresses[0], source_port)
        self.wires.send(self.host, interface, data, source, target)


HOME, CELLAR = Wire("home"), Wire("cellar")
DATA = st.sampled_from(
    (ANNOUNCEMENT, DIAGNOSTICS, DIAGNOSTICS_WANTED, SERVICES_WANTED, SERVICES, b"", b"x")
)
TALK = st.lists(
    st.tuples(
        st.integers(0, 2),  # who
        DATA,
        st.sampled_from(ALL_PORTS),
        st.sampled_from(ALL_PORTS),
        st.booleans(),  # to everybody
        st.floats(0, 2),  # and then nothing for so many seconds
    ),
    max_size=12,
)
DELAYS = st.lists(st.floats(0, 0.2), min_size=1, max_size=50)


class RelayLaws(SynchronousTestCase):
    """Sends are bounded by receipts, and the networks come to rest."""

    def topology(self, delays: list[float]) -> Topology:
        """Networks with these delays, again and again."""
        return self.topology_with(cycle(delays))

    def topology_with(self, delays: Iterator[float]) -> Topology:
        return Topology(self, Wires(Clock(), lambda: next(delays), most=5000))

    def talk(self, topology: Topology, devices: list[Device], talk: list[Any]) -> None:
        """Have the devices say what they say, and wait for rest."""
        hosts = [*topology.bridges, *topology.devices]
        addresses = [
            each for host in hosts for there in host.interfaces for each in there.addresses
        ]
        for who, data, source_port, port, to_all, pause in talk:
            device = devices[who % len(devices)]
            others = [each for each in addresses if each != device.host.name]
            to = EVERYBODY if to_all else others[(port + who) % len(others)]
            device.say(data, source_port, (to, port))
            topology.wires.pass_time(pause)
        topology.wires.rest()
        for bridge in topology.bridges:
            self.assertLessEqual(bridge.sent, bridge.heard)
            self.assertLessEqual(bridge.sent, topology.said)

    def people(self, topology: Topology, home: Wire, cellar: Wire) -> list[Device]:
        return [
            topology.gateway(home),
            topology.gateway(home, STRANGER),
            topology.boiler(cellar),
        ]

    @given(TALK, DELAYS, st.booleans())
    def test_on_two_networks(self, talk: list[Any], delays: list[float], named: bool) -> None:
        """What a device sends is heard by the bridge once, and sent on once or not at all."""
        topology = self.topology(delays)
        topology.bridge(
            Interface("gw", HOME, ("192.0.2.1",)),
            Interface("bo", CELLAR, ("198.51.100.1",)),
            named=named,
        )
        self.talk(topology, self.people(topology, HOME, CELLAR), talk)
        self.assert_each_was_said_on_the_other_network(
            topology, {"192.0.2.1": CELLAR.name, "198.51.100.1": HOME.name}
        )

    def assert_each_was_said_on_the_other_network(
        self, topology: Topology, bridge: dict[str, str]
    ) -> None:
        """What the bridge said on one network is no more than what was said on the other."""
        said, relayed = Counter[Any](), Counter[Any]()
        for (wire, data, source, target), times in topology.wires.seen.items():
            counter = relayed if source[0] in bridge else said
            there = bridge.get(source[0], wire)
            counter[there, data, source[1], target[1]] += times
        self.assertEqual(Counter(), relayed - said)

    @given(TALK, DELAYS, st.booleans())
    def test_where_both_networks_use_the_same_addresses(
        self, talk: list[Any], delays: list[float], named: bool
    ) -> None:
        topology = self.topology(delays)
        topology.bridge(
            Interface("gw", HOME, ("192.0.2.1",)),
            Interface("bo", CELLAR, ("192.0.2.1",)),
            named=named,
        )
        devices = [topology.gateway(HOME), topology.boiler(CELLAR, GATEWAY)]
        self.talk(topology, devices, talk)

    @given(TALK, DELAYS, st.booleans(), st.booleans())
    def test_with_one_interface(
        self, talk: list[Any], delays: list[float], named: bool, bound: bool
    ) -> None:
        """With one address, or with two; bound to it, or not."""
        topology = self.topology(delays)
        port = Interface("eth0", HOME, ("192.0.2.1", "192.0.2.2"))
        topology.bridge(port, port, named=named, bound=bound)
        self.talk(topology, self.people(topology, HOME, HOME), talk)

    @given(TALK, DELAYS, st.booleans())
    def test_with_both_interfaces_on_one_switch(
        self, talk: list[Any], delays: list[float], named: bool
    ) -> None:
        topology = self.topology(delays)
        topology.bridge(
            Interface("gw", HOME, ("192.0.2.1",)),
            Interface("bo", HOME, ("192.0.2.2",)),
            named=named,
        )
        self.talk(topology, self.people(topology, HOME, HOME), talk)

    @given(TALK, DELAYS, st.booleans(), st.integers(2, 3))
    def test_with_several_bridges_between_the_same_networks(
        self, talk: list[Any], delays: list[float], named: bool, bridges: int
    ) -> None:
        topology = self.topology(delays)
        for number in range(1, bridges + 1):
            topology.bridge(
                Interface("gw", HOME, (f"192.0.2.{number}",)),
                Interface("bo", CELLAR, (f"198.51.100.{number + 100}",)),
                named=named,
            )
        self.talk(topology, self.people(topology, HOME, CELLAR), talk)

    @given(TALK, DELAYS, st.booleans())
    def test_with_two_bridges_on_one_switch(
        self, talk: list[Any], delays: list[float], named: bool
    ) -> None:
        topology = self.topology(delays)
        for number in (1, 3):
            topology.bridge(
                Interface("gw", HOME, (f"192.0.2.{number}",)),
                Interface("bo", HOME, (f"192.0.2.{number + 1}",)),
                named=named,
            )
        self.talk(topology, self.people(topology, HOME, HOME), talk)

    @given(TALK, st.lists(st.floats(0, 4), min_size=1, max_size=50), st.integers(1, 3))
    @example([(0, b"x", 50001, 50002, True, 0.0)], [0.001] * 4 + [1.2] * 6, 2)
    def test_bridges_that_stall_for_seconds_come_to_rest_too(
        self, talk: list[Any], stalls: list[float], bridges: int
    ) -> None:
        """What comes late may be relayed again, but not for ever."""
        topology = self.topology_with(chain(stalls, repeat(0.001)))
        for number in range(1, bridges + 1):
            topology.bridge(
                Interface("gw", HOME, (f"192.0.2.{number}",)),
                Interface("bo", CELLAR, (f"198.51.100.{number + 100}",)),
                named=True,
            )
        devices = self.people(topology, HOME, CELLAR)
        for who, data, source_port, port, _, _ in talk:
            devices[who].say(data, source_port, (EVERYBODY, port))
        topology.wires.rest()
        for bridge in topology.bridges:
            self.assertLessEqual(bridge.sent, bridge.heard)

    def test_what_the_bridge_hears_of_itself_is_dropped_before_anything_else(self) -> None:
        """On two separate interfaces too: Linux gives a broadcast back to its sender's sockets."""
        topology = self.topology([0.001])
        relay = topology.bridge(
            Interface("gw", HOME, ("192.0.2.1",)),
            Interface("bo", CELLAR, ("198.51.100.1",)),
            named=True,
        )
        gateway = topology.gateway(HOME)
        ports = PORTS
        gateway.say(
            DIAGNOSTICS, ports.boiler_diagnostics_port, (EVERYBODY, ports.gateway_diagnostics_port)
        )
        topology.wires.rest()
        self.assertEqual(RelayCounters(to_boiler=1, own=1), relay.counters)

    def test_each_packet_of_a_start_is_relayed_once(self) -> None:
        """Completeness, where the law is a bound: nothing that is due is missing."""
        topology = self.topology([0.001])
        relay = topology.bridge(
            Interface("gw", HOME, ("192.0.2.1",)),
            Interface("bo", CELLAR, ("198.51.100.1",)),
            named=True,
        )
        gateway, boiler = topology.gateway(HOME), topology.boiler(CELLAR)
        ports = PORTS
        for data, source, target in (
            (ANNOUNCEMENT, ports.gateway_port, ports.boiler_port),
            (DIAGNOSTICS, ports.boiler_diagnostics_port, ports.gateway_diagnostics_port),
            (DIAGNOSTICS_WANTED, ports.gateway_diagnostics_port, ports.boiler_diagnostics_port),
            (SERVICES_WANTED, ports.gateway_port, ports.boiler_port),
        ):
            for _ in range(2):
                gateway.say(data, source, (EVERYBODY, target))
                topology.wires.clock.advance(4)
        topology.wires.rest()
        self.assertEqual(8, relay.counters.to_boiler)
        self.assertEqual(relay.counters.to_gateway, boiler.host.sent)
        self.assertEqual(4, boiler.host.sent)
        self.assertEqual(12, topology.bridges[0].sent)
