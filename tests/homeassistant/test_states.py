"""When states are published."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.homeassistant.states import States
from hargassner.mqtt.testing import MemoryBroker

TOPIC = "hargassner/boiler/tk"


class InTurnTests(SynchronousTestCase):
    """A state that changes every second, and may be published every ten."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.broker = MemoryBroker()
        self.states = States(self.broker, self.clock, lambda _: None)
        self.state = ""
        self.reads = 0
        self.reader = self.read
        self.show("1")

    def read(self) -> str:
        """The state."""
        self.reads += 1
        return self.state

    def show(self, state: str) -> None:
        """The state is another one now."""
        self.state = state
        self.states.show_in_turn(TOPIC, self.reader, 10.0)

    def assert_published(self, *states: str) -> None:
        """These were published since the last look."""
        self.assertEqual([(TOPIC, each) for each in states], self.broker.take())

    def test_the_first_one_is_published_at_once(self) -> None:
        """Nobody waits for what was never said."""
        self.assert_published("1")

    def test_what_it_is_when_its_turn_comes_is_published(self) -> None:
        """All that it was meanwhile is not even read."""
        for second in range(2, 8):
            self.clock.advance(1)
            self.show(str(second))
        self.assert_published("1")
        reads = self.reads
        self.clock.advance(4)
        self.assert_published("7")
        self.assertEqual(1, self.reads - reads)

    def test_one_that_is_again_what_it_was_is_not_published(self) -> None:
        """The next change need not wait then."""
        self.clock.advance(1)
        self.show("2")
        self.show("1")
        self.clock.advance(10)
        self.assert_published("1")
        self.show("3")
        self.assert_published("3")

    def test_another_reader_takes_the_turn_over(self) -> None:
        """A channel that is described otherwise is another object under the same topic."""
        self.clock.advance(1)
        self.show("2")
        self.states.show_in_turn(TOPIC, lambda: "other", 10.0)
        self.clock.advance(9)
        self.assert_published("1", "other")

    def test_what_waits_is_published_in_the_end(self) -> None:
        """And nothing is timed any more."""
        self.clock.advance(1)
        self.show("2")
        self.states.stop()
        self.assert_published("1", "2")
        self.assertEqual([], self.clock.getDelayedCalls())

    def test_what_is_forgotten_waits_no_more(self) -> None:
        """Nothing is left under its topic."""
        self.clock.advance(1)
        self.show("2")
        self.states.forget(TOPIC)
        self.clock.advance(10)
        self.assert_published("1", "")
