"""Direct telemetry: a connection of the bridge's own while no gateway session runs."""

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.boiler.model import Boiler
from hargassner.discovery import BoilerUnknownError, Devices
from hargassner.monitor.direct_telemetry import (
    ASK_AGAIN,
    RETRY_LONGEST,
    SILENCE_TIMEOUT,
    DirectTelemetry,
)
from hargassner.monitor.interpreter import Interpreter
from hargassner.network.reasons import UnreachableError
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.observers import ISessionObserver
from hargassner.proxy.session import Session
from tests.cases import Log
from tests.doubles.documents import SMALL
from tests.doubles.transports import ScriptedEndpoint


class DirectCase(SynchronousTestCase):
    """A direct telemetry service that runs."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.log = Log(self)
        self.endpoint = ScriptedEndpoint()
        self.boiler = Boiler()
        interpreter = Interpreter(self.boiler, self.clock, lambda _: None)
        self.direct = DirectTelemetry(self.clock, self.endpoint, interpreter)
        self.proxy = ProxyFactory(
            self.clock, lambda _: Deferred(), Access(["any"], Devices(self.clock))
        )
        self.direct.startService()
        self.addCleanup(self.stopped)

    def stopped(self) -> None:
        self.direct.stopService()
        self.assertEqual([], self.clock.getDelayedCalls())

    def session(self, number: int = 1) -> ISessionObserver:
        session = Session(number, ("192.0.2.7", 50000), self.proxy)
        return self.direct.observe(session, is_gateway=True)

    def test_somebody_elses_session_does_not_end_it(self) -> None:
        session = Session(1, ("192.0.2.99", 50000), self.proxy)
        transport = self.endpoint.accept()
        self.direct.observe(session, is_gateway=False)
        self.assertFalse(transport.disconnecting)

    def test_a_session_of_unknown_origin_that_logs_in_is_given_way_to(self) -> None:
        session = Session(1, ("192.0.2.9", 50000), self.proxy)
        transport = self.endpoint.accept()
        observer = self.direct.observe(session, is_gateway=False)
        self.direct.give_way(session)
        self.assertTrue(transport.disconnecting)
        observer.over("enough")
        self.assertEqual(1, len(self.endpoint.attempts))

    def test_the_endpoint_double_is_honest(self) -> None:
        verifyObject(IStreamClientEndpoint, self.endpoint)

    def test_lines_reach_the_model_without_a_login(self) -> None:
        transport = self.endpoint.accept()
        transport.protocol.dataReceived(b"$<<" + SMALL + b">>\r\n")
        transport.protocol.dataReceived(b"pm 7 65.9 1 \r\n")
        self.assertTrue(self.boiler.availability.telemetry)
        self.assertEqual("65.9", self.boiler.channels["tk"].text)

    def test_the_descriptor_is_asked_for_once_where_none_is_known(self) -> None:
        transport = self.endpoint.accept()
        self.assertEqual(b"$daq desc\r\n", transport.value())
        transport.protocol.dataReceived(b"$permission denied\r\npm 7 65.9 1 \r\n")
        self.assertTrue(self.boiler.availability.telemetry)
        transport.loseConnection()
        self.clock.advance(RETRY_LONGEST)
        self.assertEqual(b"", self.endpoint.accept().value())

    def test_a_boiler_that_refuses_is_asked_once_a_day_at_most(self) -> None:
        """However often it is connected to."""
        days, asked = 3, 0
        while self.clock.seconds() < days * ASK_AGAIN:
            transport = self.endpoint.accept()
            asked += transport.value().count(b"$")
            transport.protocol.dataReceived(b"$permission denied\r\n")
            self.clock.advance(SILENCE_TIMEOUT - 1)
            transport.loseConnection()
            self.clock.advance(RETRY_LONGEST)
        self.assertEqual(asked, days)

    def test_a_boiler_that_resets_is_read_again(self) -> None:
        self.endpoint.accept().loseConnection()
        self.clock.advance(RETRY_LONGEST)
        transport = self.endpoint.accept()
        transport.protocol.dataReceived(b"pm 7 65.9 1 \r\n")
        self.assertTrue(self.boiler.availability.telemetry)

    def test_a_boiler_that_resets_every_day_is_read_every_day(self) -> None:
        """To the second, as some firmwares do; it is read again within seconds."""
        for _ in range(3):
            transport = self.endpoint.accept()
            for _ in range(24 * 120):
                self.clock.advance(30)
                transport.protocol.dataReceived(b"pm 7 65.9 1 \r\n")
            transport.protocol.connectionLost(Failure(ConnectionLost()))
            self.clock.advance(5)
            self.assertEqual(1, len(self.endpoint.attempts))

    def test_a_boiler_that_is_away_is_tried_again_and_again_but_not_often(self) -> None:
        attempts = 0
        for _ in range(600):
            if self.endpoint.attempts:
                attempts += 1
                self.endpoint.refuse()
            self.clock.advance(1)
        self.assertTrue(8 <= attempts <= 30, attempts)

    def test_each_state_is_said_once_in_plain_words(self) -> None:
        """A night with a boiler that is switched off, and another way of not answering."""
        for reason in ["connection refused"] * 20 + ["no answer"] * 20:
            self.endpoint.refuse(UnreachableError("10.0.0.72", reason))
            self.clock.advance(RETRY_LONGEST + 2)
        transport = self.endpoint.accept()
        # As many as are not yet looked at for what they mean.
        for _ in range(20):
            transport.protocol.dataReceived(b"pm 7 65.9 1 \r\n")
        self.assertEqual(
            [
                "the boiler does not answer at 10.0.0.72: connection refused; "
                "trying again every 60 seconds",
                "the boiler does not answer at 10.0.0.72: no answer; trying again every 60 seconds",
                "reading telemetry over a connection of our own",
            ],
            [each for each in self.log.lines if "the boiler" in each or "our own" in each],
        )

    def test_a_boiler_that_accepts_and_closes_is_said_once(self) -> None:
        for _ in range(20):
            self.endpoint.accept().loseConnection()
            self.clock.advance(RETRY_LONGEST + 2)
        self.assertEqual(
            ["our own telemetry connection ended, it is made again: connection closed"],
            self.log.lines,
        )

    def test_a_boiler_that_is_not_known_yet_is_said_once(self) -> None:
        for _ in range(20):
            self.endpoint.refuse(BoilerUnknownError())
            self.clock.advance(RETRY_LONGEST + 2)
        self.assertEqual(
            ["no boiler has answered yet: telemetry is read as soon as one does"],
            self.log.lines,
        )

    def test_giving_way_and_the_stop_need_no_words(self) -> None:
        self.endpoint.accept()
        self.session().over("the client closed")
        self.direct.stopService()
        self.assertEqual([], self.log.lines)

    def test_a_connection_that_falls_silent_is_given_up(self) -> None:
        transport = self.endpoint.accept()
        self.clock.advance(SILENCE_TIMEOUT - 1)
        transport.protocol.dataReceived(b"pm 7 65.9 1 \r\n")
        self.clock.advance(SILENCE_TIMEOUT - 1)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)
        self.assertIn(
            "our own telemetry connection ended, it is made again: nothing came for 60 seconds",
            self.log.lines,
        )

    def test_it_gives_way_to_a_gateway_session_and_comes_back(self) -> None:
        transport = self.endpoint.accept()
        session = self.session()
        self.assertTrue(transport.disconnecting)
        self.clock.advance(RETRY_LONGEST)
        self.assertEqual([], self.endpoint.attempts)
        session.over("the client closed")
        self.assertEqual(1, len(self.endpoint.attempts))

    def test_it_stays_away_until_the_last_of_several_sessions_is_over(self) -> None:
        self.endpoint.accept()
        first, second = self.session(1), self.session(2)
        first.over("the gateway connected anew")
        self.assertEqual([], self.endpoint.attempts)
        second.over("the client closed")
        self.assertEqual(1, len(self.endpoint.attempts))

    def test_its_way_out_is_an_honest_observer(self) -> None:
        verifyObject(ISessionObserver, self.session())

    def test_stopping_closes_the_connection(self) -> None:
        transport = self.endpoint.accept()
        self.direct.stopService()
        self.assertTrue(transport.disconnecting)
