"""MQTT without I/O: bytes in, events out."""

from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st
from paho.mqtt import client as paho
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.mqtt.engine import KEEPALIVE, Engine
from hargassner.mqtt.events import (
    Admitted,
    ConnectionProblem,
    Event,
    NotSubscribed,
    Received,
    Unreadable,
)
from hargassner.mqtt.messages import Identity, Message
from tests.mqtt.packets import (
    CONNACK,
    PONG,
    Packet,
    packets,
    published,
    refusal,
    subscribed,
)

WILL = Message("p/status", b"offline", retain=True)


def begun(identity: Identity | None = None) -> Engine:
    """An engine that has asked to be accepted."""
    engine = Engine(identity or Identity("hargassner:boiler", WILL))
    engine.begin()
    return engine


def accepted() -> Engine:
    """An engine that the broker has accepted."""
    engine = begun()
    engine.take()
    engine.feed(CONNACK)
    return engine


def taken(engine: Engine) -> list[Packet]:
    """What the engine wants sent."""
    return packets(engine.take())


class PahoTests(SynchronousTestCase):
    """Paho is what the engine takes it for."""

    def test_paho_still_has_the_one_private_name_that_we_override(self) -> None:
        """``Client._create_socket`` is where paho gets its socket from; without it, it would
        open a real one, and block."""
        self.assertTrue(callable(getattr(paho.Client, "_create_socket", None)))

    def test_paho_gets_its_socket_from_there(self) -> None:
        """No packet of ours goes another way."""
        self.assertEqual(["CONNECT"], [each.kind for each in taken(begun())])

    def test_paho_tells_the_time_by_a_name_that_tests_can_replace(self) -> None:
        self.assertTrue(callable(paho.time_func))


class ConnectTests(SynchronousTestCase):
    """The engine introduces itself."""

    def connect(self, identity: Identity) -> bytes:
        [packet] = taken(begun(identity))
        self.assertEqual("CONNECT", packet.kind)
        return packet.body

    def test_asks_with_keepalive_clean_session_and_last_will(self) -> None:
        body = self.connect(Identity("hargassner:boiler", WILL))
        self.assertEqual(b"\x00\x04MQTT\x04", body[:7])
        self.assertEqual(0b00100110, body[7], "retained will in QoS 0, clean session")
        self.assertEqual(KEEPALIVE, int.from_bytes(body[8:10]))
        self.assertEqual(b"\x00\x11hargassner:boiler\x00\x08p/status\x00\x07offline", body[10:])

    def test_sends_user_and_password(self) -> None:
        body = self.connect(Identity("x", WILL, "ü", "pass"))
        self.assertEqual(0b11100110, body[7])
        self.assertTrue(body.endswith(b"\x00\x02\xc3\xbc\x00\x04pass"))

    def test_a_user_needs_no_password(self) -> None:
        body = self.connect(Identity("x", WILL, "u"))
        self.assertEqual(0b10100110, body[7])
        self.assertTrue(body.endswith(b"\x00\x01u"))

    def test_the_password_is_not_in_its_representation(self) -> None:
        self.assertNotIn("geheim", repr(Identity("x", WILL, "u", "geheim")))

    def test_is_admitted(self) -> None:
        self.assertEqual([Admitted()], begun().feed(CONNACK))

    def test_refusals_that_last_are_told_from_those_that_may_pass(self) -> None:
        for code, word, lasting in [
            (2, "client id", True),
            (3, "unavailable", False),
            (4, "password", True),
            (5, "authorized", True),
        ]:
            [problem] = begun().feed(refusal(code))
            assert isinstance(problem, ConnectionProblem)
            self.assertIn(word, problem.why)
            self.assertEqual(problem.lasting, lasting, problem.why)

    def test_a_broker_of_another_version_is_no_broker_for_us(self) -> None:
        [problem] = begun().feed(refusal(1))
        self.assertEqual(
            ConnectionProblem("what answers there does not speak MQTT 3.1.1", lasting=True), problem
        )

    def test_whatever_else_answers_is_no_broker(self) -> None:
        [problem] = begun().feed(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(100))
        self.assertEqual(
            ConnectionProblem("what answers there does not speak MQTT 3.1.1", lasting=True), problem
        )

    def test_who_lets_us_in_twice_is_no_broker(self) -> None:
        admitted, problem = begun().feed(CONNACK + CONNACK + CONNACK)
        self.assertEqual(Admitted(), admitted)
        self.assertIsInstance(problem, ConnectionProblem)

    def test_nothing_follows_a_refusal(self) -> None:
        engine = begun()
        engine.feed(refusal(5))
        self.assertEqual([], engine.feed(CONNACK + published("a", b"1")))
        self.assertEqual([], engine.tick())


