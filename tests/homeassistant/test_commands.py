"""Commands over MQTT: what reaches the control, and what is answered."""

import json
from typing import Any

from twisted.internet.defer import succeed

from hargassner.control.queue import CommandError
from hargassner.dialogue.events import ParameterChanged
from tests.doubles.hass import check_announcements
from tests.mqtt.cases import BASE, HomeCase


class CommandCase(HomeCase):
    """A home where everything is known."""

    def setUp(self) -> None:
        super().setUp()
        self.everything()
        self.broker.published.clear()

    def results(self, object_: str) -> list[dict[str, Any]]:
        """What was answered on a result topic; nothing of it is retained."""
        results = [each for each in self.broker.published if each[0] == f"{BASE}/{object_}/result"]
        self.assertFalse(any(retain for _, _, retain in results))
        return [json.loads(payload) for _, payload, _ in results]


class CommandTests(CommandCase):
    """One command, one result."""

    def test_a_command_reaches_the_control(self) -> None:
        """By the parameter's id, as the boiler writes it, and as it was written."""
        self.broker.deliver(f"{BASE}/par_a6d/set", " 1.5\n")
        self.broker.deliver(f"{BASE}/par_pr011/set", "Réduire")
        self.assertEqual([("A6d", "1.5"), ("PR011", "Réduire")], self.control.asked)

    def test_what_the_boiler_confirmed_is_the_result(self) -> None:
        self.broker.deliver(f"{BASE}/par_pr011/set", "3")
        self.assertEqual([], self.results("par_pr011"))
        self.control.answers[0].callback("Confort")
        self.assertEqual([{"ok": True, "value": "Confort"}], self.results("par_pr011"))

    def test_nothing_is_shown_before_the_boiler_confirmed_it(self) -> None:
        """Not even when the result is there: the model tells the state."""
        self.broker.deliver(f"{BASE}/par_pr011/set", "Confort")
        self.assertEqual("Auto", self.states()["par_pr011"])
        self.apply(ParameterChanged("PR011", "Zone 1 Mode", "Auto", "Confort"))
        self.assertEqual("Confort", self.states()["par_pr011"])

    def test_a_refusal_is_answered_and_brings_the_old_value_back(self) -> None:
        """The state is published again, since Home Assistant may show the wish."""
        self.broker.deliver(f"{BASE}/par_4/set", "99")
        self.control.answers[0].errback(CommandError("99 is above 26"))
        self.assertEqual([{"ok": False, "error": "99 is above 26"}], self.results("par_4"))
        self.assertEqual((f"{BASE}/par_4", "20.000", True), self.broker.published[-1])

    def test_a_failure_of_the_bridges_is_answered_too(self) -> None:
        """Its details are for the log."""
        self.broker.deliver(f"{BASE}/par_4/set", "21")
        self.control.answers[0].errback(ZeroDivisionError("a secret"))
        [result] = self.results("par_4")
        self.assertFalse(result["ok"])
        self.assertNotIn("secret", result["error"])
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_a_parameter_that_may_not_be_set(self) -> None:
        """Known to the boiler, but not among those of the configuration."""
        self.broker.deliver(f"{BASE}/par_d17/set", "Marche")
        self.assertEqual([], self.control.asked)
        [result] = self.results("par_d17")
        self.assertFalse(result["ok"])
        self.assertIn("control.parameters", result["error"])
        self.assertEqual((f"{BASE}/par_d17", "Arr", True), self.broker.published[-1])

    def test_what_is_no_parameter(self) -> None:
        """A channel, and something that nobody knows."""
        for object_ in ("tk", "nonsense", "x" * 1000):
            self.broker.deliver(f"{BASE}/{object_}/set", "1")
            [result] = self.results(object_)
            self.assertFalse(result["ok"])
            self.assertLess(len(result["error"]), 120)
        self.assertEqual([], self.control.asked)

    def test_a_parameter_that_was_not_told_yet_is_for_the_control_to_judge(self) -> None:
        self.broker.deliver(f"{BASE}/par_5/set", "18")
        self.assertEqual([("5", "18")], self.control.asked)

    def test_every_command_has_one_result(self) -> None:
        """Whatever becomes of each, and in whatever order."""
        for wanted in ("20", "21", "22"):
            self.broker.deliver(f"{BASE}/par_4/set", wanted)
        self.control.answers[2].callback("22.0")
        self.control.answers[0].errback(CommandError("another command took its place"))
        self.control.answers[1].callback("21.0")
        self.assertEqual([True, False, True], [each["ok"] for each in self.results("par_4")])

    def test_a_command_whose_outcome_comes_too_late_is_answered_at_the_end(self) -> None:
        for object_ in ("par_4", "par_4", "par_a6d"):
            self.broker.deliver(f"{BASE}/{object_}/set", "1")
        self.control.answers[0].callback("1.0")
        self.view.stopService()
        for each in self.control.answers[1:]:
            each.errback(CommandError("the session ended"))
        [first, second] = self.results("par_4")
        self.assertEqual([True, False], [first["ok"], second["ok"]])
        self.assertIn("the bridge stops", second["error"])
        self.assertEqual(1, len(self.results("par_a6d")))
        self.broker.deliver(f"{BASE}/par_4/set", "2")
        self.assertEqual(3, len(self.control.asked))

    def test_an_answer_that_is_there_at_once(self) -> None:
        self.control.set_parameter = lambda id_, wanted: succeed(wanted)  # type: ignore[method-assign]
        self.broker.deliver(f"{BASE}/par_4/set", "21")
        self.assertEqual([{"ok": True, "value": "21"}], self.results("par_4"))

    def test_what_cannot_be_read_is_answered(self) -> None:
        """It wants nothing that anybody could do."""
        self.broker.deliver_unreadable(f"{BASE}/par_4/set", "no text in UTF-8")
        self.broker.deliver_unreadable(f"{BASE}/nonsense/set", "longer than 64 kB")
        self.assertEqual(
            [{"ok": False, "error": "what is wanted is no text in UTF-8"}], self.results("par_4")
        )
        self.assertEqual(
            [{"ok": False, "error": "what is wanted is longer than 64 kB"}],
            self.results("nonsense"),
        )
        self.assertEqual([], self.control.asked)
        self.assertIn((f"{BASE}/par_4", "20.000", True), self.broker.published)

    def test_other_topics_are_no_commands(self) -> None:
        """Least of all the states and results that the bridge publishes itself."""
        for topic in ("par_4", "par_4/result", "par_4/set/x"):
            self.broker.deliver(f"{BASE}/{topic}", "21")
        self.assertEqual([], self.control.asked)


