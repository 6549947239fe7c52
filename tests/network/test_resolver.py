"""Resolving names."""

import socket
from collections.abc import Callable
from threading import Event
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from twisted.trial.unittest import TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hargassner.network.resolver import Names, SystemResolver


@implementer(IResolutionReceiver)
class Receiver:
    """Waits for the addresses of a host."""

    def __init__(self) -> None:
        self.resolution: IHostResolution | None = None
        self.found: list[Any] = []
        self.complete: Deferred[list[Any]] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N803
        self.resolution = resolutionInProgress

    def addressResolved(self, address: Any) -> None:
        self.found.append(address)

    def resolutionComplete(self) -> None:
        self.complete.callback(self.found)


class NamesCase(TestCase):
    """A resolver, and a system that answers when the test says so."""

    timeout = 120

    def setUp(self) -> None:
        self.asked: list[Any] = []
        self.may_answer = Event()
        self.addCleanup(self.may_answer.set)
        self.resolver = SystemResolver(reactor)

    def answer(self, outcome: Callable[[], list[Any]]) -> None:
        """Have the system answer in this way, from ``may_answer`` on."""

        def getaddrinfo(*question: Any) -> list[Any]:
            self.asked.append(question)
            self.may_answer.wait()
            return outcome()

        self.patch(socket, "getaddrinfo", getaddrinfo)

    def ask(self, name: str = "broker.lan", **options: Any) -> Receiver:
        receiver = Receiver()
        self.resolver.resolveHostName(receiver, name, 1883, **options)
        return receiver


def no_such_name() -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def one_address() -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.5", 1883))]


class ResolverTests(NamesCase):
    """SystemResolver hands on what the system says."""

    def test_interfaces(self) -> None:
        self.answer(no_such_name)
        verifyObject(IHostnameResolver, self.resolver)
        receiver = self.ask()
        verifyObject(IResolutionReceiver, receiver)
        verifyObject(IHostResolution, receiver.resolution)
        self.may_answer.set()
        return receiver.complete

    @inlineCallbacks
    def test_addresses_of_both_kinds(self) -> Any:
        self.answer(
            lambda: [
                *one_address(),
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::5", 1883, 0, 0)),
            ]
        )
        self.may_answer.set()
        found = yield self.ask().complete
        self.assertEqual(
            [IPv4Address("TCP", "192.0.2.5", 1883), IPv6Address("TCP", "2001:db8::5", 1883, 0, 0)],
            found,
        )
        self.assertEqual(self.asked, [(b"broker.lan", 1883, socket.AF_UNSPEC, socket.SOCK_STREAM)])

    @inlineCallbacks
    def test_only_the_wanted_kind_is_asked_for(self) -> Any:
        self.answer(no_such_name)
        self.may_answer.set()
        yield self.ask(addressTypes=[IPv4Address]).complete
        yield self.ask(addressTypes=[IPv6Address], transportSemantics="UDP").complete
        yield self.ask(addressTypes=[IPv6Address, IPv4Address]).complete
        self.assertEqual(
            [(family, kind) for _, _, family, kind in self.asked],
            [
                (socket.AF_INET, socket.SOCK_STREAM),
                (socket.AF_INET6, socket.SOCK_DGRAM),
                (socket.AF_UNSPEC, socket.SOCK_STREAM),
            ],
        )

    @inlineCallbacks
    def test_a_name_that_is_none_has_no_addresses(self) -> Any:
        self.answer(no_such_name)
        self.may_answer.set()
        found = yield self.ask().complete
        self.assertEqual([], found)
        found = yield self.ask("x" * 70 + ".lan").complete
        self.assertEqual([], found)

    @inlineCallbacks
    def test_while_the_system_does_not_answer_it_is_asked_once(self) -> Any:
        self.answer(one_address)
        receivers = [self.ask() for _ in range(20)]
        self.may_answer.set()
        for each in receivers:
            found = yield each.complete
            self.assertEqual(1, len(found))
        self.assertEqual(1, len(self.asked))
        yield self.ask().complete
        self.assertEqual(2, len(self.asked))

    @inlineCallbacks
    def test_who_cancels_hears_nothing(self) -> Any:
        self.answer(one_address)
        first, second = self.ask(), self.ask()
        assert first.resolution is not None
        first.resolution.cancel()
        self.may_answer.set()
        yield second.complete
        self.assertEqual(([], False), (first.found, first.complete.called))


class NamesTests(NamesCase):
    """The service changes how the reactor resolves names."""

    @inlineCallbacks
    def test_while_it_runs(self) -> Any:
        before = reactor.nameResolver
        names = Names(reactor)
        names.startService()
        self.addCleanup(reactor.installNameResolver, before)
        self.assertIsInstance(reactor.nameResolver, SystemResolver)
        self.answer(one_address)
        self.may_answer.set()
        address = yield reactor.resolve("broker.lan")
        self.assertEqual("192.0.2.5", address)
        names.stopService()
        self.assertIs(reactor.nameResolver, before)