class MessagesTests(SynchronousTestCase):
    """The engine publishes, subscribes and receives."""

    def test_publishes_at_once(self) -> None:
        engine = accepted()
        engine.publish(Message("a/b", "größer".encode(), retain=True))
        engine.publish(Message("a/c", b"", retain=False))
        first, second = taken(engine)
        self.assertEqual(("a/b", "größer", True), (first.topic, first.payload, first.retain))
        self.assertEqual(("a/c", "", False), (second.topic, second.payload, second.retain))
        self.assertEqual((0, 0), (first.flags & 6, engine.pending), "QoS 0, nothing left")

    @given(st.text(min_size=1, max_size=40), st.binary(max_size=20_000), st.booleans())
    def test_publishes_as_the_protocol_has_it(
        self, topic: str, payload: bytes, retain: bool
    ) -> None:
        assume(not set(topic) & set("+#\0"))
        engine = accepted()
        engine.publish(Message(topic, payload, retain))
        self.assertEqual(published(topic, payload, retain=retain), engine.take())

    def test_subscribes(self) -> None:
        engine = accepted()
        engine.subscribe("a/+/set")
        [packet] = taken(engine)
        self.assertEqual(("SUBSCRIBE", "a/+/set"), (packet.kind, packet.topic_filter))
        self.assertEqual([], engine.feed(subscribed(packet.number)))

    def test_tells_which_subscription_is_refused(self) -> None:
        engine = accepted()
        engine.subscribe("a/+/set")
        engine.subscribe("b")
        first, second = taken(engine)
        events = engine.feed(subscribed(first.number, 0x80) + subscribed(second.number))
        self.assertEqual([NotSubscribed("a/+/set")], events)

    def test_receives_what_is_live(self) -> None:
        events = accepted().feed(published("a/set", "größer".encode()))
        self.assertEqual([Received("a/set", "größer")], events)

    def test_several_packets_can_come_at_once(self) -> None:
        engine = begun()
        events = engine.feed(CONNACK + published("a", b"1") + published("a", b"2"))
        self.assertEqual([Admitted(), Received("a", "1"), Received("a", "2")], events)

    def test_what_was_retained_is_not_heard(self) -> None:
        self.assertEqual([], accepted().feed(published("a/set", b"on", retain=True)))

    def test_what_is_no_text_is_dropped_and_told(self) -> None:
        engine = accepted()
        events = engine.feed(published("a", b"\xff") + b"\x30\x03\x00\x01\xff" + PONG)
        self.assertEqual([Unreadable("a", "no text in UTF-8")], events)
        self.assertEqual(2, engine.dropped)

    def test_what_is_too_large_is_told_in_its_turn(self) -> None:
        engine = accepted()
        large = published("b", bytes(70_000))
        events = engine.feed(published("a", b"1") + large + published("c", b"1"))
        self.assertEqual(
            [Received("a", "1"), Unreadable("b", "longer than 64 kB"), Received("c", "1")], events
        )

    def test_what_would_have_to_be_answered_is_dropped(self) -> None:
        engine = accepted()
        events = engine.feed(published("a", b"on", qos=1) + published("a", b"on", qos=2))
        self.assertEqual(([], 2, b""), (events, engine.dropped, engine.take()))

    def test_says_goodbye_and_nothing_after(self) -> None:
        engine = accepted()
        engine.publish(WILL)
        engine.leave()
        self.assertEqual(["PUBLISH", "DISCONNECT"], [each.kind for each in taken(engine)])
        self.assertEqual([], engine.feed(published("a", b"1")))
        self.assertEqual(([], b""), (engine.tick(), engine.take()))

    @given(st.lists(st.integers(0), max_size=10))
    def test_however_the_network_cuts_it_the_broker_says_the_same(self, places: list[int]) -> None:
        stream = (
            CONNACK
            + published("a", b"1")
            + published("b", "ä".encode())
            + PONG
            + published("c", bytes(300))
        )
        ends = sorted({0, len(stream), *(place % len(stream) for place in places)})
        engine = begun()
        events: list[Event] = []
        for start, end in pairwise(ends):
            events += engine.feed(stream[start:end])
        self.assertEqual(
            [Admitted(), Received("a", "1"), Received("b", "ä"), Received("c", "\0" * 300)], events
        )

    @given(st.binary(max_size=200), st.integers(0, 200))
    def test_whatever_comes_nothing_is_raised(self, data: bytes, place: int) -> None:
        """Rubbish ends the connection, at worst, and the engine owes nobody much."""
        engine = accepted()
        events = engine.feed(data[:place]) + engine.feed(data[place:]) + engine.tick()
        ends = [each for each in events if isinstance(each, ConnectionProblem)]
        self.assertLessEqual(len(ends), 1)
        self.assertLess(engine.pending, 1000)


class KeepaliveTests(SynchronousTestCase):
    """The engine notices a broker that froze."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.patch(paho, "time_func", self.clock.seconds)
        self.engine = accepted()

    def pass_by(self, seconds: int) -> list[Event]:
        events = []
        for _ in range(seconds):
            self.clock.advance(1)
            events += self.engine.tick()
        return events

    def test_a_quiet_connection_is_kept_alive(self) -> None:
        for _ in range(5):
            self.assertEqual([], self.pass_by(KEEPALIVE))
            self.assertEqual(["PINGREQ"], [each.kind for each in taken(self.engine)])
            self.engine.feed(PONG)

    def test_a_broker_that_answers_no_ping_is_given_up(self) -> None:
        self.assertEqual(
            [ConnectionProblem("the broker does not answer any more")],
            self.pass_by(2 * KEEPALIVE + 1),
        )
        self.assertEqual([], self.pass_by(2 * KEEPALIVE))

    def test_it_is_given_up_even_while_we_publish(self) -> None:
        events = []
        for _ in range(2 * KEEPALIVE + 1):
            self.engine.publish(Message("a", b"1", retain=True))
            events += self.pass_by(1)
        self.assertEqual([ConnectionProblem("the broker does not answer any more")], events)
