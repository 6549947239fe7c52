"""When the boiler is announced to Home Assistant, and how what was announced is taken back."""

import json
from typing import Any

from hargassner.config import config_from
from hargassner.dialogue.events import Identified, ParameterSeen
from hargassner.dialogue.parameters import parse_parameter
from hargassner.homeassistant.announcements import REREAD
from hargassner.homeassistant.announcer import SETTLE
from hargassner.homeassistant.migration import MIGRATE, MIGRATION_TIMEOUT
from hargassner.homeassistant.retained import RetainedSnapshot
from tests.doubles.hass import Home, check_announcements
from tests.mqtt.cases import BITS, CHANNELS, PARAMETERS, SETTABLE, HomeCase, described

DEVICE = "homeassistant/device/hargassner_boiler/config"
BRIDGE = "homeassistant/device/hargassner_boiler_bridge/config"
DEVICES = [
    BRIDGE,
    DEVICE,
    *(
        f"homeassistant/device/hargassner_boiler_{each}/config"
        for each in ("circuit_1", "tank_1", "buffer", "fuel")
    ),
]
"""Everything that is announced of the small boiler, each after what it is behind."""
TEMPERATURE = "homeassistant/sensor/hargassner_boiler/tk/config"


class AnnouncerCase(HomeCase):
    """A home whose Home Assistant listens."""

    def live_with(self, **homeassistant: Any) -> None:
        """End this life and begin one with another configuration."""
        self.config = config_from(
            {"homeassistant": homeassistant, "web": {"listen": ""}, **SETTABLE}
        )
        self.live_again()

    def home(self) -> Home:
        """What is announced now, checked."""
        return check_announcements(self.announced())

    def removed(self) -> dict[str, dict[str, str]]:
        """The components that messages take back."""
        messages = [json.loads(each) for each in self.announced().values()]
        return {
            key: component
            for message in messages
            for key, component in message["components"].items()
            if "unique_id" not in component
        }


class WhenTests(AnnouncerCase):
    """An announcement comes when enough is known, and again when more is."""

    def test_at_first_there_is_only_the_bridge(self) -> None:
        """Its owner sees that it waits for the gateway."""
        self.settle()
        self.assertEqual([BRIDGE, DEVICE], list(self.announced()))
        names = {self.home().devices[each] for each in self.home().devices}
        self.assertEqual({"hargassner_boiler_bridge", "hargassner_boiler"}, names)

    def test_channels_wait_for_telemetry(self) -> None:
        """Only telemetry tells which inputs are connected, and an entity is enabled only once."""
        self.apply(described())
        self.clock.advance(10 * SETTLE)
        self.assertEqual({}, self.announced())
        self.line()
        self.settle()
        self.assertNotIn("sensor/hargassner_boiler_tpo", self.home().components)
        self.home().entity("sensor", "tpu")

    def test_a_crowd_of_changes_is_announced_once(self) -> None:
        self.log_in()
        self.apply(described())
        self.line()
        self.tell_parameters()
        self.broker.take()
        self.settle()
        published = [topic for topic, _ in self.broker.take() if topic.endswith("config")]
        self.assertEqual(DEVICES, published)

    def test_what_has_not_changed_is_not_announced_again(self) -> None:
        """A value is no reason, and neither is the same descriptor."""
        self.everything()
        self.broker.take()
        self.line(tk="70.00")
        self.tell_parameters("PR011;6;3;5;1;0;0;0;Zone 1 Mode;Arr;Auto;Réduire;Confort;1x;Refroid.")
        self.tell_parameters(PARAMETERS[1])
        self.apply(described())
        self.settle()
        self.assertNotIn(DEVICE, [topic for topic, _ in self.broker.take()])

    def test_what_has_not_changed_is_not_written_again(self) -> None:
        """A setting that is turned every minute does not wear the disk."""
        self.everything()
        path = self.directory / RetainedSnapshot.FILE
        path.unlink()
        for line in PARAMETERS[1], PARAMETERS[1].replace("6;1;5", "6;3;5"):
            self.tell_parameters(line)
            self.settle()
        self.assertFalse(path.exists())

    def test_new_limits_are_announced(self) -> None:
        self.everything()
        self.tell_parameters("4;3;20.000;16.000;24.000;0.500;°C;20.000;0;0;0;Jour")
        self.settle()
        number = self.home().entity("number", "par_4")
        self.assertEqual((16.0, 24.0), (number["min"], number["max"]))

    def test_states_are_said_again_where_they_are_read_in_another_way(self) -> None:
        """Home Assistant would show what it made of them before, or nothing."""
        self.everything()
        self.tell_parameters("21;6;1;1;0;0;0;0;Télémaintenance;Arr;Marche")
        self.settle()
        self.broker.take()
        self.tell_parameters("21;6;1;1;0;0;0;0;Fernwartung;Aus;Ein")
        self.clock.pump([SETTLE, REREAD])
        self.broker.take()
        self.clock.advance(REREAD)
        published = self.broker.take()
        said = [each for each in published if each[1] in ("Ein", "online")]
        self.assertEqual(("hargassner/boiler/par_21", "Ein"), said[0])
        self.assertIn(("hargassner/boiler/session", "online"), said)

    def test_an_input_that_is_connected_later_is_announced_then(self) -> None:
        """And not before: Home Assistant decides at first sight whether to enable it."""
        self.everything()
        self.line(tpo="55.0")
        self.settle()
        self.assertTrue(self.home_assistant.enabled["hargassner_boiler_tpo"])

    def test_nothing_is_announced_where_nothing_is_wanted(self) -> None:
        self.live_with(discovery="off")
        self.everything()
        self.broker.deliver("homeassistant/status", "online")
        self.clock.advance(10)
        self.assertEqual({}, self.announced())
        self.assertIn("tk", self.states())

    def test_the_web_page(self) -> None:
        """The device leads to it, where others can reach it."""
        self.config = config_from({"web": {"listen": "tcp:8080"}})
        self.live_again()
        self.everything()
        device = json.loads(self.announced()[BRIDGE])["device"]
        self.assertEqual("http://192.0.2.80:8080", device["configuration_url"])
        self.live_with()
        self.everything()
        self.assertNotIn("configuration_url", json.loads(self.announced()[BRIDGE])["device"])


