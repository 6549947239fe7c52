"""How datagrams are relayed, over real sockets of this machine."""

import socket
from typing import Any

from twisted.logger import LogLevel

from hargassner.config import DiscoveryConfig
from hargassner.discovery import Announcement, Devices, FoundBoiler, FoundGateway, ServiceList
from hargassner.discovery.limits import ASKED_WITHIN, BURST, MOST_SOURCES, REPEATED_WITHIN
from hargassner.discovery.relay import Relay
from hargassner.discovery.side import Side
from hargassner.network.interface import CannotOpenError, NetworkInterface
from tests.cases import SocketCase, free_ports
from tests.discovery.packets import (
    ANNOUNCEMENT,
    DIAGNOSTICS,
    DIAGNOSTICS_WANTED,
    SERVICES,
    SERVICES_WANTED,
)

GATEWAY = "127.0.31.7"
OTHER_GATEWAY = "127.0.31.8"
BRIDGE_TO_GATEWAY = "127.0.31.1"
BRIDGE_TO_BOILER = "127.0.32.1"
BOILER = "127.0.32.2"
EVERYBODY = "127.255.255.255"


class RelayCase(SocketCase):
    """A relay between a gateway and a boiler, each with an address of its own on this machine."""

    gateway_place = NetworkInterface(address=BRIDGE_TO_GATEWAY)
    boiler_place = NetworkInterface(address=BRIDGE_TO_BOILER)
    # Where nothing is broadcast, the one neighbour is everybody.
    to_gateway = GATEWAY
    to_boiler = BOILER

    def setUp(self) -> None:
        super().setUp()
        self.ports = DiscoveryConfig(*free_ports(4))
        boiler, gateway = self.ports.boiler_port, self.ports.gateway_port
        diagnostics = (
            self.ports.boiler_diagnostics_port,
            self.ports.gateway_diagnostics_port,
        )
        self.devices = Devices(self.reactor)
        self.gateway_side = Side(self.gateway_place, self.to_gateway, (boiler, *diagnostics))
        self.boiler_side = Side(self.boiler_place, self.to_boiler, (gateway, *diagnostics))
        self.relay = Relay(
            self.devices, self.ports, self.gateway_side, self.boiler_side, self.reactor
        )
        reactor: Any = self.reactor
        self.addCleanup(self.relay.open_gateway_side(reactor).close)
        self.addCleanup(self.relay.open_boiler_side(reactor).close)
        self.gateway = {port: self.device(GATEWAY, port) for port in (gateway, *diagnostics)}
        self.boiler = {port: self.device(BOILER, port) for port in (boiler, *diagnostics)}

    def device(self, address: str, port: int) -> socket.socket:
        sock = self.opened(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((address, port))
        return sock

    def say(self, data: bytes, source: socket.socket, target: tuple[str, int]) -> None:
        source.sendto(data, target)
        self.reactor.settle()

    def heard(self, sock: socket.socket) -> list[tuple[bytes, tuple[str, int]]]:
        """What came to a socket of a device, and from where."""
        received = []
        while True:
            try:
                received.append(sock.recvfrom(65536))
            except BlockingIOError:
                return received

    def ask(self, data: bytes = SERVICES_WANTED) -> None:
        """The gateway asks the boiler, which the relay is for it."""
        asking = self.gateway[self.ports.gateway_port]
        self.say(data, asking, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))

    def answer(self, data: bytes = SERVICES) -> None:
        """The boiler answers the gateway, which the relay is for it."""
        answering = self.boiler[self.ports.boiler_port]
        self.say(data, answering, (BRIDGE_TO_BOILER, self.ports.gateway_port))

    def counted(self) -> tuple[int, int, int]:
        counters = self.relay.counters
        return (counters.to_boiler, counters.to_gateway, counters.dropped)


