"""The link to the broker, without a network."""

from typing import Any

from twisted.internet.interfaces import IPushProducer, IStreamClientEndpoint
from twisted.logger import LogLevel
from zope.interface.verify import verifyObject

from hargassner.config import MqttConfig
from hargassner.mqtt.connection import MOST_UNREAD, Connection, IConnectionOwner
from hargassner.mqtt.connection_life import ANSWER_TIMEOUT, GRACE
from hargassner.mqtt.engine import KEEPALIVE, Engine
from hargassner.mqtt.interfaces import IBroker, LinkState, LinkStatus
from hargassner.mqtt.link import BrokerLink, client_id
from hargassner.mqtt.link_states import SLICE
from hargassner.mqtt.messages import Identity, Message
from hargassner.mqtt.outbox import MOST_EVENTS
from hargassner.mqtt.retries import REFUSED_RETRY, REFUSED_RETRY_LONGEST, RETRY_LONGEST, SETTLED
from tests.cases import ClockCase
from tests.mqtt.link_case import BrokerEndpoint, LinkCase
from tests.mqtt.packets import CONNACK, PONG, published, refusal, subscribed


class DoublesTests(LinkCase):
    """Everyone is what they claim to be."""

    def test_interfaces(self) -> None:
        verifyObject(IBroker, self.link)
        verifyObject(IConnectionOwner, self.link)
        verifyObject(IStreamClientEndpoint, self.endpoint)
        engine = Engine(Identity("x", Message("y", b"", retain=True)))
        verifyObject(IPushProducer, Connection(engine, self.clock, self.link))


