"""Places, sockets, and what is said when one cannot be opened."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.network import sockets
from hargassner.network.port_users import port_user
from hargassner.network.sockets import (
    CannotOpenError,
    NetworkInterface,
    NotThereYetError,
    bind_to_device,
    datagram_socket,
    explained,
    is_broadcast,
    is_own_address,
    listening_socket,
    notice_loss,
)
from tests.cases import ClockCase, SocketCase, free_ports

HERE = NetworkInterface("", "127.0.0.1")
ME = f"{Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})"


def outer_address() -> str:
    """An address of this machine that is not on the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise SkipTest("this machine has no network but the loopback interface") from None
        address: str = probe.getsockname()[0]
        return address


class PlaceTests(SynchronousTestCase):
    """Where a side is, and what it depends on."""

    def test_a_place_without_anything_is_tied_to_nothing(self) -> None:
        self.assertEqual(
            (NetworkInterface().device(), NetworkInterface().identity()), ("", ("", 0, ""))
        )

    def test_an_interface_is_what_sockets_are_tied_to(self) -> None:
        place = NetworkInterface("lo")
        self.assertEqual(place.device(), "lo")
        self.assertEqual(place.identity(), ("lo", socket.if_nametoindex("lo"), ""))

    def test_an_absent_interface_may_come_later(self) -> None:
        wrong = self.assertRaises(NotThereYetError, NetworkInterface("absent0").device)
        self.assertEqual(str(wrong), "there is no interface absent0")
        self.assertIsNone(NetworkInterface("absent0").identity())

    def test_an_absent_address_may_come_later(self) -> None:
        wrong = self.assertRaises(NotThereYetError, NetworkInterface("", "192.0.2.77").device)
        self.assertEqual(str(wrong), "no interface of this machine has the address 192.0.2.77")
        self.assertIsNone(NetworkInterface("", "192.0.2.77").identity())

    def test_an_address_finds_its_interface(self) -> None:
        device = NetworkInterface("", outer_address()).device()
        self.assertIn(device, [name for _, name in socket.if_nameindex()])
        self.assertNotEqual(device, "lo")

    def test_the_many_addresses_of_the_loopback_interface_tie_to_nothing(self) -> None:
        for address in ("127.0.0.1", "127.0.0.9"):
            self.assertEqual(NetworkInterface("", address).device(), "")

    def test_places_on_two_interfaces_never_meet(self) -> None:
        """Whether the interfaces are there or not."""
        self.assertFalse(NetworkInterface("absent0").may_meet(NetworkInterface("absent1")))
        self.assertFalse(NetworkInterface("lo").may_meet(NetworkInterface("absent1")))

    def test_places_that_share_an_interface_or_have_none_may_meet(self) -> None:
        self.assertTrue(NetworkInterface("lo").may_meet(NetworkInterface("lo")))
        self.assertTrue(NetworkInterface("absent0").may_meet(NetworkInterface()))
        self.assertTrue(HERE.may_meet(NetworkInterface("", "127.0.0.2")))

    def test_a_place_is_named_by_what_the_owner_wrote(self) -> None:
        for place, name in (
            (NetworkInterface("eth0", "10.0.0.1"), "eth0"),
            (NetworkInterface("", "10.0.0.1"), "10.0.0.1"),
            (NetworkInterface(), "any interface"),
        ):
            self.assertEqual(str(place), name)


