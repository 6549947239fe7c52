"""Two kinds of time: the wall clock may be set, and nothing but dates follows it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.internet import task
from twisted.internet.base import ReactorBase
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner import clock as module
from hargassner.clock import STEP, IClock, ReactorClock, dates, run_evenly
from hargassner.tap import Options, makeService
from tests.doubles.clocks import TwoClockReactor, TwoClocks

START = 1_700_000_000.0
HOUR = 3600.0
YEARS = 10 * 365 * 86_400.0
STEPS = (-HOUR, YEARS, -YEARS, 300.0, -300.0)


class Machine:
    """A machine's two clocks, as the module ``time`` shows them."""

    def __init__(self) -> None:
        self.up = 1000.0
        self.date = START

    def monotonic(self) -> float:
        return self.up

    def time(self) -> float:
        return self.date

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.up += seconds
        self.date += seconds


class Reactor(ReactorBase):
    """Twisted's own scheduling, on a machine of the test's; it is turned by hand."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.seconds = machine.time

    def installWaker(self) -> None:
        """Nobody wakes it."""


Happening = tuple[str, float]
SECONDS = st.integers(0, 100_000).map(float)
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), SECONDS),
        st.tuples(st.just("timer"), SECONDS),
        st.tuples(st.just("step"), st.sampled_from(STEPS) | st.floats(-1e9, 1e9)),
    ),
    max_size=20,
)
EVERY = 7.0


class MachineCase(SynchronousTestCase):
    """A reactor on a machine whose wall clock is set at will."""

    def on_machine(self, machine: Machine) -> Reactor:
        self.patch(module, "time", machine)
        return Reactor(machine)


class SteppedReactorTests(MachineCase):
    """Twisted's timers, when ``run_evenly`` has had the reactor in its hands."""

    def fired(
        self, happenings: Sequence[Happening], prepare: Callable[[object], None] = run_evenly
    ) -> list[tuple[object, float]]:
        """What a reactor did, and when, by the monotonic clock."""
        machine = Machine()
        reactor = self.on_machine(machine)
        seen: list[tuple[object, float]] = []

        def note(what: object) -> None:
            seen.append((what, machine.up))

        reactor.callLater(50.0, note, "scheduled before")
        prepare(reactor)
        looping = task.LoopingCall(note, "looping")
        looping.clock = reactor
        looping.start(EVERY, now=False)
        task.deferLater(reactor, 20.0, note, "deferred")
        for what, amount in happenings:
            if what == "step":
                machine.date += amount
            elif what == "timer":
                timer = reactor.callLater(amount, note, amount)
                timer.reset(amount / 2)
                timer.delay(amount / 2)
            else:
                machine.advance(amount)
            reactor.runUntilCurrent()
        for each in reactor.getDelayedCalls():
            each.cancel()
        return seen

    @given(HAPPENINGS)
    @example([("step", -HOUR), ("pass", 60.0), ("step", YEARS), ("pass", 1.0)])
    def test_timers_fire_when_they_would_have_if_nobody_had_set_the_clock(
        self, happenings: list[Happening]
    ) -> None:
        steadily = [each for each in happenings if each[0] != "step"]
        self.assertEqual(self.fired(happenings), self.fired(steadily))

    def test_the_law_tells_twisteds_own_clock_from_it(self) -> None:
        happenings = [("step", -HOUR), ("pass", 60.0)]
        self.assertNotEqual(
            self.fired(happenings, prepare=lambda _: None),
            self.fired(happenings[1:], prepare=lambda _: None),
        )

    def test_the_reactor_sleeps_until_its_next_timer_and_no_longer(self) -> None:
        for step in STEPS:
            reactor = self.on_machine(machine := Machine())
            run_evenly(reactor)
            timer = reactor.callLater(5.0, lambda: None)
            machine.date += step
            self.assertEqual(5.0, reactor.timeout(), step)
            timer.cancel()

    def test_what_was_scheduled_before_is_still_due_at_its_time(self) -> None:
        reactor = self.on_machine(machine := Machine())
        timer = reactor.callLater(5.0, lambda: None)
        run_evenly(reactor)
        self.assertEqual(5.0, reactor.timeout())
        machine.advance(1.0)
        self.assertEqual(4.0, reactor.timeout())
        timer.cancel()

    def test_once_is_enough_and_twice_does_no_harm(self) -> None:
        reactor = self.on_machine(machine := Machine())
        run_evenly(reactor)
        machine.date += HOUR
        run_evenly(reactor)
        self.assertEqual(START, reactor.seconds())

    def test_a_reactor_with_a_clock_of_its_own_is_left_alone(self) -> None:
        reactor = MemoryReactorClock()
        run_evenly(reactor)
        self.assertEqual(0.0, reactor.seconds())
        reactor.advance(3.0)
        self.assertEqual(3.0, reactor.seconds())

    def test_every_way_to_start_the_bridge_does_it(self) -> None:
        """``twist``, ``twistd`` and the ``.tac`` file make the service alike."""
        reactor = self.on_machine(machine := Machine())
        path = Path(self.mktemp())
        path.write_text('[web]\nlisten = ""\n')
        options = Options()
        options.parseOptions(["--config", str(path)])
        needed: Any = reactor
        makeService(options, needed)
        makeService(options, needed)
        machine.date -= HOUR
        self.assertEqual(START, reactor.seconds())


