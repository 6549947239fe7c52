"""What is opened again: whose interface comes and goes, or whose port may be taken."""

import errno
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.logger import LogLevel, formatEvent
from twisted.python import log as twisted_log
from zope.interface import implementer
from zope.interface.verify import verifyObject

from hargassner.network.interface import CannotOpenError, NotThereYetError
from hargassner.network.reopening import LOOK_EVERY, RETRY_AFTER, EndpointOpening, InterfaceOpening
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


class InterfaceOpeningCase(ClockCase):
    """An opening of things, each opened anew."""

    def setUp(self) -> None:
        super().setUp()
        self.place = FakePlace()
        self.things: list[Thing] = []
        self.why_not: Exception | None = None
        self.attempts = 0
        place: Any = self.place
        self.opening = InterfaceOpening(self.clock, place, "the port", self.open)

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


class OpeningTests(InterfaceOpeningCase):
    """From the start to the stop."""

    def test_it_opens_at_the_start_and_closes_at_the_stop(self) -> None:
        self.opening.startService()
        self.assertTrue(self.opening.is_open)
        self.successResultOf(self.opening.stopService())
        self.assertFalse(self.opening.is_open)
        self.assertEqual([True], [each.closed for each in self.things])

    def test_what_needs_rights_is_opened_before_they_are_given_up(self) -> None:
        """And not a second time afterwards."""
        self.opening.privilegedStartService()
        self.assertTrue(self.opening.is_open)
        self.opening.startService()
        self.assertEqual(1, len(self.things))
        self.opening.stopService()

    def test_it_is_left_alone_while_its_interface_stays(self) -> None:
        self.opening.startService()
        self.look(10)
        self.assertEqual([False], [each.closed for each in self.things])
        self.assertEqual([], self.log.lines)
        self.opening.stopService()

    def test_a_reason_that_waiting_cannot_mend_ends_the_start_with_its_line(self) -> None:
        for why, line in (
            (
                CannotOpenError("UDP port 1 on eth1 is in use by cat"),
                "UDP port 1 on eth1 is in use by cat",
            ),
            (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        ):
            self.why_not = why
            for start in (self.opening.privilegedStartService, self.opening.startService):
                end = self.assertRaises(SystemExit, start)
                self.assertTrue(str(end).startswith("hargassner: "))
                self.assertIn(line, str(end))

    def test_the_stop_waits_until_everything_is_given_back(self) -> None:
        self.opening.startService()
        self.things[0].closing = closing = Deferred()
        stopped = self.opening.stopService()
        self.assertNoResult(stopped)
        closing.callback(None)
        self.successResultOf(stopped)

    def test_a_thing_that_fails_to_close_is_logged_and_holds_nothing_up(self) -> None:
        self.opening.startService()
        self.things[0].closing = closing = Deferred()
        stopped = self.opening.stopService()
        closing.errback(RuntimeError("on purpose"))
        self.successResultOf(stopped)
        self.assertEqual(1, len(self.flushLoggedErrors(RuntimeError)))

    def test_it_can_be_started_again(self) -> None:
        for _ in range(3):
            self.opening.startService()
            self.opening.stopService()
        self.assertEqual([True] * 3, [each.closed for each in self.things])

    def test_a_stop_without_a_start_is_harmless(self) -> None:
        self.successResultOf(self.opening.stopService())


class InterfaceTests(InterfaceOpeningCase):
    """Interfaces come and go; the bridge stays."""

    def test_an_interface_that_is_absent_at_the_start_is_said_once_and_taken_up(self) -> None:
        self.place.index = None
        self.opening.privilegedStartService()
        self.opening.startService()
        self.look(10)
        self.assertEqual(["the port waits: there is no interface eth1"], self.log.lines)
        self.place.index = 7
        self.look()
        self.assertTrue(self.opening.is_open)
        self.assertEqual(["the port on eth1 is open"], self.log.lines[1:])
        self.opening.stopService()

    def test_an_interface_that_goes_and_comes_back_is_opened_anew(self) -> None:
        self.opening.startService()
        self.place.index = None
        self.look(10)
        self.assertFalse(self.opening.is_open)
        self.place.index = 2
        self.look(10)
        self.assertEqual([True, False], [each.closed for each in self.things])
        self.assertEqual(
            [
                "eth1 went away or changed: closing the port until it is back",
                "the port waits: there is no interface eth1",
                "the port on eth1 is open",
            ],
            self.log.lines,
        )
        self.opening.stopService()

    def test_an_interface_that_came_back_between_two_looks_is_noticed(self) -> None:
        """It has the same name and another index, and the old socket is deaf."""
        self.opening.startService()
        self.place.index = 2
        self.look()
        self.assertEqual([True, False], [each.closed for each in self.things])
        self.assertEqual(["eth1 changed: opening the port again"], self.log.lines)
        self.opening.stopService()

    def test_it_is_left_open_while_the_system_cannot_be_asked(self) -> None:
        """No file descriptor is free: that says nothing of the interface."""
        self.opening.startService()
        self.place.silent = True
        self.look(10)
        self.place.silent = False
        self.look(10)
        self.assertEqual([False], [each.closed for each in self.things])
        self.assertEqual([], self.log.lines)
        self.opening.stopService()

    def test_each_going_away_is_said(self) -> None:
        self.opening.startService()
        for index in (None, 2, None, 3):
            self.place.index = index
            self.look(3)
        self.assertEqual(2, self.log.lines.count("the port on eth1 is open"))
        self.assertEqual(
            2, self.log.lines.count("eth1 went away or changed: closing the port until it is back")
        )
        self.opening.stopService()

    def test_it_opens_again_only_when_the_old_one_is_given_back(self) -> None:
        """Else it would find its own port in use."""
        self.opening.startService()
        self.things[0].closing = closing = Deferred()
        self.place.index = 2
        self.look(3)
        self.assertEqual(1, self.attempts)
        closing.callback(None)
        self.look()
        self.assertTrue(self.opening.is_open)
        self.opening.stopService()

    def test_a_running_bridge_retries_what_would_have_ended_its_start(self) -> None:
        """The reason is said once, another reason once more."""
        self.opening.startService()
        self.place.index = None
        self.look()
        self.place.index = 2
        self.why_not = CannotOpenError("TCP port 23 on eth1 is in use by cat (process 7)")
        self.look(5)
        self.why_not = OSError(errno.EMFILE, "Too many open files")
        self.look(5)
        self.why_not = None
        self.look(5)
        self.assertTrue(self.opening.is_open)
        self.assertEqual(
            [
                "the port waits: TCP port 23 on eth1 is in use by cat (process 7)",
                "the port waits: Too many open files",
            ],
            self.log.at(LogLevel.warn)[2:],
        )
        self.opening.stopService()

    def test_a_stop_while_the_interface_is_away_leaves_nothing(self) -> None:
        self.opening.startService()
        self.place.index = None
        self.look()
        self.successResultOf(self.opening.stopService())

    def test_one_that_came_between_both_starts_is_said(self) -> None:
        """What was said to wait is said to be open."""
        self.place.index = None
        self.opening.privilegedStartService()
        self.place.index = 1
        self.opening.startService()
        self.assertEqual(["the port on eth1 is open"], self.log.lines[1:])
        self.opening.stopService()

    def test_a_stop_while_the_old_one_is_given_back_waits_for_it(self) -> None:
        self.opening.startService()
        self.things[0].closing = closing = Deferred()
        self.place.index = 2
        self.look()
        stopped = self.opening.stopService()
        self.assertNoResult(stopped)
        closing.callback(None)
        self.successResultOf(stopped)
        self.look(3)
        self.assertEqual(1, self.attempts)


class Port:
    """An open port."""

    def __init__(self) -> None:
        self.closed = False

    def stopListening(self) -> Deferred[None]:
        self.closed = True
        return succeed(None)


@implementer(IStreamServerEndpoint)
class Endpoint:
    """Listens when the test lets it."""

    def __init__(self) -> None:
        self.taken = False
        self.slow: Deferred[Port] | None = None
        self.ports: list[Port] = []

    def listen(self, protocolFactory: Factory) -> Deferred[Port]:
        if self.slow is not None:
            return self.slow
        if self.taken:
            return fail(CannotListenError("127.0.0.1", 8080, OSError("in use")))
        # As Twisted's ports do.
        twisted_log.msg(f"{type(protocolFactory).__name__} starting on 8080")
        self.ports.append(Port())
        return succeed(self.ports[-1])


class EndpointOpeningTests(ClockCase):
    def setUp(self) -> None:
        super().setUp()
        self.endpoint = Endpoint()
        self.listener = EndpointOpening(
            self.clock, self.endpoint, "tcp:8080", Factory(), "the web page"
        )
        self.addCleanup(lambda: self.listener.running and self.listener.stopService())

    def test_the_double_is_honest(self) -> None:
        verifyObject(IStreamServerEndpoint, self.endpoint)

    def test_it_listens_while_it_runs(self) -> None:
        self.listener.startService()
        self.assertTrue(self.listener.is_open)
        self.listener.stopService()
        self.assertTrue(self.endpoint.ports[0].closed)
        self.assertFalse(self.listener.is_open)

    def test_it_says_where_it_listens_in_its_own_words_alone(self) -> None:
        self.listener.startService()
        lines = [formatEvent(each) for each in self.log.everything]
        self.assertEqual(["the web page listens: tcp:8080"], [each for each in lines if each])

    def test_a_privileged_start_opens_it_once(self) -> None:
        self.listener.privilegedStartService()
        self.listener.startService()
        self.assertEqual(1, len(self.endpoint.ports))

    def test_a_port_in_use_is_said_once_and_tried_again(self) -> None:
        self.endpoint.taken = True
        self.listener.startService()
        for _ in range(5):
            self.clock.advance(RETRY_AFTER)
        [line] = self.log.at(LogLevel.warn)
        self.assertIn("the web page cannot listen on tcp:8080", line)
        self.assertIn("in use", line)
        self.assertFalse(self.listener.is_open)
        self.endpoint.taken = False
        self.clock.advance(RETRY_AFTER)
        self.assertTrue(self.listener.is_open)

    def test_stopped_it_does_not_try_again(self) -> None:
        self.endpoint.taken = True
        self.listener.startService()
        self.listener.stopService()
        self.endpoint.taken = False
        self.clock.advance(10 * RETRY_AFTER)
        self.assertEqual([], self.endpoint.ports)

    def test_stopped_while_it_opens_it_does_not_open(self) -> None:
        cancelled = []
        self.endpoint.slow = Deferred(cancelled.append)
        self.listener.startService()
        self.listener.stopService()
        self.assertEqual(1, len(cancelled))
        self.endpoint.slow = None
        self.clock.advance(10 * RETRY_AFTER)
        self.assertFalse(self.listener.is_open)