class GoneTests(AnnouncerCase):
    """Entities that are gone are removed."""

    def test_a_channel_of_this_life(self) -> None:
        """The message names its platform and nothing else, which removes it."""
        self.everything()
        self.apply(described(CHANNELS[:4], BITS))
        self.line()
        self.settle()
        self.assertEqual({"platform": "sensor"}, self.removed()["sensor_wuenschelrute"])
        self.assertNotIn("sensor/hargassner_boiler_wuenschelrute", self.home().components)

    def test_a_channel_that_comes_back(self) -> None:
        self.everything()
        self.apply(described(CHANNELS[:4], BITS))
        self.line()
        self.settle()
        self.apply(described())
        self.line()
        self.settle()
        self.assertEqual({}, self.removed())
        self.home().entity("sensor", "lagerstand")

    def test_a_channel_that_went_while_the_bridge_was_away(self) -> None:
        self.everything()
        self.live_again()
        self.apply(described(CHANNELS[:4], BITS))
        self.line()
        self.settle()
        self.assertIn("sensor_wuenschelrute", self.removed())

    def test_single_announcements_are_cleared(self) -> None:
        self.live_with(discovery="entity")
        self.everything()
        topic = "homeassistant/sensor/hargassner_boiler/lagerstand/config"
        self.assertIn(topic, self.announced())
        self.apply(described(CHANNELS[:4], BITS))
        self.line()
        self.settle()
        self.assertNotIn(topic, self.announced())
        self.assertIn(TEMPERATURE, self.announced())

    def test_a_parameter_that_becomes_another_entity(self) -> None:
        """A switch whose options are others now is a select, and the switch is removed."""
        self.everything()
        self.tell_parameters("21;6;0;2;0;0;0;0;Télémaintenance;Non;Oui;Auto")
        self.settle()
        self.home().entity("select", "par_21")
        self.assertEqual({"switch_par_21": {"platform": "switch"}}, self.removed())


