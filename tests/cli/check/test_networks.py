"""What can be wrong with an interface."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.check.machine import Interface
from hargassner.cli.check.networks import interface_problem

SOUND = Interface("eth0", "127.0.0.1", 8, up=True, running=True)
LOOPBACK = Interface("lo", "127.0.0.1", 8, up=True, running=True, loopback=True)


class InterfaceProblemTests(SynchronousTestCase):
    def problem(self, *found: Interface, name: str = "eth0", address: str = "") -> str:
        """What is wrong, and the advice, in one text; empty where nothing is wrong."""
        problem = interface_problem(name, address, {each.name: each for each in found})
        return " / ".join(problem or ())

    def test_nothing(self) -> None:
        self.assertEqual("", self.problem(SOUND))
        self.assertEqual("", self.problem(SOUND, address="127.0.0.1"))

    def test_a_system_that_does_not_tell_is_not_blamed(self) -> None:
        self.assertEqual("", self.problem())

    def test_an_interface_that_is_not_there(self) -> None:
        self.assertEqual(
            "there is no interface eth9 / This machine has eth0.",
            self.problem(SOUND, LOOPBACK, name="eth9"),
        )
        self.assertIn("This machine has none.", self.problem(LOOPBACK, name="eth9"))

    def test_the_first_cause_is_told(self) -> None:
        self.assertEqual(
            "eth0 is switched off / Switch it on: sudo ip link set eth0 up",
            self.problem(Interface("eth0")),
        )
        self.assertIn("nothing is plugged into eth0", self.problem(Interface("eth0", up=True)))
        self.assertEqual(
            "eth0 has no IPv4 address / Give eth0 a fixed one (packaging/README.md).",
            self.problem(Interface("eth0", up=True, running=True)),
        )

    def test_an_address_that_this_machine_does_not_have(self) -> None:
        self.assertIn(
            "this machine does not have the address 192.0.2.77; eth0 has 127.0.0.1",
            self.problem(SOUND, address="192.0.2.77"),
        )
