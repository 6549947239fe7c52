"""What Home Assistant's log says of us: nothing, whatever is changed and whatever comes and goes.

The Home Assistant of these tests complains where the real one logs a warning or an error, and every
test of a home ends with a look at its complaints (tests/mqtt/cases.py).
"""

import json
from typing import Any

from hargassner.config import config_from
from hargassner.dialogue.events import ParameterChanged
from hargassner.homeassistant.migration import MIGRATION_TIMEOUT
from tests.mqtt.cases import BITS, CHANNELS, PARAMETERS, SETTABLE, HomeCase, described


class ChangeCase(HomeCase):
    """A home where everything is known and shown."""

    def setUp(self) -> None:
        super().setUp()
        self.everything()
        self.known = set(self.home_assistant.entities)

    def live_with(self, **sections: dict[str, Any]) -> None:
        """End this life and begin one with another configuration, and the same boiler."""
        self.config = config_from({"web": {"listen": ""}, **SETTABLE, **sections})
        self.live_again()
        self.everything()
        self.clock.pump([1.0] * int(3 * MIGRATION_TIMEOUT))

    def shown(self, object_: str, node: str = "boiler") -> Any:
        """What an entity shows."""
        return self.home_assistant.shown(f"hargassner_{node}_{object_}")


class ConfigurationTests(ChangeCase):
    """The owner changes the configuration, and restarts the bridge."""

    def test_another_language(self) -> None:
        """No sensor shows a word of the old language when it has the new one's options."""
        self.assertEqual("initialising", self.shown("zk"))
        for language, state, mode in (
            ("de", "Initialisierung", "Auto"),
            ("fr", "initialisation", "auto"),
        ):
            self.live_with(homeassistant={"language": language})
            self.assertEqual((state, mode), (self.shown("zk"), self.shown("par_pr001")))

    def test_from_devices_to_single_entities_and_back(self) -> None:
        """Every entity keeps its place in the registry, and none is announced twice."""
        for discovery in ("entity", "device", "entity"):
            self.live_with(homeassistant={"discovery": discovery})
            self.assertEqual(self.known, set(self.home_assistant.entities))
        self.assertEqual(set(), self.home_assistant.orphans)

    def test_another_node(self) -> None:
        """All of the old boiler is gone, disabled entities included."""
        self.live_with(mqtt={"node": "cellar"})
        self.assertEqual([], [each for each in self.home_assistant.enabled if "_boiler_" in each])
        self.assertEqual(set(), self.home_assistant.orphans)
        self.assertEqual("initialising", self.shown("zk", "cellar"))

    def test_another_prefix_of_topics(self) -> None:
        self.live_with(mqtt={"topic_prefix": "heating"})
        self.assertEqual([], [each for each in self.broker.retained if "hargassner/" in each])
        self.assertEqual("initialising", self.shown("zk"))

    def test_another_prefix_of_discovery(self) -> None:
        self.live_with(homeassistant={"prefix": "ha"})
        self.assertEqual(self.known, set(self.home_assistant.entities))

    def test_off_and_on_again(self) -> None:
        for discovery in ("device", "entity"):
            self.live_with(homeassistant={"discovery": discovery})
            self.live_with(homeassistant={"discovery": "off"})
            self.assertEqual({}, self.home_assistant.entities)
            self.assertEqual({}, self.home_assistant.devices)
        self.live_with(homeassistant={"discovery": "device"})
        self.assertEqual(self.known, set(self.home_assistant.entities))

    def test_all_entities_and_the_usual_ones_again(self) -> None:
        """New ones follow at once; a line says how to get the rest, which was seen already."""
        self.live_with(homeassistant={"entities": "all"})
        self.assertIn("hargassner_boiler_tpo", self.home_assistant.entities)
        self.assertTrue(self.home_assistant.enabled["hargassner_boiler_tpo"])
        self.assertIn("hargassner_boiler_wuenschelrute", self.home_assistant.ineffective)
        self.live_with(homeassistant={"entities": "standard"})
        self.assertEqual(self.known, set(self.home_assistant.entities))
        said = [each for each in self.log.lines if "homeassistant.entities is" in each]
        self.assertEqual(2, len(said))

    def test_the_same_configuration_says_nothing(self) -> None:
        self.live_with()
        self.assertEqual([], [each for each in self.log.lines if "homeassistant.entities" in each])
        self.assertEqual(set(), self.home_assistant.ineffective)


