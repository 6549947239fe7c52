"""How often commands reach the boiler, whoever sends how many."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.control.pacing import (
    APART,
    BETWEEN,
    LONGEST_BACK_OFF,
    MINUTE,
    MOST_A_MINUTE,
    Allowance,
    Pacing,
    Spacing,
)
from hargassner.control.queue import MOST_LOGGED, CommandError, Control
from hargassner.control.turns import GAP_TIMEOUT
from hargassner.dialogue.dialogue import LineState
from hargassner.dialogue.events import Event, LoggedIn, ParameterChanged, ParameterSeen
from hargassner.dialogue.parameters import parse_parameter
from hargassner.proxy.exchange import BridgeRequest, NoReplyError, SessionOverError
from tests import EXAMPLES
from tests.cases import ClockCase
from tests.house import CATALOGUE

IDS = tuple(f"P{number}" for number in range(40))
KNOWN = IDS[:20]
"""Those that the boiler has described; the others are read before they are set."""
TIMEOUT = 5.0


class PacingTests(ClockCase):
    """Pacing tells when a command may be sent."""

    def setUp(self) -> None:
        super().setUp()
        self.pacing = Pacing(self.clock.seconds)

    def send(self, id_: str) -> None:
        self.assertEqual(0, self.pacing.wait(id_))
        self.pacing.begins(id_)

    def test_a_parameter_has_one_in_a_second_and_others_have_theirs(self) -> None:
        self.send("4")
        self.clock.advance(0.5)
        self.send("5")
        self.assertAlmostEqual(self.pacing.wait("4"), BETWEEN - 0.5)
        self.clock.advance(BETWEEN - 0.5)
        self.send("4")

    def test_the_second_begins_anew_when_the_parameter_is_set(self) -> None:
        self.send("4")
        self.clock.advance(0.9)
        self.pacing.sets("4")
        self.assertAlmostEqual(self.pacing.wait("4"), BETWEEN)

    def test_a_minute_has_so_many_and_no_more(self) -> None:
        for id_ in IDS[:MOST_A_MINUTE]:
            self.assertFalse(self.pacing.is_used_up)
            self.send(id_)
            self.clock.advance(1)
        self.assertTrue(self.pacing.is_used_up)
        self.assertAlmostEqual(self.pacing.wait(IDS[-1]), MINUTE - MOST_A_MINUTE)
        self.clock.advance(MINUTE - MOST_A_MINUTE)
        self.assertFalse(self.pacing.is_used_up)
        self.send(IDS[-1])
        self.assertAlmostEqual(self.pacing.wait(IDS[-2]), 1)

    def test_no_wait_is_too_short_for_a_timer(self) -> None:
        """Time that is rounded down must not make a timer fire for ever in the same moment."""
        self.send("4")
        self.clock.advance(BETWEEN - 1e-12)
        self.assertGreater(self.clock.seconds() + self.pacing.wait("4"), BETWEEN)


class SpacingTests(ClockCase):
    """Spacing tells when the gateway's line may be taken again, whatever for."""

    def setUp(self) -> None:
        super().setUp()
        self.spacing = Spacing(self.clock.seconds)

    def ask(self, seconds: float, *, answered: bool = True) -> None:
        self.assertEqual(0, self.spacing.wait)
        self.spacing.sent()
        self.clock.advance(seconds)
        if answered:
            self.spacing.answered()
        else:
            self.spacing.unanswered()

    def test_there_is_one_answer_in_a_second(self) -> None:
        self.ask(0.02)
        self.assertAlmostEqual(self.spacing.wait, APART - 0.02)
        self.clock.advance(APART - 0.02)
        self.ask(0.02)

    def test_after_a_slow_answer_the_gateway_has_as_long_to_itself(self) -> None:
        self.ask(2)
        self.assertAlmostEqual(self.spacing.wait, 2)

    def test_after_a_timeout_it_has_twice_that_and_twice_as_long_after_each_more(self) -> None:
        waits = []
        for _ in range(6):
            self.ask(5, answered=False)
            self.assertTrue(self.spacing.is_backing_off)
            waits.append(self.spacing.wait)
            self.clock.advance(self.spacing.wait)
        self.assertEqual([10, 20, 40, LONGEST_BACK_OFF, LONGEST_BACK_OFF, LONGEST_BACK_OFF], waits)

    def test_until_one_is_answered(self) -> None:
        self.ask(5, answered=False)
        self.clock.advance(self.spacing.wait)
        self.ask(0.02)
        self.assertFalse(self.spacing.is_backing_off)
        self.assertAlmostEqual(self.spacing.wait, APART - 0.02)

    def test_no_wait_is_too_short_for_a_timer(self) -> None:
        self.ask(0)
        self.clock.advance(APART - 1e-12)
        self.assertGreater(self.clock.seconds() + self.spacing.wait, APART)


