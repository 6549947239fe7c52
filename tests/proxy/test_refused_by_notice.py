"""A notice that refuses the bridge's request, and the reply that may be behind it."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.proxy.arbitration import Arbitration
from hargassner.proxy.exchange import Exchange
from hargassner.proxy.exchange_states import REFUSAL_PAUSE, IRelay
from tests.proxy.exchange_case import Relay, TurningClock

TIMEOUT = 5.0
SET = b'$par set "4;3;99"\r\n'
NOTICE, LIMIT = b"zERR 4 nicht vorhanden\r\n", b"$err limit\r\n"
GATEWAYS = (b"$frobnicate\r\n", b"$dhcp renew\r\n", b'$par set "7;3;20"\r\n', b"$uptime\r\n")


class ExchangeCase(SynchronousTestCase):
    """A request that sets something has just been written."""

    def setUp(self) -> None:
        self.begin(Clock())

    def begin(self, clock: Clock) -> None:
        self.clock = clock
        self.relay = Relay()
        self.answers: list[bytes | None] = []
        self.settled: list[bool] = []
        self.exchange = Exchange(
            clock,
            self.relay,
            Arbitration(SET),
            TIMEOUT,
            self.answers.append,
            lambda: self.settled.append(True),
        )


class RefusedByNoticeTests(ExchangeCase):
    """The gateway waits for a moment more."""

    def test_a_reply_in_the_segment_behind_the_notice_is_kept_whatever_the_gateway_asks(
        self,
    ) -> None:
        """A boiler that answers in time: the gateway once got a line too many."""
        for asked in GATEWAYS:
            self.begin(Clock())
            self.exchange.client_said(asked)
            self.exchange.boiler_said(NOTICE)
            self.exchange.boiler_said(LIMIT)
            self.assertEqual(NOTICE, self.relay.all_to("client"), asked)
            self.assertEqual(LIMIT, self.relay.all_to("bridge"), asked)
            self.assertEqual(self.relay.all_to("boiler"), asked)

    def test_wherever_the_boiler_cuts_the_two(self) -> None:
        stream = NOTICE + LIMIT
        for first in range(len(stream) + 1):
            for second in range(first, len(stream) + 1):
                self.begin(Clock())
                self.exchange.client_said(b"$frobnicate\r\n")
                for part in (stream[:first], stream[first:second], stream[second:]):
                    self.exchange.boiler_said(part)
                self.clock.advance(REFUSAL_PAUSE)
                self.assertEqual(NOTICE, self.relay.all_to("client"))
                self.assertEqual(LIMIT, self.relay.all_to("bridge"))

    def test_the_reply_lets_the_gateway_go_on_and_nothing_is_owed(self) -> None:
        self.exchange.client_said(b"$uptime\r\n")
        self.exchange.boiler_said(NOTICE)
        self.assertEqual(b"", self.relay.all_to("boiler"))
        self.exchange.boiler_said(LIMIT)
        self.assertEqual(b"$uptime\r\n", self.relay.all_to("boiler"))
        self.assertEqual([True], self.settled)
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_without_a_reply_it_goes_on_after_a_moment(self) -> None:
        self.exchange.client_said(b"$upt")
        self.exchange.boiler_said(NOTICE)
        self.clock.advance(REFUSAL_PAUSE - 0.01)
        self.exchange.client_said(b"ime\r\n")
        self.assertEqual(b"", self.relay.all_to("boiler"))
        self.clock.advance(0.01)
        self.assertEqual(b"$uptime\r\n", self.relay.all_to("boiler"))

    def test_telemetry_and_notices_do_not_make_it_wait_longer(self) -> None:
        self.exchange.client_said(b"$uptime\r\n")
        self.exchange.boiler_said(NOTICE)
        self.clock.advance(REFUSAL_PAUSE - 0.01)
        self.exchange.boiler_said(b"pm 1\r\n" + NOTICE)
        self.clock.advance(0.01)
        self.assertEqual(b"$uptime\r\n", self.relay.all_to("boiler"))

    def test_it_waits_no_longer_than_the_timeout_in_all(self) -> None:
        self.exchange.client_said(b"$uptime\r\n")
        self.clock.advance(TIMEOUT - 0.05)
        self.exchange.boiler_said(NOTICE)
        self.clock.advance(0.05)
        self.assertEqual(b"$uptime\r\n", self.relay.all_to("boiler"))

    def test_the_outcome_is_known_with_the_notice(self) -> None:
        self.exchange.boiler_said(NOTICE)
        self.assertEqual(self.answers, [NOTICE[:-2]])
        self.exchange.boiler_said(LIMIT)
        self.assertEqual(self.answers, [NOTICE[:-2]])

    def test_a_gateway_that_closes_does_not_wait(self) -> None:
        self.exchange.client_said(b"$uptime\r\n")
        self.exchange.boiler_said(NOTICE)
        self.exchange.go_on()
        self.assertEqual(b"$uptime\r\n", self.relay.all_to("boiler"))
        self.clock.advance(REFUSAL_PAUSE)
        self.assertEqual(b"$uptime\r\n", self.relay.all_to("boiler"))


class HeldUpTests(ExchangeCase):
    """The process does nothing for a while: its timers are called before its sockets are read."""

    def setUp(self) -> None:
        self.begin(TurningClock())

    def test_an_answer_that_came_meanwhile_is_in_time(self) -> None:
        self.exchange.client_said(b"$frobnicate\r\n")
        self.clock.advance(2 * TIMEOUT)
        self.exchange.boiler_said(b"$ack\r\n")
        self.clock.advance(0)
        self.assertEqual([b"$ack"], self.answers)
        self.assertEqual(
            [("bridge", b"$ack\r\n"), ("boiler", b"$frobnicate\r\n")], self.relay.passed
        )

    def test_so_is_a_reply_behind_the_notice(self) -> None:
        self.exchange.client_said(b"$frobnicate\r\n")
        self.exchange.boiler_said(NOTICE)
        self.clock.advance(2 * REFUSAL_PAUSE)
        self.exchange.boiler_said(LIMIT)
        self.clock.advance(0)
        self.assertEqual(NOTICE, self.relay.all_to("client"))
        self.assertEqual(LIMIT, self.relay.all_to("bridge"))
        self.assertEqual([True], self.settled)

    def test_the_time_is_up_a_turn_later(self) -> None:
        self.clock.advance(TIMEOUT)
        self.assertEqual([], self.answers)
        self.clock.advance(0)
        self.assertEqual([None], self.answers)

    def test_nothing_is_called_of_an_exchange_that_was_stopped_between_the_turns(self) -> None:
        self.clock.advance(TIMEOUT)
        self.exchange.stop()
        self.assertEqual([], self.clock.getDelayedCalls())
        self.assertEqual([], self.answers)


class DoubleTests(SynchronousTestCase):
    """The test double."""

    def test_it_is_honest(self) -> None:
        verifyObject(IRelay, Relay())
