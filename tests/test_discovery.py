"""Discovery: what datagrams say, who was found, and how they are relayed."""

import json
import socket
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.config import DiscoveryConfig
from hargassner.discovery import (
    Announcement,
    BoilerSideProtocol,
    BoilerUnknownError,
    FoundBoiler,
    FoundGateway,
    GatewaySideProtocol,
    Neighbours,
    NotDiscoveryError,
    Relay,
    ServiceList,
    Side,
    parse_announcement,
    parse_service_list,
)
from hargassner.network.datagrams import IDatagramReceiver
from hargassner.network.sockets import CannotOpenError, Place
from tests.cases import ClockCase, SocketCase, free_ports
from tests.shared import shared_file

ANNOUNCEMENT = b"HargaWebApp v6.4.1\r\nSN:0012345"
DIAGNOSTICS = (
    b"hargassner.diagnostics\nserialnr:0012345\nsoftware:6.4.1\n"
    b"bootloader:5.00\ntype:info\nmessage:running"
)
DIAGNOSTICS_WANTED = b"hargassner.diagnostics.request"
SERVICES_WANTED = b"get services\0"
SERVICES = (
    b"\x00\x02"
    + b"HSV/CL 9-60KW V14.0n3".ljust(30, b"\0")
    + b"HSV1".ljust(18, b"\0")
    + b"\0\x17\0\x50"
    + b"par.cgi".ljust(254, b"\0")
    + b"0BADCAFE\0\0"
)


class AnnouncementTests(SynchronousTestCase):
    """The gateway's word that it starts over."""

    def test_software_and_serial_number_are_read(self) -> None:
        self.assertEqual(parse_announcement(ANNOUNCEMENT), Announcement("6.4.1", "0012345"))

    def test_another_layout_is_tolerated(self) -> None:
        for data, read in (
            (b"HargaWebApp", Announcement("", "")),
            (b"HargaWebApp v6", Announcement("6", "")),
            (b"HargaWebApp 7.0.0-rc1\nSN:0012345\n", Announcement("7.0.0-rc1", "0012345")),
            (b"HargaWebApp\r\nSN:0012345\r\nMAC:44b7d0\0", Announcement("", "0012345")),
            (b"HargaWebApp v6.4.1\r\nSN:", Announcement("6.4.1", "")),
            (b"HargaWebApp v\xff\xfe\r\nSN:\0", Announcement("ÿþ", "")),
        ):
            self.assertEqual(parse_announcement(data), read, data)

    def test_what_is_read_is_bounded(self) -> None:
        read = parse_announcement(b"HargaWebApp v" + b"6" * 65_000)
        self.assertLess(len(read.software), 100)

    def test_anything_else_is_refused(self) -> None:
        for data in (b"", b"hargawebapp v6.4.1", b" HargaWebApp", SERVICES, SERVICES_WANTED):
            self.assertRaises(NotDiscoveryError, parse_announcement, data)

    @given(st.binary() | st.binary().map(lambda rest: b"HargaWebApp" + rest))
    def test_any_bytes_are_an_announcement_or_refused(self, data: bytes) -> None:
        """And what was read can be shown on one line."""
        try:
            read = parse_announcement(data)
        except NotDiscoveryError:
            self.assertFalse(data.startswith(b"HargaWebApp"))
        else:
            self.assertTrue((read.software + read.serial + "x").isprintable())


