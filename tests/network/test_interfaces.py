"""What the system says of this machine's interfaces."""

import errno
import os
import resource
import socket
import subprocess
import sys
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.network.interface import NetworkInterface
from hargassner.network.interfaces import interface_index, ipv4_addresses
from tests.namespaces import ip


class InterfaceTests(SynchronousTestCase):
    """Interfaces by name."""

    def test_the_loopback_interface_has_its_address(self) -> None:
        self.assertEqual("127.0.0.1", ipv4_addresses()["lo"][0])

    def test_numbers_are_the_systems(self) -> None:
        for number, name in socket.if_nameindex():
            self.assertEqual(interface_index(name), number)

    def test_an_absent_interface_has_none(self) -> None:
        self.assertEqual(0, interface_index("absent0"))

    def test_however_many_addresses_there_are_all_are_found(self) -> None:
        """More than there is room for at first, several on an interface, with labels or without."""
        namespace = f"hb{os.getpid()}i"
        try:
            ip("netns", "add", namespace)
        except (OSError, subprocess.CalledProcessError) as why:
            raise SkipTest(f"no network namespaces here: {why}") from None
        self.addCleanup(ip, "netns", "del", namespace)
        ip("-n", namespace, "link", "set", "lo", "up")
        for number in range(1, 150):
            label = ("label", f"lo:{number}") if number % 2 else ()
            ip("-n", namespace, "addr", "add", f"10.0.0.{number}/32", "dev", "lo", *label)
        code = "from hargassner.network import interfaces as i; print(i.ipv4_addresses()['lo'])"
        said = subprocess.run(
            ["ip", "netns", "exec", namespace, sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        expected = {"127.0.0.1", *(f"10.0.0.{number}" for number in range(1, 150))}
        self.assertEqual(expected, set(said.strip("()\n").replace("'", "").split(", ")))


class ExhaustionTests(SynchronousTestCase):
    """A process that has no file descriptor left."""

    def setUp(self) -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        held = os.open(os.devnull, os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (held + 1, before[1]))
        self.addCleanup(os.close, held)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)

    def test_it_is_told_from_an_absence(self) -> None:
        place = NetworkInterface("lo")
        for ask in (ipv4_addresses, lambda: interface_index("lo"), place.identity, place.device):
            wrong = self.assertRaises(OSError, ask)
            self.assertEqual(wrong.errno, errno.EMFILE)
