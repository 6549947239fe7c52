"""Sockets, and what is said when one cannot be opened."""

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.network.interface import (
    CannotOpenError,
    NetworkInterface,
    NotThereYetError,
    bind_to_device,
    is_own_address,
)
from hargassner.network.port_users import port_user
from hargassner.network.sockets import (
    datagram_socket,
    explained,
    is_broadcast,
    listening_socket,
    notice_loss,
)
from tests.cases import SocketCase, free_ports

HERE = NetworkInterface("", "127.0.0.1")
ME = f"{Path('/proc/self/comm').read_text().strip()} (process {os.getpid()})"


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
        self.assertEqual(f"UDP port {self.port} on 127.0.0.1 is in use by {ME}", str(wrong))
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
            f"UDP port {self.port} on absent0: the interface is not there now", str(wrong)
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
        self.assertEqual(b"lo", device.rstrip(b"\0"))

    def test_a_port_in_use_names_who_uses_it(self) -> None:
        self.opened(listening_socket(HERE, self.port))
        wrong = self.assertRaises(CannotOpenError, listening_socket, HERE, self.port)
        self.assertEqual(f"TCP port {self.port} on 127.0.0.1 is in use by {ME}", str(wrong))

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
            "TCP port 23 on eth1: ports below 1024 need the capability CAP_NET_BIND_SERVICE",
            self.line(errno.EACCES),
        )

    def test_a_higher_port_does_not(self) -> None:
        self.assertEqual("TCP port 2323 on eth1: Permission denied", self.line(errno.EACCES, 2323))

    def test_an_interface_needs_a_capability_on_some_systems(self) -> None:
        self.assertIn("needs the capability CAP_NET_RAW here", self.line(errno.EPERM))

    def test_anything_else_is_said_in_the_systems_words(self) -> None:
        self.assertEqual("TCP port 23 on eth1: Too many open files", self.line(errno.EMFILE))

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
            self.assertEqual(expected, isinstance(why, NotThereYetError), code)


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
        self.assertEqual("another program", port_user("UDP", self.port))

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
        self.assertEqual(f"TCP port {self.port} on 127.0.0.1 is in use by {ME}", str(wrong))

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
        self.assertEqual("another program", port_user("TCP", self.port))


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
        self.assertEqual(b"", sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16))