class NextLifeTests(AnnouncerCase):
    """A bridge that starts again does not make Home Assistant forget."""

    def test_a_boiler_that_is_away_keeps_its_entities(self) -> None:
        """Nothing is announced or removed before the boiler has been heard."""
        self.everything()
        before = self.announced()
        self.live_again()
        self.apply(described())
        self.apply(Identified("boiler_address", "192.0.2.9"))
        self.broker.deliver("homeassistant/status", "online")
        self.clock.advance(100)
        self.assertEqual(before, self.announced())

    def test_parameters_that_are_not_told_yet_are_still_announced(self) -> None:
        """Nor is the thermostat over them gone."""
        self.everything()
        before = self.announced()
        self.live_again()
        self.identify()
        self.apply(described())
        self.line()
        self.settle()
        self.assertEqual(before, self.announced())

    def test_what_is_told_then_counts(self) -> None:
        self.everything()
        self.live_again()
        self.apply(described())
        self.line()
        self.settle()
        self.apply(
            ParameterSeen(parse_parameter("4;3;20.000;16.000;24.000;0.500;°C;20.000;0;0;0;Jour"))
        )
        self.settle()
        self.assertEqual(16.0, self.home().entity("number", "par_4")["min"])

    def test_a_thermostat_whose_parameters_are_others_now(self) -> None:
        """It was waited for, and is removed when they are known."""
        self.everything()
        self.live_again()
        self.apply(described())
        self.line()
        self.tell_parameters(PARAMETERS[3])
        self.settle()
        self.assertNotIn("climate_climate_1", self.removed())
        self.tell_parameters("PR011;6;0;1;0;0;0;0;Zone 1 Mode;Arr;Auto")
        self.settle()
        self.assertIn("climate_climate_1", self.removed())

    def test_a_parameter_that_may_not_be_set_any_more(self) -> None:
        """It is removed at once, though it is not known yet."""
        self.everything()
        self.config = config_from({"control": {"parameters": ["PR001"]}, "web": {"listen": ""}})
        self.live_again()
        self.apply(described())
        self.line()
        self.settle()
        self.assertLess(
            {"number_par_4", "select_par_pr011", "climate_climate_1"}, set(self.removed())
        )
        self.home().entity("select", "par_pr001")

    def test_another_language(self) -> None:
        self.everything()
        self.live_with(language="de")
        self.everything()
        home = self.home()
        self.assertEqual("Kesseltemperatur", home.entity("sensor", "tk")["name"])
        self.assertEqual("Betriebsart Kessel", home.entity("select", "par_pr001")["name"])

    def test_another_prefix_for_discovery(self) -> None:
        self.everything()
        self.live_with(prefix="ha")
        self.everything()
        self.assertEqual({}, self.announced())
        self.assertIn("ha/device/hargassner_boiler/config", self.broker.retained)


class TooLargeTests(AnnouncerCase):
    """A broker that does not take the message with everything."""

    def find_too_large(self) -> None:
        self.broker.find_too_large(len(self.announced()[DEVICE].encode()))
        self.clock.advance(SETTLE)

    def test_each_entity_is_announced_in_a_message_of_its_own(self) -> None:
        self.everything()
        keys = set(self.home().components)
        self.find_too_large()
        self.clock.pump([1] * int(3 * MIGRATION_TIMEOUT))
        self.assertNotIn(DEVICE, self.announced())
        self.assertEqual(keys, set(self.home().components))

    def test_it_is_said_once_and_stays_so_for_this_life(self) -> None:
        self.everything()
        self.find_too_large()
        self.clock.pump([1] * int(3 * MIGRATION_TIMEOUT))
        self.broker.take()
        for _ in range(3):
            self.broker.go_offline()
            self.broker.go_online()
            self.apply(Identified("firmware", "V14.1"))
            self.settle()
        published = [what for topic, what in self.broker.take() if topic == DEVICE]
        self.assertEqual([], [each for each in published if each])
        said = [each for each in self.log.lines if "a message of its own" in each]
        self.assertEqual(1, len(said))

    def test_the_next_life_tries_again_and_nothing_is_lost(self) -> None:
        self.everything()
        keys = set(self.home().components)
        self.find_too_large()
        self.clock.pump([1] * int(3 * MIGRATION_TIMEOUT))
        self.live_again()
        self.everything()
        self.find_too_large()
        self.clock.pump([1] * int(3 * MIGRATION_TIMEOUT))
        self.assertNotIn(DEVICE, self.announced())
        self.assertEqual(keys, set(self.home().components))

    def test_another_message_that_is_too_large_is_no_reason(self) -> None:
        self.everything()
        self.broker.find_too_large(len(self.announced()[DEVICE].encode()) + 1)
        self.settle()
        self.assertEqual(DEVICES, list(self.announced()))

    def test_single_entities_have_no_other_way(self) -> None:
        self.live_with(discovery="entity")
        self.everything()
        self.broker.find_too_large(100)
        self.settle()
        self.assertEqual([], [each for each in self.log.lines if "a message of its own" in each])

    def test_nothing_begins_after_the_end(self) -> None:
        self.everything()
        size = len(self.announced()[DEVICE].encode())
        self.view.stopService()
        self.broker.find_too_large(size)
        self.assertEqual([], self.clock.getDelayedCalls())