class ServiceListTests(SynchronousTestCase):
    """The boiler's answer."""

    def test_model_firmware_and_system_code_are_read(self) -> None:
        self.assertEqual(len(SERVICES), 318)
        self.assertEqual(
            parse_service_list(SERVICES), ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")
        )

    def test_a_captured_one_is_read(self) -> None:
        steps = json.loads(shared_file("captures/nano-pk-v14.0n3.json").read_text())["steps"]
        [data] = {
            each["data"].encode("latin-1")
            for each in steps
            if each["proto"] == "udp" and each["from"] == "boiler"
        }
        read = parse_service_list(data)
        self.assertEqual((read.model, read.firmware), ("HSV/CL 9-60KW", "V14.0n3"))
        self.assertRegex(read.system_code, r"\A[0-9A-F]{8}\Z")

    def test_a_longer_one_says_the_same(self) -> None:
        longer = SERVICES + b"new.cgi".ljust(32, b"\0")
        self.assertEqual(parse_service_list(longer), parse_service_list(SERVICES))

    def test_a_shorter_one_says_less(self) -> None:
        for size, read in (
            (317, ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")),
            (312, ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BAD")),
            (308, ServiceList("HSV/CL 9-60KW", "V14.0n3", "")),
            (32, ServiceList("HSV/CL 9-60KW", "V14.0n3", "")),
            (15, ServiceList("HSV/CL 9-60KW", "", "")),
            (4, ServiceList("HS", "", "")),
        ):
            self.assertEqual(parse_service_list(SERVICES[:size]), read, size)

    def test_a_name_without_firmware_is_a_model(self) -> None:
        for name in (b"Nano.2(.3) 15", b"V14.0n3", b"Vario"):
            data = b"\x00\x02" + name.ljust(30, b"\0")
            self.assertEqual(parse_service_list(data), ServiceList(name.decode(), "", ""))

    def test_what_cannot_be_shown_is_left_out(self) -> None:
        data = b"\x00\x02" + b"HSV\x1b[31m\r\n V14.0n3".ljust(30, b"\0")
        self.assertEqual(parse_service_list(data), ServiceList("HSV[31m", "V14.0n3", ""))

    def test_anything_else_is_refused(self) -> None:
        for data in (b"", b"\0", b"\0\2", b"\0\2H", b"\0\3" + SERVICES[2:], ANNOUNCEMENT):
            self.assertRaises(NotDiscoveryError, parse_service_list, data)

    @given(st.binary(max_size=400).map(lambda rest: b"\0\2" + rest) | st.binary())
    def test_any_bytes_are_a_service_list_or_refused(self, data: bytes) -> None:
        """And what was read can be shown on one line."""
        try:
            read = parse_service_list(data)
        except NotDiscoveryError:
            self.assertTrue(len(data) < 4 or not data.startswith(b"\0\2"))
        else:
            self.assertTrue((read.model + read.firmware + read.system_code + "x").isprintable())


class NeighboursTests(ClockCase):
    """Who was found."""

    def setUp(self) -> None:
        super().setUp()
        self.neighbours = Neighbours(self.clock)
        self.first = Announcement("6.4.1", "0012345")
        self.second = Announcement("6.5.0", "0099999")
        self.services = ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")

    def test_nobody_is_known_at_first(self) -> None:
        self.assertIsNone(self.neighbours.gateway)
        self.assertIsNone(self.neighbours.boiler)

    def test_the_newest_announcement_counts(self) -> None:
        self.neighbours.gateway_announced("192.0.2.7", self.first)
        self.neighbours.gateway_announced("192.0.2.8", self.second)
        self.assertEqual(self.neighbours.gateway, FoundGateway("192.0.2.8", self.second))

    def test_a_gateway_is_logged_once_and_so_is_each_change(self) -> None:
        for address, announcement in (
            ("192.0.2.7", self.first),
            ("192.0.2.7", self.first),
            ("192.0.2.8", self.second),
            ("192.0.2.8", Announcement("", "")),
        ):
            self.neighbours.gateway_announced(address, announcement)
        self.assertEqual(
            self.log.lines,
            [
                "gateway 0012345 at 192.0.2.7, software 6.4.1",
                "gateway 0099999 at 192.0.2.8, software 6.5.0",
                "it takes the place of gateway 0012345 at 192.0.2.7",
                "gateway without number at 192.0.2.8, software unknown",
                "it takes the place of gateway 0099999 at 192.0.2.8",
            ],
        )

    def test_each_announcement_is_told_with_the_gateway_before(self) -> None:
        """An unchanged one too: the gateway starts over."""
        told: list[object] = []
        self.neighbours.on_announcement(lambda *both: told.append(both))
        self.neighbours.gateway_announced("192.0.2.7", self.first)
        self.neighbours.gateway_announced("192.0.2.7", self.first)
        found = FoundGateway("192.0.2.7", self.first)
        self.assertEqual(told, [(found, None), (found, found)])

    def test_a_boiler_is_logged_once_and_so_is_each_change(self) -> None:
        self.neighbours.boiler_answered("198.51.100.2", self.services)
        self.neighbours.boiler_answered("198.51.100.2", self.services)
        self.neighbours.boiler_answered("198.51.100.3", ServiceList("", "", ""))
        self.assertEqual(
            self.log.lines,
            [
                "boiler at 198.51.100.2: HSV/CL 9-60KW, firmware V14.0n3",
                "boiler at 198.51.100.3: unknown model, firmware unknown",
            ],
        )

    def test_one_that_raises_keeps_the_news_from_nobody(self) -> None:
        told: list[object] = []
        self.neighbours.on_announcement(lambda *_: 1 // 0)
        self.neighbours.on_announcement(lambda gateway, _: told.append(gateway.address))
        self.neighbours.on_boiler(lambda _: 1 // 0)
        self.neighbours.on_boiler(lambda boiler: told.append(boiler.address))
        self.neighbours.gateway_announced("192.0.2.7", self.first)
        self.neighbours.boiler_answered("198.51.100.2", self.services)
        self.assertEqual(told, ["192.0.2.7", "198.51.100.2"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_who_was_found_before_a_restart_is_known_until_the_next_broadcast(self) -> None:
        self.neighbours.recall(
            FoundGateway("192.0.2.7", self.first), FoundBoiler("198.51.100.2", self.services)
        )
        self.assertEqual(self.successResultOf(self.address()), "198.51.100.2")
        self.neighbours.boiler_answered("198.51.100.3", self.services)
        self.assertEqual(self.successResultOf(self.address()), "198.51.100.3")

    def address(self, neighbours: Neighbours | None = None) -> Deferred[str]:
        return (neighbours or self.neighbours).boiler_address(10)

    def test_the_configured_boiler_counts_before_the_one_found(self) -> None:
        neighbours = Neighbours(self.clock, "boiler.lan")
        neighbours.boiler_answered("198.51.100.2", self.services)
        self.assertEqual(self.successResultOf(self.address(neighbours)), "boiler.lan")

    def test_everybody_who_waits_for_the_boiler_gets_its_address(self) -> None:
        waiting = [self.address(), self.address()]
        self.clock.advance(9.9)
        for each in waiting:
            self.assertNoResult(each)
        self.neighbours.boiler_answered("198.51.100.2", self.services)
        for each in waiting:
            self.assertEqual(self.successResultOf(each), "198.51.100.2")

    def test_waiting_for_the_boiler_ends(self) -> None:
        waiting = self.address()
        self.clock.advance(10)
        self.failureResultOf(waiting, BoilerUnknownError)
        self.neighbours.boiler_answered("198.51.100.2", self.services)

    def test_waiting_for_the_boiler_can_be_given_up(self) -> None:
        given_up, other = self.address(), self.address()
        given_up.cancel()
        self.failureResultOf(given_up, CancelledError)
        self.neighbours.boiler_answered("198.51.100.2", self.services)
        self.assertEqual(self.successResultOf(other), "198.51.100.2")


GATEWAY = "127.0.31.7"
OTHER_GATEWAY = "127.0.31.8"
BRIDGE_TO_GATEWAY = "127.0.31.1"
BRIDGE_TO_BOILER = "127.0.32.1"
BOILER = "127.0.32.2"
EVERYBODY = "127.255.255.255"


class RelayCase(SocketCase):
    """A relay between a gateway and a boiler, each with an address of its own on this machine."""

    gateway_place = Place(address=BRIDGE_TO_GATEWAY)
    boiler_place = Place(address=BRIDGE_TO_BOILER)
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
        self.neighbours = Neighbours(self.reactor)
        self.gateway_side = Side(self.gateway_place, self.to_gateway, (boiler, *diagnostics))
        self.boiler_side = Side(self.boiler_place, self.to_boiler, (gateway, *diagnostics))
        self.relay = Relay(self.neighbours, self.ports, self.gateway_side, self.boiler_side)
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

    def test_what_listens_is_what_a_port_wants(self) -> None:
        verifyObject(IDatagramReceiver, GatewaySideProtocol(self.relay))
        verifyObject(IDatagramReceiver, BoilerSideProtocol(self.relay))

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
        to_gateway = (
            (DIAGNOSTICS, ports.boiler_diagnostics_port, ports.gateway_diagnostics_port),
            (SERVICES, ports.boiler_port, ports.gateway_port),
        )
        for data, source, target in to_gateway:
            self.say(data, self.boiler[source], (BRIDGE_TO_BOILER, target))
            heard = self.heard(self.gateway[target])
            self.assertEqual(heard, [(data, (BRIDGE_TO_GATEWAY, source))])
        self.assertEqual(self.counted(), (4, 2, 0))

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
            for source in self.boiler.values():
                for port in self.boiler_side.ports:
                    self.say(data, source, (BRIDGE_TO_BOILER, port))
                    heard = self.heard(self.gateway[port])
                    self.assertEqual([each[0] for each in heard], [data])
        self.assertEqual(self.counted(), (54, 54, 0))

    def test_both_neighbours_are_learned(self) -> None:
        self.ask(ANNOUNCEMENT)
        self.answer()
        self.assertEqual(
            self.neighbours.gateway, FoundGateway(GATEWAY, Announcement("6.4.1", "0012345"))
        )
        self.assertEqual(
            self.neighbours.boiler,
            FoundBoiler(BOILER, ServiceList("HSV/CL 9-60KW", "V14.0n3", "0BADCAFE")),
        )

    def test_only_who_says_so_is_a_neighbour(self) -> None:
        """A service list from another port, or an announcement to one, is just passed on."""
        diagnostics = self.ports.boiler_diagnostics_port
        self.say(ANNOUNCEMENT, self.gateway[diagnostics], (BRIDGE_TO_GATEWAY, diagnostics))
        self.say(SERVICES, self.boiler[diagnostics], (BRIDGE_TO_BOILER, diagnostics))
        self.answer(b"something else")
        self.assertIsNone(self.neighbours.gateway)
        self.assertIsNone(self.neighbours.boiler)

    def test_the_answer_goes_to_whoever_asked(self) -> None:
        """Though another gateway announced itself last."""
        self.neighbours.gateway_announced(OTHER_GATEWAY, Announcement("6.4.1", "0099999"))
        other = self.device(OTHER_GATEWAY, self.ports.gateway_port)
        self.ask()
        self.answer()
        self.assertEqual(len(self.heard(self.gateway[self.ports.gateway_port])), 1)
        self.say(SERVICES_WANTED, other, (BRIDGE_TO_GATEWAY, self.ports.boiler_port))
        self.answer()
        self.assertEqual(len(self.heard(other)), 1)
        self.assertEqual(self.heard(self.gateway[self.ports.gateway_port]), [])

    def test_an_answer_that_nobody_asked_for_goes_to_the_gateway_that_is_known(self) -> None:
        self.neighbours.gateway_announced(OTHER_GATEWAY, Announcement("6.4.1", "0099999"))
        other = self.device(OTHER_GATEWAY, self.ports.gateway_port)
        self.answer()
        self.assertEqual(self.heard(other)[0][0], SERVICES)

    def test_without_a_gateway_an_answer_is_dropped_with_one_line(self) -> None:
        """What it says of the boiler is learned all the same."""
        self.answer()
        self.answer()
        self.assertEqual(self.counted(), (0, 0, 2))
        self.assertIsNotNone(self.neighbours.boiler)
        self.assertEqual(len([each for each in self.log.lines if "not relayed" in each]), 1)

    def test_other_ports_are_nothing_to_relay_and_said_once_a_source(self) -> None:
        [strange] = free_ports(1)
        for address in (GATEWAY, OTHER_GATEWAY):
            source = self.device(address, strange)
            for data in (b"", b"\0" * 65_507, b"\xff" * 1400, b"hello"):
                for port in self.gateway_side.ports:
                    self.say(data, source, (BRIDGE_TO_GATEWAY, port))
        self.assertEqual(self.counted(), (0, 0, 24))
        self.assertEqual(
            [each.split(" port")[0] for each in self.log.lines],
            [
                f"not relayed: 0 bytes from {GATEWAY}",
                f"not relayed: 0 bytes from {OTHER_GATEWAY}",
            ],
        )

    def test_so_it_is_on_the_boilers_network(self) -> None:
        [strange] = free_ports(1)
        source = self.device(BOILER, strange)
        for port in self.boiler_side.ports:
            self.say(b"hello", source, (BRIDGE_TO_BOILER, port))
        self.assertEqual(self.counted(), (0, 0, 3))
        self.assertEqual(len(self.log.lines), 1)

    def test_a_flood_of_sources_does_not_flood_the_log(self) -> None:
        for number in range(1000):
            source = (f"192.0.{number // 250}.{number % 250}", 1234)
            self.relay.heard_from_gateway(b"x", source, self.ports.boiler_port, True)
        self.assertEqual(self.relay.counters.dropped, 1000)
        self.assertEqual(len(self.log.lines), 256)

    def test_while_the_other_side_is_closed_datagrams_are_dropped(self) -> None:
        self.boiler_side.close()
        self.ask(ANNOUNCEMENT)
        self.assertEqual(self.counted(), (0, 0, 1))
        self.assertIsNotNone(self.neighbours.gateway)

    def test_a_side_can_be_closed_and_opened_again(self) -> None:
        self.boiler_side.close()
        reactor: Any = self.reactor
        self.relay.open_boiler_side(reactor)
        self.ask()
        self.answer()
        self.assertEqual(self.counted(), (1, 1, 0))


class NoWayTests(RelayCase):
    """The system refuses to send to the boiler's network."""

    to_boiler = "192.0.2.255"

    def test_what_cannot_be_sent_is_dropped_with_one_line_a_source(self) -> None:
        """A socket of the loopback interface reaches no other network."""
        self.ask()
        self.ask()
        self.assertEqual(self.counted(), (0, 0, 2))
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
        self.assertEqual(self.counted(), (1, 0, 0))
        self.assertEqual(self.neighbours.gateway.address, GATEWAY)

    def test_what_the_boiler_broadcasts_is_broadcast_once(self) -> None:
        target = self.ports.gateway_port
        self.say(b"anybody?", self.boiler[self.ports.boiler_port], (EVERYBODY, target))
        source = self.ports.boiler_port
        self.assertEqual(
            self.heard(self.hearing[target]),
            [(b"anybody?", (BOILER, source)), (b"anybody?", (BRIDGE_TO_GATEWAY, source))],
        )
        self.assertEqual(self.counted(), (0, 1, 0))

    def test_a_broadcast_of_diagnostics_goes_round_once(self) -> None:
        """Both sides hold these ports, and both hear it."""
        ports = self.ports
        self.neighbours.gateway_announced(GATEWAY, Announcement("6.4.1", "0012345"))
        asking = self.gateway[ports.gateway_diagnostics_port]
        self.say(DIAGNOSTICS_WANTED, asking, (EVERYBODY, ports.boiler_diagnostics_port))
        self.assertEqual(self.counted(), (1, 0, 0))

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
            Side(Place(), EVERYBODY, (first, ports.boiler_diagnostics_port))
            for first in (ports.boiler_port, ports.gateway_port)
        ]
        relay = Relay(Neighbours(self.reactor), ports, *sides)
        reactor: Any = self.reactor
        self.addCleanup(relay.open_gateway_side(reactor).close)
        self.addCleanup(relay.open_boiler_side(reactor).close)
        source = ("192.0.2.7", ports.gateway_port)
        relay.heard_from_gateway(ANNOUNCEMENT, source, ports.boiler_port, True)
        self.assertTrue(self.reactor.turn(), "the broadcast does not come in")
        self.reactor.settle()
        counters = relay.counters
        self.assertEqual((counters.to_boiler, counters.to_gateway, counters.dropped), (1, 0, 0))


class OpeningTests(SocketCase):
    """Ports that cannot be opened."""

    def test_a_port_in_use_is_named_and_nothing_stays_open(self) -> None:
        ports = free_ports(3)
        holder = self.opened(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        holder.bind((BRIDGE_TO_GATEWAY, ports[2]))
        side = Side(Place(address=BRIDGE_TO_GATEWAY), GATEWAY, tuple(ports))
        other = Side(Place(address=BRIDGE_TO_BOILER), BOILER, ())
        reactor: Any = self.reactor
        neighbours = Neighbours(self.reactor)
        relay = Relay(neighbours, DiscoveryConfig(), side, other)
        wrong = self.assertRaises(CannotOpenError, relay.open_gateway_side, reactor)
        self.assertIn(f"UDP port {ports[2]} on {BRIDGE_TO_GATEWAY} is in use by", str(wrong))
        self.assertEqual(self.reactor.readers, [])
        self.assertEqual(list(side.open_ports), [])
