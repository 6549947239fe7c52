"""How much the gateway gets done beside floods of commands, and beside a boiler that is slow."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.simulator.boiler.engine import Mishap
from tests.house import House

REPLY_DELAY = 0.02
"""Seconds that the boiler of the house takes for each answer, without more."""
COMMANDS = (("4", "20"), ("PR001", "1"), ("PR011", "1"), ("A6d", "0"))


def answers(span: float, delay: float, *, flood: bool = True, settable: bool = True) -> int:
    """How many requests a gateway that asks without a pause has answered.

    Args:
        span: seconds that are looked at.
        delay: seconds that the boiler takes for each answer.
        flood: whether commands always wait.
        settable: whether the boiler answers those that set something.
    """

    def go_wrong(command: str) -> Mishap | None:
        return None if settable or not command.startswith("par set") else Mishap(())

    house = House(hesitation=lambda _: delay - REPLY_DELAY, mishap=go_wrong, poll_pause=0)
    house.advance(60)
    before = len(house.boiler.asked_by_gateway)
    for _ in range(int(span * 4)):
        # The same again and again, so that each is read back as well.
        for id_, value in COMMANDS if flood else ():
            house.command(id_, value)
        house.advance(0.25)
    asked = len(house.boiler.asked_by_gateway) - before
    house.end()
    return asked


class PaceTests(SynchronousTestCase):
    """At most one answer in a second is in the gateway's way, and a timeout ever more seldom."""

    def test_a_quick_boiler(self) -> None:
        for delay, share in ((0.02, 0.97), (0.1, 0.9)):
            self.assertGreater(answers(8, delay), share * answers(8, delay, flood=False))

    def test_a_slow_boiler_leaves_the_gateway_half(self) -> None:
        self.assertGreaterEqual(answers(60, 2.0), 0.5 * answers(60, 2.0, flood=False))

    def test_a_boiler_that_never_answers_sets(self) -> None:
        alone = answers(60, 0.1, flood=False)
        # Of a minute three timeouts of 5 s: at its beginning, and after 10 and 20 s more.
        self.assertGreaterEqual(answers(60, 0.1, settable=False), 0.75 * alone)