class AllowanceTests(ClockCase):
    """Allowance counts what may be said in a minute."""

    def test_so_many_a_minute_and_then_anew(self) -> None:
        allowance = Allowance(self.clock.seconds, 2)
        for _ in range(3):
            self.assertEqual([1, 0, -1, -2], [allowance.take() for _ in range(4)])
            self.clock.advance(MINUTE)


class Line:
    """A session and what is understood of it, in the midst of a silent dialogue.

    It refuses what a real session would refuse: a second request while one is out.
    """

    failed = False
    turns = 0
    line_state = LineState.FREE
    number = 1

    def __init__(self, clock: Clock, model: Boiler, asked: Callable[[bytes], object]) -> None:
        self.can_ask = True
        self.dialogue = self
        self._clock = clock
        self._model = model
        self._asked = asked
        self._heard: Callable[[Event], None] = lambda _event: None
        self._settled: Callable[[], None] = lambda: None
        self._out: tuple[bytes, Deferred[bytes]] | None = None

    def listen(self, heard: Callable[[Event], None]) -> None:
        self._heard = heard

    def observe_at_once(self, on: bool) -> None:
        """It does so anyway."""

    def catch_up(self) -> None:
        """Nothing waits: what happens is told at once."""

    def log_in(self) -> None:
        self._heard(LoggedIn())

    def on_settled(self, listener: Callable[[], None]) -> None:
        self._settled = listener

    def exchange(self, request: BridgeRequest) -> "Deferred[bytes]":
        assert self.can_ask, "one request at a time"
        self.can_ask = False
        reply: Deferred[bytes] = Deferred()
        self._out = request.line, reply
        self._asked(request.line)
        return reply

    def over(self) -> None:
        """No reply comes any more."""
        self.can_ask = False
        if self._out is not None:
            (_, reply), self._out = self._out, None
            reply.errback(SessionOverError())

    def answer(self, kind: str) -> None:
        """The boiler answers what it was asked, if anything; or its time is up."""
        if self._out is None:
            return
        (request, reply), self._out = self._out, None
        words = request.decode().split()
        if kind == "nothing":
            reply.errback(NoReplyError())
        elif kind == "refusal":
            reply.callback(b"$permission denied")
        elif words[1] == "get":
            self._model.apply(ParameterSeen(parse_parameter(record(words[2]))), 0.0)
            reply.callback(f"${record(words[2])}".encode())
        else:
            id_, _, value = words[2].strip('"').split(";")
            if kind == "notice":
                change = ParameterChanged(id_, "", None, value)
                self._model.apply(change, 0.0)
                self._heard(change)
            reply.callback(b"$ack")
        self.can_ask = True
        self._settled()


def record(id_: str) -> str:
    """A parameter that can be almost any number."""
    return f"{id_};3;0;0;1000000;1;;0;0;0;0;{id_}"