class ComingAndGoingTests(LinkCase):
    """The link comes up, and up again."""

    def test_tells_how_it_is(self) -> None:
        self.assertEqual(LinkState.CONNECTING, self.state)
        self.clock.advance(3)
        wire = self.online()
        self.clock.advance(4)
        wire.gone()
        states = [(each.state, each.since, each.connections) for each in self.statuses]
        self.assertEqual(
            [
                (LinkState.CONNECTING, 0, 0),
                (LinkState.ONLINE, 3, 1),
                (LinkState.WAITING, 7, 1),
            ],
            states,
        )
        self.assertEqual("the broker closed the connection", self.link.status.problem)
        self.assertEqual("mqtt://broker.lan", self.link.status.url)

    def test_a_broker_that_hangs_up_before_it_answers_is_told_from_one_that_is_lost(self) -> None:
        self.endpoint.accept().gone()
        self.assertEqual(
            "the broker closed the connection instead of answering", self.link.status.problem
        )

    def test_says_that_the_bridge_is_online(self) -> None:
        wire = self.online()
        [packet] = wire.heard()
        self.assertEqual(
            ("hargassner/boiler/status", "online", True),
            (packet.topic, packet.payload, packet.retain),
        )

    def test_leaves_offline_and_says_goodbye(self) -> None:
        wire = self.online()
        wire.heard()
        stopped = self.link.stopService()
        last, goodbye = wire.heard()
        self.assertEqual(
            ("hargassner/boiler/status", "offline", True), (last.topic, last.payload, last.retain)
        )
        self.assertEqual("DISCONNECT", goodbye.kind)
        self.assertTrue(wire.disconnecting)
        self.successResultOf(stopped)
        self.assertEqual(LinkState.STOPPED, self.state)

    def test_the_views_last_words_go_out_before(self) -> None:
        wire = self.online()
        wire.heard()
        for number in range(3 * SLICE):
            self.link.publish(f"a/{number}", "1")
        self.link.stopService()
        said = wire.published()
        self.assertEqual(3 * SLICE + 1, len(said))
        self.assertEqual(("hargassner/boiler/status", "offline"), said[-1])

    def test_leaves_offline_as_its_last_will(self) -> None:
        [packet] = self.endpoint.accept().heard()
        self.assertIn(b"hargassner/boiler/status\x00\x07offline", packet.body)

    def test_a_broker_that_does_not_read_cannot_hold_us(self) -> None:
        wire = self.online()
        wire.fill()
        wire.closes = False
        stopped = self.link.stopService()
        self.clock.advance(GRACE - 0.1)
        self.assertFalse(wire.aborted)
        self.clock.advance(0.1)
        self.assertTrue(wire.aborted)
        self.successResultOf(stopped)

    def test_no_producer_keeps_the_transport_from_closing(self) -> None:
        wire = self.online()
        self.assertIsNotNone(wire.producer)
        self.link.stopService()
        self.assertIsNone(wire.producer)

    def test_stops_while_the_broker_has_not_answered(self) -> None:
        wire = self.endpoint.accept()
        self.successResultOf(self.link.stopService())
        self.assertTrue(wire.aborted)

    def test_stops_while_it_connects(self) -> None:
        self.successResultOf(self.link.stopService())
        self.assertEqual([], self.log.at(LogLevel.warn))

    def test_a_view_can_stop_it_as_soon_as_it_is_online(self) -> None:
        """Nothing is said after the goodbye, and no timer is left."""
        self.link.publish("a", "1")
        self.link.on_status(
            lambda status: status.state is LinkState.ONLINE and self.link.stopService()
        )
        wire = self.online()
        first, last, goodbye = wire.heard()
        self.assertEqual(("a", "offline"), (first.topic, last.payload))
        self.assertEqual("DISCONNECT", goodbye.kind)

    def test_can_start_again(self) -> None:
        self.online()
        self.link.stopService()
        self.link.startService()
        self.assertIn(("hargassner/boiler/status", "online"), self.online().published())

    def test_loss_and_return_are_logged_once(self) -> None:
        self.online().gone()
        for _ in range(20):
            self.wait_for_attempt(62)
            self.endpoint.refuse()
        self.wait_for_attempt(62)
        wire = self.online()
        self.assertEqual(
            [
                "connected to the MQTT broker mqtt://broker.lan",
                "no link to mqtt://broker.lan: the broker closed the connection",
                "no link to mqtt://broker.lan: no broker listens there",
                "connected to the MQTT broker mqtt://broker.lan",
            ],
            self.log.lines,
        )
        wire.gone()
        self.assertEqual(self.log.lines[4:], [self.log.lines[1]], "the next loss is another one")

    def test_a_status_that_stays_the_same_keeps_its_time(self) -> None:
        self.endpoint.refuse()
        for _ in range(5):
            self.wait_for_attempt(62)
            self.endpoint.refuse()
        self.assertGreater(self.clock.seconds(), 0)
        self.assertEqual((LinkState.WAITING, 0), (self.state, self.link.status.since))
        self.assertEqual(2, len(self.statuses), "and nobody is told again")

    def test_an_observer_that_raises_costs_nothing(self) -> None:
        def fail(_: LinkStatus) -> None:
            raise RuntimeError("a view's own mistake")

        self.link.on_status(fail)
        later: list[LinkStatus] = []
        self.link.on_status(later.append)
        wire = self.online()
        self.assertEqual([("hargassner/boiler/status", "online")], wire.published())
        self.link.stopService()
        self.assertEqual([LinkState.ONLINE, LinkState.STOPPED], [each.state for each in later])
        self.assertEqual(2, len(self.flushLoggedErrors(RuntimeError)))


