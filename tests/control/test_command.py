"""One command, step by step: what it asks, and what it makes of the replies."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.control.command import Command, CommandError, Outcome, Requests
from hargassner.control.pacing import BETWEEN, Pacing
from hargassner.dialogue.events import ParameterChanged, ParameterSeen
from hargassner.dialogue.parameters import parse_parameter
from hargassner.proxy.exchange import NoReplyError, SessionOverError
from tests.house import CATALOGUE


class ScriptedRequests(Requests):
    """Writes down what a command asks for; the test gives it its turns and its replies.

    A request that is sent without a turn, or while another is out, is an error here as it is with
    the real thing.
    """

    timeout = 5.0

    def __init__(self, clock: Clock) -> None:
        self.pacing = Pacing(clock.seconds)
        self.asked: list[bytes] = []
        self.steps: list[str] = []
        self.notices: set[str] = set()
        self._turn: Deferred[None] | None = None
        self._reply: Deferred[bytes] | None = None
        self._has_turn = False

    async def first_turn(self, id_: str) -> None:
        await self._wait(f"first turn of {id_}")

    async def next_turn(self) -> None:
        await self._wait("next turn")

    async def _wait(self, what: str) -> None:
        self.steps.append(what)
        self._turn = Deferred()
        await self._turn
        self._has_turn = True

    async def ask(self, request: bytes, text: str = "") -> bytes:
        assert self._has_turn and self._reply is None
        self._has_turn = False
        self.steps.append(request.decode().rstrip())
        self.notices.clear()
        reply = self._reply = Deferred()
        try:
            return await reply
        finally:
            self._reply = None

    def noticed(self, id_: str) -> bool:
        return id_.casefold() in self.notices

    # What the test does.

    def turn(self, error: Exception | None = None) -> None:
        """The command's turn has come, or never will."""
        assert self._turn is not None
        turn, self._turn = self._turn, None
        turn.errback(error) if error else turn.callback(None)

    def reply(self, reply: bytes | Exception) -> None:
        """The boiler replies."""
        assert self._reply is not None
        fire: Callable[..., None] = (
            self._reply.callback if isinstance(reply, bytes) else self._reply.errback
        )
        fire(reply)