class AddressChangeTests(ClockCase):
    """An address that DHCP changes while the bridge runs."""

    CONFIGURED, NEW, OTHER = "192.168.1.30", "192.168.1.31", "192.168.1.99"

    def setUp(self) -> None:
        super().setUp()
        self.machine: dict[str, tuple[str, ...]] = {
            "lo": ("127.0.0.1",),
            "eth0": (self.CONFIGURED,),
            "eth1": (self.OTHER,),
        }
        self.indexes = {"lo": 1, "eth0": 2, "eth1": 3}
        self.looks = 0

        def addresses() -> dict[str, tuple[str, ...]]:
            self.looks += 1
            return dict(self.machine)

        self.patch(sockets, "ipv4_addresses", addresses)
        self.patch(sockets, "interface_index", lambda name: self.indexes.get(name, 0))
        self.patch(sockets, "is_own_address", lambda _address: False)
        self.place = NetworkInterface("", self.CONFIGURED)

    def test_the_side_goes_on_with_the_new_address_of_its_interface(self) -> None:
        before = self.place.identity()
        self.machine["eth0"] = (self.NEW,)
        self.assertEqual(self.place.identity(), ("eth0", 2, self.NEW))
        self.assertNotEqual(self.place.identity(), before)
        self.assertEqual((self.place.device(), self.place.address), ("eth0", self.NEW))
        self.assertEqual(
            self.log.lines,
            [
                "192.168.1.30 is gone from eth0, which has 192.168.1.31 now: that one is used "
                '(better configure interface = "eth0")'
            ],
        )

    def test_the_configured_address_is_used_again_wherever_it_comes_back(self) -> None:
        for interface in ("eth0", "eth1"):
            self.machine["eth0"] = (self.CONFIGURED,)
            self.place.identity()
            self.machine["eth0"] = (self.NEW,)
            self.place.identity()
            self.machine[interface] = (self.CONFIGURED,)
            self.assertEqual(
                self.place.identity(), (interface, self.indexes[interface], self.CONFIGURED)
            )
            self.assertEqual(
                self.log.lines[-1],
                f"{interface} has the configured address 192.168.1.30 again: it is used",
            )

    def test_an_address_that_is_in_use_stays_while_it_is_there(self) -> None:
        """However many others the interface gets."""
        self.place.identity()
        self.machine["eth0"] = (self.NEW,)
        self.place.identity()
        self.machine["eth0"] = ("192.168.1.32", self.NEW)
        self.place.identity()
        self.assertEqual(self.place.address, self.NEW)
        self.assertEqual(len(self.log.lines), 1)

    def test_an_address_that_changes_again_is_followed_again(self) -> None:
        self.place.identity()
        for address in (self.NEW, "192.168.1.32"):
            self.machine["eth0"] = (address,)
            self.assertEqual(self.place.identity(), ("eth0", 2, address))

    def test_it_waits_while_its_interface_has_none(self) -> None:
        """The address of another interface is no address on that network."""
        self.place.identity()
        del self.machine["eth0"]
        wrong = self.assertRaises(NotThereYetError, self.place.device)
        self.assertEqual(str(wrong), "no interface of this machine has the address 192.168.1.30")
        self.assertIsNone(self.place.identity())

    def test_an_address_that_was_never_there_is_waited_for(self) -> None:
        place = NetworkInterface("", "192.168.1.77")
        self.assertIsNone(place.identity())
        self.machine["eth1"] = ("192.168.1.77",)
        self.assertEqual(place.identity(), ("eth1", 3, "192.168.1.77"))

    def test_an_interface_without_a_configured_address_needs_nothing_reopened(self) -> None:
        """Its sockets are bound to no address; what is its own is known."""
        place = NetworkInterface("eth0")
        before = place.identity()
        self.machine["eth0"] = (self.NEW, self.OTHER)
        self.assertEqual(place.identity(), before)
        self.assertEqual(
            [place.owns(each) for each in (self.CONFIGURED, self.NEW, self.OTHER)],
            [False, True, True],
        )
        self.assertEqual(self.log.lines, [])

    def test_a_configured_interface_goes_on_with_another_address_of_its_own(self) -> None:
        """Also where another interface has the configured one."""
        place = NetworkInterface("eth0", self.CONFIGURED)
        place.identity()
        self.machine |= {"eth0": (self.NEW,), "eth1": (self.CONFIGURED,)}
        self.assertEqual(place.identity(), ("eth0", 2, self.NEW))
        self.assertEqual(
            self.log.lines,
            ["192.168.1.30 is gone from eth0, which has 192.168.1.31 now: that one is used"],
        )

    def test_addresses_of_another_side_are_not_its_own(self) -> None:
        """The two networks may use the same addresses."""
        self.place.device()
        self.assertEqual(
            [self.place.owns(each) for each in (self.CONFIGURED, self.OTHER)], [True, False]
        )
        self.assertTrue(NetworkInterface().owns(self.OTHER))

    def test_whether_an_address_is_its_own_costs_no_look_for_each_datagram(self) -> None:
        """One for each address that is not its own, and no more than some hundreds."""
        self.place.device()
        for _ in range(10):
            self.place.owns(self.NEW)
            self.place.owns(self.CONFIGURED)
        self.assertEqual(self.looks, 2)
        for number in range(10_000):
            self.place.owns(f"10.0.{number >> 8}.{number & 255}")
        self.assertLess(self.looks, 300)

    def test_an_address_that_became_its_own_just_now_is_known(self) -> None:
        """Before the next look: what is heard of ourselves must not be taken for others."""
        place = NetworkInterface("eth0")
        place.device()
        self.machine["eth0"] = (self.NEW,)
        self.assertEqual([place.owns(each) for each in (self.NEW, self.CONFIGURED)], [True, False])

    def test_a_system_that_cannot_be_asked_is_no_absence(self) -> None:
        """What was known stays."""
        self.place.device()

        def exhausted() -> dict[str, tuple[str, ...]]:
            raise OSError(errno.EMFILE, "Too many open files")

        self.patch(sockets, "ipv4_addresses", exhausted)
        self.assertRaises(OSError, self.place.identity)
        self.assertTrue(self.place.owns(self.CONFIGURED))