class LastCommandTests(CommandCase):
    """What became of the last command stays to be seen."""

    def last(self) -> dict[str, Any]:
        """What is retained of it."""
        return dict(json.loads(self.states()["last_command"]))

    def test_one_that_was_carried_out(self) -> None:
        self.broker.deliver(f"{BASE}/par_4/set", "21")
        self.control.answers[0].callback("21.0")
        last = self.last()
        self.assertEqual(("par_4 = 21: ok", True), (last["text"], last["ok"]))

    def test_one_that_was_refused(self) -> None:
        """With the boiler's reason, in a text that is not too long for a state."""
        self.broker.deliver(f"{BASE}/par_4/set", "9" * 1000)
        self.control.answers[0].errback(CommandError("it is above 26 " * 100))
        last = self.last()
        self.assertFalse(last["ok"])
        self.assertIn("refused: it is above 26", last["text"])
        self.assertLessEqual(len(last["text"]), 255)


class RestartTests(CommandCase):
    """The button that starts the bridge anew."""

    def test_it_is_pressed(self) -> None:
        button = check_announcements(self.announced()).entity("button", "restart")
        self.broker.deliver(button["command_topic"], button["payload_press"])
        self.assertEqual(1, self.restarted)
        self.assertEqual([{"ok": True, "value": "restart"}], self.results("restart"))

    def test_anything_else_is_refused(self) -> None:
        for object_, payload in (("restart", "now"), ("bridge", "restart")):
            self.broker.deliver(f"{BASE}/{object_}/set", payload)
        self.assertEqual(0, self.restarted)
        self.assertFalse(self.results("restart")[0]["ok"])


class FromHomeAssistantTests(CommandCase):
    """What Home Assistant sends when its owner touches an entity."""

    def setUp(self) -> None:
        super().setUp()
        self.home = check_announcements(self.announced())

    def test_a_switch(self) -> None:
        switch = self.home.entity("switch", "par_21")
        self.broker.deliver(switch["command_topic"], switch["payload_on"])
        self.assertEqual([("21", "Oui")], self.control.asked)

    def test_a_button(self) -> None:
        button = self.home.entity("button", "par_pr040")
        self.broker.deliver(button["command_topic"], button["payload_press"])
        self.assertEqual([("PR040", "1")], self.control.asked)

    def test_a_select(self) -> None:
        select = self.home.entity("select", "par_pr001")
        self.broker.deliver(select["command_topic"], select["options"][1])
        self.assertEqual([("PR001", "1")], self.control.asked)

    def test_an_option_is_asked_for_by_the_panels_word_or_the_owners(self) -> None:
        """Where both say the same, it is the panel's."""
        for asked in ("Réduire", "setback", "SETBACK", "Auto", "auto", "2", "nonsense"):
            self.broker.deliver(f"{BASE}/par_pr011/set", asked)
        self.assertEqual(
            ["Réduire", "2", "2", "Auto", "1", "2", "nonsense"],
            [value for _, value in self.control.asked],
        )

    def test_a_number(self) -> None:
        number = self.home.entity("number", "par_a6d")
        self.broker.deliver(number["command_topic"], "-0.5")
        self.assertEqual([("A6d", "-0.5")], self.control.asked)
