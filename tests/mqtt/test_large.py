"""A broker that closes the connection for a message that is too large for it."""

from twisted.logger import LogLevel

from hargassner.mqtt.interfaces import LinkState
from hargassner.mqtt.limit import LARGE, PROOFS
from tests.mqtt.link_case import LinkCase, Wire
from tests.mqtt.packets import UNSUBSCRIBED, Packet

STATUS = ("hargassner/boiler/status", "online")


class LargeCase(LinkCase):
    """A link that has something large to say."""

    size = 100_000

    def setUp(self) -> None:
        super().setUp()
        self.link.publish("large", "x" * self.size)

    def connect(self) -> tuple[Wire, list[Packet]]:
        """The next connection, and what is sent on it at once."""
        self.wait_for_attempt(62)
        wire = self.online()
        self.clock.advance(0)
        return wire, wire.heard()

    def thrown_out(self, times: int) -> None:
        """The broker closes the connection for the large message."""
        for _ in range(times):
            wire, sent = self.connect()
            self.assertIn("large", [each.topic for each in sent if each.kind == "PUBLISH"])
            wire.gone()


class LimitTests(LargeCase):
    """When a payload counts as too large."""

    def test_one_for_which_connections_end_in_a_row_is_not_sent_any_more(self) -> None:
        self.thrown_out(PROOFS)
        self.assertEqual(self.link.status.limit, self.size)
        wire, sent = self.connect()
        self.assertEqual([STATUS], [(each.topic, each.payload) for each in sent])
        self.link.publish("large", "x" * self.size)
        self.link.publish("smaller", "x" * (self.size - 1))
        self.assertEqual(["smaller"], [topic for topic, _ in wire.published()])
        self.assertEqual(LinkState.ONLINE, self.state)

    def test_what_is_not_sent_is_counted(self) -> None:
        self.thrown_out(PROOFS)
        self.connect()
        dropped = self.link.counters.dropped
        self.link.publish("large", "x" * self.size)
        self.assertEqual(dropped + 1, self.link.counters.dropped)

    def test_it_is_said_once(self) -> None:
        self.thrown_out(PROOFS)
        for _ in range(3):
            self.connect()[0].gone()
        [said] = [each for each in self.log.at(LogLevel.warn) if "100000 bytes" in each]
        self.assertIn("max_packet_size", said)

    def test_observers_are_told_with_the_loss(self) -> None:
        self.thrown_out(PROOFS)
        self.assertEqual([each.limit for each in self.statuses[-2:]], [0, self.size])
        self.assertEqual(LinkState.WAITING, self.statuses[-1].state)

    def test_one_loss_may_have_another_cause(self) -> None:
        self.thrown_out(1)
        self.assertEqual(0, self.link.status.limit)
        for _ in range(5):
            wire, _ = self.connect()
            wire.says(UNSUBSCRIBED)
            wire.gone()
        self.thrown_out(1)
        self.assertEqual(0, self.link.status.limit)

    def test_a_broker_that_took_it_is_not_suspected(self) -> None:
        """Two bridges of the same name throw each other out again and again."""
        for _ in range(10):
            wire, _ = self.connect()
            wire.says(UNSUBSCRIBED)
            wire.gone()
        self.assertEqual(0, self.link.status.limit)

    def test_a_broker_that_freezes_is_not_suspected(self) -> None:
        for _ in range(4):
            self.connect()
            for _ in range(90):
                self.clock.advance(1)
        self.assertEqual(0, self.link.status.limit)

    def test_of_several_the_first_that_was_not_taken_counts(self) -> None:
        for topic, size in (("small", LARGE), ("larger", 2 * self.size)):
            self.link.publish(topic, "x" * size)
        for _ in range(PROOFS):
            wire, _ = self.connect()
            # Of the three it took those that it was sent first.
            wire.says(UNSUBSCRIBED * 2)
            wire.gone()
        self.assertEqual(self.link.status.limit, 2 * self.size)


class SmallTests(LargeCase):
    """Of what every broker takes nothing is asked."""

    size = LARGE - 1

    def test_a_small_one_is_never_suspected(self) -> None:
        for _ in range(5):
            wire, sent = self.connect()
            self.assertNotIn("UNSUBSCRIBE", [each.kind for each in sent])
            wire.gone()
        self.assertEqual(0, self.link.status.limit)

    def test_an_answer_to_nothing_is_borne(self) -> None:
        wire, _ = self.connect()
        wire.says(UNSUBSCRIBED)
        self.assertEqual(LinkState.ONLINE, self.state)
