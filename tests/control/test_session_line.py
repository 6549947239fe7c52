"""A session's line: exchanges over a real session, from the boiler's reply to the session's end."""

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from hargassner.control.session_line import (
    QUIET,
    READ_AGAIN_LONGEST,
    READ_PAUSE,
    LineListener,
    SessionLine,
)
from hargassner.dialogue.events import ParameterChanged
from hargassner.proxy.exchange import BridgeRequest, NoReplyError, SessionOverError
from hargassner.simulator.boiler.engine import Mishap
from tests.house import TIMEOUT, House


class Listener(LineListener):
    """Writes down what happens on the line."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.free: list[float] = []
        self.told = 0
        self.line: SessionLine | None = None
        self.house: House | None = None

    def logged_in(self, line: SessionLine) -> None:
        self.seen.append("logged in")

    def closed(self, line: SessionLine, why: str) -> None:
        self.seen.append(f"closed: {why}")

    def session_over(self, line: SessionLine) -> None:
        self.seen.append("over")

    def parameter_changed(self, event: ParameterChanged) -> None:
        self.seen.append(f"{event.id} changed")

    def go_on(self) -> None:
        self.told += 1
        if self.house is not None and self.line is not None and self.line.is_free():
            self.free.append(self.house.clock.seconds())


class SessionLineTests(SynchronousTestCase):
    """A line, of a session in which the gateway has logged in and asks nothing more."""

    def setUp(self) -> None:
        self.mishaps: dict[str, Mishap] = {}
        self.hesitation: dict[bytes, float] = {}
        self.house = House(
            mishap=lambda command: self.mishaps.get(command),
            hesitation=lambda line: self.hesitation.get(line, 0.0),
        ).log_in()
        self.house.stop_polling()
        self.house.advance(10)
        self.listener = Listener()
        self.line = SessionLine(
            self.listener,
            self.house.clock,
            self.house.session,
            self.house.session_interpreter,
        )
        self.listener.line, self.listener.house = self.line, self.house

    def tearDown(self) -> None:
        self.house.end()
        self.line.over("the test is over")
        self.assertEqual([], self.house.clock.getDelayedCalls())

    def exchange(self, request: bytes = b"$par get 4") -> "Deferred[bytes]":
        self.assertTrue(self.line.is_free())
        return Deferred.fromCoroutine(self.line.exchange(BridgeRequest(request + b"\r\n", TIMEOUT)))

    def test_the_reply_comes_without_its_line_end(self) -> None:
        result = self.exchange()
        self.house.advance(1)
        reply = self.successResultOf(result)
        self.assertTrue(reply.startswith(b"$4;3;20.500"))
        self.assertFalse(reply.endswith(b"\r\n"))

    def test_a_notice_that_refuses_is_a_reply_too(self) -> None:
        self.mishaps = {'par set "4;3;22.0"': Mishap(("zERR nicht vorhanden",))}
        result = self.exchange(b'$par set "4;3;22.0"')
        self.house.advance(1)
        self.assertEqual(b"zERR nicht vorhanden", self.successResultOf(result))

    def test_the_line_is_not_free_before_the_reply_has_come_and_free_after_it(self) -> None:
        result = self.exchange()
        self.assertFalse(self.line.is_free())
        self.listener.free.clear()
        self.house.advance(1)
        self.successResultOf(result)
        self.assertTrue(self.line.is_free())
        self.assertTrue(self.listener.free, "nobody was notified of it")

    def test_without_a_reply_in_time_it_fails_and_the_line_is_used_when_nothing_is_owed(
        self,
    ) -> None:
        self.hesitation = {b"$par get 4": TIMEOUT + 1}
        result = self.exchange()
        self.house.advance(TIMEOUT - 0.1)
        self.assertNoResult(result)
        self.house.advance(0.2)
        self.failureResultOf(result, NoReplyError)
        self.assertFalse(self.line.is_free())
        self.listener.free.clear()
        self.house.advance(1)
        self.assertTrue(self.line.is_free())
        self.assertTrue(self.listener.free, "nobody was notified of it")

    def test_when_the_session_ends_the_line_is_over_before_the_exchange_fails(self) -> None:
        self.hesitation = {b"$par get 4": TIMEOUT}
        result = self.exchange()
        seen: list[list[str]] = []
        result.addErrback(lambda why: seen.append([*self.listener.seen]) or why)
        self.house.advance(0.1)
        self.house.session.end("enough")
        self.house.advance(2)
        self.failureResultOf(result, SessionOverError)
        self.assertIn("over", seen[0])

    def test_an_unknown_end_of_a_reply_is_waited_for_in_silence(self) -> None:
        self.mishaps = {"frobnicate": Mishap(("$one",))}
        self.house.gateway_says(b"$frobnicate\r\n")
        self.house.advance(0.5)
        self.assertFalse(self.line.is_free())
        self.listener.free.clear()
        start = self.house.clock.seconds()
        self.house.advance(2 * QUIET)
        self.assertAlmostEqual(self.listener.free[0] - start, QUIET, delta=0.01)
        self.house.problems.clear()

    def test_what_is_said_meanwhile_has_a_silence_awaited_anew(self) -> None:
        self.mishaps = {"frobnicate": Mishap(("$one",))}
        self.house.gateway_says(b"$frobnicate\r\n")
        self.house.advance(0.5)
        self.assertFalse(self.line.is_free())
        self.listener.free.clear()
        self.house.advance(QUIET / 2)
        self.house.gateway_says(b"$frobnicate\r\n")
        said = self.house.clock.seconds()
        self.house.advance(3 * QUIET)
        self.assertGreaterEqual(self.listener.free[0] - said, QUIET)
        self.house.problems.clear()

    def test_who_found_it_busy_is_told_once_that_bytes_have_passed(self) -> None:
        """Whoever has nothing to ask then does not hear of all that follows."""
        self.listener.line = None
        self.house.gateway_says(b"$upt")
        self.house.advance(0.1)
        self.assertFalse(self.line.is_free())
        self.listener.told = 0
        self.line.gateway_sent(b"ime\r\n")
        self.assertEqual(1, self.listener.told)
        self.line.boiler_sent(b"$55\r\n")
        self.assertEqual(1, self.listener.told)

    def test_who_found_it_free_is_not_told_of_what_passes(self) -> None:
        self.listener.line = None
        self.house.gateway_says(b"$upt")
        self.house.advance(0.1)
        self.assertFalse(self.line.is_free())
        self.house.gateway_says(b"ime\r\n")
        self.house.advance(1)
        self.assertTrue(self.line.is_free())
        self.listener.told = 0
        self.line.boiler_sent(b"pm 1 \r\n")
        self.assertEqual(0, self.listener.told)

    def test_what_fails_to_be_read_again_and_again_is_read_once_an_hour_at_least(self) -> None:
        for _ in range(10):
            self.line.read_again("4")
            self.house.advance(READ_AGAIN_LONGEST + READ_PAUSE)
            self.assertTrue(self.line.may_read)
            self.assertEqual("4", self.line.next_to_read())

    def test_nothing_is_read_any_more_when_the_session_is_over(self) -> None:
        """Neither what waits to be read, nor what is to be read again."""
        self.line.read(["4"])
        self.line.read_again("PR001")
        self.line.over("the client closed")
        self.assertEqual([], self.house.clock.getDelayedCalls())

    def test_parameters_are_read_one_by_one_with_a_pause_before_each(self) -> None:
        self.line.read(["4", "PR001", "4"])
        read: list[str] = []
        for _ in range(40):
            if self.line.may_read:
                read.append(self.line.next_to_read())
                self.assertFalse(self.line.may_read)
            self.house.advance(0.1)
        self.assertEqual(["4", "PR001"], read)