class CommandTests(SynchronousTestCase):
    """A command reads what it does not know, sets, and has confirmed what no notice named."""

    RECORD = "4;3;20.000;14.000;26.000;0.500;\xb0C;20.000;0;0;0;Zone 1;"

    def setUp(self) -> None:
        self.clock = Clock()
        self.model = Boiler(catalogue=CATALOGUE)
        self.requests = ScriptedRequests(self.clock)

    def known(self, value: str = "20.000") -> None:
        """The boiler described the parameter."""
        record = self.RECORD.replace("20.000", value, 1)
        self.model.apply(ParameterSeen(parse_parameter(record)), 0.0)

    def noticed(self, value: str) -> None:
        """A notice named a new value while a reply was awaited."""
        self.model.apply(ParameterChanged("4", "", None, value), 0.0)
        self.requests.notices.add("4")

    def run_command(self, requested: str = "22", id_: str = "4") -> "Deferred[str]":
        self.command = Command(id_, requested, self.model, self.requests)
        return Deferred.fromCoroutine(self.command.run())

    def error(self, result: "Deferred[str]", outcome: Outcome) -> str:
        error = self.failureResultOf(result, CommandError).value
        self.assertEqual(error.outcome, outcome)
        return str(error)

    def test_a_known_parameter_is_set_and_a_notice_confirms_it(self) -> None:
        self.known()
        result = self.run_command()
        self.requests.turn()
        self.noticed("22.0")
        self.requests.reply(b"$ack")
        self.assertEqual("22.0", self.successResultOf(result))
        self.assertEqual(["first turn of 4", '$par set "4;3;22.0"'], self.requests.steps)

    def test_an_unknown_one_is_read_first_and_what_no_notice_named_is_read_back(self) -> None:
        result = self.run_command()
        self.requests.turn()
        self.known()
        self.requests.reply(b"$" + self.RECORD.encode("latin-1"))
        self.requests.turn()
        self.requests.reply(b"$ack")
        self.requests.turn()
        self.known("22.000")
        self.requests.reply(b"$4;3;22.000")
        self.assertEqual("22.000", self.successResultOf(result))
        self.assertEqual(
            [
                "first turn of 4",
                "$par get 4",
                "next turn",
                '$par set "4;3;22.0"',
                "next turn",
                "$par get 4",
            ],
            self.requests.steps,
        )

    def test_what_is_known_to_be_invalid_takes_no_turn(self) -> None:
        self.known()
        self.assertIn("is not within", self.error(self.run_command("99"), Outcome.INVALID))
        self.assertEqual([], self.requests.steps)

    def test_what_has_become_invalid_while_it_waited_is_not_sent_and_not_counted(self) -> None:
        result = self.run_command("99")
        self.known()
        self.requests.turn()
        self.error(result, Outcome.INVALID)
        self.assertEqual(["first turn of 4"], self.requests.steps)
        self.assertEqual(0, self.requests.pacing.wait("4"))

    def test_the_pace_counts_from_the_first_request_and_anew_from_the_one_that_sets(self) -> None:
        self.run_command()
        self.requests.turn()
        self.assertEqual(BETWEEN, self.requests.pacing.wait("4"))
        self.clock.advance(0.9)
        self.known()
        self.requests.reply(b"$4")
        self.assertAlmostEqual(self.requests.pacing.wait("4"), BETWEEN - 0.9)
        self.requests.turn()
        self.assertAlmostEqual(self.requests.pacing.wait("4"), BETWEEN)

    def test_only_one_that_was_sent_says_so(self) -> None:
        self.known()
        result = self.run_command()
        self.assertFalse(self.command.was_sent)
        self.requests.turn()
        self.assertTrue(self.command.was_sent)
        self.requests.reply(b"$err limit")
        self.assertEqual("the boiler refused it: err limit", self.error(result, Outcome.REFUSED))

    def test_only_an_acknowledgement_is_one(self) -> None:
        self.known()
        result = self.run_command()
        self.requests.turn()
        self.noticed("22.0")
        self.requests.reply(b"$what")
        self.assertEqual("the boiler refused it: what", self.error(result, Outcome.REFUSED))

    def test_a_turn_that_never_comes_ends_it_with_the_turns_own_error(self) -> None:
        self.known()
        for outcome in (Outcome.SUPERSEDED, Outcome.TOO_MANY, Outcome.TIMED_OUT):
            result = self.run_command()
            self.requests.turn(CommandError("why not", outcome))
            self.assertEqual("why not", self.error(result, outcome))
            self.assertFalse(self.command.was_sent)

    def test_no_reply_and_no_session_are_different_outcomes(self) -> None:
        self.known()
        for failure, outcome in (
            (NoReplyError(), Outcome.TIMED_OUT),
            (SessionOverError(), Outcome.SESSION_ENDED),
        ):
            result = self.run_command()
            self.requests.turn()
            self.requests.reply(failure)
            self.error(result, outcome)

    def test_without_a_reply_a_notice_of_this_very_value_is_enough(self) -> None:
        self.known()
        for value, good in (("22.0", True), ("21.0", False)):
            result = self.run_command()
            self.requests.turn()
            self.noticed(value)
            self.requests.reply(NoReplyError())
            if good:
                self.assertEqual("22.0", self.successResultOf(result))
            else:
                self.error(result, Outcome.TIMED_OUT)

    def test_a_value_that_it_has_without_a_notice_is_not_enough_without_a_reply(self) -> None:
        self.known("22.000")
        result = self.run_command()
        self.requests.turn()
        self.requests.reply(NoReplyError())
        self.error(result, Outcome.TIMED_OUT)

    def test_a_notice_of_another_value_is_no_confirmation_of_the_one_asked_for(self) -> None:
        """Somebody turned the panel while the set was out."""
        self.known()
        result = self.run_command("22.5")
        self.requests.turn()
        self.noticed("15.0")
        self.requests.reply(b"$ack")
        self.assertNoResult(result)
        self.requests.turn()
        self.known("15.000")
        self.requests.reply(b"$4;3;15.000")
        why = self.error(result, Outcome.REFUSED)
        self.assertEqual("the boiler acknowledged it, and has 15.000 all the same", why)

    def test_it_is_one_if_what_is_read_back_is_what_was_asked_for(self) -> None:
        self.known()
        result = self.run_command("22.5")
        self.requests.turn()
        self.noticed("15.0")
        self.requests.reply(b"$ack")
        self.requests.turn()
        self.known("22.500")
        self.requests.reply(b"$4;3;22.500")
        self.assertEqual("22.500", self.successResultOf(result))

    def test_an_unknown_parameter_that_is_not_read_in_time(self) -> None:
        result = self.run_command()
        self.requests.turn()
        # The gateway may have asked for it just then.
        self.known("22.000")
        self.noticed("22.0")
        self.requests.reply(NoReplyError())
        self.assertIn("within 5 seconds", self.error(result, Outcome.TIMED_OUT))

    def test_the_boiler_may_spell_the_id_in_another_case(self) -> None:
        record = self.RECORD.replace("4;", "a6D;", 1)
        self.model.apply(ParameterSeen(parse_parameter(record)), 0.0)
        result = self.run_command(id_="A6d")
        self.requests.turn()
        self.model.apply(ParameterChanged("a6D", "", None, "22.0"), 0.0)
        self.requests.notices.add("a6d")
        self.requests.reply(b"$ack")
        self.assertEqual("22.0", self.successResultOf(result))
        self.assertEqual('$par set "a6D;3;22.0"', self.requests.steps[-1])
