"""The proxy's sessions, in memory: two fake connections, a clock, and no network."""

import json
import re
from itertools import cycle

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyClass, verifyObject

from hargassner.boiler.model import Boiler
from hargassner.discovery.gateways import SILENT_AFTER
from hargassner.monitor.interpreter import Interpreter
from hargassner.network.reasons import UnreachableError
from hargassner.proxy.access import Access
from hargassner.proxy.exchange import BridgeRequest, NoReplyError, SessionOverError
from hargassner.proxy.exchange_states import LARGEST_WAIT, OWED_TIMEOUT, REFUSAL_PAUSE, IRelay
from hargassner.proxy.observers import IExchangeObserver, ISessionObserver
from hargassner.proxy.relaying import HALF_CLOSED_TIMEOUT, Relaying
from hargassner.proxy.session import Session
from hargassner.proxy.session_states import CLOSE_TIMEOUT, FLUSH_TIMEOUT
from hargassner.proxy.start_over import START_OVER_TIMEOUT
from tests.proxy.case import (
    BOILER,
    GATEWAY,
    OTHER,
    Connection,
    FailingObserver,
    ProxyCase,
    RecordingObserver,
)
from tests.shared import session_starts


class PassingTests(ProxyCase):
    """What one side says reaches the other."""

    def test_nothing_is_read_from_the_client_before_the_boiler_is_there(self) -> None:
        client = self.client()
        self.assertTrue(client.paused)
        self.boiler()
        self.assertFalse(client.paused)

    def test_bytes_pass_both_ways_as_they_are(self) -> None:
        client, boiler = self.session()
        client.says(b"$login to")
        client.says(b"ken\r\n\xff\x00")
        boiler.says(b"$3313C1")
        self.assertEqual(b"$login token\r\n\xff\x00", boiler.received)
        self.assertEqual(b"$3313C1", client.received)

    def test_both_connections_are_quick_and_probed(self) -> None:
        for connection in self.session():
            self.assertTrue(connection.no_delay)
            self.assertTrue(connection.keep_alive)

    def test_whoever_is_full_pauses_the_other(self) -> None:
        client, boiler = self.session()
        self.assertIs(client.producer, boiler)
        self.assertIs(boiler.producer, client)

    def test_each_client_has_a_boiler_connection_of_its_own(self) -> None:
        one, ones_boiler = self.session()
        two, twos_boiler = self.session(OTHER)
        one.says(b"one")
        two.says(b"two")
        self.assertEqual((b"one", b"two"), (ones_boiler.received, twos_boiler.received))


class AnyCutTests(ProxyCase):
    """The same bytes, whatever they are and however they are cut, while they are understood."""

    def observers_of(self, session: Session) -> list[ISessionObserver]:
        return [Interpreter(Boiler(), self.clock, lambda _: None).observe(session)]

    def pass_on(self, segments: list[tuple[bool, bytes]]) -> None:
        """Say each segment on the client's side, or else on the boiler's, and compare."""
        client, boiler = self.session()
        for by_client, data in segments:
            (client if by_client else boiler).says(data)
        said = b"".join(data for by_client, data in segments if by_client)
        answered = b"".join(data for by_client, data in segments if not by_client)
        self.assertEqual((boiler.received, client.received), (said, answered))
        client.gone(ConnectionDone())
        boiler.gone(ConnectionDone())

    @given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1))))
    def test_any_bytes(self, segments: list[tuple[bool, bytes]]) -> None:
        self.pass_on(segments)

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 3000)), min_size=1))
    def test_a_captured_session(self, sizes: list[tuple[bool, int]]) -> None:
        """Pipelined and in pieces that have nothing to do with lines."""
        # The longest one there is.
        steps = json.loads(session_starts()[-1].read_text())["steps"]
        left = {
            by_client: b"".join(
                step["data"].encode("latin-1")
                for step in steps
                if step.get("connection") == "gateway" and (step["from"] == "gateway") == by_client
            )
            for by_client in (True, False)
        }
        segments = []
        for by_client, size in cycle(sizes):
            side = by_client if left[by_client] else not by_client
            if not left[side]:
                break
            segments.append((side, left[side][:size]))
            left[side] = left[side][size:]
        self.pass_on(segments)


