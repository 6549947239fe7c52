"""A connection that is made again whenever it is lost."""

from typing import Any

from twisted.internet.interfaces import IProtocol, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from zope.interface.verify import verifyObject

from hargassner.network.reconnecting import SETTLED, Reconnecting
from tests.cases import ClockCase
from tests.doubles.transports import ScriptedEndpoint


class Peer(Protocol):
    """Keeps what it hears, and whether it is over."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Any) -> None:
        self.lost = True


class ReconnectingTests(ClockCase):
    """From attempt to attempt, with seconds between them that grow with the failures."""

    def setUp(self) -> None:
        super().setUp()
        self.endpoint = ScriptedEndpoint(closes=False)
        self.peers: list[Peer] = []

        class Peers(Factory):
            noisy = False

            def buildProtocol(_self, addr: Any) -> Peer:
                self.peers.append(Peer())
                return self.peers[-1]

        factory: Any = Peers()
        self.service = Reconnecting(
            self.endpoint.connect, factory, lambda failures: 1.0 + 10 * failures, self.clock
        )
        self.service.startService()
        self.addCleanup(self.service.stopService)

    def test_the_doubles_are_honest(self) -> None:
        verifyObject(IStreamClientEndpoint, self.endpoint)
        transport = self.endpoint.accept()
        verifyObject(IProtocol, transport.protocol)
        transport.gone()

    def test_the_protocol_has_the_connection(self) -> None:
        transport = self.endpoint.accept()
        transport.says(b"pm")
        self.assertEqual((self.peers[0].heard, self.peers[0].transport), (b"pm", transport))
        transport.gone()
        self.assertTrue(self.peers[0].lost)

    def test_failures_in_a_row_make_it_slower(self) -> None:
        for failures in (1, 2, 3):
            self.endpoint.refuse()
            self.clock.advance(10 * failures)
            self.assertEqual([], self.endpoint.attempts)
            self.clock.advance(1)
            self.assertEqual(1, len(self.endpoint.attempts))

    def test_a_connection_that_lasted_makes_it_quick_again(self) -> None:
        self.endpoint.refuse()
        self.clock.advance(11)
        transport = self.endpoint.accept()
        self.clock.advance(SETTLED)
        transport.gone()
        self.clock.advance(1)
        self.assertEqual(1, len(self.endpoint.attempts))

    def test_who_accepts_and_closes_at_once_is_tried_less_and_less(self) -> None:
        for failures in (1, 2, 3):
            transport = self.endpoint.accept()
            transport.gone()
            self.clock.advance(10 * failures)
            self.assertEqual([], self.endpoint.attempts)
            self.clock.advance(1)

    def test_a_stop_closes_the_connection_and_waits_for_its_end(self) -> None:
        transport = self.endpoint.accept()
        stopped = self.service.stopService()
        self.assertTrue(transport.disconnecting)
        self.assertNoResult(stopped)
        transport.gone()
        self.successResultOf(stopped)
        self.clock.advance(1000)
        self.assertEqual([], self.endpoint.attempts)

    def test_a_stop_ends_an_attempt(self) -> None:
        self.successResultOf(self.service.stopService())
        self.assertEqual(1, self.endpoint.cancelled)

    def test_a_stop_between_two_attempts_leaves_no_timer(self) -> None:
        self.endpoint.refuse()
        self.successResultOf(self.service.stopService())

    def test_it_can_be_started_again_and_stopped_twice(self) -> None:
        for _ in range(2):
            self.successResultOf(self.service.stopService())
        self.service.startService()
        self.assertEqual(1, len(self.endpoint.attempts))

    def test_it_says_nothing(self) -> None:
        """Whoever uses it knows what there is to say."""
        for _ in range(3):
            self.endpoint.refuse()
            self.clock.advance(100)
        transport = self.endpoint.accept()
        transport.gone()
        self.assertEqual([], self.log.everything)
