"""Threads that compute."""

import sys

from twisted.trial.unittest import SynchronousTestCase

from hargassner.threads import give_way_soon


class GivingWayTests(SynchronousTestCase):
    """A thread that computes, beside the reactor's."""

    def test_it_gives_way_within_a_fraction_of_a_millisecond(self) -> None:
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(0.005)
        give_way_soon()
        self.assertLess(sys.getswitchinterval(), 0.0005)