class RelayTests(RelayCase):
    """What is heard on one network is repeated on the other."""

    def test_all_kinds_of_packets_pass_from_the_ports_that_they_came_from(self) -> None:
        ports = self.ports
        to_boiler = (
            (ANNOUNCEMENT, ports.gateway_port, ports.boiler_port),
            (DIAGNOSTICS, ports.boiler_diagnostics_port, ports.gateway_diagnostics_port),
            (DIAGNOSTICS_WANTED, ports.gateway_diagnostics_port, ports.boiler_diagnostics_port),
            (SERVICES_WANTED, ports.gateway_port, ports.boiler_port),
        )
        for data, source, target in to_boiler:
            self.say(data, self.gateway[source], (BRIDGE_TO_GATEWAY, target))
            heard = self.heard(self.boiler[target])
            self.assertEqual(heard, [(data, (BRIDGE_TO_BOILER, source))])
        self.clock.advance(REPEATED_WITHIN)
        to_gateway = (
            (DIAGNOSTICS, ports.boiler_diagnostics_port, ports.gateway_diagnostics_port),
            (SERVICES, ports.boiler_port, ports.gateway_port),
        )
        for data, source, target in to_gateway:
            self.say(data, self.boiler[source], (BRIDGE_TO_BOILER, target))
            heard = self.heard(self.gateway[target])
            self.assertEqual(heard, [(data, (BRIDGE_TO_GATEWAY, source))])
        self.assertEqual((4, 2, 0), self.counted())

    def test_any_payload_passes_unchanged(self) -> None:
        """Between any two ports of discovery, in both directions; nothing is raised."""
        garbage = (
            b"",
            b"\0" * 65_507,
            b"\xff" * 65_507,
            b"HargaWebApp",
            b"\0\2",
            bytes(range(256)),
        )
        for data in garbage:
            for source in self.gateway.values():
                for port in self.gateway_side.ports:
                    self.say(data, source, (BRIDGE_TO_GATEWAY, port))
                    heard = self.heard(self.boiler[port])
                    self.assertEqual([each[0] for each in heard], [data])
            self.clock.advance(REPEATED_WITHIN)
            for source in self.boiler.values():
                for port in self.boiler_side.ports:
                    self.say(data, source, (BRIDGE_TO_BOILER, port))
                    heard = self.heard(self.gateway[port])
                    self.assertEqual([each[0] for each in heard], [data])
            self.clock.advance(REPEATED_WITHIN)
        self.assertEqual((54, 54, 0), self.counted())

    def test_both_neighbours_are_learned(self) -> None:
        self.ask(ANNOUNCEMENT)
        self.answer()
        self.assertEqual(
            FoundGateway(GATEWAY, Announcement("6.4.1", "0012345")), self.devices.gateway
        )
        self.assertEqual(
            FoundBoiler(BOILER, ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")),
            self.devices.boiler,
        )

    def test_only_who_says_so_is_a_neighbour(self) -> None:
        """A service list from another port, or an announcement to one, is just passed on."""
        diagnostics = self.ports.boiler_diagnostics_port
        self.say(ANNOUNCEMENT, self.gateway[diagnostics], (BRIDGE_TO_GATEWAY, diagnostics))
        self.say(SERVICES, self.boiler[diagnostics], (BRIDGE_TO_BOILER, diagnostics))
        self.say(
            ANNOUNCEMENT, self.gateway[diagnostics], (BRIDGE_TO_GATEWAY, self.ports.boiler_port)
        )
        self.answer(b"something else")
        self.assertIsNone(self.devices.gateway)
        self.assertIsNone(self.devices.boiler)

    def test_whoever_answers_get_services_is_the_boiler(self) -> None:
        """Its list may begin otherwise than the captured one."""
        self.ask()
        self.answer(b"HSV/CL etc")
        self.assertEqual(
            FoundBoiler(BOILER, ServiceList("HSV/CL etc", "", "")), self.devices.boiler
        )

    def test_what_comes_long_after_a_question_is_no_answer(self) -> None:
        self.ask()
        self.clock.advance(ASKED_WITHIN)
        self.answer(b"HSV/CL etc")
        self.assertIsNone(self.devices.boiler)

    def test_a_broadcast_is_no_answer(self) -> None:
        """Only a list that begins as the captured one makes its sender the boiler then."""
        self.ask()
        source = (BOILER, self.ports.boiler_port)
        self.relay.heard_from_boiler(b"HSV/CL etc", source, self.ports.gateway_port, True)
        self.assertIsNone(self.devices.boiler)
        self.relay.heard_from_boiler(SERVICES, source, self.ports.gateway_port, True)
        self.assertIsNotNone(self.devices.boiler)

    def test_the_answer_goes_to_whoever_asked(self) -> None:
        """Though another gateway announced itself last."""
        self.devices.gateway_announced(OTHER_GATEWAY, Announcement("6.4.1", "0099999"))
        other = self.device(OTHER_GATEWAY, self.ports.gateway_port)
        self.ask()
        self.answer()
        self.assertEqual(1, len(self.heard(self.gateway[self.ports.gateway_port])))
        self.say(SERVICES_WANTED, other, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))
        self.answer()
        self.assertEqual(1, len(self.heard(other)))
        self.assertEqual([], self.heard(self.gateway[self.ports.gateway_port]))

    def test_a_stranger_on_the_gateways_port_diverts_no_answer(self) -> None:
        """Whatever it sends there, before and after the gateway's question."""
        stranger = self.device(OTHER_GATEWAY, self.ports.gateway_port)
        for _ in range(10):
            for noise in (b"noise", SERVICES_WANTED):
                self.say(noise, stranger, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))
            self.answer()
            self.ask()
            self.say(b"noise", stranger, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))
            self.say(SERVICES_WANTED, stranger, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))
            self.answer()
            self.assertEqual(1, len(self.heard(self.gateway[self.ports.gateway_port])))
            self.clock.advance(3)

    def test_who_asks_nothing_is_not_answered_before_who_asked(self) -> None:
        stranger = self.device(OTHER_GATEWAY, self.ports.gateway_port)
        self.say(b"noise", stranger, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))
        self.ask()
        self.answer()
        self.assertEqual([], self.heard(stranger))
        self.assertEqual(1, len(self.heard(self.gateway[self.ports.gateway_port])))

    def test_a_gateway_on_the_bridge_s_own_machine_is_relayed(self) -> None:
        """The bridge's own are those from the ports that it has on that side."""
        self.relay.heard_from_gateway(
            ANNOUNCEMENT,
            (BRIDGE_TO_GATEWAY, self.ports.gateway_port),
            self.ports.boiler_port,
            True,
        )
        self.assertEqual((1, 0, 0), self.counted())

    def test_before_a_login_whoever_announced_itself_is_answered_before_a_stranger(self) -> None:
        stranger = self.device(OTHER_GATEWAY, self.ports.gateway_port)
        self.ask(ANNOUNCEMENT)
        self.say(SERVICES_WANTED, stranger, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))
        self.ask()
        self.answer()
        self.assertEqual([], self.heard(stranger))
        self.assertEqual(1, len(self.heard(self.gateway[self.ports.gateway_port])))

    def test_an_answer_that_nobody_asked_for_goes_to_the_gateway_that_is_known(self) -> None:
        self.devices.gateway_announced(OTHER_GATEWAY, Announcement("6.4.1", "0099999"))
        other = self.device(OTHER_GATEWAY, self.ports.gateway_port)
        self.answer()
        self.assertEqual(SERVICES, self.heard(other)[0][0])

    def test_without_a_gateway_an_answer_is_dropped_with_one_line(self) -> None:
        """What it says of the boiler is learned all the same."""
        self.answer()
        self.answer()
        self.assertEqual((0, 0, 2), self.counted())
        self.assertIsNotNone(self.devices.boiler)
        self.assertEqual(1, len([each for each in self.log.lines if "not relayed" in each]))

    def test_other_ports_are_nothing_to_relay_and_said_once_a_source(self) -> None:
        [strange] = free_ports(1)
        for address in (GATEWAY, OTHER_GATEWAY):
            source = self.device(address, strange)
            for data in (b"", b"\0" * 65_507, b"\xff" * 1400, b"hello"):
                for port in self.gateway_side.ports:
                    self.say(data, source, (BRIDGE_TO_GATEWAY, port))
        self.assertEqual((0, 0, 24), self.counted())
        self.assertEqual(
            [
                f"not relayed: 0 bytes from {GATEWAY}",
                f"not relayed: 0 bytes from {OTHER_GATEWAY}",
            ],
            [each.split(" port")[0] for each in self.log.lines],
        )

    def test_so_it_is_on_the_boilers_network(self) -> None:
        [strange] = free_ports(1)
        source = self.device(BOILER, strange)
        for port in self.boiler_side.ports:
            self.say(b"hello", source, (BRIDGE_TO_BOILER, port))
        self.assertEqual((0, 0, 3), self.counted())
        self.assertEqual(1, len(self.log.lines))

    def test_a_flood_of_sources_does_not_flood_the_log(self) -> None:
        """Nor the other network: those that are too many share one rate."""
        for number in range(1000):
            source = (f"192.0.{number // 250}.{number % 250}", 1234)
            self.relay.heard_from_gateway(b"x", source, self.ports.boiler_port, True)
        counters = self.relay.counters
        self.assertEqual(MOST_SOURCES + BURST, counters.dropped)
        self.assertEqual(counters.limited, 1000 - counters.dropped)
        self.assertEqual(2 * 256, len(self.log.lines))

    def test_who_sends_too_much_is_limited_and_said_once(self) -> None:
        """And crowds out nobody else."""
        for number in range(3000):
            self.relay.heard_from_gateway(
                b"%d" % number,
                (OTHER_GATEWAY, self.ports.gateway_port),
                self.ports.boiler_port,
                True,
            )
        self.assertEqual(BURST, self.relay.counters.to_boiler)
        self.reactor.settle()
        self.heard(self.boiler[self.ports.boiler_port])
        self.ask()
        self.assertEqual(
            [SERVICES_WANTED], [each[0] for each in self.heard(self.boiler[self.ports.boiler_port])]
        )
        self.assertEqual(
            [
                f"{OTHER_GATEWAY} sends more datagrams than any boiler or gateway does: at most "
                "50 a second of it are relayed"
            ],
            self.log.lines,
        )

    def test_while_the_other_side_is_closed_datagrams_are_dropped(self) -> None:
        self.boiler_side.close()
        self.ask(ANNOUNCEMENT)
        self.assertEqual((0, 0, 1), self.counted())
        self.assertIsNotNone(self.devices.gateway)

    def test_a_side_can_be_closed_and_opened_again(self) -> None:
        self.boiler_side.close()
        reactor: Any = self.reactor
        self.relay.open_boiler_side(reactor)
        self.ask()
        self.answer()
        self.assertEqual((1, 1, 0), self.counted())


