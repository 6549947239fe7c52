"""What waits to be published, and what is said again."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.mqtt.messages import Message
from hargassner.mqtt.outbox import MOST_EVENTS, Outbox


def drained(outbox: Outbox) -> list[tuple[str, bytes]]:
    """Everything that waits, in the order in which it would be sent."""
    messages = []
    while (message := outbox.next()) is not None:
        messages.append((message.topic, message.payload))
    return messages


class OutboxTests(SynchronousTestCase):
    """Outbox holds the newest payload of each topic."""

    def test_the_newest_payload_takes_the_place_of_an_older_one(self) -> None:
        outbox = Outbox()
        for topic, payload in [("a", b"1"), ("b", b"1"), ("a", b"2")]:
            outbox.wait(Message(topic, payload, retain=True))
        self.assertEqual(2, len(outbox))
        self.assertEqual([("a", b"2"), ("b", b"1")], drained(outbox))

    def test_what_is_kept_does_not_wait_until_it_is_to_be_said_again(self) -> None:
        outbox = Outbox()
        outbox.keep(Message("a", b"1", retain=True))
        self.assertEqual([], drained(outbox))
        outbox.publish_again()
        self.assertEqual([("a", b"1")], drained(outbox))
        outbox.publish_again()
        self.assertEqual([("a", b"1")], drained(outbox))

    def test_what_was_kept_last_is_said_again_whatever_waited(self) -> None:
        outbox = Outbox()
        outbox.wait(Message("a", b"1", retain=True))
        outbox.keep(Message("a", b"2", retain=True))
        outbox.publish_again()
        self.assertEqual([("a", b"2")], drained(outbox))

    def test_what_nobody_retains_waits_each_for_itself_and_in_order(self) -> None:
        outbox = Outbox()
        for topic, payload, retain in [
            ("result", b"1", False),
            ("state", b"1", True),
            ("result", b"2", False),
            ("state", b"2", True),
        ]:
            self.assertEqual(0, outbox.wait(Message(topic, payload, retain)))
        self.assertEqual([("result", b"1"), ("state", b"2"), ("result", b"2")], drained(outbox))

    def test_of_what_nobody_retains_the_oldest_is_lost_when_there_is_too_much(self) -> None:
        outbox = Outbox()
        outbox.wait(Message("state", b"", retain=True))
        lost = [outbox.wait(Message("a", b"%d" % each, False)) for each in range(MOST_EVENTS + 2)]
        self.assertEqual([0] * MOST_EVENTS + [1, 1], lost)
        self.assertEqual([("state", b""), ("a", b"2")], drained(outbox)[:2])
        # There is room again.
        self.assertEqual(0, outbox.wait(Message("a", b"", False)))

    def test_an_interruption_loses_what_no_broker_retains(self) -> None:
        outbox = Outbox()
        for topic, retain in [("a", True), ("b", False), ("c", False)]:
            outbox.wait(Message(topic, b"1", retain))
        self.assertEqual(2, outbox.interrupted())
        self.assertEqual(0, len(outbox))
        self.assertEqual(0, outbox.interrupted())


class MessageTests(SynchronousTestCase):
    """A message has a topic that MQTT allows."""

    def test_topics_that_mqtt_does_not_allow_are_refused(self) -> None:
        for topic in ("", "a/+", "a/#", "a\0", "\udc00", "ä" * 32_768):
            with self.assertRaises(ValueError):
                Message(topic, b"", retain=False)

    def test_the_longest_topic_is_allowed(self) -> None:
        Message("a" * 65_535, b"", retain=False)
