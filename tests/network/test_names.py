"""Looking up host names."""

import socket
from threading import Event, current_thread
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from twisted.trial.unittest import TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hargassner.network.names import NameResolver, Names

FOUND = [
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::7", 23, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 23)),
]


@implementer(IResolutionReceiver)
class Receiver:
    """Keeps what it is told of one name."""

    def __init__(self) -> None:
        self.began: Any = None
        self.addresses: list[object] = []
        self.complete: Deferred[list[object]] = Deferred()

    def resolutionBegan(self, resolution: Any) -> None:
        self.began = resolution

    def addressResolved(self, address: object) -> None:
        self.addresses.append(address)

    def resolutionComplete(self) -> None:
        self.complete.callback(self.addresses)


class ResolverTests(TestCase):
    """The resolver, with another one in the place of the system's."""

    timeout = 30

    def resolver(self, look_up: Any) -> NameResolver:
        real: Any = reactor
        return NameResolver(real, look_up)

    @inlineCallbacks
    def test_all_addresses_are_told(self) -> Any:
        receiver = Receiver()
        verifyObject(IResolutionReceiver, receiver)
        resolver = self.resolver(lambda *_: FOUND)
        verifyObject(IHostnameResolver, resolver)
        resolution = resolver.resolveHostName(receiver, "boiler.lan", 23)
        verifyObject(IHostResolution, resolution)
        self.assertEqual((receiver.began, resolution.name), (resolution, "boiler.lan"))
        addresses = yield receiver.complete
        self.assertEqual(
            addresses, [IPv6Address("TCP", "2001:db8::7", 23), IPv4Address("TCP", "192.0.2.7", 23)]
        )

    @inlineCallbacks
    def test_only_what_is_wanted_is_looked_for(self) -> Any:
        asked: list[tuple[object, ...]] = []

        def look_up(*question: object) -> list[tuple[Any, ...]]:
            asked.append(question)
            return []

        resolver = self.resolver(look_up)
        for wanted in (None, [IPv4Address], [IPv6Address], [IPv4Address, IPv6Address]):
            receiver = Receiver()
            resolver.resolveHostName(receiver, "boiler.lan", 23, wanted, "UDP")
            yield receiver.complete
        kind = socket.SOCK_DGRAM
        self.assertEqual(
            asked,
            [
                ("boiler.lan", 23, family, kind)
                for family in (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6, socket.AF_UNSPEC)
            ],
        )

    @inlineCallbacks
    def test_a_name_without_an_address_has_none(self) -> Any:
        """Nor has one that cannot be a name."""
        for wrong in (socket.gaierror(-2, "unknown"), UnicodeError("label too long")):

            def look_up(*_: object, wrong: Exception = wrong) -> None:
                raise wrong

            receiver = Receiver()
            self.resolver(look_up).resolveHostName(receiver, "boiler.lan")
            addresses = yield receiver.complete
            self.assertEqual(addresses, [])

    @inlineCallbacks
    def test_nothing_is_told_of_a_name_that_nobody_wants_any_more(self) -> Any:
        go_on = Event()

        def look_up(*_: object) -> Any:
            go_on.wait(30)
            return FOUND

        resolver = self.resolver(look_up)
        unwanted, wanted = Receiver(), Receiver()
        resolver.resolveHostName(unwanted, "boiler.lan").cancel()
        resolver.resolveHostName(wanted, "boiler.lan")
        go_on.set()
        yield wanted.complete
        self.assertNoResult(unwanted.complete)

    @inlineCallbacks
    def test_the_process_waits_for_none_of_its_threads(self) -> Any:
        threads: list[bool] = []

        def look_up(*_: object) -> list[tuple[Any, ...]]:
            threads.append(current_thread().daemon)
            return []

        receiver = Receiver()
        self.resolver(look_up).resolveHostName(receiver, "boiler.lan")
        yield receiver.complete
        self.assertEqual(threads, [True])


class ServiceTests(TestCase):
    """The service, on the real reactor."""

    timeout = 30

    @inlineCallbacks
    def test_names_are_looked_up_in_this_way_while_it_runs(self) -> Any:
        real: Any = reactor
        before = real.nameResolver
        names = Names(real)
        names.startService()
        self.addCleanup(lambda: names.stopService() if names.running else None)
        self.assertIsInstance(real.nameResolver, NameResolver)
        address = yield real.resolve("localhost")
        self.assertEqual(address, "127.0.0.1")
        yield self.assertFailure(real.resolve("." * 3), DNSLookupError)
        names.stopService()
        self.assertIs(real.nameResolver, before)
