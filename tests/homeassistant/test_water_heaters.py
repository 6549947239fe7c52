"""Water heaters: what they show of a tank, and what their commands come to, over plain topics."""

import json
from dataclasses import replace

from hargassner.config import config_from
from hargassner.control.queue import CommandError
from hargassner.dialogue.events import ParameterChanged, ParameterSeen
from hargassner.dialogue.parameters import parse_parameter
from tests.homeassistant.compound_case import CompoundCase
from tests.mqtt.cases import BASE, HOME, described

TANK = (
    "2;3;58.000;30.000;75.000;1.000;°C;60.000;0;0;0;Ballon 1",
    "PR042;6;0;1;0;0;0;0;Ballon 1 charge;Non;Oui",
)


class WaterHeaterCase(CompoundCase):
    """A home with one hot water tank, of which everything is known."""

    compound = "water_heater_tank_1"
    parts = ("mode", "temperature", "current")
    lines = TANK

    def charge(self, option: str) -> None:
        """The boiler tells whether the tank is charged now."""
        self.apply(ParameterChanged("PR042", "Ballon 1 charge", "?", option))


class ShownTests(WaterHeaterCase):
    """What a water heater shows."""

    def test_each_part_has_a_plain_topic(self) -> None:
        self.assertEqual(("eco", "58", "48.0"), self.shown())

    def test_a_tank_that_is_charged_now(self) -> None:
        shown = []
        for option in ("Oui", "Non", "?"):
            self.charge(option)
            shown += self.shown("mode")
        self.assertEqual(["performance", "eco", "None"], shown)

    def test_its_temperatures_follow_the_boilers(self) -> None:
        self.apply(ParameterChanged("2", "Ballon 1", "58.0", "61.5"))
        self.clock.advance(HOME.telemetry.interval)
        self.line(tb1="50.2")
        self.assertEqual(("61.5", "50.2"), self.shown("temperature", "current"))

    def test_home_assistant_shows_the_same(self) -> None:
        self.charge("Oui")
        self.assertEqual(
            {"mode": "performance", "temperature": 58.0, "current_temperature": 48.0},
            self.home_assistant.shown("hargassner_boiler_water_heater_tank_1"),
        )

    def test_it_needs_no_template(self) -> None:
        entities = self.home_assistant.entities
        component = entities["hargassner_boiler_water_heater_tank_1"].component
        self.assertEqual([], [each for each in component if "template" in each])

    def test_one_that_may_not_be_set_any_more_is_cleared(self) -> None:
        self.config = replace(HOME, control=replace(HOME.control, parameters=("PR001",)))
        self.live_again()
        self.everything()
        self.assertEqual([], [each for each in self.states() if each.startswith("water_")])

    def test_one_that_waits_for_a_session_keeps_what_it_showed(self) -> None:
        """Its parameters come with the session, and Home Assistant does not forget it."""
        shown = self.shown()
        announced = {topic: json.loads(sent) for topic, sent in self.announced().items()}
        self.live_again()
        self.identify()
        self.apply(described())
        self.line()
        self.settle()
        self.assertEqual(shown, self.shown())
        now = {topic: json.loads(sent) for topic, sent in self.announced().items()}
        self.assertEqual(announced, now)

    def test_without_a_gateway_there_is_none(self) -> None:
        self.config = config_from(
            {"gateway": {"enabled": False}, "boiler": {"direct_telemetry": True}}
        )
        self.live_again()
        self.apply(described())
        self.line()
        self.settle()
        self.assertEqual([], [each for each in self.states() if each.startswith("water_")])


class CommandTests(WaterHeaterCase):
    """What a water heater's commands come to."""

    def test_each_mode(self) -> None:
        asked = {mode: self.ask("mode", mode)[-1] for mode in ("eco", "Performance")}
        self.assertEqual({"eco": ("PR042", "Non"), "Performance": ("PR042", "Oui")}, asked)

    def test_a_temperature_off_the_step_is_rounded(self) -> None:
        asked = [self.ask("temperature", each)[-1] for each in ("55.4", "54.6", "1e2", "6e1")]
        self.assertEqual([("2", "55"), ("2", "55"), ("2", "1e2"), ("2", "60")], asked)

    def test_it_is_rounded_to_the_boilers_own_step(self) -> None:
        self.apply(ParameterSeen(parse_parameter(TANK[0].replace("1.000", "0.500"))))
        self.assertEqual([("2", "55.5")], self.ask("temperature", "55.4"))

    def test_what_became_of_it_is_shown_again(self) -> None:
        """Rounded to what it was already, nothing else would tell that it is not 58.3."""
        self.ask("temperature", "58.3")
        self.broker.published.clear()
        self.control.answers[-1].callback("58.000")
        self.assertIn((f"{BASE}/{self.compound}/temperature", "58", True), self.broker.published)
        self.assertEqual({"ok": True, "value": "58.000"}, self.result("temperature"))

    def test_a_refusal_is_told_with_the_boilers_reason(self) -> None:
        self.ask("mode", "performance")
        self.broker.published.clear()
        self.control.answers[-1].errback(CommandError("the boiler refused it: permission denied"))
        self.assertIn((f"{BASE}/{self.compound}/mode", "eco", True), self.broker.published)
        self.assertEqual(
            "water_heater_tank_1/mode = performance: refused: the boiler refused it: permission"
            " denied",
            json.loads(self.states()["last_command"])["text"],
        )

    def test_what_no_water_heater_can_do_is_refused(self) -> None:
        self.assertEqual(
            [
                "'off' is none of eco, performance",
                "a water heater's current cannot be set",
                "there is no such thermostat or water heater, or not all of it is known yet",
            ],
            self.errors(
                ("water_heater_tank_1/mode", "off"),
                ("water_heater_tank_1/current", "50"),
                ("water_heater_tank_2/mode", "eco"),
            ),
        )
        self.assertEqual([], self.control.asked)
