"""Which parameters may be set."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.equipment import Installation, Proven
from hargassner.boiler.settable import Settable
from hargassner.catalogue import Catalogue

CATALOGUE = Catalogue.load()


class SettableTests(SynchronousTestCase):
    """What the owner names, and what is safe of what exists."""

    def setUp(self) -> None:
        self.installation = Installation(CATALOGUE)

    def settable(self, *parameters: str) -> Settable:
        """With these in the configuration."""
        return Settable(parameters, CATALOGUE, self.installation)

    def test_ids_alone(self) -> None:
        """Of a circuit that has not shown that it exists, too."""
        self.assertEqual(("PR013", "A6d"), self.settable("PR013", "A6d").ids)

    def test_what_is_safe_comes_with_what_exists(self) -> None:
        settable = self.settable("auto")
        self.assertEqual(("PR001",), settable.ids)
        self.installation.add(Proven(frozenset({"circuit_1", "buffer"})))
        self.assertEqual({"PR001", "PR011", "PR040", "4", "5"}, set(settable.ids))

    def test_more_by_id(self) -> None:
        self.assertEqual({"PR001", "A6d"}, set(self.settable("auto", "A6d").ids))

    def test_an_installers_setting_is_never_safe(self) -> None:
        self.installation.add(Proven(frozenset(CATALOGUE.equipment.groups)))
        settable = self.settable("auto")
        for id_ in ("A1", "A2", "A4", "B1", "B2", "C4", "D1", "D17", "D24", "F1"):
            self.assertFalse(settable.allows(id_), id_)

    def test_nothing(self) -> None:
        self.assertEqual((), self.settable().ids)

    def test_ids_in_any_case_and_by_their_topics(self) -> None:
        settable = self.settable("auto", "a6d")
        self.assertEqual(("a6d", "PR001"), (settable.spelled("A6D"), settable.spelled("pr001")))
        self.assertEqual("PR001", settable.of_object("par_pr001"))
        self.assertEqual("", settable.of_object("par_pr011"))
        self.assertEqual("", settable.of_object("tk"))
