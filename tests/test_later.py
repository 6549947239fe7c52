"""Services that are built when the bridge listens."""

from collections.abc import Iterable

from twisted.application.service import IService, Service

from hargassner.later import Later
from tests.cases import ClockCase


class Noted(Service):
    """Notes when it starts and stops."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name = name
        self._notes = notes

    def startService(self) -> None:
        super().startService()
        self._notes.append(f"{self.name} starts")

    def stopService(self) -> None:
        super().stopService()
        self._notes.append(f"{self.name} stops")


class LaterTests(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.notes: list[str] = []

    def step(self, *names: str) -> list[IService]:
        self.notes.append("a step")
        return [Noted(name, self.notes) for name in names]

    def failing(self) -> Iterable[IService]:
        raise ValueError("on purpose")

    def test_nothing_is_built_before_the_reactor_runs(self) -> None:
        later = Later(self.clock, [lambda: self.step("first")])
        later.startService()
        self.assertEqual([], self.notes)
        later.stopService()

    def test_what_waits_passes_between_two_steps(self) -> None:
        def first() -> list[IService]:
            self.clock.callLater(0, self.notes.append, "passed")
            return self.step("first")

        later = Later(self.clock, [first, lambda: self.step("second")])
        later.startService()
        self.clock.advance(0)
        self.assertEqual(
            ["a step", "first starts", "passed", "a step", "second starts"], self.notes
        )
        later.stopService()

    def test_they_stop_in_the_other_order(self) -> None:
        later = Later(
            self.clock, [lambda: self.step("first", "second"), lambda: self.step("third")]
        )
        later.startService()
        self.clock.advance(0)
        del self.notes[:]
        later.stopService()
        self.assertEqual(["third stops", "second stops", "first stops"], self.notes)

    def test_a_stop_meanwhile_ends_the_building(self) -> None:
        later = Later(self.clock, [lambda: self.step("first")])
        later.startService()
        later.stopService()
        self.clock.advance(1)
        self.assertEqual([], self.notes)

    def test_a_step_that_fails_is_logged_and_the_next_one_follows(self) -> None:
        later = Later(self.clock, [self.failing, lambda: self.step("second")])
        later.startService()
        self.clock.advance(0)
        self.assertEqual(["a step", "second starts"], self.notes)
        self.assertEqual(1, len(self.flushLoggedErrors(ValueError)))
        later.stopService()