class ToOneHostTests(RelayCase):
    """Everybody on the boiler's network hears a broadcast; the boiler's address is known."""

    to_boiler = "127.0.32.3"

    def setUp(self) -> None:
        super().setUp()
        self.others = self.device(self.to_boiler, self.ports.boiler_port)
        self.answer()

    def who_hears(self, broadcast: bool | None) -> tuple[int, int]:
        """How many times the boiler, and everybody, hears what the gateway sends."""
        port = self.ports.boiler_port
        self.relay.heard_from_gateway(
            SERVICES_WANTED, (GATEWAY, self.ports.gateway_port), port, broadcast
        )
        self.reactor.settle()
        return len(self.heard(self.boiler[port])), len(self.heard(self.others))

    def test_what_was_sent_to_one_host_goes_to_the_boiler_alone(self) -> None:
        self.assertEqual((1, 0), self.who_hears(broadcast=False))

    def test_what_was_broadcast_or_may_have_been_goes_to_everybody(self) -> None:
        """A system that does not tell which it was costs the gateway no boiler."""
        for broadcast in (True, None):
            with self.subTest(broadcast=broadcast):
                self.assertEqual((0, 1), self.who_hears(broadcast))
                self.clock.advance(REPEATED_WITHIN)


class NoWayTests(RelayCase):
    """The system refuses to send to the boiler's network."""

    to_boiler = "192.0.2.255"

    def test_what_cannot_be_sent_is_dropped_with_one_line_a_source(self) -> None:
        """A socket of the loopback interface reaches no other network."""
        self.ask()
        self.ask()
        self.assertEqual((0, 0, 2), self.counted())
        [line] = self.log.at(LogLevel.warn)
        self.assertIn(f"13 bytes from {GATEWAY} cannot be sent on to 192.0.2.255: ", line)


