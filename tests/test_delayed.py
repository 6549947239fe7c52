"""Something that is done a little later, once."""

from hargassner.delayed import Delayed
from tests.cases import ClockCase


class DelayedTests(ClockCase):
    """An action after a delay."""

    def setUp(self) -> None:
        super().setUp()
        self.done: list[float] = []
        self.delayed = Delayed(self.clock, 2.0, lambda: self.done.append(self.clock.seconds()))

    def test_is_done_after_the_delay(self) -> None:
        self.delayed.start()
        self.assertTrue(self.delayed.is_waiting)
        self.clock.advance(2)
        self.assertEqual(([2.0], False), (self.done, self.delayed.is_waiting))

    def test_is_done_once_however_often_it_is_started(self) -> None:
        self.delayed.start()
        self.clock.advance(1)
        self.delayed.start()
        self.clock.pump([1] * 9)
        self.assertEqual([2.0], self.done)

    def test_can_be_started_with_another_delay(self) -> None:
        self.delayed.start(5.0)
        self.clock.pump([1] * 9)
        self.delayed.start()
        self.clock.advance(2)
        self.assertEqual([5.0, 11.0], self.done)

    def test_can_be_started_again_by_its_own_action(self) -> None:
        again = Delayed(self.clock, 1.0, lambda: self.done.append(0.0) or again.start())
        again.start()
        self.clock.pump([1] * 3)
        self.assertEqual(3, len(self.done))
        again.cancel()

    def test_cancelled_it_is_not_done(self) -> None:
        self.delayed.start()
        self.delayed.cancel()
        self.delayed.cancel()
        self.clock.advance(9)
        self.assertEqual(([], False), (self.done, self.delayed.is_waiting))