class BackoffTests(LinkCase):
    """How long the link waits for its next attempt."""

    def refused(self, code: int) -> None:
        wire = self.endpoint.accept()
        wire.says(refusal(code))
        self.assertTrue(wire.aborted)

    def test_a_broker_that_is_away_is_tried_for_ever_and_not_often(self) -> None:
        waits = []
        for _ in range(30):
            self.endpoint.refuse()
            waits.append(self.wait_for_attempt(int(RETRY_LONGEST) + 2))
        self.assertLessEqual(waits[0], 2)
        self.assertGreaterEqual(min(waits[10:]), RETRY_LONGEST)
        self.assertEqual("no broker listens there", self.link.status.problem)
        self.assertEqual(LinkState.WAITING, self.state)

    def test_a_broker_that_accepts_and_never_answers_is_given_up(self) -> None:
        wire = self.endpoint.accept()
        self.clock.advance(ANSWER_TIMEOUT - 1)
        self.assertFalse(wire.aborted)
        self.clock.advance(1)
        self.assertTrue(wire.aborted)
        self.assertEqual(
            "the broker accepts connections and does not answer", self.link.status.problem
        )

    def test_a_black_hole_is_tried_less_and_less(self) -> None:
        """Connections that are accepted are no success until the broker has answered."""
        waits = []
        for _ in range(12):
            self.endpoint.accept()
            self.clock.advance(ANSWER_TIMEOUT)
            waits.append(self.wait_for_attempt(int(RETRY_LONGEST) + 2))
        self.assertGreaterEqual(waits[-1], RETRY_LONGEST)

    def test_a_wrong_password_is_said_once_and_tried_slowly(self) -> None:
        waits = []
        for _ in range(5):
            self.refused(4)
            waits.append(self.wait_for_attempt(int(REFUSED_RETRY_LONGEST) + 2))
        self.assertGreaterEqual(waits[0], REFUSED_RETRY)
        self.assertGreaterEqual(waits[-1], REFUSED_RETRY_LONGEST)
        why = "the broker refuses us: user name or password is wrong"
        self.assertEqual([f"no link to mqtt://broker.lan: {why}"], self.log.at(LogLevel.warn))
        self.assertEqual((self.state, self.link.status.problem), (LinkState.REFUSED, why))
        self.assertEqual(5, self.link.counters.refusals)

    def test_a_broker_that_will_be_back_is_not_refused_slowly(self) -> None:
        self.refused(3)
        self.assertEqual(LinkState.WAITING, self.state)
        self.wait_for_attempt(2)

    def test_after_a_while_online_the_first_attempt_comes_soon(self) -> None:
        for _ in range(8):
            self.endpoint.refuse()
            self.wait_for_attempt(int(RETRY_LONGEST) + 2)
        wire = self.online()
        self.clock.advance(SETTLED)
        wire.gone()
        self.assertLessEqual(self.wait_for_attempt(62), 2)

    def test_who_is_thrown_out_again_and_again_comes_back_less_and_less(self) -> None:
        """Two bridges of the same name do this to each other."""
        waits = []
        for _ in range(10):
            self.online().gone()
            waits.append(self.wait_for_attempt(int(RETRY_LONGEST) + 2))
        self.assertGreaterEqual(waits[-1], RETRY_LONGEST)

    def test_a_frozen_broker_is_noticed(self) -> None:
        wire = self.online()
        for _ in range(KEEPALIVE):
            self.clock.advance(1)
        self.assertEqual("PINGREQ", wire.heard()[-1].kind)
        for _ in range(KEEPALIVE):
            self.clock.advance(1)
        self.assertTrue(wire.aborted)
        self.assertEqual("the broker does not answer any more", self.link.status.problem)

    def test_a_quiet_broker_that_answers_is_kept(self) -> None:
        wire = self.online()
        for _ in range(10 * KEEPALIVE):
            self.clock.advance(1)
            for each in wire.heard():
                if each.kind == "PINGREQ":
                    wire.says(PONG)
        self.assertEqual(LinkState.ONLINE, self.state)