class SharedNetworkTests(RelayCase):
    """Both sides are on one network, where everybody hears every broadcast."""

    to_gateway = EVERYBODY
    to_boiler = EVERYBODY

    def setUp(self) -> None:
        super().setUp()
        self.hearing = {
            port: self.device(EVERYBODY, port)
            for port in (self.ports.boiler_port, self.ports.gateway_port)
        }

    def test_the_bridge_does_not_answer_itself(self) -> None:
        """A broadcast is repeated once; its repetition is heard, and known as the bridge's own."""
        target = self.ports.boiler_port
        self.say(ANNOUNCEMENT, self.gateway[self.ports.gateway_port], (EVERYBODY, target))
        heard = self.heard(self.hearing[target])
        source = self.ports.gateway_port
        self.assertEqual(
            heard, [(ANNOUNCEMENT, (GATEWAY, source)), (ANNOUNCEMENT, (BRIDGE_TO_BOILER, source))]
        )
        self.assertEqual((1, 0, 0), self.counted())
        self.assertEqual(GATEWAY, self.devices.gateway.address)

    def test_what_the_boiler_broadcasts_is_broadcast_once(self) -> None:
        target = self.ports.gateway_port
        self.say(b"anybody?", self.boiler[self.ports.boiler_port], (EVERYBODY, target))
        source = self.ports.boiler_port
        self.assertEqual(
            self.heard(self.hearing[target]),
            [(b"anybody?", (BOILER, source)), (b"anybody?", (BRIDGE_TO_GATEWAY, source))],
        )
        self.assertEqual((0, 1, 0), self.counted())

    def test_a_broadcast_of_diagnostics_goes_round_once(self) -> None:
        """Both sides hold these ports, and both hear it."""
        ports = self.ports
        self.devices.gateway_announced(GATEWAY, Announcement("6.4.1", "0012345"))
        asking = self.gateway[ports.gateway_diagnostics_port]
        self.say(DIAGNOSTICS_WANTED, asking, (EVERYBODY, ports.boiler_diagnostics_port))
        self.assertEqual((1, 0, 0), self.counted())

    def test_an_answer_passes_to_the_gateway_alone(self) -> None:
        self.ask()
        self.answer()
        self.assertEqual(
            self.heard(self.gateway[self.ports.gateway_port]),
            [(SERVICES, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))],
        )


