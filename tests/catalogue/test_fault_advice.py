"""What an owner can do about a fault."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.catalogue.fault_advice import fault_advice
from hargassner.catalogue.reader import Catalogue


class FaultAdviceTests(SynchronousTestCase):
    def test_it_goes_by_what_the_fault_is(self) -> None:
        for words, found in (
            ("ash drawer full", "Empty the ash"),
            ("boiler sensor: open circuit or missing", "cable and the plug"),
            ("over-temperature, safety limiter (STB) tripped", "cool down"),
            ("pellet stock low", "fill up or order"),
            ("fuse F15 blown", "electrician"),
            ("feed screw over-current", "blocks"),
        ):
            self.assertIn(found, fault_advice(words).en, words)

    def test_every_fault_of_the_catalogue_has_some_in_every_language(self) -> None:
        for number, fault in Catalogue.load().faults.items():
            advice = fault_advice(fault.en)
            self.assertTrue(advice.en and advice.de and advice.fr, number)

    def test_one_that_nobody_knows_has_some_too(self) -> None:
        self.assertIn("manual", fault_advice("").en)
        self.assertIn("manual", fault_advice("?").en)