class BoilerTests(ChangeCase):
    """The boiler becomes another one."""

    def test_channels_that_are_gone(self) -> None:
        """A device that is gone takes all of its entities along; a line tells of what stays."""
        self.apply(described(CHANNELS[:4], BITS))
        self.line()
        self.settle()
        self.assertNotIn("hargassner/boiler/lagerstand", self.broker.retained)
        self.assertNotIn("hargassner_boiler_fuel", self.home_assistant.devices)
        self.assertNotIn("hargassner_boiler_lagerstand", self.home_assistant.orphans)
        self.assertIn("hargassner_boiler_wuenschelrute", self.home_assistant.orphans)
        self.assertEqual(1, len([each for each in self.log.lines if "entities are gone" in each]))

    def test_a_panel_in_another_language(self) -> None:
        """Its words change under entities that are shown."""
        self.tell_parameters(
            PARAMETERS[0].replace("Manu;Arr;Ballon;Auto;Arr combustion", "Hand;Aus;Boiler;Auto;x"),
            PARAMETERS[1].replace(
                "Arr;Auto;Réduire;Confort;1x Confort;Refroid.", "Aus;Auto;Ab;Heiz;1x Heiz;Kühl"
            ),
        )
        self.settle()
        self.assertEqual(("auto", "auto"), (self.shown("par_pr001"), self.shown("par_pr011")))

    def test_narrower_limits(self) -> None:
        self.tell_parameters("4;3;21.000;20.000;22.000;0.500;°C;20.000;0;0;0;Jour")
        self.settle()
        self.assertEqual(21.0, self.shown("par_4"))

    def test_nothing_is_hidden_any_longer_than_it_takes(self) -> None:
        """What is read in another way is unavailable for two seconds."""
        self.tell_parameters("4;3;21.000;20.000;22.000;0.500;°C;20.000;0;0;0;Jour")
        seen = []
        for _ in range(8):
            self.clock.advance(1.0)
            seen.append(self.states()["session"])
        self.assertEqual(2, seen.count("offline"))
        self.assertEqual("online", seen[-1])


class FirstSightTests(HomeCase):
    """Home Assistant decides at first sight whether an entity is enabled."""

    def setUp(self) -> None:
        super().setUp()
        self.config = config_from({"web": {"listen": ""}})
        self.live_again()
        self.log_in()
        self.apply(described())
        self.line(tpu="120.0", tb1="-20.0", tra_1="20.0", lagerstand="0")
        self.tell_parameters()
        self.settle()

    def names(self) -> set[str]:
        """The devices that there are."""
        return set(self.home_assistant.devices.values())

    def test_what_rests_is_not_announced(self) -> None:
        self.assertEqual({"Hargassner bridge", "Hargassner Nano.2(.3) 15"}, self.names())

    def test_what_proves_itself_is_announced_and_enabled_then(self) -> None:
        self.on = {"HKP1"}
        self.line()
        self.settle()
        self.assertIn("Heating circuit 1", self.names())
        for object_ in ("hkp1", "par_pr011", "par_4"):
            self.assertTrue(self.home_assistant.enabled[f"hargassner_boiler_{object_}"], object_)

    def test_a_thermostat_comes_with_the_room(self) -> None:
        """Twenty degrees for ever are no measured room."""
        self.on = {"HKP1"}
        self.line()
        self.settle()
        self.assertNotIn("hargassner_boiler_climate_1", self.home_assistant.entities)
        self.line(tra_1="20.5")
        self.settle()
        self.assertIn("hargassner_boiler_climate_1", self.home_assistant.entities)

    def test_a_parameter_that_the_app_sets(self) -> None:
        self.apply(ParameterChanged("4", "Jour", "20.0", "21.0"))
        self.settle()
        self.assertIn("Heating circuit 1", self.names())

    def test_what_was_there_stays_while_it_rests(self) -> None:
        self.on = {"HKP1"}
        self.line()
        self.settle()
        self.on = set()
        self.line()
        self.settle()
        self.assertIn("Heating circuit 1", self.names())

    def test_every_message_comes_after_what_it_is_behind(self) -> None:
        """In either way to announce, whatever comes first."""
        for discovery in ("device", "entity"):
            self.config = config_from({"homeassistant": {"discovery": discovery}, **SETTABLE})
            self.live_again()
            self.everything()
            self.clock.pump([1.0] * int(3 * MIGRATION_TIMEOUT))
            behind = {
                device["identifiers"][0]: device.get("via_device")
                for device in (json.loads(each)["device"] for each in self.announced().values())
            }
            self.assertEqual(set(behind) | {None}, {*behind, *behind.values()})