class SwitchingTests(AnnouncerCase):
    """From one way to announce to another, without duplicates and without loss."""

    def assert_migrated(self, old: set[str]) -> None:
        """Insist that the entities were let go, then announced anew, and the old ones cleared."""
        new = set(self.announced()) - old
        self.assertTrue(new)
        published = [(topic, what) for topic, what in self.broker.take() if topic in old | new]
        asked = [topic for topic, what in published if what == MIGRATE]
        self.assertEqual(old, set(asked))
        self.assertEqual(asked, [topic for topic, _ in published[: len(asked)]])
        self.assertEqual(new, {topic for topic, _ in published[len(asked) :]})
        self.clock.advance(MIGRATION_TIMEOUT)
        self.assertEqual(new, set(self.announced()))
        self.home()

    def test_from_the_device_to_single_entities(self) -> None:
        self.everything()
        keys = set(self.home().components)
        self.live_with(discovery="entity")
        self.everything()
        self.assert_migrated(set(DEVICES))
        self.assertEqual(keys, set(self.home().components))

    def test_from_single_entities_to_the_device(self) -> None:
        self.live_with(discovery="entity")
        self.everything()
        old = set(self.announced())
        self.assertIn(TEMPERATURE, old)
        self.live_with(discovery="device")
        self.everything()
        self.assert_migrated(old)

    def test_while_the_broker_is_away(self) -> None:
        """The old announcement is cleared only after the request to let go has gone out."""
        self.everything()
        self.live_with(discovery="entity")
        self.broker.go_offline()
        self.everything()
        self.clock.advance(10 * MIGRATION_TIMEOUT)
        self.broker.take()
        self.broker.go_online()
        self.assertIn((DEVICE, MIGRATE), self.broker.take())
        self.clock.pump([1] * int(MIGRATION_TIMEOUT - 1))
        self.assertEqual(MIGRATE, self.announced()[DEVICE])
        self.clock.pump([1] * int(MIGRATION_TIMEOUT + 1))
        self.assertNotIn(DEVICE, self.announced())

    def test_a_bridge_that_stops_in_the_middle_of_it(self) -> None:
        """The next one clears what it left."""
        self.everything()
        self.live_with(discovery="entity")
        self.everything()
        self.assertIn(DEVICE, self.announced())
        self.live_again()
        self.everything()
        self.assertNotIn(DEVICE, self.announced())
        self.assertIn(TEMPERATURE, self.announced())

    def test_to_none_at_all(self) -> None:
        """Everything announced is taken back at once, in either way to announce."""
        for discovery in ("device", "entity"):
            self.live_with(discovery=discovery)
            self.everything()
            self.assertTrue(self.announced())
            self.live_with(discovery="off")
            self.assertEqual({}, self.announced())
            self.assertIn("tk", self.states())

    def test_another_node_in_another_way(self) -> None:
        """Other ids are other entities: the old ones go."""
        self.everything()
        self.config = config_from(
            {
                "mqtt": {"node": "cellar"},
                "homeassistant": {"discovery": "entity"},
                "web": {"listen": ""},
            }
        )
        self.live_again()
        self.everything()
        self.assertNotIn(DEVICE, self.announced())
        self.assertIn("homeassistant/sensor/hargassner_cellar/tk/config", self.announced())
