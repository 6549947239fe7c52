"""What is known of this machine."""

import os
import sys
import tomllib
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.check.machine import (
    Interface,
    Lease,
    boiler_leases,
    bridge_processes,
    interfaces,
    proposal,
)
from hargassner.config import config_from

HOME = Interface("eth0", "192.168.1.2", 24, up=True, running=True, default_route=True)
BOILER = Interface("eth1", "192.168.77.1", 24, up=True, running=True)
BARE = Interface("eth1", up=False)
OTHERS = [
    Interface("lo", "127.0.0.1", 8, up=True, running=True, loopback=True),
    Interface("docker0", "172.17.0.1", 16, up=True),
    Interface("veth12", "10.1.1.1", 24, up=True, running=True),
]


class InterfaceTests(SynchronousTestCase):
    def test_the_loopback_interface_is_as_everywhere(self) -> None:
        if sys.platform != "linux":
            raise SkipTest("interfaces are looked at on Linux only")
        [loopback] = [each for each in interfaces() if each.name == "lo"]
        self.assertEqual(
            ("127.0.0.1", 8, True, False),
            (loopback.address, loopback.prefix, loopback.loopback, loopback.default_route),
        )


class LeaseTests(SynchronousTestCase):
    def test_boilers_are_known_by_their_maker(self) -> None:
        leases = Path(self.mktemp())
        leases.write_text(
            "1700000000 00:24:BD:01:02:03 192.168.77.20 * 01:00:24:bd:01:02:03\n"
            "1700000000 b8:27:eb:01:02:03 192.168.77.21 raspberry *\n"
            "duid 00:01\n"
            "\n"
        )
        absent = Path(self.mktemp())
        self.assertEqual(
            [Lease("192.168.77.20", "00:24:BD:01:02:03")], boiler_leases([absent, leases])
        )


class ProcessTests(SynchronousTestCase):
    def process(self, proc: Path, number: int, *words: str) -> None:
        (proc / str(number)).mkdir(parents=True)
        (proc / str(number) / "cmdline").write_bytes(
            b"".join(f"{word}\0".encode() for word in words)
        )

    def test_bridges_are_known_by_their_command_line(self) -> None:
        proc = Path(self.mktemp())
        self.process(
            proc, 12, "/opt/hargassner/bin/python", "/opt/hargassner/bin/twist", "hargassner"
        )
        self.process(proc, 9, "twistd", "-y", "/opt/hargassner.tac")
        self.process(proc, 3, "twist", "web")
        self.process(proc, 4, "vi", "/etc/hargassner/hargassner.toml")
        self.process(proc, 5, "hargassner", "check")
        self.process(proc, 6)
        (proc / "7").mkdir()
        self.assertEqual([9, 12], bridge_processes(proc))

    def test_this_one_is_none(self) -> None:
        self.assertNotIn(os.getpid(), bridge_processes())


class ProposalTests(SynchronousTestCase):
    def proposed(self, *found: Interface) -> tuple[str, str, str]:
        """The proposal's two interfaces, and its text; it must be a configuration."""
        text = proposal("/etc/hargassner/hargassner.toml", found)
        config = config_from(tomllib.loads(text))
        return config.gateway.interface, config.boiler.interface, text

    def test_the_gateway_is_where_the_internet_is(self) -> None:
        for found in ((HOME, BOILER), (BOILER, HOME), (*OTHERS, BOILER, HOME)):
            gateway, boiler, text = self.proposed(*found)
            self.assertEqual(("eth0", "eth1"), (gateway, boiler))
            self.assertNotIn("docker0", text)
        self.assertIn("#   eth0: 192.168.1.2/24, leads to the Internet\n", text)

    def test_a_port_without_an_address_needs_one(self) -> None:
        gateway, boiler, text = self.proposed(BARE, HOME)
        self.assertEqual(("eth0", "eth1"), (gateway, boiler))
        self.assertIn("#   eth1: no address, switched off\n", text)
        self.assertIn("# eth1 needs a fixed address", text)

    def test_one_port_is_not_enough(self) -> None:
        gateway, boiler, text = self.proposed(*OTHERS, HOME)
        self.assertEqual(("eth0", ""), (gateway, boiler))
        self.assertIn("# Only one network port was found", text)

    def test_no_port_at_all(self) -> None:
        self.assertEqual(("", ""), self.proposed(*OTHERS)[:2])
