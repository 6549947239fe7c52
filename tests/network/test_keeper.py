"""Keeping something open while its interface comes and goes."""

import errno
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import LogLevel

from hargassner.network.interface import CannotOpenError, NotThereYetError
from hargassner.network.keeper import LOOK_EVERY, Keeper
from tests.cases import ClockCase


class FakePlace:
    """A side whose interface the test plugs and unplugs."""

    def __init__(self) -> None:
        self.index: int | None = 1
        self.silent = False

    def identity(self) -> tuple[str, int, str] | None:
        if self.silent:
            raise OSError(errno.EMFILE, "Too many open files")
        return None if self.index is None else ("eth1", self.index, "")

    def __str__(self) -> str:
        return "eth1"


class Thing:
    """Something open."""

    def __init__(self) -> None:
        self.closed = False
        self.closing: Deferred[None] | None = None

    def close(self) -> "Deferred[None] | None":
        self.closed = True
        return self.closing


class KeeperCase(ClockCase):
    """A keeper of things, each opened anew."""

    def setUp(self) -> None:
        super().setUp()
        self.place = FakePlace()
        self.things: list[Thing] = []
        self.why_not: Exception | None = None
        self.attempts = 0
        place: Any = self.place
        self.keeper = Keeper(self.clock, place, "the port", self.open)

    def open(self) -> Thing:
        self.attempts += 1
        if self.place.index is None:
            raise NotThereYetError("there is no interface eth1")
        if self.why_not is not None:
            raise self.why_not
        self.things.append(Thing())
        return self.things[-1]

    def look(self, times: int = 1) -> None:
        self.clock.pump([LOOK_EVERY] * times)