class PublishTests(LinkCase):
    """What is published, when, and what waits."""

    def test_goes_out_at_once(self) -> None:
        wire = self.online()
        wire.heard()
        self.link.publish("a", "1")
        self.link.publish("a", "2")
        self.link.publish("b", "x", retain=False)
        first, second, third = wire.heard()
        self.assertEqual(("1", "2"), (first.payload, second.payload))
        self.assertTrue(first.retain)
        self.assertFalse(third.retain)
        self.assertEqual(4, self.link.counters.published)

    def test_what_is_retained_is_said_after_the_first_connection(self) -> None:
        self.link.publish("a", "1")
        self.link.publish("a", "2")
        self.link.publish("b", "1", retain=False)
        self.assertEqual(
            [("a", "2"), ("hargassner/boiler/status", "online")], self.online().published()
        )
        self.assertEqual(1, self.link.counters.dropped)

    def test_what_is_retained_is_said_again_after_each_connection(self) -> None:
        wire = self.online()
        self.link.publish("a", "1")
        self.link.publish("b", "1")
        wire.gone()
        self.link.publish("a", "2")
        self.wait_for_attempt(3)
        self.assertEqual(
            [("a", "2"), ("b", "1"), ("hargassner/boiler/status", "online")],
            self.online().published(),
        )

    def test_the_bridge_is_online_only_after_its_values_are_current(self) -> None:
        """Whoever sees ``online`` must not take what the broker retained before for current."""
        for number in range(SLICE):
            self.link.publish(f"a/{number}", "new")
        wire = self.online()
        self.clock.advance(0)
        self.assertEqual(("hargassner/boiler/status", "online"), wire.published()[-1])

    def test_observers_are_told_before_anything_is_said_again(self) -> None:
        self.link.publish("a", "1")

        def listener(status: LinkStatus) -> None:
            if status.state is LinkState.ONLINE:
                self.assertEqual([], wire.published())
                self.link.publish("b", "from the observer")
                self.link.publish("a", "2")

        wire = self.endpoint.accept()
        wire.heard()
        self.link.on_status(listener)
        wire.says(CONNACK)
        self.assertEqual(
            [("a", "2"), ("b", "from the observer"), ("hargassner/boiler/status", "online")],
            wire.published(),
        )

    def test_many_topics_do_not_hold_the_reactor(self) -> None:
        """They are said again slice by slice, and everything is said."""
        for number in range(500):
            self.link.publish(f"a/{number}", "1")
        wire = self.online()
        turns = [len(wire.published())]

        def another_turn() -> None:
            turns.append(len(wire.published()))
            if self.link.waiting:
                self.clock.callLater(0, another_turn)

        self.clock.callLater(0, another_turn)
        self.clock.advance(0)
        self.assertEqual((SLICE, 501), (max(turns), sum(turns)))

    def test_a_burst_of_news_does_not_hold_the_reactor(self) -> None:
        """A slice goes out at once, the rest in the next turns."""
        wire = self.online()
        self.clock.advance(0)
        wire.heard()
        for number in range(3 * SLICE):
            self.link.publish(f"a/{number}", "1")
        self.assertEqual((SLICE, 2 * SLICE), (len(wire.published()), self.link.waiting))
        self.clock.advance(0)
        self.assertEqual((2 * SLICE, 0), (len(wire.published()), self.link.waiting))
        for number in range(SLICE):
            self.link.publish(f"a/{number}", "2")
        self.assertEqual(SLICE, len(wire.published()))

    def test_what_comes_meanwhile_does_not_overtake(self) -> None:
        for number in range(2 * SLICE):
            self.link.publish(f"a/{number}", "1")
        wire = self.online()
        self.link.publish(f"a/{SLICE}", "2")
        self.link.publish("b", "1")
        while self.link.waiting:
            self.clock.advance(0)
        said = wire.published()
        self.assertEqual((f"a/{SLICE}", "2"), said[SLICE])
        self.assertEqual(("b", "1"), said[-1])
        self.assertEqual(2 * SLICE + 2, len(said))

    def test_while_the_broker_does_not_read_the_newest_of_each_topic_waits(self) -> None:
        wire = self.online()
        wire.heard()
        wire.fill()
        for value in range(10_000):
            self.link.publish("a", str(value))
        self.assertEqual((1, b""), (self.link.waiting, wire.value()))
        wire.drain()
        self.assertEqual([("a", "9999")], wire.published())

    def test_while_the_broker_does_not_read_a_limited_number_of_events_waits(self) -> None:
        wire = self.online()
        wire.heard()
        wire.fill()
        for value in range(10_000):
            self.link.publish("b", str(value), retain=False)
        self.assertEqual((MOST_EVENTS, b""), (self.link.waiting, wire.value()))
        self.assertEqual(10_000 - MOST_EVENTS, self.link.counters.dropped)

    def test_none_of_many_results_for_one_parameter_is_lost(self) -> None:
        wire = self.online()
        self.clock.advance(0)
        wire.heard()
        results = [("par_4/result", str(number)) for number in range(3 * SLICE)]
        for topic, payload in results:
            self.link.publish(topic, payload, retain=False)
        while self.link.waiting:
            self.clock.advance(0)
        self.assertEqual(wire.published(), results)

    def test_a_broker_that_fills_up_half_way_gets_the_rest_later(self) -> None:
        for number in range(10):
            self.link.publish(f"a/{number}", "1")
        wire = self.endpoint.accept()
        wire.heard()
        written = wire.write

        def write(data: bytes) -> None:
            written(data)
            wire.fill()

        self.patch(wire, "write", write)
        wire.says(CONNACK)
        said = []
        for _ in range(11):
            said += wire.published()
            self.assertEqual(11, len(said) + self.link.waiting)
            wire.drain()
        self.assertEqual("hargassner/boiler/status", [topic for topic, _ in said][-1])

    def test_what_is_not_retained_does_not_outlive_the_connection(self) -> None:
        wire = self.online()
        wire.fill()
        self.link.publish("a", "1", retain=False)
        wire.gone()
        self.assertEqual((0, 1), (self.link.waiting, self.link.counters.dropped))
        self.wait_for_attempt(3)
        self.assertNotIn(("a", "1"), self.online().published())

    def test_a_cleared_topic_is_cleared_and_not_said_again(self) -> None:
        wire = self.online()
        self.link.publish("a", "1")
        wire.heard()
        self.link.clear("a")
        [packet] = wire.heard()
        self.assertEqual(("a", "", True), (packet.topic, packet.payload, packet.retain))
        wire.gone()
        self.wait_for_attempt(3)
        self.assertNotIn(("a", "1"), self.online().published())

    def test_a_topic_cleared_while_away_is_cleared_after_the_return(self) -> None:
        wire = self.online()
        self.link.publish("a", "1")
        wire.gone()
        self.link.clear("a")
        self.wait_for_attempt(3)
        self.assertIn(("a", ""), self.online().published())

    def test_what_mqtt_does_not_allow_is_refused_and_raises_nothing(self) -> None:
        wire = self.online()
        wire.heard()
        self.link.publish("a/+", "1")
        self.link.publish("a", "\udc00")
        self.assertEqual([], wire.heard())
        self.assertEqual(2, len(self.log.at(LogLevel.error)))

    def test_after_the_end_nothing_is_published(self) -> None:
        wire = self.online()
        self.link.stopService()
        wire.heard()
        self.link.publish("a", "1")
        self.assertEqual((b"", 0), (wire.value(), self.link.waiting))


