"""What a signal does; that the process exits with status 0 is tested with the whole bridge."""

import os
import signal
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from hargassner.admin.signals import CleanExit


class Reactor:
    """Runs when the test says so, and does later what a signal asked for."""

    def __init__(self) -> None:
        self.starting: list[Callable[[], None]] = []
        self.later: list[Callable[[], None]] = []
        self.stops = 0

    def callWhenRunning(self, function: Callable[[], None]) -> None:
        self.starting.append(function)

    def callFromThread(self, function: Callable[[], None]) -> None:
        self.later.append(function)

    def stop(self) -> None:
        self.stops += 1

    def run(self) -> None:
        for each in self.starting:
            each()

    def turn(self) -> None:
        while self.later:
            self.later.pop(0)()


class CleanExitTests(SynchronousTestCase):
    def setUp(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
            signal.signal(number, self.default)
        self.by_default: list[int] = []
        self.reactor = Reactor()
        self.service = CleanExit(self.reactor)
        self.service.startService()

    def default(self, number: int, _frame: object) -> None:
        self.by_default.append(number)

    def send(self, number: int) -> None:
        os.kill(os.getpid(), number)
        # The handler runs between two instructions of the main thread.
        for _ in range(100):
            if self.by_default or self.reactor.later:
                return

    def test_either_signal_stops_the_reactor_in_its_next_turn(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            reactor = Reactor()
            service = CleanExit(reactor)
            service.startService()
            reactor.run()
            os.kill(os.getpid(), number)
            self.assertEqual(0, reactor.stops)
            reactor.turn()
            self.assertEqual(1, reactor.stops)

    def test_before_the_reactor_runs_signals_are_not_touched(self) -> None:
        self.send(signal.SIGTERM)
        self.assertEqual(self.by_default, [signal.SIGTERM])

    def test_a_second_signal_does_not_stop_it_twice(self) -> None:
        self.reactor.run()
        self.send(signal.SIGINT)
        self.send(signal.SIGTERM)
        self.reactor.turn()
        self.assertEqual(1, self.reactor.stops)

    def test_a_signal_while_the_bridge_stops_for_another_reason_is_ignored(self) -> None:
        self.reactor.run()
        self.service.stopService()
        os.kill(os.getpid(), signal.SIGTERM)
        self.reactor.turn()
        self.assertEqual((0, []), (self.reactor.stops, self.by_default))