class OpeningTests(KeeperCase):
    """From the start to the stop."""

    def test_it_opens_at_the_start_and_closes_at_the_stop(self) -> None:
        self.keeper.startService()
        self.assertTrue(self.keeper.is_open)
        self.successResultOf(self.keeper.stopService())
        self.assertFalse(self.keeper.is_open)
        self.assertEqual([each.closed for each in self.things], [True])

    def test_what_needs_rights_is_opened_before_they_are_given_up(self) -> None:
        """And not a second time afterwards."""
        self.keeper.privilegedStartService()
        self.assertTrue(self.keeper.is_open)
        self.keeper.startService()
        self.assertEqual(len(self.things), 1)
        self.keeper.stopService()

    def test_it_is_left_alone_while_its_interface_stays(self) -> None:
        self.keeper.startService()
        self.look(10)
        self.assertEqual([each.closed for each in self.things], [False])
        self.assertEqual(self.log.lines, [])
        self.keeper.stopService()

    def test_a_reason_that_waiting_cannot_mend_ends_the_start_with_its_line(self) -> None:
        for why, line in (
            (
                CannotOpenError("UDP port 1 on eth1 is in use by cat"),
                "UDP port 1 on eth1 is in use by cat",
            ),
            (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        ):
            self.why_not = why
            for start in (self.keeper.privilegedStartService, self.keeper.startService):
                end = self.assertRaises(SystemExit, start)
                self.assertTrue(str(end).startswith("hargassner: "))
                self.assertIn(line, str(end))

    def test_the_stop_waits_until_everything_is_given_back(self) -> None:
        self.keeper.startService()
        self.things[0].closing = closing = Deferred()
        stopped = self.keeper.stopService()
        self.assertNoResult(stopped)
        closing.callback(None)
        self.successResultOf(stopped)

    def test_a_thing_that_fails_to_close_is_logged_and_holds_nothing_up(self) -> None:
        self.keeper.startService()
        self.things[0].closing = closing = Deferred()
        stopped = self.keeper.stopService()
        closing.errback(RuntimeError("on purpose"))
        self.successResultOf(stopped)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_it_can_be_started_again(self) -> None:
        for _ in range(3):
            self.keeper.startService()
            self.keeper.stopService()
        self.assertEqual([each.closed for each in self.things], [True] * 3)

    def test_a_stop_without_a_start_is_harmless(self) -> None:
        self.successResultOf(self.keeper.stopService())


class InterfaceTests(KeeperCase):
    """Interfaces come and go; the bridge stays."""

    def test_an_interface_that_is_absent_at_the_start_is_said_once_and_taken_up(self) -> None:
        self.place.index = None
        self.keeper.privilegedStartService()
        self.keeper.startService()
        self.look(10)
        self.assertEqual(self.log.lines, ["the port waits: there is no interface eth1"])
        self.place.index = 7
        self.look()
        self.assertTrue(self.keeper.is_open)
        self.assertEqual(self.log.lines[1:], ["the port on eth1 is open"])
        self.keeper.stopService()

    def test_an_interface_that_goes_and_comes_back_is_opened_anew(self) -> None:
        self.keeper.startService()
        self.place.index = None
        self.look(10)
        self.assertFalse(self.keeper.is_open)
        self.place.index = 2
        self.look(10)
        self.assertEqual([each.closed for each in self.things], [True, False])
        self.assertEqual(
            self.log.lines,
            [
                "eth1 went away or changed: closing the port until it is back",
                "the port waits: there is no interface eth1",
                "the port on eth1 is open",
            ],
        )
        self.keeper.stopService()

    def test_an_interface_that_came_back_between_two_looks_is_noticed(self) -> None:
        """It has the same name and another index, and the old socket is deaf."""
        self.keeper.startService()
        self.place.index = 2
        self.look()
        self.assertEqual([each.closed for each in self.things], [True, False])
        self.assertEqual(self.log.lines, ["eth1 changed: opening the port again"])
        self.keeper.stopService()

    def test_it_is_left_open_while_the_system_cannot_be_asked(self) -> None:
        """No file descriptor is free: that says nothing of the interface."""
        self.keeper.startService()
        self.place.silent = True
        self.look(10)
        self.place.silent = False
        self.look(10)
        self.assertEqual([each.closed for each in self.things], [False])
        self.assertEqual(self.log.lines, [])
        self.keeper.stopService()

    def test_each_going_away_is_said(self) -> None:
        self.keeper.startService()
        for index in (None, 2, None, 3):
            self.place.index = index
            self.look(3)
        self.assertEqual(self.log.lines.count("the port on eth1 is open"), 2)
        self.assertEqual(
            self.log.lines.count("eth1 went away or changed: closing the port until it is back"), 2
        )
        self.keeper.stopService()

    def test_it_opens_again_only_when_the_old_one_is_given_back(self) -> None:
        """Else it would find its own port in use."""
        self.keeper.startService()
        self.things[0].closing = closing = Deferred()
        self.place.index = 2
        self.look(3)
        self.assertEqual(self.attempts, 1)
        closing.callback(None)
        self.look()
        self.assertTrue(self.keeper.is_open)
        self.keeper.stopService()

    def test_a_running_bridge_retries_what_would_have_ended_its_start(self) -> None:
        """The reason is said once, another reason once more."""
        self.keeper.startService()
        self.place.index = None
        self.look()
        self.place.index = 2
        self.why_not = CannotOpenError("TCP port 23 on eth1 is in use by cat (process 7)")
        self.look(5)
        self.why_not = OSError(errno.EMFILE, "Too many open files")
        self.look(5)
        self.why_not = None
        self.look(5)
        self.assertTrue(self.keeper.is_open)
        self.assertEqual(
            self.log.at(LogLevel.warn)[2:],
            [
                "the port waits: TCP port 23 on eth1 is in use by cat (process 7)",
                "the port waits: Too many open files",
            ],
        )
        self.keeper.stopService()

    def test_a_stop_while_the_interface_is_away_leaves_nothing(self) -> None:
        self.keeper.startService()
        self.place.index = None
        self.look()
        self.successResultOf(self.keeper.stopService())