class EndingTests(ProxyCase):
    """Whatever ends a session ends both of its connections, and nothing else."""

    def test_a_fin_is_passed_on_and_the_answer_still_comes(self) -> None:
        client, boiler = self.session()
        client.sends_fin()
        self.assertTrue(boiler.fin)
        boiler.says(b"$ack\r\n")
        self.assertEqual(b"$ack\r\n", client.received)
        self.assertFalse(client.closing)

    def test_a_fin_from_the_boiler_is_passed_on_and_requests_still_go(self) -> None:
        client, boiler = self.session()
        boiler.sends_fin()
        self.assertTrue(client.fin)
        client.says(b"$igw clear\r\n")
        self.assertEqual(b"$igw clear\r\n", boiler.received)

    def test_fins_from_both_sides_close_both(self) -> None:
        client, boiler = self.session()
        client.sends_fin()
        boiler.sends_fin()
        self.assertTrue(client.closing and boiler.closing)

    def test_a_slow_side_has_time_for_the_last_bytes_after_both_closed(self) -> None:
        client, boiler = self.session()
        client.sends_fin()
        boiler.sends_fin()
        self.clock.advance(FLUSH_TIMEOUT - 1)
        self.assertFalse(client.aborted)

    def test_a_half_closed_session_that_falls_silent_is_over(self) -> None:
        client, boiler = self.session()
        client.sends_fin()
        self.clock.advance(HALF_CLOSED_TIMEOUT - 1)
        boiler.says(b"pm 1\r\n")
        self.clock.advance(HALF_CLOSED_TIMEOUT - 1)
        self.assertFalse(client.closing)
        self.clock.advance(1)
        self.assertTrue(client.closing and boiler.closing)

    def test_a_lost_client_ends_the_boilers_side(self) -> None:
        client, boiler = self.session()
        client.gone(ConnectionLost())
        self.assertTrue(boiler.closing)

    def test_a_lost_boiler_ends_the_clients_side(self) -> None:
        client, boiler = self.session()
        boiler.gone(ConnectionLost())
        self.assertTrue(client.closing)

    def test_whoever_does_not_close_is_reset_a_second_later(self) -> None:
        client, boiler = self.session()
        client.gone(ConnectionLost())
        self.clock.advance(CLOSE_TIMEOUT)
        self.assertTrue(boiler.aborted)
        self.assertEqual({}, self.factory.sessions)

    def test_whoever_closes_in_time_is_not_reset(self) -> None:
        client, boiler = self.session()
        client.gone(ConnectionLost())
        boiler.gone(ConnectionDone())
        self.clock.advance(CLOSE_TIMEOUT)
        self.assertFalse(boiler.aborted)

    def test_other_sessions_go_on(self) -> None:
        client, _ = self.session()
        other, others_boiler = self.session(OTHER)
        client.gone(ConnectionLost())
        other.says(b"$uptime\r\n")
        self.assertEqual(b"$uptime\r\n", others_boiler.received)
        self.assertFalse(other.closing)

    def test_bytes_that_come_while_a_session_ends_are_not_passed(self) -> None:
        client, boiler = self.session()
        self.factory.sessions[1].end("enough")
        boiler.says(b"late")
        client.says(b"late")
        self.assertEqual((b"", b""), (client.received, boiler.received))

    def test_a_fin_that_crosses_the_end_leaves_nothing(self) -> None:
        """The kernel may tell of it in the same turn in which the session was ended."""
        client, boiler = self.session()
        self.factory.sessions[1].end("enough")
        boiler.sends_fin()
        client.gone(ConnectionDone())
        boiler.gone(ConnectionDone())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_a_side_that_is_gone_takes_no_time_from_the_other_after_both_closed(self) -> None:
        client, boiler = self.session()
        client.sends_fin()
        boiler.sends_fin()
        boiler.gone(ConnectionDone())
        self.clock.advance(FLUSH_TIMEOUT - 1)
        self.assertFalse(client.aborted)
        self.clock.advance(1)
        self.assertTrue(client.aborted)

    def test_nothing_of_a_session_survives_it(self) -> None:
        client, boiler = self.session()
        client.says(b"$login tok")
        client.gone(ConnectionDone())
        boiler.gone(ConnectionDone())
        _, boiler = self.session()
        self.assertEqual(b"", boiler.received)
        self.assertEqual([2], list(self.factory.sessions))


