"""More messages than anybody can keep up with: all are handled, in their turn."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hargassner.mqtt.intake import MOST_AT_ONCE, SLICE
from hargassner.mqtt.link_states import ENOUGH
from hargassner.mqtt.outbox import MOST_EVENTS
from tests.mqtt.link_case import MOST_READ, LinkCase, Wire
from tests.mqtt.packets import published

COMMAND = "p/par_4/set"
RESULT = "p/par_4/result"


def commands(first: int, last: int) -> bytes:
    """Commands as the broker sends them; some are no text, some too large."""
    said = bytearray()
    for number in range(first, last):
        if number % 50 == 20:
            said += published(COMMAND, b"\xff")
        elif number % 500 == 30:
            said += published(COMMAND, bytes(70_000))
        else:
            said += published(COMMAND, str(number).encode())
    return bytes(said)


class FloodCase(LinkCase):
    """A link whose subscriber answers each message, with a number."""

    def setUp(self) -> None:
        super().setUp()
        self.answered = 0
        self.link.subscribe("p/+/set", self.answer, self.answer)

    def answer(self, _topic: str, _what: str) -> None:
        self.answered += 1
        self.link.publish(RESULT, str(self.answered), retain=False)

    def results(self, wire: Wire) -> list[str]:
        """The results that the broker has received since it was asked last."""
        return [payload for topic, payload in wire.published() if topic == RESULT]


class TurnTests(FloodCase):
    """What is done in one turn of the reactor is bounded."""

    def test_a_slice_is_taken_in_a_turn_and_nothing_is_read_meanwhile(self) -> None:
        wire = self.online()
        wire.says(commands(0, 1_000)[:MOST_READ])
        turns = [self.answered]

        def another_turn() -> None:
            turns.append(self.answered)
            if wire.coming or wire.producerState != "producing":
                self.clock.callLater(0, another_turn)

        self.assertEqual("paused", wire.producerState)
        self.clock.callLater(0, another_turn)
        self.clock.advance(0)
        steps = [later - one for one, later in pairwise(turns)]
        self.assertLessEqual(max(turns[0], *steps), MOST_AT_ONCE)
        self.assertGreater(len(turns), 20)
        self.assertEqual("producing", wire.producerState)

    def test_many_small_messages_take_several_turns(self) -> None:
        wire = self.online()
        wire.says(published("p/1/set", b"") * 60)
        self.assertEqual(20, self.answered)
        self.clock.advance(0)
        self.assertEqual(60, self.answered)

    def test_what_is_too_large_is_passed_over_in_slices_too(self) -> None:
        wire = self.online()
        wire.says(published(COMMAND, bytes(10 * MOST_READ)) + commands(0, 1))
        self.clock.advance(0)
        self.assertEqual(["1", "2"], self.results(wire))
        self.assertEqual(1, self.link.counters.dropped)

    def test_one_message_is_handled_at_once(self) -> None:
        wire = self.online()
        wire.says(commands(0, 1))
        self.assertEqual(["1"], self.results(wire))
        self.assertEqual("producing", wire.producerState)


class ResultTests(FloodCase):
    """Each message has its answer."""

    def test_none_is_lost_and_they_keep_their_order(self) -> None:
        wire = self.online()
        wire.says(commands(0, 3_000))
        self.clock.advance(0)
        self.assertEqual(self.results(wire), [str(each) for each in range(1, 3_001)])

    def test_while_the_broker_does_not_read_nothing_is_read(self) -> None:
        """The messages wait at the broker, and only a few answers here."""
        wire = self.online()
        wire.fill()
        wire.says(commands(0, 5_000))
        self.clock.advance(0)
        self.assertLess(self.link.waiting, ENOUGH + 2 * MOST_AT_ONCE)
        self.assertGreaterEqual(len(wire.coming), len(commands(0, 5_000)) - 2 * MOST_READ)
        self.assertEqual("paused", wire.producerState)
        wire.drain()
        self.clock.advance(0)
        self.assertEqual(self.results(wire), [str(each) for each in range(1, 5_001)])

    def test_nothing_is_handled_before_enough_of_what_waits_is_sent(self) -> None:
        """Though the broker reads again: it takes several turns."""
        wire = self.online()
        waiting: list[int] = []
        self.link.subscribe("p/+/set", lambda *_: waiting.append(self.link.waiting))
        wire.fill()
        wire.says(published(COMMAND, b"1") * 5_000)
        self.clock.advance(0)
        while self.link.waiting < MOST_EVENTS:
            self.link.publish("p/event", "", retain=False)
        waiting.clear()
        wire.drain()
        self.clock.advance(0)
        self.assertEqual(5_000, self.answered)
        self.assertLess(waiting[0], ENOUGH)

    def test_little_that_comes_while_enough_waits_is_not_read_either(self) -> None:
        wire = self.online()
        wire.fill()
        for number in range(MOST_EVENTS + 10):
            wire.says(commands(number, number + 1))
            self.clock.advance(0)
        self.assertLess(self.link.waiting, ENOUGH + 2 * MOST_AT_ONCE)
        wire.drain()
        self.clock.advance(0)
        self.assertEqual(MOST_EVENTS + 10, len(self.results(wire)))

    def test_with_the_connection_ends_what_was_not_taken_in(self) -> None:
        wire = self.online()
        wire.says(commands(0, 1_000)[: 20 * SLICE])
        wire.gone()
        answered = self.answered
        self.clock.advance(0)
        self.assertEqual(self.answered, answered)

    def test_a_stop_in_the_midst_of_it_reads_on_and_answers_no_more(self) -> None:
        """Who closes with something unread resets the connection, and loses the goodbye."""
        wire = self.online()
        wire.closes = False
        wire.says(commands(0, 1_000))
        answered = self.answered
        self.link.stopService()
        self.clock.advance(0)
        self.assertEqual(("producing", b""), (wire.producerState, wire.coming))
        self.assertEqual(self.answered, answered)
        self.assertEqual("DISCONNECT", wire.heard()[-1].kind)
        wire.gone()


class Laws(FloodCase):
    """However the messages come and the broker reads."""

    @given(st.lists(st.one_of(st.integers(1, 200), st.sampled_from(("fill", "drain", "turn")))))
    def test_each_has_one_answer_in_its_order(self, steps: list[int | str]) -> None:
        wire = self.online()
        first, given_ = self.answered, 0
        for step in steps:
            if isinstance(step, int):
                wire.says(commands(given_, given_ + step))
                given_ += step
            elif step == "turn":
                self.clock.advance(0)
            elif step == "fill":
                wire.fill()
            else:
                wire.drain()
            self.assertLess(self.link.waiting, MOST_EVENTS)
        wire.drain()
        self.clock.advance(0)
        results = [str(each) for each in range(first + 1, first + given_ + 1)]
        self.assertEqual(self.results(wire), results)
        wire.gone()
        self.wait_for_attempt(62)
