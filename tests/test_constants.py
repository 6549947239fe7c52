"""What tests of processes shorten is still there."""

from importlib import import_module

from twisted.trial.unittest import SynchronousTestCase

from tests.constants import Constant


class ConstantTests(SynchronousTestCase):
    """A process would end with an error otherwise, and each of its tests with it."""

    def test_each_is_there(self) -> None:
        absent = []
        for each in Constant:
            module, _, name = each.rpartition(".")
            if not hasattr(import_module(module), name):
                absent.append(str(each))
        self.assertEqual([], absent)