class AddressTests(SynchronousTestCase):
    """What the system knows of addresses."""

    def test_broadcasts_are_told_from_hosts(self) -> None:
        self.assertTrue(is_broadcast("255.255.255.255"))
        self.assertTrue(is_broadcast("127.255.255.255"))
        self.assertFalse(is_broadcast("127.0.0.1"))

    def test_own_addresses_are_known(self) -> None:
        self.assertTrue(is_own_address("127.0.0.9"))
        self.assertFalse(is_own_address("192.0.2.77"))


class DatagramSocketTests(SocketCase):
    """UDP sockets, and who may hold a port with whom."""

    def setUp(self) -> None:
        super().setUp()
        [self.port] = free_ports(1)

    def bound(self, shared: bool = False, joins: bool = False, address: str = "") -> socket.socket:
        return self.opened(
            datagram_socket(HERE, address, self.port, device="", shared=shared, joins=joins)
        )

    def test_it_may_broadcast_and_never_blocks(self) -> None:
        sock = self.bound()
        self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST))
        self.assertFalse(sock.getblocking())

    def test_two_sides_share_a_port_where_both_want_to(self) -> None:
        self.bound(shared=True)
        self.bound(shared=True, joins=True)

    def test_a_port_is_taken_alone_first(self) -> None:
        """Another program that would share it, such as a second bridge, is found out."""
        self.bound(shared=True)
        wrong = self.assertRaises(CannotOpenError, self.bound, shared=True)
        self.assertEqual(str(wrong), f"UDP port {self.port} on 127.0.0.1 is in use by {ME}")
        self.assertNotIsInstance(wrong, NotThereYetError)

    def test_who_does_not_share_is_not_joined(self) -> None:
        self.bound()
        self.assertRaises(CannotOpenError, self.bound, joins=True)

    def test_the_same_port_of_two_addresses_is_no_conflict(self) -> None:
        self.bound(address="127.0.0.1")
        self.bound(address="127.0.0.2")

    def test_an_absent_interface_may_come_later(self) -> None:
        wrong = self.assertRaises(
            NotThereYetError,
            datagram_socket,
            NetworkInterface("absent0"),
            "",
            self.port,
            device="absent0",
            shared=False,
        )
        self.assertEqual(
            str(wrong), f"UDP port {self.port} on absent0: the interface is not there now"
        )

    def test_an_absent_address_may_come_later(self) -> None:
        wrong = self.assertRaises(NotThereYetError, self.bound, address="192.0.2.77")
        self.assertIn("this machine does not have the address now", str(wrong))


class ListeningSocketTests(SocketCase):
    """TCP sockets that listen."""

    def setUp(self) -> None:
        super().setUp()
        [self.port] = free_ports(1)

    def test_it_listens_at_its_address(self) -> None:
        self.opened(listening_socket(HERE, self.port))
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self.assertRaises(
            ConnectionRefusedError, socket.create_connection, ("127.0.0.2", self.port)
        )

    def test_it_is_tied_to_its_interface(self) -> None:
        try:
            sock = self.opened(listening_socket(NetworkInterface("lo"), self.port))
        except CannotOpenError as why:
            raise SkipTest(str(why)) from None
        device = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        self.assertEqual(device.rstrip(b"\0"), b"lo")

    def test_a_port_in_use_names_who_uses_it(self) -> None:
        self.opened(listening_socket(HERE, self.port))
        wrong = self.assertRaises(CannotOpenError, listening_socket, HERE, self.port)
        self.assertEqual(str(wrong), f"TCP port {self.port} on 127.0.0.1 is in use by {ME}")

    def test_an_absent_place_may_come_later(self) -> None:
        for place in (
            NetworkInterface("absent0"),
            NetworkInterface("", "192.0.2.77"),
            NetworkInterface("lo", "192.0.2.77"),
        ):
            self.assertRaises(NotThereYetError, listening_socket, place, self.port)


