"""Commands: what is taken, what is sent to the boiler, and what comes of it."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.boiler.model import Boiler
from hargassner.control.queue import CommandError, Control, IControl
from hargassner.control.session_line import QUIET, READ_AGAIN
from hargassner.control.turns import GAP_TIMEOUT, MOST_WAITING
from hargassner.dialogue.channels import Reading
from hargassner.dialogue.dialogue import LineState
from hargassner.dialogue.events import ParameterChanged, Readings
from hargassner.proxy.exchange import BridgeRequest, SessionOverError
from hargassner.simulator.boiler.engine import Mishap
from tests.cases import Log
from tests.house import CATALOGUE, PARAMETERS, TIMEOUT, House


class ControlCase(SynchronousTestCase):
    """A house in which the gateway has logged in and asks nothing more."""

    def setUp(self) -> None:
        self.log = Log(self)
        self.mishaps: dict[str, Mishap] = {}
        self.hesitation: dict[bytes, float] = {}
        self.house = self.build()

    def build(self, **options: object) -> House:
        house = House(
            mishap=lambda command: self.mishaps.get(command),
            hesitation=lambda line: self.hesitation.get(line, 0.0),
            **options,
        )
        self.addCleanup(self.nothing_is_left, house)
        return house.log_in()

    def nothing_is_left(self, house: House) -> None:
        house.end()
        self.assertEqual([], house.clock.getDelayedCalls())
        self.assertEqual([], house.problems)
        self.assertEqual(len(house.outcomes), house.commands)

    def outcome(self, id_: str, requested: str, seconds: float = 3) -> str:
        outcome = self.house.command(id_, requested)
        self.house.advance(seconds)
        self.assertEqual(1, len(outcome))
        return outcome[0]

    def asked(self) -> list[bytes]:
        """What the bridge asked since the last time."""
        asked = self.house.boiler.asked_by_bridge[:]
        self.house.boiler.asked_by_bridge.clear()
        return asked

    def count(self, name: str) -> int:
        return getattr(self.house.control.counters, name)


class SettingTests(ControlCase):
    """A command that the boiler carries out."""

    def test_it_is_an_honest_control(self) -> None:
        verifyObject(IControl, self.house.control)

    def test_the_result_is_the_boilers_own_text_and_the_model_has_it(self) -> None:
        self.asked()
        self.assertEqual("Aus", self.outcome("PR001", "aus"))
        self.assertEqual([b'$par set "PR001;6;1"'], self.asked())
        self.assertEqual("Aus", self.house.model.settings["PR001"].text)
        self.assertEqual("Aus", self.house.engine.plant.parameters.get("PR001").text())
        self.assertEqual(1, self.count("ok"))

    def test_the_id_may_be_in_another_case(self) -> None:
        self.assertEqual("1.0", self.outcome("a6D", "1"))

    def test_what_it_is_already_is_read_back_as_no_notice_tells_it(self) -> None:
        self.asked()
        self.assertEqual("20.500", self.outcome("4", "20.5"))
        self.assertEqual([b'$par set "4;3;20.5"', b"$par get 4"], self.asked())

    def test_a_notice_counts_for_the_request_after_which_it_came_and_no_later_one(self) -> None:
        self.outcome("4", "22", 2)
        self.asked()
        self.assertEqual("22.000", self.outcome("4", "22"))
        self.assertEqual([b'$par set "4;3;22.0"', b"$par get 4"], self.asked())

    def test_with_notices_switched_off_the_value_is_read_back(self) -> None:
        self.house.gateway_says(b"$logging disable\r\n")
        # The gateway's own words in this test: its dialogue must not be surprised.
        self.house.advance(1)
        self.house.problems.clear()
        self.assertEqual("23.000", self.outcome("4", "23"))

    def test_the_model_has_it_when_the_result_comes(self) -> None:
        seen: list[str] = []
        result = self.house.control.set_parameter("PR011", "Heizen")
        result.addCallback(lambda _: seen.append(self.house.model.settings["PR011"].text))
        self.house.advance(1)
        self.assertEqual(["Heizen"], seen)

    def test_commands_are_carried_out_in_their_order(self) -> None:
        self.asked()
        for id_, requested in (("PR011", "Aus"), ("4", "22"), ("PR001", "Aus")):
            self.house.command(id_, requested)
        self.house.advance(4)
        self.assertEqual(
            [b'$par set "PR011;6;0"', b'$par set "4;3;22.0"', b'$par set "PR001;6;1"'],
            self.asked(),
        )

    def test_of_those_for_one_parameter_only_the_newest_is_sent(self) -> None:
        self.asked()
        first, second, third = (self.house.command("4", each) for each in ("21", "22", "23"))
        self.house.advance(2)
        self.assertEqual([b'$par set "4;3;23.0"'], self.asked())
        self.assertEqual(["23.0"], third)
        for each in (first, second):
            self.assertIn("a newer command for the same parameter", each[0])
        self.assertEqual(2, self.count("superseded"))

    def test_one_that_was_sent_is_not_superseded(self) -> None:
        first = self.house.command("4", "21")
        self.house.advance(0.01)
        second = self.house.command("4", "22")
        self.house.advance(2)
        self.assertEqual((["21.0"], ["22.0"]), (first, second))

    def test_a_command_given_when_another_has_its_result_is_carried_out(self) -> None:
        later: list[str] = []
        result = self.house.control.set_parameter("4", "21")
        result.addCallback(lambda _: self.house.control.set_parameter("4", "22"))
        result.addCallback(later.append)
        self.house.advance(2)
        self.assertEqual(["22.0"], later)

    def test_who_cancels_the_result_does_not_stop_what_was_begun(self) -> None:
        """The boiler may have been asked already, and what it confirms is counted."""
        self.asked()
        result = self.house.control.set_parameter("4", "21")
        self.house.advance(0.01)
        result.cancel()
        self.failureResultOf(result, CancelledError)
        self.house.advance(1)
        self.assertEqual([b'$par set "4;3;21.0"'], self.asked())
        self.assertEqual(1, self.count("ok"))


class RefusalTests(ControlCase):
    """A command that is not carried out."""

    def test_a_parameter_that_is_not_listed(self) -> None:
        why = self.outcome("7", "20")
        self.assertEqual("error: '7' cannot be set: it is not among control.parameters", why)

    def test_a_value_that_it_cannot_have_never_reaches_the_boiler(self) -> None:
        self.asked()
        self.assertIn("is not within 14 to 26", self.outcome("4", "99"))
        self.assertIn("is no option of parameter PR001", self.outcome("PR001", "99"))
        self.assertEqual([], self.asked())
        self.assertEqual(2, self.count("invalid"))

    def test_the_boilers_refusals_with_its_own_words(self) -> None:
        for line in ("$permission denied", "$err limit", "zERR nicht vorhanden"):
            self.mishaps = {'par set "4;3;22.0"': Mishap((line,))}
            why = self.outcome("4", "22")
            self.assertEqual(f"error: the boiler refused it: {line.removeprefix('$')}", why)
            # What the gateway asks next tells whether a reply follows a notice.
            self.house.advance(6)
        self.assertEqual(3, self.count("refused"))
        self.assertEqual("20.500", self.house.model.settings["4"].text)

    def test_what_was_sent_and_has_failed_is_read_again(self) -> None:
        self.mishaps = {'par set "4;3;22.0"': Mishap(("$err limit",))}
        self.asked()
        self.outcome("4", "22")
        self.assertEqual([b'$par set "4;3;22.0"', b"$par get 4"], self.asked())

    def test_an_acknowledgement_that_changes_nothing_is_no_success(self) -> None:
        self.mishaps = {'par set "4;3;22.0"': Mishap(("$ack",))}
        self.assertIn("has 20.500 all the same", self.outcome("4", "22"))

    def test_too_many_at_once(self) -> None:
        ids = [f"X{number}" for number in range(MOST_WAITING + 1)]
        house = self.build(parameters=ids)
        outcomes = [house.command(each, "1") for each in ids]
        self.assertEqual([[]] * MOST_WAITING, outcomes[:-1])
        self.assertEqual(["error: 20 commands are waiting already"], outcomes[-1])
        # One that replaces another finds its place.
        outcomes.append(house.command("X3", "2"))
        self.assertEqual([], outcomes[-1])
        house.advance(GAP_TIMEOUT)
        self.assertEqual(1, house.control.counters.too_many)


class UnknownParameterTests(ControlCase):
    """A parameter that the boiler has not described yet."""

    def setUp(self) -> None:
        super().setUp()
        # What it was asked after the login, it did not tell.
        self.mishaps = {"par get 4": Mishap(("$permission denied",))}
        self.house = self.build()
        self.mishaps = {}
        self.asked()

    def test_it_is_read_before_it_is_set(self) -> None:
        self.assertEqual("22.0", self.outcome("4", "22"))
        self.assertEqual([b"$par get 4", b'$par set "4;3;22.0"'], self.asked())

    def test_what_it_cannot_be_is_refused_then(self) -> None:
        self.assertIn("is not within", self.outcome("4", "99"))
        self.assertEqual(1, self.count("invalid"))

    def test_a_boiler_that_does_not_know_it_refuses(self) -> None:
        self.mishaps = {"par get 4": Mishap(("$err parameter",))}
        self.assertEqual(
            "error: the boiler does not tell what parameter 4 is: err parameter",
            self.outcome("4", "22"),
        )

    def test_one_of_which_only_a_notice_was_seen_is_read_too(self) -> None:
        self.house.model.apply(ParameterChanged("4", "", None, "21.0"), 0.0)
        self.assertEqual("22.0", self.outcome("4", "22"))

    def test_what_cannot_be_read_is_not_set(self) -> None:
        self.mishaps = {"par get 4": Mishap(("$4;3;damaged;",))}
        self.assertIn("cannot be read", self.outcome("4", "22"))


class LateTests(ControlCase):
    """A boiler that takes its time."""

    def test_a_command_without_an_answer_times_out(self) -> None:
        self.mishaps = {'par set "4;3;22.0"': Mishap(())}
        outcome = self.house.command("4", "22")
        self.house.advance(TIMEOUT - 0.1)
        self.assertEqual([], outcome)
        self.house.advance(0.2)
        self.assertEqual(["error: the boiler did not answer within 5 seconds"], outcome)
        self.assertEqual(1, self.count("timed_out"))

    def test_a_notice_of_the_new_value_counts_although_the_acknowledgement_is_lost(self) -> None:
        self.mishaps = {'par set "4;3;22.0"': Mishap(None)}
        self.assertEqual("22.0", self.outcome("4", "22", TIMEOUT + 1))

    def test_an_answer_that_comes_late_still_reaches_the_model(self) -> None:
        self.hesitation = {b'$par set "PR001;6;1"': TIMEOUT + 1}
        self.assertIn("did not answer", self.outcome("PR001", "Aus", TIMEOUT + 0.5))
        self.house.advance(2)
        self.assertEqual("Aus", self.house.model.settings["PR001"].text)

    def test_the_next_command_waits_until_nothing_is_owed_for_the_last(self) -> None:
        self.hesitation = {b'$par set "4;3;22.0"': TIMEOUT + 1}
        self.asked()
        self.house.command("4", "22")
        self.house.advance(0.1)
        next_ = self.house.command("PR001", "Aus")
        self.house.advance(TIMEOUT + 0.5)
        self.assertEqual([], next_)
        # Then the gateway has the line to itself for twice the time that it has waited.
        self.house.advance(2 * TIMEOUT - 1)
        self.assertEqual([], next_)
        self.house.advance(1)
        self.assertEqual(["Aus"], next_)

    def test_a_command_does_not_wait_for_a_gap_for_ever(self) -> None:
        self.house.stop_polling()
        self.house.advance(10)
        self.house.gateway_says(b"half a line")
        outcome = self.house.command("4", "22")
        self.house.advance(GAP_TIMEOUT + 1)
        self.assertIn("left no gap", outcome[0])
        self.assertEqual(1, self.count("timed_out"))
        self.house.problems.clear()


class SessionTests(ControlCase):
    """Commands need a session."""

    def test_without_one_they_are_refused_at_once(self) -> None:
        control = Control(Boiler(catalogue=CATALOGUE), Clock(), PARAMETERS, TIMEOUT)
        why = self.failureResultOf(control.set_parameter("4", "22"), CommandError)
        self.assertIn("no gateway session", why.getErrorMessage())
        self.assertEqual(1, control.counters.no_session)

    def test_before_the_login_they_are_refused(self) -> None:
        house = House()
        self.addCleanup(self.nothing_is_left, house)
        house.advance(0.03)
        self.assertIn("no gateway session", house.command("4", "22")[0])

    def test_one_that_is_out_when_the_session_ends_says_so(self) -> None:
        self.mishaps = {'par set "4;3;22.0"': Mishap(())}
        out, waiting = self.house.command("4", "22"), self.house.command("PR001", "Aus")
        self.house.advance(0.01)
        self.house.session.end("enough")
        self.house.advance(2)
        self.assertEqual(["error: the session ended before the boiler answered"], out)
        self.assertEqual(["error: the session ended before the command could be sent"], waiting)
        self.assertEqual(2, self.count("session_ended"))
        self.assertIn("no gateway session", self.house.command("4", "22")[0])

    def test_nothing_is_timed_any_more_when_the_session_is_over(self) -> None:
        self.mishaps = {'par set "4;3;22.0"': Mishap(())}
        self.house.command("4", "22")
        self.house.command("PR001", "Aus")
        self.house.advance(0.01)
        self.house.client.gone(ConnectionDone())
        self.house.boiler_leg.gone(ConnectionDone())
        self.house.boiler_end.gone()
        self.assertEqual(2, self.count("session_ended"))
        self.check_nothing_is_timed()

    def test_nor_is_the_pause_for_which_a_command_waited(self) -> None:
        out, waiting = self.house.command("4", "22"), self.house.command("PR001", "Aus")
        self.house.advance(0.2)
        self.assertEqual((["22.0"], []), (out, waiting))
        self.house.client.gone(ConnectionDone())
        self.house.boiler_leg.gone(ConnectionDone())
        self.house.boiler_end.gone()
        self.check_nothing_is_timed()

    def check_nothing_is_timed(self) -> None:
        """But by the simulated devices."""
        timed = {each.func.__module__ for each in self.house.clock.getDelayedCalls()}
        self.assertEqual(set(), timed - {"tests.house", "twisted.internet.task"})

    def test_a_gateway_that_is_about_to_leave_is_not_disturbed(self) -> None:
        self.asked()
        self.house.stop_polling()
        self.house.advance(2)
        self.house.gateway_says(self.house.dialogue.clear())
        self.house.advance(0.001)
        outcome = self.house.command("4", "22")
        self.house.advance(1)
        self.assertIn("about to start over", outcome[0])
        self.assertIn("about to start over", self.house.command("4", "22")[0])
        self.assertEqual([], self.asked())

    def test_one_that_has_begun_when_the_gateway_is_about_to_leave_ends_at_once(self) -> None:
        self.house.stop_polling()
        self.house.advance(10)
        self.asked()
        # What it is already would be read back, in a turn that does not come.
        outcome = self.house.command("4", "20.5")
        self.house.advance(0.01)
        self.house.gateway_says(self.house.dialogue.clear())
        self.house.advance(1)
        self.assertEqual(1, len(outcome))
        self.assertIn("about to start over", outcome[0])
        self.assertEqual([b'$par set "4;3;20.5"'], self.asked())
        self.assertEqual(1, self.count("session_ended"))

    def test_after_a_failure_of_the_understanding_none_is_sent(self) -> None:
        before = len(self.house.received)
        self.house.session_interpreter.listen(lambda _event: 1 / 0)
        self.house.boiler.deliver(self.house.engine.change("PR011", "Heizen"))
        self.house.advance(2)
        self.assertIn("cannot follow", self.house.command("4", "22")[0])
        self.house.advance(10)
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))
        # The last line may still be under way.
        self.assertTrue(self.house.boiler.for_gateway.startswith(self.house.received))
        self.assertGreater(len(self.house.received), before)


class ReadingTests(ControlCase):
    """After a login the bridge reads what can be set."""

    def test_each_parameter_is_read_once_in_a_session(self) -> None:
        self.house.advance(60)
        self.assertEqual(self.asked(), [f"$par get {each}".encode() for each in PARAMETERS])
        self.assertEqual(set(self.house.model.settings), set(PARAMETERS))

    def test_what_is_safe_of_what_exists_is_read_by_itself(self) -> None:
        """What turns out to exist in a session is read then."""
        house = self.build(parameters=("auto",))
        house.advance(60)
        first = list(house.boiler.asked_by_bridge)
        house.model.apply(ParameterChanged("PR013", "Zone 3", "Aus", "Auto"), 0.0)
        house.advance(60)
        self.assertIn(b"$par get PR001", first)
        self.assertNotIn(b"$par get H4", first)
        self.assertIn(b"$par get H4", house.boiler.asked_by_bridge)
        self.assertEqual([], [each for each in self.log.lines if "does not tell" in each])

    def test_what_the_boiler_does_not_tell_is_said_once(self) -> None:
        self.mishaps = {
            "par get 4": Mishap(("$permission denied",)),
            "par get PR001": Mishap(()),
        }
        self.build()
        self.build()
        house = self.build()
        self.assertEqual({"PR011", "A6d"}, set(house.model.settings))
        said = [each for each in self.log.lines if "does not tell parameter" in each]
        self.assertEqual(
            [
                "the boiler does not tell parameter PR001: it did not answer in time",
                "the boiler does not tell parameter 4: permission denied",
            ],
            said[:2],
        )
        self.assertEqual([], self.log.at(LogLevel.warn))

    def test_what_could_not_be_read_is_read_again_later_and_less_often_each_time(self) -> None:
        self.mishaps = {"par get 4": Mishap(("$permission denied",))}
        house = self.build()
        house.stop_polling()
        house.advance(4 * READ_AGAIN)
        self.assertEqual(3, house.boiler.asked_by_bridge.count(b"$par get 4"))
        self.mishaps.clear()
        house.advance(4 * READ_AGAIN)
        self.assertEqual(4, house.boiler.asked_by_bridge.count(b"$par get 4"))
        self.assertIn("4", house.model.settings)
        house.advance(60 * READ_AGAIN)
        self.assertEqual(4, house.boiler.asked_by_bridge.count(b"$par get 4"))

    def test_commands_come_first(self) -> None:
        house = House()
        self.addCleanup(self.nothing_is_left, house)
        while not house.session.logged_in:
            house.advance(0.01)
        outcome = house.command("A6d", "1")
        house.advance(2)
        self.assertEqual(["1.0"], outcome)
        self.assertEqual([b"$par get A6d", b'$par set "A6d;3;1.0"'], house.boiler.asked_by_bridge)

    def test_a_change_at_the_panel_reaches_the_model(self) -> None:
        self.house.boiler.deliver(self.house.engine.change("PR011", "Heizen"))
        self.house.advance(1)
        self.assertEqual("Heizen", self.house.model.settings["PR011"].text)


class GapTests(ControlCase):
    """When a request of the bridge's is written."""

    def setUp(self) -> None:
        super().setUp()
        self.house.stop_polling()
        self.house.advance(10)
        self.asked()
        self.acknowledgements = self.house.received.count(b"$ack\r\n")

    def test_not_while_a_line_of_the_gateways_is_half_through(self) -> None:
        self.house.gateway_says(b"$setk")
        outcome = self.house.command("4", "22")
        self.house.advance(5)
        self.assertEqual([], self.asked())
        self.house.gateway_says(b"omm\r\n")
        self.house.advance(1)
        self.assertEqual(["22.0"], outcome)
        self.house.problems.clear()

    def test_not_while_a_reply_is_due(self) -> None:
        self.hesitation = {b"$setkomm": 3}
        self.house.gateway_says(b"$setkomm\r\n")
        self.house.command("4", "22")
        self.house.advance(2.9)
        self.assertEqual([], self.asked())
        self.house.advance(0.2)
        self.assertEqual([b'$par set "4;3;22.0"'], self.asked())
        self.house.problems.clear()

    def test_behind_an_unknown_request_only_after_a_silence(self) -> None:
        self.mishaps = {"frobnicate": Mishap(("$one", "$two"))}
        self.house.gateway_says(b"$frobnicate\r\n")
        self.house.command("4", "22")
        self.house.advance(QUIET - 0.1)
        self.assertEqual([], self.asked())
        # The silence counts from the last word.
        self.house.advance(QUIET + 0.2)
        self.assertEqual([b'$par set "4;3;22.0"'], self.asked())
        self.house.problems.clear()

    def test_behind_a_list_of_errors_only_after_a_silence(self) -> None:
        self.mishaps = {"erract": Mishap(("$0013 Aschelade leeren",))}
        self.house.gateway_says(b"$erract\r\n")
        self.house.command("4", "22")
        self.house.advance(0.5)
        self.assertEqual([], self.asked())
        self.house.advance(2 * QUIET)
        self.assertEqual([b'$par set "4;3;22.0"'], self.asked())
        self.house.problems.clear()

    def test_behind_a_notice_that_refuses_the_gateways_set_only_after_a_silence(self) -> None:
        """A reply may follow the notice, and is the gateway's."""
        self.mishaps = {'par set "7;3;99"': Mishap(("zERR 7",))}
        self.house.gateway_says(b'$par set "7;3;99"\r\n')
        self.house.advance(0.1)
        outcome = self.house.command("4", "22")
        self.house.advance(QUIET - 0.5)
        self.assertEqual([], self.asked())
        self.house.boiler_end.write(b"$err limit\r\n")
        self.house.advance(0.1)
        self.assertIn(b"$err limit\r\n", self.house.received)
        self.house.advance(QUIET)
        self.assertEqual(["22.0"], outcome)
        self.house.problems.clear()

    def test_a_late_answer_of_ours_closes_no_request_of_the_gateways(self) -> None:
        """What is received for the bridge pairs with the bridge's request only."""
        self.mishaps = {'par set "4;3;22.0"': Mishap(())}
        self.hesitation = {b'$par set "7;3;20"': 2.0}
        self.house.command("4", "22")
        self.house.advance(TIMEOUT)
        self.house.gateway_says(b'$par set "7;3;20"\r\n')
        self.house.advance(0.1)
        self.house.boiler_end.write(b"zPa N: 4 (Zone 1) = 22.0\r\n$ack\r\n")
        self.house.advance(0.1)
        dialogue = self.house.session_interpreter.dialogue
        self.assertEqual(('$par set "7;3;20"',), dialogue.open_requests)
        self.assertIs(dialogue.line_state, LineState.BUSY)
        self.house.advance(3)
        self.assertEqual((), dialogue.open_requests)
        self.assertTrue(self.house.received.endswith(b"$ack\r\n"))
        self.assertEqual(self.house.received.count(b"$ack\r\n"), self.acknowledgements + 1)
        self.house.problems.clear()

    def test_a_request_without_a_reply_is_not_waited_for(self) -> None:
        self.house.gateway_says(b"$dhcp renew\r\n")
        self.assertEqual("22.0", self.outcome("4", "22"))

    def test_the_gateways_requests_wait_for_one_answer_and_no_longer(self) -> None:
        self.hesitation = {b'$par set "4;3;22.0"': 1.0}
        self.house.command("4", "22")
        self.house.command("PR001", "Aus")
        self.house.advance(0.01)
        self.house.gateway_says(self.house.dialogue.poll())
        self.house.advance(1.05)
        # Between the two commands the gateway had its turn.
        self.assertIn(b"$setkomm", self.house.boiler.asked_by_gateway[-4:])
        self.assertEqual([b'$par set "4;3;22.0"'], self.asked())
        self.house.advance(2)
        self.assertEqual([b'$par set "PR001;6;1"'], self.asked())