class ReactorClockTests(MachineCase):
    """The bridge's clock."""

    def setUp(self) -> None:
        self.machine = Machine()
        self.reactor = self.on_machine(self.machine)
        run_evenly(self.reactor)
        self.clock = ReactorClock(self.reactor, self.machine.time)

    def test_it_and_those_of_tests_are_honest_clocks(self) -> None:
        for each in (self.clock, TwoClocks(), TwoClockReactor()):
            verifyObject(IClock, each)

    def test_it_runs_the_reactors_timers(self) -> None:
        called: list[str] = []
        self.clock.callLater(2.0, called.append, "now")
        self.assertEqual(1, len(self.clock.getDelayedCalls()))
        self.machine.advance(2.0)
        self.reactor.runUntilCurrent()
        self.assertEqual(["now"], called)

    def test_moments_go_on_and_dates_follow_the_wall_clock(self) -> None:
        for step in STEPS:
            before = self.clock.seconds()
            self.machine.date += step
            self.machine.advance(10.0)
            self.assertEqual(10.0, self.clock.seconds() - before)
            self.assertEqual(self.clock.wall(), self.machine.date)
            self.assertAlmostEqual(self.clock.date(before), self.machine.date - 10.0, 5)

    def test_a_moments_date_stays_the_same_until_the_clock_is_set(self) -> None:
        """Two measurements differ, and a date must not."""
        moment = self.clock.seconds()
        before = self.clock.date(moment)
        for jitter in (0.3, -0.9, STEP, 0.1):
            self.machine.date += jitter
            self.machine.advance(60.0)
            self.assertEqual(self.clock.date(moment), before)
            self.machine.date -= jitter

    def test_dates_that_are_shown_together_go_by_the_same_setting(self) -> None:
        date = dates(self.clock)
        began = date(self.clock.seconds())
        self.machine.date += YEARS
        self.machine.advance(3.0)
        self.assertAlmostEqual(date(self.clock.seconds()) - began, 3.0, 5)

    @given(
        st.lists(st.sampled_from(STEPS) | st.floats(-1e9, 1e9)),
        st.sets(st.integers(0, 10**10), min_size=2),
    )
    def test_dates_of_increasing_moments_increase_and_those_of_now_are_right(
        self, steps: list[float], moments: set[int]
    ) -> None:
        for step in steps:
            self.machine.date += step
            self.machine.advance(1.0)
            asked = [self.clock.date(each) for each in sorted(moments)]
            self.assertEqual(asked, sorted(set(asked)))
            now = self.clock.date(self.clock.seconds())
            self.assertLessEqual(abs(now - self.clock.wall()), STEP + 1e-3)