class ConnectingTests(ProxyCase):
    """The way to the boiler."""

    def test_a_boiler_that_refuses_closes_the_client(self) -> None:
        client = self.client()
        attempt, _ = self.connecting.pop()
        attempt.errback(Failure(ConnectError()))
        self.assertTrue(client.closing)
        self.assertEqual(1, self.factory.counters.unreachable)

    def test_a_boiler_that_refuses_again_and_again_is_said_once_a_reason(self) -> None:
        """A gateway tries all night; then the boiler is there."""
        for reason in ["connection refused"] * 20 + ["no answer"] * 20:
            client = self.client()
            attempt, _ = self.connecting.pop()
            attempt.errback(Failure(UnreachableError(BOILER, reason)))
            client.gone(ConnectionDone())
        self.session()
        self.assertEqual(
            [
                f"session 1: {GATEWAY} port N connected",
                f"session 1: over after 0.0 s: the boiler cannot be reached: {BOILER}: "
                "connection refused; 0 bytes from the client, 0 from the boiler",
                f"session 21: over after 0.0 s: the boiler cannot be reached: {BOILER}: "
                "no answer; 0 bytes from the client, 0 from the boiler",
                f"session 41: {GATEWAY} port N connected",
                "session 41: the boiler is connected",
            ],
            [re.sub(r"port \d+", "port N", each) for each in self.log.lines],
        )

    def test_a_boiler_that_was_there_meanwhile_is_missed_again_aloud(self) -> None:
        for _ in range(2):
            client = self.client()
            attempt, _ = self.connecting.pop()
            attempt.errback(Failure(UnreachableError(BOILER, "no answer")))
            client.gone(ConnectionDone())
            for leg in self.session():
                leg.gone(ConnectionDone())
        self.assertEqual(2, sum("cannot be reached" in each for each in self.log.lines))

    def test_a_client_that_goes_meanwhile_ends_the_attempt(self) -> None:
        client = self.client()
        client.gone(ConnectionLost())
        self.assertEqual(1, self.cancelled)
        self.assertEqual(0, self.factory.counters.unreachable)
        self.assertEqual({}, self.factory.sessions)

    def test_a_session_ended_meanwhile_is_over_when_its_client_is_gone(self) -> None:
        client = self.client()
        self.announce()
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertEqual(1, self.cancelled)
        self.assertTrue(client.closing)
        client.gone(ConnectionDone())
        self.assertEqual({}, self.factory.sessions)

    def test_a_boiler_that_comes_too_late_is_dropped(self) -> None:
        client = self.client()
        _, factory = self.connecting.pop()
        protocol = factory.buildProtocol(IPv4Address("TCP", BOILER, 23))
        client.gone(ConnectionLost())
        late = Connection()
        late.protocol = protocol
        protocol.makeConnection(late)
        self.assertTrue(late.aborted)


class AccessTests(ProxyCase):
    """Who may connect."""

    def refused(self, address: str) -> bool:
        return self.factory.buildProtocol(IPv4Address("TCP", address, 40000)) is None

    def test_the_gateway_that_announced_itself_may(self) -> None:
        self.assertFalse(self.refused(GATEWAY))

    def test_a_stranger_may_not(self) -> None:
        self.assertTrue(self.refused("192.0.2.99"))

    def test_an_address_that_the_owner_allows_may(self) -> None:
        self.assertFalse(self.refused(OTHER))

    def test_each_of_several_that_announced_themselves_may(self) -> None:
        """Nobody knows yet which of them can log in."""
        self.announce("192.0.2.9", serial="0099999")
        self.assertFalse(self.refused(GATEWAY))
        self.assertFalse(self.refused("192.0.2.9"))

    def test_the_gateway_that_logged_in_may_whoever_announces_himself(self) -> None:
        self.devices.gateway_logged_in(GATEWAY)
        for number in range(1, 100):
            self.announce(f"192.0.2.{number + 100}", serial="0012345")
        self.assertFalse(self.refused(GATEWAY))

    def test_a_network_that_the_owner_allows_may(self) -> None:
        access = Access(["10.1.0.0/16"], self.devices)
        self.assertTrue(access.admits("10.1.2.3"))
        self.assertFalse(access.admits("10.2.2.3"))
        self.assertFalse(access.admits(GATEWAY))

    def test_anybody_may_where_the_owner_says_so(self) -> None:
        self.assertTrue(Access(["any"], self.devices).admits("203.0.113.5"))

    def test_refusals_are_counted_and_said_once_an_address(self) -> None:
        for _ in range(3):
            self.refused("192.0.2.99")
        self.assertEqual(3, self.factory.counters.refused)
        self.assertEqual(1, len([each for each in self.log.lines if "192.0.2.99" in each]))

    def test_the_log_says_when_no_gateway_was_heard_yet(self) -> None:
        self.devices.recall(None, None)
        self.refused(GATEWAY)
        self.assertIn("no gateway has announced itself yet", self.log.lines[-1])