class NewerSession:
    """A second session, as Control sees one; it has one exchange, which the test ends."""

    can_ask = True
    number = 2

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.reply: Deferred[bytes] = Deferred()
        self.caught_up = 0

    def observe_at_once(self, on: bool) -> None:
        """It does so anyway."""

    def catch_up(self) -> None:
        """Nothing waits; it is counted how often that was to be known."""
        self.caught_up += 1

    def exchange(self, request: BridgeRequest) -> "Deferred[bytes]":
        self.asked.append(request.line)
        self.can_ask = False
        return self.reply

    def on_settled(self, listener: object) -> None:
        pass


class NothingToAskTests(SynchronousTestCase):
    """Several logged-in sessions, and nothing is to be asked over any of them."""

    def test_what_passes_in_one_leaves_the_others_alone(self) -> None:
        """Else the observers of all sessions would run whenever bytes pass in one."""
        house, newer = House(parameters=()).log_in(), NewerSession()
        line = house.control.observe(newer, house.interpreter.observe(house.session))
        house.control.logged_in(line)
        house.advance(10)
        self.assertEqual(0, newer.caught_up)
        line.over("the client closed")
        house.end()


class NewlyFoundTests(SynchronousTestCase):
    """What has passed and no observer knows yet."""

    def test_a_command_is_taken_as_soon_as_the_login_has_passed(self) -> None:
        """Though the observers get it a moment later."""
        house, session = House(parameters=("4",)), NewerSession()
        line = house.control.observe(session, house.interpreter.observe(house.session))
        session.catch_up = lambda: house.control.logged_in(line)
        outcome = house.command("4", "22")
        self.assertEqual([], outcome)
        line.over("the client closed")
        house.end()
        [why] = outcome
        self.assertIn("the session ended", why)


