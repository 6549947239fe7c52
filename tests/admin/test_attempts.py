"""Who has to wait until the next password."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.admin.attempts import (
    FORGOTTEN_AFTER,
    LONGEST_WAIT,
    MOST_ADDRESSES,
    MOST_KNOWN,
    WRONG_A_MINUTE,
    Attempts,
)

OWN = "this machine"
STRANGER = "192.0.2.66"
OWNER = "192.0.2.9"


class AttemptsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.attempts = Attempts(self.clock, OWN)

    def guess(self, address: str) -> bool:
        """Try a wrong password, if that is allowed now."""
        if self.attempts.wait(address):
            return False
        self.attempts.failed(address)
        return True

    def exhaust(self) -> None:
        """Have strangers guess until all together have to wait."""
        for number in range(WRONG_A_MINUTE):
            self.assertTrue(self.guess(f"192.0.2.{number + 100}"))

    def test_each_wrong_one_doubles_the_wait_up_to_a_minute(self) -> None:
        waits = []
        for _ in range(9):
            self.assertTrue(self.guess(STRANGER))
            waits.append(self.attempts.wait(STRANGER))
            self.clock.advance(waits[-1])
        self.assertEqual([1, 2, 4, 8, 16, 32, 60, 60, 60], waits)

    def test_a_right_one_ends_the_wait(self) -> None:
        for _ in range(5):
            self.attempts.failed(OWNER)
        self.attempts.succeeded(OWNER)
        self.assertEqual(0, self.attempts.wait(OWNER))
        self.assertEqual(1, self.attempts.failed(OWNER))

    def test_after_an_hour_it_is_forgotten(self) -> None:
        for _ in range(8):
            self.attempts.failed(STRANGER)
        self.clock.advance(FORGOTTEN_AFTER - 1)
        self.assertEqual(9, self.attempts.failed(STRANGER))
        self.clock.advance(FORGOTTEN_AFTER)
        self.assertEqual(1, self.attempts.failed(STRANGER))

    def test_all_together_have_ten_a_minute(self) -> None:
        self.exhaust()
        self.assertEqual(60, self.attempts.wait(STRANGER))
        self.clock.advance(59)
        self.assertEqual(1, self.attempts.wait(STRANGER))
        self.clock.advance(1)
        self.assertEqual(0, self.attempts.wait(STRANGER))

    def test_whoever_was_let_in_before_does_not_wait_for_others(self) -> None:
        self.attempts.succeeded(OWNER)
        self.exhaust()
        self.assertEqual([0, 0], [self.attempts.wait(each) for each in (OWNER, OWN)])

    def test_but_waits_for_itself(self) -> None:
        self.attempts.succeeded(OWNER)
        for address in (OWNER, OWN):
            self.assertTrue(self.guess(address))
            self.assertEqual(1, self.attempts.wait(address))

    def test_a_known_address_uses_up_nothing_of_the_others(self) -> None:
        self.attempts.succeeded(OWNER)
        for _ in range(20):
            self.attempts.failed(OWNER)
        self.assertEqual(0, self.attempts.wait(STRANGER))

    def test_what_is_remembered_is_bounded(self) -> None:
        for number in range(2 * MOST_ADDRESSES):
            self.attempts.failed(f"2001:db8::{number:x}")
        self.clock.advance(1)
        self.assertEqual(1, self.attempts.failed("2001:db8::0"))
        self.assertEqual(2, self.attempts.failed(f"2001:db8::{2 * MOST_ADDRESSES - 1:x}"))
        for number in range(MOST_KNOWN + 1):
            self.attempts.succeeded(f"192.0.2.{number}")
        self.assertFalse(self.attempts.is_known("192.0.2.0"))
        self.assertTrue(self.attempts.is_known("192.0.2.1"))

    @given(steps=st.lists(st.tuples(st.integers(0, 30), st.floats(0, 3)), min_size=1, max_size=200))
    def test_no_sequence_makes_more_guesses_than_the_rule(
        self, steps: list[tuple[int, float]]
    ) -> None:
        clock = Clock()
        attempts = Attempts(clock, OWN)
        made: list[tuple[float, int]] = []
        for number, pause in steps:
            clock.advance(pause)
            wait = attempts.wait(f"192.0.2.{number}")
            self.assertLessEqual(wait, LONGEST_WAIT)
            if not wait:
                attempts.failed(f"192.0.2.{number}")
                made.append((clock.seconds(), number))
        for at, number in made:
            minute = [each for each in made if 0 <= each[0] - at < 60]
            self.assertLessEqual(len(minute), WRONG_A_MINUTE)
            self.assertLessEqual(len([each for each in minute if each[1] == number]), 6)
