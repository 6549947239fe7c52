"""This machine's interfaces, and addresses that change."""

import errno
import os
import socket
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.network import interface
from hargassner.network.interface import (
    NetworkInterface,
    NotThereYetError,
)
from tests.cases import ClockCase

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
            ("", ("", 0, "")), (NetworkInterface().device(), NetworkInterface().identity())
        )

    def test_an_interface_is_what_sockets_are_tied_to(self) -> None:
        place = NetworkInterface("lo")
        self.assertEqual("lo", place.device())
        self.assertEqual(place.identity(), ("lo", socket.if_nametoindex("lo"), ""))

    def test_an_absent_interface_may_come_later(self) -> None:
        wrong = self.assertRaises(NotThereYetError, NetworkInterface("absent0").device)
        self.assertEqual("there is no interface absent0", str(wrong))
        self.assertIsNone(NetworkInterface("absent0").identity())

    def test_an_absent_address_may_come_later(self) -> None:
        wrong = self.assertRaises(NotThereYetError, NetworkInterface("", "192.0.2.77").device)
        self.assertEqual("no interface of this machine has the address 192.0.2.77", str(wrong))
        self.assertIsNone(NetworkInterface("", "192.0.2.77").identity())

    def test_an_address_finds_its_interface(self) -> None:
        device = NetworkInterface("", outer_address()).device()
        self.assertIn(device, [name for _, name in socket.if_nameindex()])
        self.assertNotEqual("lo", device)

    def test_the_many_addresses_of_the_loopback_interface_tie_to_nothing(self) -> None:
        for address in ("127.0.0.1", "127.0.0.9"):
            self.assertEqual("", NetworkInterface("", address).device())

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

        self.patch(interface, "ipv4_addresses", addresses)
        self.patch(interface, "interface_index", lambda name: self.indexes.get(name, 0))
        self.patch(interface, "is_own_address", lambda _address: False)
        self.place = NetworkInterface("", self.CONFIGURED)

    def test_the_side_goes_on_with_the_new_address_of_its_interface(self) -> None:
        before = self.place.identity()
        self.machine["eth0"] = (self.NEW,)
        self.assertEqual(self.place.identity(), ("eth0", 2, self.NEW))
        self.assertNotEqual(self.place.identity(), before)
        self.assertEqual((self.place.device(), self.place.address), ("eth0", self.NEW))
        self.assertEqual(
            [
                "192.168.1.30 is gone from eth0, which has 192.168.1.31 now: that one is used "
                '(better configure interface = "eth0")'
            ],
            self.log.lines,
        )

    def test_the_configured_address_is_used_again_wherever_it_comes_back(self) -> None:
        for name in ("eth0", "eth1"):
            self.machine["eth0"] = (self.CONFIGURED,)
            self.place.identity()
            self.machine["eth0"] = (self.NEW,)
            self.place.identity()
            self.machine[name] = (self.CONFIGURED,)
            self.assertEqual(self.place.identity(), (name, self.indexes[name], self.CONFIGURED))
            self.assertEqual(
                f"{name} has the configured address 192.168.1.30 again: it is used",
                self.log.lines[-1],
            )

    def test_an_address_that_is_in_use_stays_while_it_is_there(self) -> None:
        """However many others the interface gets."""
        self.place.identity()
        self.machine["eth0"] = (self.NEW,)
        self.place.identity()
        self.machine["eth0"] = ("192.168.1.32", self.NEW)
        self.place.identity()
        self.assertEqual(self.place.address, self.NEW)
        self.assertEqual(1, len(self.log.lines))

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
        self.assertEqual("no interface of this machine has the address 192.168.1.30", str(wrong))
        self.assertIsNone(self.place.identity())

    def test_an_address_that_was_never_there_is_waited_for(self) -> None:
        place = NetworkInterface("", "192.168.1.77")
        self.assertIsNone(place.identity())
        self.machine["eth1"] = ("192.168.1.77",)
        self.assertEqual(("eth1", 3, "192.168.1.77"), place.identity())

    def test_an_interface_without_a_configured_address_needs_nothing_reopened(self) -> None:
        """Its sockets are bound to no address; what is its own is known."""
        place = NetworkInterface("eth0")
        before = place.identity()
        self.machine["eth0"] = (self.NEW, self.OTHER)
        self.assertEqual(place.identity(), before)
        self.assertEqual(
            [False, True, True],
            [place.owns(each) for each in (self.CONFIGURED, self.NEW, self.OTHER)],
        )
        self.assertEqual([], self.log.lines)

    def test_a_configured_interface_goes_on_with_another_address_of_its_own(self) -> None:
        """Also where another interface has the configured one."""
        place = NetworkInterface("eth0", self.CONFIGURED)
        place.identity()
        self.machine |= {"eth0": (self.NEW,), "eth1": (self.CONFIGURED,)}
        self.assertEqual(place.identity(), ("eth0", 2, self.NEW))
        self.assertEqual(
            ["192.168.1.30 is gone from eth0, which has 192.168.1.31 now: that one is used"],
            self.log.lines,
        )

    def test_addresses_of_another_side_are_not_its_own(self) -> None:
        """The two networks may use the same addresses."""
        self.place.device()
        self.assertEqual(
            [True, False], [self.place.owns(each) for each in (self.CONFIGURED, self.OTHER)]
        )
        self.assertTrue(NetworkInterface().owns(self.OTHER))

    def test_whether_an_address_is_its_own_costs_no_look_for_each_datagram(self) -> None:
        """One for each address that is not its own, and no more than some hundreds."""
        self.place.device()
        for _ in range(10):
            self.place.owns(self.NEW)
            self.place.owns(self.CONFIGURED)
        self.assertEqual(2, self.looks)
        for number in range(10_000):
            self.place.owns(f"10.0.{number >> 8}.{number & 255}")
        self.assertLess(self.looks, 300)

    def test_an_address_that_became_its_own_just_now_is_known(self) -> None:
        """Before the next look: what is heard of ourselves must not be taken for others."""
        place = NetworkInterface("eth0")
        place.device()
        self.machine["eth0"] = (self.NEW,)
        self.assertEqual([True, False], [place.owns(each) for each in (self.NEW, self.CONFIGURED)])

    def test_a_system_that_cannot_be_asked_is_no_absence(self) -> None:
        """What was known stays."""
        self.place.device()

        def exhausted() -> dict[str, tuple[str, ...]]:
            raise OSError(errno.EMFILE, "Too many open files")

        self.patch(interface, "ipv4_addresses", exhausted)
        self.assertRaises(OSError, self.place.identity)
        self.assertTrue(self.place.owns(self.CONFIGURED))