class BusySessionTests(SynchronousTestCase):
    """The newest of several sessions takes no request, and the others are silent."""

    def test_what_waits_goes_over_another_session_when_the_newest_takes_none_any_more(self) -> None:
        house, newer = House().log_in(), NewerSession()
        house.stop_polling()
        newer.can_ask = False
        line = house.control.observe(newer, house.interpreter.observe(house.session))
        house.control.logged_in(line)
        house.advance(10)
        outcome = house.command("4", "22")
        house.advance(1)
        self.assertEqual([], outcome)
        house.control.closed(line, "the gateway is about to start over")
        house.advance(1)
        self.assertEqual(["22.0"], outcome)
        line.over("the client closed")
        house.end()


class SeveralSessionsTests(SynchronousTestCase):
    """Of several logged-in sessions the newest is used."""

    def setUp(self) -> None:
        self.house = House().log_in()
        self.newer = NewerSession()
        interpreter = self.house.interpreter.observe(self.house.session)
        self.line = self.house.control.observe(self.newer, interpreter)
        self.house.control.logged_in(self.line)
        self.first = self.house.command("4", "22")
        self.house.advance(0.1)
        self.assertEqual([b'$par set "4;3;22.0"\r\n'], self.newer.asked)
        self.waiting = self.house.command("PR001", "Aus")

    def tearDown(self) -> None:
        self.house.end()

    def test_it_is_used_until_it_is_over(self) -> None:
        self.line.over("the client closed")
        self.newer.reply.errback(SessionOverError())
        self.house.advance(2)
        self.assertEqual(["Aus"], self.waiting)
        self.assertEqual(["error: the session ended before the boiler answered"], self.first)
        self.assertEqual(["4", "PR001"], [id_ for id_, _, _ in self.house.outcomes])

    def test_one_that_has_begun_ends_when_none_is_left_for_its_next_request(self) -> None:
        self.house.session.end("enough")
        self.house.advance(2)
        self.house.control.closed(self.line, "the gateway is about to start over")
        self.assertEqual([], self.first)
        self.newer.reply.callback(b"$ack")
        self.assertEqual(["error: the gateway is about to start over"], self.first)
        self.assertEqual(self.waiting, self.first)
        self.line.over("the client closed")

    def test_one_request_is_out_at_a_time_in_all_of_them(self) -> None:
        self.house.control.closed(self.line, "the gateway is about to start over")
        self.house.advance(2)
        self.assertEqual(([], []), (self.first, self.waiting))
        self.newer.reply.callback(b"$err limit")
        self.house.advance(4)
        self.assertEqual(["error: the boiler refused it: err limit"], self.first)
        self.assertEqual(["Aus"], self.waiting)
        self.line.over("the client closed")