class ExplainedTests(SynchronousTestCase):
    """Each error of the system as one line that says what is missing."""

    def line(self, code: int, port: int = 23) -> str:
        wrong = OSError(code, os.strerror(code))
        return str(explained(wrong, "TCP", port, NetworkInterface("eth1")))

    def test_a_port_below_1024_needs_a_capability(self) -> None:
        self.assertEqual(
            self.line(errno.EACCES),
            "TCP port 23 on eth1: ports below 1024 need the capability CAP_NET_BIND_SERVICE",
        )

    def test_a_higher_port_does_not(self) -> None:
        self.assertEqual(self.line(errno.EACCES, 2323), "TCP port 2323 on eth1: Permission denied")

    def test_an_interface_needs_a_capability_on_some_systems(self) -> None:
        self.assertIn("needs the capability CAP_NET_RAW here", self.line(errno.EPERM))

    def test_anything_else_is_said_in_the_systems_words(self) -> None:
        self.assertEqual(self.line(errno.EMFILE), "TCP port 23 on eth1: Too many open files")

    def test_only_what_comes_by_itself_is_waited_for(self) -> None:
        for code, expected in (
            (errno.ENODEV, True),
            (errno.EADDRNOTAVAIL, True),
            (errno.EACCES, False),
            (errno.EPERM, False),
            (errno.EADDRINUSE, False),
            (errno.EMFILE, False),
        ):
            why = explained(OSError(code, ""), "UDP", 23, NetworkInterface())
            self.assertEqual(isinstance(why, NotThereYetError), expected, code)


class PortUserTests(SocketCase):
    """Who holds a port."""

    def setUp(self) -> None:
        super().setUp()
        [self.port] = free_ports(1)

    def other_program(self, script: str) -> subprocess.Popen[bytes]:
        """Another process; it lives until the end of the test."""
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import socket, sys\n{script}\nprint(flush=True)\nsys.stdin.read()",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.addCleanup(process.communicate)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def test_nobody_can_be_named_where_nobody_holds_it(self) -> None:
        self.assertEqual(port_user("UDP", self.port), "another program")

    def test_a_listener_on_every_address_of_ipv6_is_found(self) -> None:
        """It holds the port of IPv4 too."""
        try:
            sock = self.opened(socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind(("::", self.port))
        except OSError:
            raise SkipTest("this machine has no IPv6") from None
        sock.listen()
        wrong = self.assertRaises(CannotOpenError, listening_socket, HERE, self.port)
        self.assertEqual(str(wrong), f"TCP port {self.port} on 127.0.0.1 is in use by {ME}")

    def test_another_process_is_named_before_this_one(self) -> None:
        """This one may hold the same port on its other side."""
        self.opened(datagram_socket(HERE, "127.0.0.1", self.port, device="", shared=False))
        script = (
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            f"s.bind(('127.0.0.2', {self.port}))"
        )
        process = self.other_program(script)
        self.assertTrue(port_user("UDP", self.port).endswith(f"(process {process.pid})"))

    def test_connections_through_a_port_do_not_hold_it(self) -> None:
        listener = self.opened(listening_socket(HERE, self.port))
        self.opened(socket.create_connection(("127.0.0.1", self.port)))
        self.opened(listener.accept()[0])
        listener.close()
        self.assertEqual(port_user("TCP", self.port), "another program")


class OptionTests(SocketCase):
    """What is asked of sockets."""

    def test_a_vanished_peer_is_noticed_within_a_minute(self) -> None:
        sock = self.opened(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        notice_loss(sock)
        self.assertTrue(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        idle, interval, count, unacknowledged = (
            sock.getsockopt(socket.IPPROTO_TCP, option)
            for option in (
                socket.TCP_KEEPIDLE,
                socket.TCP_KEEPINTVL,
                socket.TCP_KEEPCNT,
                socket.TCP_USER_TIMEOUT,
            )
        )
        self.assertLess(idle + interval * count, 60)
        self.assertLess(unacknowledged, 60_000)

    def test_no_interface_leaves_a_socket_untied(self) -> None:
        sock = self.opened(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        bind_to_device(sock, "")
        self.assertEqual(sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16), b"")
