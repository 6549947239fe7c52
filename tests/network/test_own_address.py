"""The address by which others in the home reach this machine."""

import ipaddress

from twisted.trial.unittest import SynchronousTestCase

from hargassner.network.own_address import own_address
from tests.cases import open_descriptors


class OwnAddressTests(SynchronousTestCase):
    """It is one of this machine's, or there is none."""

    def test_it_is_an_address_that_others_can_use(self) -> None:
        address = own_address()
        if address:
            own = ipaddress.IPv4Address(address)
            self.assertFalse(own.is_loopback or own.is_unspecified)

    def test_it_leaves_no_socket_open(self) -> None:
        before = open_descriptors()
        own_address()
        self.assertEqual(before, open_descriptors())