class StartingOverTests(ProxyCase):
    """The gateway's announcement and its next connection."""

    def test_an_announced_session_has_three_seconds_to_end_by_itself(self) -> None:
        client, boiler = self.session()
        self.announce()
        self.clock.advance(START_OVER_TIMEOUT - 0.1)
        self.assertFalse(client.closing)
        self.clock.advance(0.1)
        self.assertTrue(client.closing and boiler.closing)

    def test_a_session_on_which_the_gateway_goes_on_asking_stays(self) -> None:
        client, _ = self.session()
        self.announce()
        self.clock.advance(1)
        client.says(b"$setkomm\r\n")
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertFalse(client.closing)
        self.assertIn("it stays", self.log.lines[-1])

    def test_one_that_asked_in_between_gets_three_seconds_anew(self) -> None:
        client, _ = self.session()
        self.announce()
        self.clock.advance(1)
        client.says(b"$setkomm\r\n")
        self.clock.advance(1.5)
        self.announce()
        self.clock.advance(START_OVER_TIMEOUT - 0.1)
        self.assertFalse(client.closing)
        self.clock.advance(0.1)
        self.assertTrue(client.closing)

    def test_announcements_alone_do_not_keep_it(self) -> None:
        client, _ = self.session()
        self.announce()
        self.clock.advance(START_OVER_TIMEOUT - 1)
        self.announce()
        self.clock.advance(1)
        self.assertTrue(client.closing)

    def test_an_announcement_while_it_ends_leaves_nothing(self) -> None:
        client, boiler = self.session()
        self.announce()
        self.factory.sessions[1].end("enough")
        self.announce()
        client.gone(ConnectionDone())
        boiler.gone(ConnectionDone())
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_what_it_asked_before_the_announcement_does_not_count(self) -> None:
        client, _ = self.session()
        client.says(b"$igw clear\r\n")
        self.announce()
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertTrue(client.closing)

    def test_what_the_boiler_says_does_not_keep_a_session(self) -> None:
        client, boiler = self.session()
        self.announce()
        boiler.says(b"pm 1\r\n")
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertTrue(client.closing)

    def test_sessions_of_others_do_not_notice_an_announcement(self) -> None:
        other, _ = self.session(OTHER)
        self.announce()
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertFalse(other.closing)

    def test_a_gateway_that_comes_back_with_a_new_address_leaves_its_silent_session(self) -> None:
        client, _ = self.logged_in_session()
        self.clock.advance(SILENT_AFTER)
        self.announce("192.0.2.9")
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertTrue(client.closing)

    def test_a_forged_serial_number_does_not_end_a_session_that_lives(self) -> None:
        """Not even one that polls more slowly than an announced session has time to end."""
        client, _ = self.logged_in_session()
        for _ in range(20):
            client.says(b"$setkomm\r\n")
            for _ in range(15):
                self.announce("192.0.2.9")
                self.clock.advance(1)
        self.assertFalse(client.closing)

    def test_without_a_login_nobody_else_can_end_a_session(self) -> None:
        """The serial number is no secret: it is broadcast."""
        client, _ = self.session()
        self.clock.advance(SILENT_AFTER)
        self.announce("192.0.2.9")
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertFalse(client.closing)

    def logged_in_session(self) -> tuple[Connection, Connection]:
        client, boiler = self.session()
        [session] = self.factory.sessions.values()
        session.said_login()
        return client, boiler

    def test_another_gateways_announcement_leaves_the_session_alone(self) -> None:
        client, _ = self.session()
        self.announce("192.0.2.9", serial="0099999")
        self.clock.advance(START_OVER_TIMEOUT)
        self.assertFalse(client.closing)

    def test_a_new_connection_of_the_gateway_ends_its_old_one_at_once(self) -> None:
        old, _ = self.session()
        new, boiler = self.session()
        self.assertTrue(old.closing)
        new.says(b"$login token\r\n")
        self.assertEqual(b"$login token\r\n", boiler.received)

    def test_a_new_connection_of_somebody_else_ends_nothing(self) -> None:
        first, _ = self.session(OTHER)
        client, _ = self.session()
        self.session(OTHER)
        self.assertFalse(first.closing or client.closing)


