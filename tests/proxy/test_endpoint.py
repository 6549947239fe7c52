"""The endpoint for connections to the boiler."""

import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.discovery import BoilerUnknownError, Devices, ServiceList
from hargassner.network.interface import NetworkInterface, NotThereYetError
from hargassner.proxy.endpoint import BoilerLine
from tests.cases import DescriptorCase
from tests.network.binding import need_device_binding

NOWHERE = NetworkInterface()


class Quiet(Factory):
    """Makes protocols that say nothing."""

    protocol = Protocol
    noisy = False


class BoilerLineTests(SynchronousTestCase):
    """The way to the boiler."""

    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.devices = Devices(self.reactor)

    def line(self, interface: NetworkInterface = NOWHERE) -> BoilerLine:
        return BoilerLine(self.reactor, self.devices, interface, 2323)

    def connect(self, interface: NetworkInterface = NOWHERE) -> Deferred[Any]:
        return self.line(interface).connect(Quiet())

    def found(self) -> None:
        self.devices.boiler_answered("198.51.100.2", ServiceList("", "", ""))

    def test_it_is_an_endpoint(self) -> None:
        verifyObject(IStreamClientEndpoint, self.line())

    def test_it_connects_to_where_the_boiler_was_found(self) -> None:
        self.found()
        connecting = self.connect()
        [(host, port, _, timeout, source)] = self.reactor.tcpClients
        self.assertEqual(("198.51.100.2", 2323, 10, None), (host, port, timeout, source))
        connecting.cancel()
        self.failureResultOf(connecting)

    def test_it_connects_from_the_address_on_the_boilers_side(self) -> None:
        self.found()
        connecting = self.connect(NetworkInterface(address="127.0.0.1"))
        self.assertEqual(("127.0.0.1", 0), self.reactor.tcpClients[0][4])
        connecting.cancel()
        self.failureResultOf(connecting)

    def test_it_waits_ten_seconds_for_a_boiler_to_be_found(self) -> None:
        late = self.connect()
        self.reactor.advance(9)
        self.found()
        self.assertEqual(1, len(self.reactor.tcpClients))
        late.cancel()
        self.failureResultOf(late)
        self.devices.recall(None, None)
        never = self.connect()
        self.reactor.advance(10)
        self.failureResultOf(never, BoilerUnknownError)

    def test_a_boiler_that_does_not_answer_is_given_up(self) -> None:
        self.found()
        connecting = self.connect()
        [(_, _, factory, _, _)] = self.reactor.tcpClients
        factory.clientConnectionFailed(self.reactor.connectors[0], ConnectTimeout())
        self.failureResultOf(connecting)

    def test_an_interface_that_is_absent_is_the_reason(self) -> None:
        self.found()
        self.failureResultOf(self.connect(NetworkInterface("absent0")), NotThereYetError)


class BoundLineTests(DescriptorCase):
    """The same through an interface."""

    @inlineCallbacks
    def test_a_boiler_that_is_known_by_name_is_found_through_its_interface(self) -> Any:
        need_device_binding()
        listening = reactor.listenTCP(0, Quiet(), interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        real: Any = reactor
        devices = Devices(real, "localhost")
        line = BoilerLine(real, devices, NetworkInterface("lo"), listening.getHost().port)
        protocol = yield line.connect(Quiet())
        device = protocol.transport.getHandle().getsockopt(
            socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16
        )
        self.assertEqual(b"lo", device.rstrip(b"\0"))
        over: Deferred[None] = Deferred()
        protocol.connectionLost = lambda _: over.callback(None)
        protocol.transport.loseConnection()
        yield over
