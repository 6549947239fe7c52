"""A port of the bridge's own that may not stop the bridge."""

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.python import log as twisted_log
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hargassner.network.listening import RETRY_AFTER, Listener
from tests.cases import ClockCase


class Port:
    """An open port."""

    def __init__(self) -> None:
        self.closed = False

    def stopListening(self) -> Deferred[None]:
        self.closed = True
        return succeed(None)


@implementer(IStreamServerEndpoint)
class Endpoint:
    """Listens when the test lets it."""

    def __init__(self) -> None:
        self.taken = False
        self.slow: Deferred[Port] | None = None
        self.ports: list[Port] = []

    def listen(self, protocolFactory: Factory) -> Deferred[Port]:
        if self.slow is not None:
            return self.slow
        if self.taken:
            return fail(CannotListenError("127.0.0.1", 8080, OSError("in use")))
        # As Twisted's ports do.
        twisted_log.msg(f"{type(protocolFactory).__name__} starting on 8080")
        self.ports.append(Port())
        return succeed(self.ports[-1])


class ListenerTests(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.endpoint = Endpoint()
        self.listener = Listener(self.clock, self.endpoint, "tcp:8080", Factory(), "the web page")
        self.addCleanup(lambda: self.listener.running and self.listener.stopService())

    def test_the_double_is_honest(self) -> None:
        verifyObject(IStreamServerEndpoint, self.endpoint)

    def test_it_listens_while_it_runs(self) -> None:
        self.listener.startService()
        self.assertTrue(self.listener.is_open)
        self.listener.stopService()
        self.assertTrue(self.endpoint.ports[0].closed)
        self.assertFalse(self.listener.is_open)

    def test_it_says_where_it_listens_in_its_own_words_alone(self) -> None:
        everything: list[LogEvent] = []
        globalLogPublisher.addObserver(everything.append)
        self.addCleanup(globalLogPublisher.removeObserver, everything.append)
        self.listener.startService()
        lines = [formatEvent(each) for each in everything]
        self.assertEqual([each for each in lines if each], ["the web page listens: tcp:8080"])

    def test_a_privileged_start_opens_it_once(self) -> None:
        self.listener.privilegedStartService()
        self.listener.startService()
        self.assertEqual(len(self.endpoint.ports), 1)

    def test_a_port_in_use_is_said_once_and_tried_again(self) -> None:
        self.endpoint.taken = True
        self.listener.startService()
        for _ in range(5):
            self.clock.advance(RETRY_AFTER)
        [line] = self.log.at(LogLevel.warn)
        self.assertIn("the web page cannot listen on tcp:8080", line)
        self.assertIn("in use", line)
        self.assertFalse(self.listener.is_open)
        self.endpoint.taken = False
        self.clock.advance(RETRY_AFTER)
        self.assertTrue(self.listener.is_open)

    def test_stopped_it_does_not_try_again(self) -> None:
        self.endpoint.taken = True
        self.listener.startService()
        self.listener.stopService()
        self.endpoint.taken = False
        self.clock.advance(10 * RETRY_AFTER)
        self.assertEqual(self.endpoint.ports, [])

    def test_stopped_while_it_opens_it_does_not_open(self) -> None:
        cancelled = []
        self.endpoint.slow = Deferred(cancelled.append)
        self.listener.startService()
        self.listener.stopService()
        self.assertEqual(len(cancelled), 1)
        self.endpoint.slow = None
        self.clock.advance(10 * RETRY_AFTER)
        self.assertFalse(self.listener.is_open)