class ObservingTests(ProxyCase):
    """The observers of a session."""

    def test_what_passes_is_observed_in_order_and_ends_with_the_reason(self) -> None:
        recorded = RecordingObserver()
        self.observers = [recorded]
        client, boiler = self.session()
        client.says(b"$uptime\r\n")
        boiler.says(b"$5\r\n")
        client.gone(ConnectionLost())
        boiler.gone(ConnectionDone())
        self.assertEqual(
            [
                ("gateway", b"$uptime\r\n"),
                ("boiler", b"$5\r\n"),
                ("over", "the client was lost"),
            ],
            recorded.heard,
        )

    def test_what_is_observed_has_been_written(self) -> None:
        """An observer that takes its time delays no byte."""
        written: list[tuple[bytes, bytes]] = []

        class Looking(RecordingObserver):
            def gateway_sent(_self, data: bytes) -> None:
                written.append((data, boiler.received))

            def boiler_sent(_self, data: bytes) -> None:
                written.append((data, client.received))

        self.observers = [Looking()]
        client, boiler = self.session()
        client.says(b"$uptime\r\n")
        boiler.says(b"$5\r\n")
        self.catch_up()
        self.assertEqual([(b"$uptime\r\n", b"$uptime\r\n"), (b"$5\r\n", b"$5\r\n")], written)

    def test_the_test_doubles_are_honest_observers(self) -> None:
        verifyObject(ISessionObserver, RecordingObserver())
        verifyObject(ISessionObserver, FailingObserver())

    def test_a_session_that_nobody_can_observe_passes_all_the_same(self) -> None:
        self.factory.observers = lambda _session: [1 // 0]
        client, boiler = self.session()
        client.says(b"$uptime\r\n")
        self.assertEqual(b"$uptime\r\n", boiler.received)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_one_that_raises_costs_no_byte_and_no_other_observer(self) -> None:
        recorded = RecordingObserver()
        self.observers = [FailingObserver(), recorded]
        client, boiler = self.session()
        client.says(b"$upti")
        client.says(b"me\r\n")
        boiler.says(b"$5\r\n")
        self.assertEqual(b"$uptime\r\n", boiler.received)
        self.assertEqual(b"$5\r\n", client.received)
        self.catch_up()
        self.assertEqual([("gateway", b"$uptime\r\n"), ("boiler", b"$5\r\n")], recorded.heard)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))


@implementer(IExchangeObserver)
class FullRecordingObserver(RecordingObserver):
    """Writes down what passes between bridge and boiler too."""

    def bridge_sent(self, data: bytes) -> None:
        self.heard.append(("bridge", data))

    def bridge_received(self, data: bytes) -> None:
        self.heard.append(("kept", data))

    def notice_follows(self, of_bridge: bool) -> None:
        self.heard.append(("refused" if of_bridge else "overtaking", b""))


