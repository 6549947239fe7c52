"""Thermostats: what they show of a circuit, and what their commands come to, over plain topics."""

import json
from dataclasses import replace

from hargassner.control.queue import CommandError
from hargassner.dialogue.events import ParameterChanged
from tests.homeassistant.compound_case import CompoundCase
from tests.mqtt.cases import BASE, HOME, PARAMETERS, described

SETBACK = "5;3;16.000;8.000;24.000;0.500;°C;16.000;0;0;0;Zone 1 Temp. réduite"
OPTIONS = ("Arr", "Auto", "Réduire", "Confort", "1x Confort", "Refroid.")
"""The modes of a circuit, as a French panel has them."""


class ThermostatCase(CompoundCase):
    """A home with one circuit, of which everything is known."""

    compound = "climate_1"
    parts = ("mode", "preset", "temperature", "current", "action")
    lines = (SETBACK,)

    def set_mode(self, option: str) -> None:
        """The boiler tells that the circuit's mode is this."""
        self.apply(ParameterChanged("PR011", "Zone 1 Mode", "?", option))


class ShownTests(ThermostatCase):
    """What a thermostat shows."""

    def test_each_part_has_a_plain_topic(self) -> None:
        self.assertEqual(("auto", "none", "20", "20.5", "heating"), self.shown())

    def test_each_mode_of_the_boilers(self) -> None:
        shown = {}
        for option in (*OPTIONS, "?"):
            self.set_mode(option)
            shown[option] = self.shown("mode", "preset", "temperature")
        self.assertEqual(
            {
                "Arr": ("off", "none", "20"),
                "Auto": ("auto", "none", "20"),
                "Réduire": ("heat", "eco", "16"),
                "Confort": ("heat", "none", "20"),
                "1x Confort": ("auto", "boost", "20"),
                "Refroid.": ("cool", "none", "20"),
                "?": ("None", "None", "20"),
            },
            shown,
        )

    def test_what_the_circuit_does(self) -> None:
        """By its pump and its mode; frost protection heats a circuit that is off."""
        shown = {}
        for pump in (set(), {"HKP1"}):
            self.on = pump
            self.line()
            for option in ("Arr", "Auto", "Refroid."):
                self.set_mode(option)
                shown[option, bool(pump)] = self.shown("action")[0]
        self.assertEqual(
            {
                ("Arr", False): "off",
                ("Auto", False): "idle",
                ("Refroid.", False): "idle",
                ("Arr", True): "heating",
                ("Auto", True): "heating",
                ("Refroid.", True): "cooling",
            },
            shown,
        )

    def test_home_assistant_shows_the_same(self) -> None:
        self.set_mode("Réduire")
        self.settle()
        self.assertEqual(
            {
                "mode": "heat",
                "preset": "eco",
                "temperature": 16.0,
                "current_temperature": 20.5,
                "action": "heating",
            },
            self.home_assistant.shown("hargassner_boiler_climate_1"),
        )

    def test_a_thermostat_that_may_not_be_set_any_more_is_cleared(self) -> None:
        self.config = replace(HOME, control=replace(HOME.control, parameters=("PR001",)))
        self.live_again()
        self.everything()
        self.assertEqual([], [each for each in self.states() if each.startswith("climate_")])

    def test_one_that_waits_for_a_session_keeps_what_it_showed(self) -> None:
        """Its parameters come with the session."""
        shown = self.shown()
        self.live_again()
        self.apply(described())
        self.line()
        self.settle()
        self.assertEqual(shown, self.shown())


class CommandTests(ThermostatCase):
    """What a thermostat's commands come to."""

    def test_each_mode(self) -> None:
        asked = {mode: self.ask("mode", mode)[-1] for mode in ("off", "auto", "heat", "COOL")}
        self.assertEqual(
            {
                "off": ("PR011", "Arr"),
                "auto": ("PR011", "Auto"),
                "heat": ("PR011", "Confort"),
                "COOL": ("PR011", "Refroid."),
            },
            asked,
        )

    def test_each_preset_and_none_gives_the_clock_back(self) -> None:
        asked = {preset: self.ask("preset", preset)[-1] for preset in ("eco", "boost", "none")}
        self.assertEqual(
            {
                "eco": ("PR011", "Réduire"),
                "boost": ("PR011", "1x Confort"),
                "none": ("PR011", "Auto"),
            },
            asked,
        )

    def test_to_turn_it_on_leaves_it_to_the_clock(self) -> None:
        entity = self.home_assistant.entities["hargassner_boiler_climate_1"].component
        for payload, option in (("payload_on", "Auto"), ("payload_off", "Arr")):
            self.control.asked.clear()
            self.broker.deliver(entity["power_command_topic"], entity[payload])
            self.assertEqual([("PR011", option)], self.control.asked)

    def test_a_temperature_is_that_of_the_preset(self) -> None:
        """Whoever lowers the room further while it is set back means the setback temperature."""
        self.assertEqual([("4", "21.5")], self.ask("temperature", "21.5"))
        self.set_mode("Réduire")
        self.assertEqual([("5", "15")], self.ask("temperature", "15.0"))

    def test_a_temperature_off_the_step_is_rounded(self) -> None:
        asked = [self.ask("temperature", each)[-1][1] for each in ("20.3", "20.2", "19.99", "1e1")]
        self.assertEqual(["20.5", "20", "20", "10"], asked)

    def test_what_became_of_it_is_shown_again(self) -> None:
        """Rounded to what it was already, nothing else would tell that it is not 20.1."""
        self.ask("temperature", "20.1")
        self.broker.published.clear()
        self.control.answers[-1].callback("20.000")
        self.assertIn((f"{BASE}/climate_1/temperature", "20", True), self.broker.published)
        self.assertEqual({"ok": True, "value": "20.000"}, self.result("temperature"))

    def test_a_refusal_is_told_with_the_boilers_reason(self) -> None:
        self.ask("mode", "off")
        self.broker.published.clear()
        self.control.answers[-1].errback(CommandError("the boiler refused it: permission denied"))
        self.assertIn((f"{BASE}/climate_1/mode", "auto", True), self.broker.published)
        self.assertEqual(
            "climate_1/mode = off: refused: the boiler refused it: permission denied",
            json.loads(self.states()["last_command"])["text"],
        )

    def test_what_no_thermostat_can_do_is_refused(self) -> None:
        none = "there is no such thermostat or water heater, or not all of it is known yet"
        self.assertEqual(
            [
                "'dry' is none of off, auto, heat, cool",
                "'away' is none of none, eco, boost",
                "a thermostat's action cannot be set",
                none,
                none,
            ],
            self.errors(
                ("climate_1/mode", "dry"),
                ("climate_1/preset", "away"),
                ("climate_1/action", "off"),
                ("climate_2/mode", "off"),
                ("tk/mode", "off"),
            ),
        )
        self.assertEqual([], self.control.asked)

    def test_what_is_no_temperature_is_left_to_the_control_to_refuse(self) -> None:
        """It knows the limits, and says them."""
        for payload in ("warm", "NaN", "-Infinity", "99", "1e999999"):
            self.assertEqual([("4", payload)], self.ask("temperature", payload))

    def test_a_boiler_that_cannot_cool_is_not_asked_to(self) -> None:
        line = PARAMETERS[1].replace("6;1;5", "6;1;4").removesuffix(";Refroid.")
        self.tell_parameters(line)
        self.assertEqual([], self.ask("mode", "cool"))