class SubscribeTests(LinkCase):
    """What is heard."""

    def setUp(self) -> None:
        super().setUp()
        self.heard: list[tuple[str, str]] = []
        self.link.subscribe("p/+/set", self.hear)

    def hear(self, topic: str, payload: str) -> None:
        self.heard.append((topic, payload))

    def test_subscribes_after_each_connection(self) -> None:
        for _ in range(2):
            wire = self.online()
            filters = [each.topic_filter for each in wire.heard() if each.kind == "SUBSCRIBE"]
            self.assertEqual(["p/+/set"], filters)
            wire.gone()
            self.wait_for_attempt(3)

    def test_subscribes_at_once_while_online(self) -> None:
        wire = self.online()
        wire.heard()
        self.link.subscribe("homeassistant/status", lambda *_: None)
        self.link.subscribe("homeassistant/status", lambda *_: None)
        [packet] = wire.heard()
        self.assertEqual("homeassistant/status", packet.topic_filter)

    def test_live_messages_reach_those_who_subscribed_to_them(self) -> None:
        wire = self.online()
        wire.says(published("p/par_4/set", b"21.5") + published("p/par_4/state", b"x"))
        wire.says(published("p/par_5/set", b"22", retain=True))
        self.assertEqual([("p/par_4/set", "21.5")], self.heard)

    def test_a_handler_that_raises_costs_nothing(self) -> None:
        def fail(_topic: str, _payload: str) -> None:
            raise RuntimeError("a view's own mistake")

        self.link.subscribe("p/#", fail)
        wire = self.online()
        wire.says(published("p/par_4/set", b"1") + published("p/par_4/set", b"2"))
        self.assertEqual([("p/par_4/set", "1"), ("p/par_4/set", "2")], self.heard)
        self.assertEqual(LinkState.ONLINE, self.state)
        self.assertEqual(2, len(self.flushLoggedErrors(RuntimeError)))

    def test_a_handler_can_publish(self) -> None:
        self.link.subscribe("p/ask", lambda *_: self.link.publish("p/answer", "1"))
        wire = self.online()
        wire.heard()
        wire.says(published("p/ask", b""))
        self.assertEqual([("p/answer", "1")], wire.published())

    def test_a_handler_can_subscribe(self) -> None:
        self.link.subscribe("p/more", lambda *_: self.link.subscribe("p/else", self.hear))
        wire = self.online()
        wire.says(published("p/more", b"") + published("p/else", b"1"))
        self.assertEqual([("p/else", "1")], self.heard)

    def test_what_cannot_be_read_is_counted(self) -> None:
        wire = self.online()
        wire.says(published("p/par_4/set", b"\xff") + published("p/par_4/set", bytes(70_000)))
        self.clock.advance(0)
        self.assertEqual(([], 2), (self.heard, self.link.counters.dropped))

    def test_who_wants_to_know_is_told_of_what_cannot_be_read(self) -> None:
        unreadable: list[tuple[str, str]] = []
        self.link.subscribe("q/+", self.hear, lambda *what: unreadable.append(what))
        self.online().says(published("q/1", b"\xff") + published("q/2", b"1"))
        self.assertEqual(([("q/2", "1")], [("q/1", "no text in UTF-8")]), (self.heard, unreadable))

    def test_a_refused_subscription_is_said(self) -> None:
        wire = self.online()
        [packet] = [each for each in wire.heard() if each.kind == "SUBSCRIBE"]
        wire.says(subscribed(packet.number, 0x80))
        self.assertEqual(
            ["mqtt://broker.lan: the broker does not let us subscribe to p/+/set"],
            self.log.at(LogLevel.warn),
        )
        self.assertEqual(LinkState.ONLINE, self.state)

    def test_a_broker_that_asks_and_does_not_read_is_given_up(self) -> None:
        """What it is owed is bounded."""
        wire = self.online()
        wire.heard()
        wire.fill()
        ping = b"\xc0\x00"
        wire.says(ping * (MOST_UNREAD // 2))
        self.clock.advance(0)
        self.assertFalse(wire.aborted)
        wire.says(ping)
        self.clock.advance(0)
        self.assertTrue(wire.aborted)
        self.assertEqual("the broker sends and does not read", self.link.status.problem)

    def test_who_is_given_up_is_not_listened_to(self) -> None:
        """Whatever else came with the bytes that were too many."""
        wire = self.endpoint.accept()
        wire.fill()
        wire.says(b"\xc0\x00" * MOST_UNREAD + CONNACK + published("p/par_4/set", b"1"))
        self.clock.advance(0)
        self.assertEqual((LinkState.WAITING, []), (self.state, self.heard))


class NameTests(ClockCase):
    """The bridge's name at the broker."""

    def test_names_are_readable_and_safe_in_access_lists(self) -> None:
        self.assertEqual("hargassner:boiler", client_id("hargassner/boiler"))
        self.assertEqual("haus:keller%25:a%3Ab", client_id("haus/keller%/a:b"))

    def test_the_name_is_sent(self) -> None:
        endpoint = BrokerEndpoint(self.clock)
        clock: Any = self.clock
        link = BrokerLink(MqttConfig(url="mqtt://b", node="cellar"), clock, endpoint)
        link.startService()
        self.addCleanup(link.stopService)
        [packet] = endpoint.accept().heard()
        self.assertIn(b"\x00\x11hargassner:cellar", packet.body)