class Home:
    """A control, its sessions, and what becomes of the commands that it is given.

    Each command requests another value than all before, so that sets can be told apart.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.model = Boiler(catalogue=CATALOGUE)
        self.control = Control(self.model, self.clock, IDS, TIMEOUT)
        for each in KNOWN:
            self.model.apply(ParameterSeen(parse_parameter(record(each))), 0.0)
        self.commands: list[str] = []
        self.results: dict[int, list[str]] = defaultdict(list)
        self.sets: list[tuple[float, str, int]] = []
        self.asked_at: list[float] = []
        self.line: Line | None = None
        self.log_in()

    def log_in(self, _: None = None) -> None:
        if self.line is None:
            self.line = Line(self.clock, self.model, self._asked)
            self.observer = self.control.observe(self.line, self.line)
            # What can be set is not read before somebody wants to set it.
            self.control.logged_in(self.observer)
            self.observer.unread.clear()

    def log_out(self, reply_first: bool = False) -> None:
        """The session ends; its observers and who waits for its reply are notified in any order."""
        if self.line is not None:
            line, self.line = self.line, None
            if reply_first:
                line.over()
            self.observer.over("the gateway closed")
            line.over()

    def command(self, id_: str, requested: str = "") -> int:
        number = len(self.commands) + 1
        self.commands.append(id_)

        def failed(why: Failure) -> None:
            why.trap(CommandError)
            self.results[number].append(why.getErrorMessage())

        result = self.control.set_parameter(id_, requested or str(number))
        result.addCallbacks(lambda _value: self.results[number].append("ok"), failed)
        return number

    def answer(self, kind: str = "notice") -> None:
        if self.line is not None:
            self.line.answer(kind)

    def live(self, seconds: float, kind: str = "notice") -> None:
        """Let time pass; each request is answered after a moment."""
        until = self.clock.seconds() + seconds
        while self.clock.seconds() < until:
            self.clock.advance(0.05)
            self.answer(kind)

    def many(self, id_: str) -> None:
        for _ in range(50):
            self.command(id_)

    def invalid(self, id_: str) -> None:
        self.command(id_, "much")

    def wait(self, seconds: float) -> None:
        """Let time pass; the boiler does not answer."""
        self.clock.advance(seconds)

    def flood(self, seconds: float, ids: Sequence[str] = IDS[18:22]) -> None:
        """Give more commands than can be carried out, and let the boiler answer."""
        for _ in range(round(seconds * 10)):
            for id_ in ids:
                self.command(id_)
            self.live(0.1)

    def _asked(self, request: bytes) -> None:
        self.asked_at.append(self.clock.seconds())
        words = request.decode().split()
        if words[1] == "set":
            id_, _, value = words[2].strip('"').split(";")
            self.sets.append((self.clock.seconds(), id_, int(float(value))))


STEP = st.one_of(
    st.tuples(st.just("command"), st.sampled_from(IDS[:3])),
    st.tuples(st.just("command"), st.sampled_from((*IDS, "unknown"))),
    st.tuples(st.just("many"), st.sampled_from(IDS[:3])),
    st.tuples(st.just("flood"), st.floats(0, 10)),
    st.tuples(st.just("invalid"), st.sampled_from(IDS[:3])),
    st.tuples(st.just("wait"), st.floats(0, 3)),
    st.tuples(st.just("wait"), st.floats(0, 40)),
    st.tuples(st.just("live"), st.floats(0, 10)),
    st.tuples(st.just("answer"), st.sampled_from(("notice", "ack", "refusal", "nothing"))),
    st.tuples(st.just("log_in"), st.none()),
    st.tuples(st.just("log_out"), st.booleans()),
)


class Laws(SynchronousTestCase):
    """Whatever is asked for, and whatever the boiler and the gateway do."""

    @settings(max_examples=3 * EXAMPLES)
    @given(st.lists(STEP, max_size=60))
    def test_each_command_has_one_result_and_few_reach_the_boiler(
        self, steps: list[tuple[str, object]]
    ) -> None:
        home = Home()
        for what, how in steps:
            getattr(home, what)(how)
        home.live(GAP_TIMEOUT + 10)
        home.log_out()
        self.check(home)

    def check(self, home: Home) -> None:
        numbers = range(1, len(home.commands) + 1)
        self.assertEqual([len(home.results[each]) for each in numbers], [1 for _ in numbers])
        moments: dict[str, list[float]] = defaultdict(list)
        values: dict[str, list[int]] = defaultdict(list)
        for moment, id_, value in home.sets:
            moments[id_].append(moment)
            values[id_].append(value)
        for id_, each in moments.items():
            for one, next_ in pairwise(each):
                self.assertGreaterEqual(next_ - one, 1.0, id_)
            self.assertEqual(values[id_], sorted(set(values[id_])), "in their order, each once")
        for one, next_ in pairwise(home.asked_at):
            self.assertGreaterEqual(next_ - one, 1.0)
        every = [moment for moment, _, _ in home.sets]
        for one, later in zip(every, every[30:], strict=False):
            self.assertGreaterEqual(later - one, 60.0)
        for number, [result] in home.results.items():
            id_ = home.commands[number - 1]
            if result == "ok":
                self.assertIn(number, values[id_])
            if "a newer command" in result:
                self.assertIn(id_, home.commands[number:])
                self.assertNotIn(number, values[id_])
        self.assertEqual([], home.clock.getDelayedCalls())


class FloodTests(SynchronousTestCase):
    """More commands than the boiler is to get."""

    def setUp(self) -> None:
        self.home = Home()

    def test_the_newest_is_sent_when_its_second_has_come(self) -> None:
        first, second, third = (self.home.command("P0") for _ in range(3))
        self.home.live(0.5)
        fourth = self.home.command("P0")
        fifth = self.home.command("P0")
        self.home.live(2)
        results = [self.home.results[each] for each in (first, second, third, fourth, fifth)]
        newer = ["a newer command for the same parameter took its place"]
        self.assertEqual(results, [newer, newer, ["ok"], newer, ["ok"]])
        [(one, _, _), (other, _, _)] = self.home.sets
        self.assertAlmostEqual(other - one, BETWEEN, places=1)

    def test_a_flood_of_one_does_not_keep_another_waiting(self) -> None:
        self.home.flood(2, ("P0",))
        other = self.home.command("P1")
        self.home.flood(1, ("P0",))
        self.assertEqual(["ok"], self.home.results[other])

    def test_past_thirty_a_minute_they_wait(self) -> None:
        self.home.flood(33, IDS[:10])
        self.assertEqual(MOST_A_MINUTE, len(self.home.sets))
        self.home.live(60 - self.home.clock.seconds())
        self.assertEqual(MOST_A_MINUTE, len(self.home.sets))
        self.home.live(1)
        self.assertGreater(len(self.home.sets), MOST_A_MINUTE)

    def test_one_that_is_read_first_has_its_second_from_when_it_is_set(self) -> None:
        self.home.command("P20")
        self.home.clock.advance(0.01)
        self.home.clock.advance(4)
        self.home.answer()
        self.home.command("P20")
        self.home.live(8)
        self.assertEqual([1, 2], [number for _, _, number in self.home.sets])
        [(one, _, _), (other, _, _)] = self.home.sets
        self.assertGreaterEqual(other - one, 1.0)

    def test_nothing_is_timed_any_more_when_the_session_is_over(self) -> None:
        for _ in range(2):
            self.home.command("P0")
            self.home.live(0.1)
        self.home.log_out()
        self.assertEqual([], self.home.clock.getDelayedCalls())

    def test_the_one_that_waits_goes_when_the_minute_is_over(self) -> None:
        self.home.flood(33, ("P0", "P1", "P2", "P3"))
        self.home.live(40)
        last = self.home.command("P5")
        self.home.live(15)
        self.assertEqual(["ok"], self.home.results[last])


class LogTests(ClockCase):
    """What the log tells of a flood."""

    def test_some_and_that_there_are_more(self) -> None:
        home = Home()
        for _ in range(1_000):
            home.command("P0", "much")
            home.command("P1")
        self.assertEqual(MOST_LOGGED + 1, len(self.log.lines))
        self.assertEqual(
            "more such commands in this minute are answered and not told here", self.log.lines[-1]
        )
        home.clock.advance(MINUTE)
        home.command("P0", "much")
        self.assertEqual(MOST_LOGGED + 2, len(self.log.lines))
        home.log_out()
