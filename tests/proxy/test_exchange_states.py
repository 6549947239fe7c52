"""The machine of an exchange: every input in every state, and the timers that each state has."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.proxy.arbitration import Arbitration
from hargassner.proxy.exchange import Exchange
from hargassner.proxy.exchange_states import OWED_TIMEOUT, REFUSAL_PAUSE
from tests.proxy.exchange_case import Relay

TIMEOUT = 5.0
SET = b'$par set "4;3;20.5"\r\n'
OTHER_SET = b'$par set "7;3;20"\r\n'

TIMERS = {
    "waiting": TIMEOUT,
    "refused": REFUSAL_PAUSE,
    "owed": OWED_TIMEOUT,
    "doubtful": TIMEOUT,
    "settled": None,
}
"""Seconds that each state lasts at most."""

TABLE = {
    # what happens: what each state in the order of TIMERS goes to.
    "telemetry": ["waiting", "refused", "owed", "doubtful", "settled"],
    "refusal": ["refused", "refused", "owed", "doubtful", "settled"],
    "reply": ["settled", "settled", "settled", "settled", "settled"],
    "part": ["waiting", "refused", "owed", "doubtful", "settled"],
    "time": ["owed", "owed", "settled", "owed", "settled"],
    "let_pass": ["waiting", "refused", "owed", "doubtful", "settled"],
    "stop": ["settled", "settled", "settled", "settled", "settled"],
}


class Life:
    """One exchange, led into a state."""

    def __init__(self, state: str) -> None:
        self.clock = Clock()
        self.relay = Relay()
        self.answers: list[bytes | None] = []
        self.settled = 0
        self.exchange = Exchange(
            self.clock, self.relay, Arbitration(SET), TIMEOUT, self.answers.append, self.was_settled
        )
        if state == "refused":
            self.exchange.boiler_said(b"zERR nicht vorhanden\r\n")
        elif state != "waiting":
            self.clock.advance(TIMEOUT)
        if state == "doubtful":
            self.exchange.client_said(OTHER_SET)
            self.exchange.boiler_said(b"$ack\r\n")
        if state == "settled":
            self.exchange.boiler_said(b"$ack\r\n")

    def was_settled(self) -> None:
        self.settled += 1

    @property
    def state(self) -> str:
        return str(self.exchange._inputs.__automat_transitioner__._state.name)

    def undergo(self, what: str) -> None:
        """Have something happen."""
        said = {
            "telemetry": b"pm 1\r\n",
            "refusal": b"zERR nicht vorhanden\r\n",
            "reply": b"$ack\r\n",
            "part": b"$a",
        }
        if what in said:
            self.exchange.boiler_said(said[what])
        elif what == "time":
            self.clock.advance(TIMERS[self.state] or 0)
        else:
            getattr(self.exchange, what)()


class TableTests(SynchronousTestCase):
    """Every input in every state."""

    def test_every_state_has_its_own_timer_and_no_other(self) -> None:
        for state, seconds in TIMERS.items():
            life = Life(state)
            self.assertEqual(life.state, state)
            left = [each.getTime() - life.clock.seconds() for each in life.clock.getDelayedCalls()]
            self.assertEqual(left, [] if seconds is None else [seconds], state)

    def test_everything_in_every_state(self) -> None:
        for what, row in TABLE.items():
            for state, expected in zip(TIMERS, row, strict=True):
                life = Life(state)
                life.undergo(what)
                self.assertEqual(expected, life.state, f"{what} while {state}")

    def test_any_two_of_them_leave_no_timer_when_the_session_is_over(self) -> None:
        for state in TIMERS:
            for first in TABLE:
                for second in TABLE:
                    life = Life(state)
                    life.undergo(first)
                    life.undergo(second)
                    life.exchange.stop()
                    self.assertEqual([], life.clock.getDelayedCalls(), f"{first}, {second}")

    def test_any_two_of_them_have_one_outcome_and_settle_once_in_the_end(self) -> None:
        for state in TIMERS:
            for first in TABLE:
                for second in TABLE:
                    if "stop" not in (first, second):
                        life = Life(state)
                        life.undergo(first)
                        life.undergo(second)
                        for _ in range(3):
                            life.clock.advance(OWED_TIMEOUT)
                        self.assertEqual((1, 1), (len(life.answers), life.settled))
                        self.assertEqual([], life.clock.getDelayedCalls())

    def test_a_doubt_lasts_as_long_again_in_the_middle_of_a_line(self) -> None:
        life = Life("doubtful")
        life.exchange.boiler_said(b"pm 7 ")
        life.clock.advance(TIMEOUT)
        [timer] = life.clock.getDelayedCalls()
        self.assertEqual(
            (life.state, timer.getTime()), ("doubtful", life.clock.seconds() + TIMEOUT)
        )