class DisplayTests(ControlCase):
    """Somebody operates the boiler's display."""

    def use_display(self, shown: bool = True) -> None:
        """Let the boiler tell whether somebody does."""
        assert self.house.model.descriptor is not None
        [channel] = [
            each for each in self.house.model.descriptor.digital if each.name == "WS freig."
        ]
        reading = Reading(channel, "ON" if shown else "OFF", shown)
        self.house.model.apply(Readings((reading,), None), self.house.clock.seconds())

    def test_commands_are_carried_out_all_the_same(self) -> None:
        self.use_display()
        self.assertEqual("Aus", self.outcome("PR001", "Aus"))

    def test_where_the_owner_wants_it_so_they_are_refused_meanwhile(self) -> None:
        self.house = self.build(while_display_in_use="refuse")
        self.use_display()
        self.asked()
        self.assertIn("somebody operates the boiler's display", self.outcome("PR001", "Aus"))
        self.assertEqual(([], 1), (self.asked(), self.count("display_in_use")))
        self.use_display(False)
        self.assertEqual("Aus", self.outcome("PR001", "Aus"))

    def test_one_that_waited_for_its_turn_is_refused_too(self) -> None:
        """Its turn comes when somebody has begun to operate the display."""
        self.house = self.build(while_display_in_use="refuse")
        self.hesitation[b'$par set "4;3;22.0"'] = 2.0
        first, second = self.house.command("4", "22"), self.house.command("PR001", "Aus")
        self.house.advance(0.5)
        self.use_display()
        self.house.advance(5)
        self.assertEqual(["22.0"], first)
        self.assertIn("somebody operates", second[0])