class AskingTests(ProxyCase):
    """A request of the bridge's own on a session."""

    REQUEST = b'$par set "4;3;20.5"\r\n'
    TIMEOUT = 5.0

    def setUp(self) -> None:
        super().setUp()
        self.answers: list[bytes | type[Exception]] = []
        self.settled = 0
        self.recorded = FullRecordingObserver()
        self.observers = [self.recorded]
        self.from_client, self.from_boiler = self.session_to_ask()

    def session_to_ask(self) -> tuple[Connection, Connection]:
        pair = self.session()
        self.asked = list(self.factory.sessions.values())[-1]
        self.asked.on_settled(self.was_settled)
        reply = self.asked.exchange(BridgeRequest(self.REQUEST, self.TIMEOUT))
        reply.addErrback(lambda why: why.type)
        reply.addCallback(self.answers.append)
        return pair

    def was_settled(self) -> None:
        self.settled += 1

    def test_the_boiler_gets_it_and_the_client_never_the_answer(self) -> None:
        self.assertEqual(self.from_boiler.received, self.REQUEST)
        self.from_boiler.says(b"zPa N: 4 = 20.5\r\n$a")
        self.from_boiler.says(b"ck\r\npm 1\r\n")
        self.assertEqual(b"zPa N: 4 = 20.5\r\npm 1\r\n", self.from_client.received)
        self.assertEqual(([b"$ack"], 1), (self.answers, self.settled))

    def test_the_clients_bytes_wait_for_the_answer(self) -> None:
        self.from_client.says(b"$setk")
        self.from_client.says(b"omm\r\n\xff")
        self.assertEqual(self.from_boiler.received, self.REQUEST)
        self.from_boiler.says(b"$ack\r\n")
        self.assertEqual(self.from_boiler.received, self.REQUEST + b"$setkomm\r\n\xff")

    def test_they_go_on_before_anything_is_made_of_the_answer(self) -> None:
        client, boiler = self.session(OTHER)
        [*_, asked] = self.factory.sessions.values()
        went_on: list[bytes] = []
        reply = asked.exchange(BridgeRequest(self.REQUEST, self.TIMEOUT))
        reply.addCallback(lambda _: went_on.append(boiler.received))
        client.says(b"$setkomm\r\n")
        boiler.says(b"$ack\r\n")
        self.assertEqual([self.REQUEST + b"$setkomm\r\n"], went_on)

    def test_they_wait_no_longer_than_the_time_that_the_answer_has(self) -> None:
        self.from_client.says(b"$setkomm\r\n")
        self.clock.advance(self.TIMEOUT - 0.1)
        self.assertEqual(self.from_boiler.received, self.REQUEST)
        self.clock.advance(0.1)
        self.assertEqual(self.from_boiler.received, self.REQUEST + b"$setkomm\r\n")
        self.assertEqual((self.answers, self.settled), ([NoReplyError], 0))
        self.assertFalse(self.asked.can_ask)

    def test_an_answer_that_comes_later_is_kept_and_settles_it(self) -> None:
        self.clock.advance(self.TIMEOUT)
        self.from_boiler.says(b"$ack\r\n")
        self.assertEqual(b"", self.from_client.received)
        self.assertEqual((self.answers, self.settled), ([NoReplyError], 1))
        self.assertTrue(self.asked.can_ask)

    def test_a_doubtful_reply_is_given_to_the_client_in_the_end(self) -> None:
        self.clock.advance(self.TIMEOUT)
        self.from_client.says(b'$par set "7;3;20"\r\n')
        self.from_boiler.says(b"$ack\r\n")
        self.assertEqual(b"", self.from_client.received)
        self.clock.advance(self.TIMEOUT)
        self.assertEqual(b"$ack\r\n", self.from_client.received)

    def test_an_answer_of_which_nothing_is_heard_is_given_up_in_the_end(self) -> None:
        self.clock.advance(self.TIMEOUT)
        self.clock.advance(OWED_TIMEOUT - 0.1)
        self.assertEqual(0, self.settled)
        self.clock.advance(0.1)
        self.assertEqual((self.answers, self.settled), ([NoReplyError], 1))

    def test_a_notice_that_refuses_lets_the_client_go_on_after_a_moment(self) -> None:
        self.from_client.says(b"$uptime\r\n")
        self.from_boiler.says(b"zERR nicht vorhanden\r\n")
        self.assertEqual([b"zERR nicht vorhanden"], self.answers)
        self.assertEqual(self.from_boiler.received, self.REQUEST)
        self.clock.advance(REFUSAL_PAUSE)
        self.assertEqual(self.from_boiler.received, self.REQUEST + b"$uptime\r\n")
        self.assertFalse(self.asked.can_ask)

    def test_observers_know_of_a_notice_that_overtakes_a_held_reply(self) -> None:
        self.clock.advance(self.TIMEOUT)
        self.from_client.says(b'$par set "7;3;20"\r\n')
        self.from_boiler.says(b"$ack\r\n")
        self.from_boiler.says(b"zERR 7\r\n")
        self.assertEqual([("overtaking", b""), ("boiler", b"zERR 7\r\n")], self.recorded.heard[-2:])

    def test_a_client_that_says_much_meanwhile_is_paused(self) -> None:
        piece = b"x" * (LARGEST_WAIT // 2)
        self.from_client.says(piece)
        self.assertFalse(self.from_client.paused)
        self.from_client.says(piece)
        self.assertTrue(self.from_client.paused)
        self.from_boiler.says(b"$ack\r\n")
        self.assertFalse(self.from_client.paused)
        self.assertEqual(self.from_boiler.received, self.REQUEST + 2 * piece)

    def test_a_client_whose_bytes_waited_is_not_read_before_the_boiler_has_taken_them(self) -> None:
        self.from_client.says(b"x" * LARGEST_WAIT)
        self.from_boiler.full = True
        self.from_boiler.says(b"$ack\r\n")
        self.assertEqual(len(self.REQUEST) + LARGEST_WAIT, len(self.from_boiler.received))
        self.assertTrue(self.from_client.paused)
        self.from_boiler.producer.resumeProducing()
        self.assertFalse(self.from_client.paused)

    def test_a_paused_client_that_said_everything_is_not_read_again(self) -> None:
        """A socket would tell of the same FIN once more."""
        piece = b"x" * LARGEST_WAIT
        self.from_client.says(piece)
        self.from_client.sends_fin()
        self.assertTrue(self.from_client.paused)
        self.assertEqual(self.from_boiler.received, self.REQUEST + piece)

    def test_a_session_is_asked_one_thing_at_a_time(self) -> None:
        self.assertRaises(RuntimeError, self.asked.exchange, BridgeRequest(b"", 1.0))

    def test_a_session_that_ends_or_is_half_closed_is_not_asked(self) -> None:
        self.from_boiler.says(b"$ack\r\n")
        self.assertTrue(self.asked.can_ask)
        self.from_client.sends_fin()
        self.assertFalse(self.asked.can_ask)
        self.asked.end("enough")
        self.assertFalse(self.asked.can_ask)

    def test_a_session_that_was_ended_is_not_asked(self) -> None:
        self.from_boiler.says(b"$ack\r\n")
        self.asked.end("enough")
        self.assertFalse(self.asked.can_ask)

    def test_what_waits_reaches_the_boiler_before_the_clients_fin(self) -> None:
        self.from_client.says(b"$setkomm\r\n")
        self.from_client.sends_fin()
        self.assertEqual(self.from_boiler.received, self.REQUEST + b"$setkomm\r\n")
        self.assertTrue(self.from_boiler.fin)
        self.from_boiler.says(b"$ack\r\n$2225410 ack\r\n")
        self.assertEqual(b"$2225410 ack\r\n", self.from_client.received)
        self.assertEqual([b"$ack"], self.answers)

    def test_a_boiler_that_closes_leaves_nothing_waiting(self) -> None:
        self.from_client.says(b"$setkomm\r\n")
        self.from_boiler.sends_fin()
        self.assertEqual(self.from_boiler.received, self.REQUEST + b"$setkomm\r\n")
        self.clock.advance(self.TIMEOUT)
        self.assertEqual((self.answers, self.settled), ([NoReplyError], 1))

    def test_what_waits_is_sent_when_the_session_ends(self) -> None:
        self.from_client.says(b"$setkomm\r\n")
        self.from_client.gone(ConnectionLost())
        self.assertEqual(self.from_boiler.received, self.REQUEST + b"$setkomm\r\n")

    def test_what_is_held_is_not_written_to_a_client_that_is_gone(self) -> None:
        self.from_boiler.says(b"$a")
        self.from_client.gone(ConnectionLost())
        self.assertEqual(b"", self.from_client.received)
        self.assertTrue(self.from_boiler.closing)

    def test_there_is_no_answer_when_the_session_is_over(self) -> None:
        self.from_client.gone(ConnectionLost())
        self.from_boiler.gone(ConnectionDone())
        self.clock.advance(self.TIMEOUT)
        self.assertEqual((self.answers, self.settled), ([SessionOverError], 0))

    def test_observers_know_that_the_session_is_over_before_the_answer_fails(self) -> None:
        """What follows from the failure is not asked over this session again."""
        client, boiler = self.session(OTHER)
        [*_, asked] = self.factory.sessions.values()
        known: list[object] = []
        reply = asked.exchange(BridgeRequest(self.REQUEST, self.TIMEOUT))
        reply.addErrback(lambda _: known.append(self.recorded.heard[-1]))
        client.gone()
        boiler.gone()
        self.assertEqual([("over", "the client closed")], known)

    def test_all_observers_get_what_passed_and_some_the_rest(self) -> None:
        self.from_client.says(b"$setkomm\r\n")
        self.from_boiler.says(b"zPuffer Aus\r\n$ack\r\n")
        self.assertEqual(
            self.recorded.heard,
            [
                ("bridge", self.REQUEST),
                ("boiler", b"zPuffer Aus\r\n"),
                ("kept", b"$ack\r\n"),
                ("gateway", b"$setkomm\r\n"),
            ],
        )
        plain = RecordingObserver()
        self.observers = [plain]
        _, boiler = self.session_to_ask()
        boiler.says(b"$ack\r\npm 1\r\n")
        self.assertEqual([("boiler", b"pm 1\r\n")], plain.heard)

    def test_the_clients_and_the_boilers_bytes_are_counted(self) -> None:
        self.from_client.says(b"$setkomm\r\n")
        self.from_boiler.says(b"$ack\r\n")
        self.assertEqual(10, self.asked.bytes_from_gateway)
        self.assertEqual(6, self.asked.bytes_from_boiler)

    def test_the_doubles_are_honest(self) -> None:
        verifyObject(IExchangeObserver, self.recorded)
        verifyClass(IRelay, Relaying)


class StoryTests(ProxyCase):
    """What the log tells of a session."""

    def test_a_session_is_told_in_a_few_lines(self) -> None:
        client, boiler = self.session()
        client.says(b"$login token\r\n")
        boiler.says(b"$3313C1F2\r\n")
        self.factory.sessions[1].said_login()
        self.clock.advance(60)
        client.sends_fin()
        boiler.sends_fin()
        client.gone(ConnectionDone())
        boiler.gone(ConnectionDone())
        self.assertEqual(
            [
                "session 1: 192.0.2.7 port 51975 connected",
                "session 1: the boiler is connected",
                "session 1: logged in",
                "session 1: over after 60.0 s: the client closed; "
                "14 bytes from the client, 11 from the boiler",
            ],
            self.log.lines,
        )


class StoppingTests(ProxyCase):
    """The bridge stops."""

    def test_every_session_is_ended_and_waited_for(self) -> None:
        client, boiler = self.session()
        stopped = self.factory.close()
        self.assertTrue(client.closing and boiler.closing)
        self.assertNoResult(stopped)
        client.gone(ConnectionDone())
        boiler.gone(ConnectionDone())
        self.successResultOf(stopped)

    def test_whoever_does_not_close_delays_it_for_a_second(self) -> None:
        self.session()
        stopped = self.factory.close()
        self.clock.advance(CLOSE_TIMEOUT)
        self.successResultOf(stopped)

    def test_a_slow_side_of_a_session_that_ends_already_delays_it_for_a_second_too(self) -> None:
        client, boiler = self.session()
        client.sends_fin()
        boiler.sends_fin()
        stopped = self.factory.close()
        self.clock.advance(CLOSE_TIMEOUT)
        self.successResultOf(stopped)

    def test_a_session_that_ends_gets_no_more_time(self) -> None:
        client, _ = self.session()
        self.factory.sessions[1].end("the gateway connected anew")
        self.clock.advance(CLOSE_TIMEOUT / 2)
        self.factory.close()
        self.clock.advance(CLOSE_TIMEOUT / 2)
        self.assertTrue(client.aborted)

    def test_nobody_is_admitted_afterwards(self) -> None:
        self.successResultOf(self.factory.close())
        self.assertIsNone(self.factory.buildProtocol(IPv4Address("TCP", GATEWAY, 40000)))