class NoPlaceTests(SocketCase):
    """The owner named neither interface nor address: both sides are everywhere."""

    def test_the_bridge_does_not_answer_itself(self) -> None:
        """What it broadcasts on one side comes in on the other, from an address of its own."""
        ports = DiscoveryConfig(*free_ports(4))
        sides = [
            Side(NetworkInterface(), EVERYBODY, (first, ports.boiler_diagnostics_port))
            for first in (ports.boiler_port, ports.gateway_port)
        ]
        relay = Relay(Devices(self.reactor), ports, *sides, self.reactor)
        reactor: Any = self.reactor
        self.addCleanup(relay.open_gateway_side(reactor).close)
        self.addCleanup(relay.open_boiler_side(reactor).close)
        source = ("192.0.2.7", ports.gateway_port)
        relay.heard_from_gateway(ANNOUNCEMENT, source, ports.boiler_port, True)
        self.assertTrue(self.reactor.turn(), "the broadcast does not come in")
        self.reactor.settle()
        counters = relay.counters
        self.assertEqual((1, 0, 0), (counters.to_boiler, counters.to_gateway, counters.dropped))


class OpeningTests(SocketCase):
    """Ports that cannot be opened."""

    def test_a_port_in_use_is_named_and_nothing_stays_open(self) -> None:
        ports = free_ports(3)
        holder = self.opened(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        holder.bind((BRIDGE_TO_GATEWAY, ports[2]))
        side = Side(NetworkInterface(address=BRIDGE_TO_GATEWAY), GATEWAY, tuple(ports))
        other = Side(NetworkInterface(address=BRIDGE_TO_BOILER), BOILER, ())
        reactor: Any = self.reactor
        devices = Devices(self.reactor)
        relay = Relay(devices, DiscoveryConfig(), side, other, self.reactor)
        wrong = self.assertRaises(CannotOpenError, relay.open_gateway_side, reactor)
        self.assertIn(f"UDP port {ports[2]} on {BRIDGE_TO_GATEWAY} is in use by", str(wrong))
        self.assertEqual([], self.reactor.readers)
        self.assertEqual([], list(side.open_ports))
