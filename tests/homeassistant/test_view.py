"""The boiler over MQTT: which states are published, when, and what is taken back."""

import json
from dataclasses import replace

from twisted.logger import Logger
from zope.interface.verify import verifyObject

from hargassner import __version__
from hargassner.boiler.model import TELEMETRY_TIMEOUT
from hargassner.config import config_from
from hargassner.control.queue import IControl
from hargassner.dialogue.events import ActiveErrors, Announced, ParameterChanged, TelemetryLine
from hargassner.homeassistant.announcer import SETTLE
from hargassner.homeassistant.retained import RetainedSnapshot
from hargassner.homeassistant.view import BIRTH_DELAY, DATES_EVERY
from hargassner.mqtt.interfaces import IBroker
from hargassner.storage.directory import StateDirectory
from tests.mqtt.cases import BASE, BITS, CHANNELS, HOME, HomeCase, described, with_options


class DoublesTests(HomeCase):
    """What the tests use is what the bridge uses."""

    def test_interfaces(self) -> None:
        """The broker in memory and the control without a boiler are honest."""
        verifyObject(IBroker, self.broker)
        verifyObject(IControl, self.control)


class StateTests(HomeCase):
    """What is retained."""

    def test_channels_are_published_as_the_boiler_writes_them(self) -> None:
        """The boiler's precision is kept, bits are ON or OFF, a code stays a code."""
        self.on = {"STB"}
        self.apply(described())
        self.line(zk="7")
        states = self.states()
        self.assertEqual(
            ("7", "65.90", "ON", "OFF", "7"),
            tuple(states[each] for each in ("zk", "tk", "stb", "hkp1", "wuenschelrute")),
        )

    def test_states_are_retained(self) -> None:
        self.everything()
        self.assertTrue(all(retain for _, _, retain in self.broker.published))

    def test_an_input_with_nothing_connected_is_unknown(self) -> None:
        """A value of 140 degrees for a missing sensor reaches nobody."""
        self.apply(described())
        self.line()
        self.assertEqual("None", self.states()["tpo"])
        self.clock.advance(10)
        self.line(tpo="55.0")
        self.assertEqual("55.0", self.states()["tpo"])

    def test_a_channel_of_a_line_that_does_not_fit_is_unknown(self) -> None:
        self.apply(described())
        self.apply(TelemetryLine(b"pm 1 2 3 "))
        self.assertEqual("None", self.states()["tk"])

    def test_parameters_are_published_under_their_ids(self) -> None:
        self.everything()
        states = self.states()
        self.assertEqual(("Auto", "20.000"), (states["par_pr011"], states["par_4"]))

    def test_a_parameter_without_a_value_is_unknown(self) -> None:
        """An empty payload would clear the topic, and leave the value before on show."""
        self.tell_parameters("X1;9;;0")
        self.assertEqual("None", self.states()["par_x1"])

    def test_a_changed_parameter_is_published_at_once(self) -> None:
        """Whoever turned the setting: the app, the panel or the home."""
        self.everything()
        self.apply(ParameterChanged("PR011", "Zone 1 Mode", "Auto", "Confort"))
        self.assertEqual("Confort", self.states()["par_pr011"])

    def test_availability(self) -> None:
        """Session and telemetry come and go, each on its topic."""
        seen = []
        for step in (lambda: None, self.log_in, self.line, self.log_out):
            step()
            seen.append((self.states()["session"], self.states()["telemetry"]))
        self.clock.advance(TELEMETRY_TIMEOUT)
        self.boiler.tick(self.clock.seconds())
        seen.append((self.states()["session"], self.states()["telemetry"]))
        self.assertEqual(
            [
                ("offline", "offline"),
                ("online", "offline"),
                ("online", "online"),
                ("offline", "online"),
                ("offline", "offline"),
            ],
            seen,
        )

    def test_info(self) -> None:
        """Model, firmware, gateway, addresses and the session's start, with its time zone."""
        self.apply(Announced("192.0.2.7", "6.4.1", "0012345"))
        self.log_in()
        info = json.loads(self.states()["info"])
        self.assertEqual(
            ("Nano.2(.3) 15", "V14.0n3", "6.4.1", "192.0.2.7", None, "2023-11-14T22:13:20+00:00"),
            tuple(
                info[each]
                for each in (
                    "model",
                    "firmware",
                    "gateway_software",
                    "gateway_address",
                    "io_serial",
                    "session_start",
                )
            ),
        )
        self.log_out()
        self.assertIsNone(json.loads(self.states()["info"])["session_start"])

    def test_the_sessions_start_is_said_again_when_the_wall_clock_was_set(self) -> None:
        """A bridge that starts before the machine has the right time tells it in the end."""
        self.log_in()
        self.clock.step(3600)
        self.clock.advance(DATES_EVERY)
        start = json.loads(self.states()["info"])["session_start"]
        self.assertEqual("2023-11-14T23:13:20+00:00", start)

    def test_the_sessions_start_is_said_once_while_nobody_sets_the_wall_clock(self) -> None:
        """Clocks are compared again and again, and never exactly."""
        self.log_in()
        self.broker.take()
        for jitter in (0.4, -0.8, 0.9):
            self.clock.step(jitter)
            self.clock.advance(DATES_EVERY)
        self.assertNotIn(f"{BASE}/info", dict(self.broker.take()))

    def test_energy_is_what_the_fuel_gave_since_the_bridge_counts(self) -> None:
        """10 kg at 4.8 kWh, of which 90 % become heat."""
        self.apply(described())
        self.line()
        self.assertEqual(("0.00", "0.00"), self.energies())
        self.clock.advance(10)
        self.line(verbrauchszaehler="110")
        self.assertEqual(("43.20", "48.00"), self.energies())

    def test_energy_that_is_not_to_be_counted_is_not_published(self) -> None:
        """What an earlier life published is cleared."""
        self.everything()
        self.assertIn("hargassner_boiler_heat", self.home_assistant.entities)
        self.config = replace(HOME, energy=replace(HOME.energy, enabled=False))
        self.live_again()
        self.everything()
        self.assertEqual((None, None), self.energies())
        self.assertNotIn("hargassner_boiler_heat", self.home_assistant.entities)

    def energies(self) -> tuple[str | None, str | None]:
        """Heat and fuel energy as they are published."""
        return self.states().get("heat"), self.states().get("fuel_energy")

    def test_a_channel_that_is_called_like_a_topic_of_the_bridges_gives_way(self) -> None:
        """A boiler may call a channel "Status"; that the bridge is online stays what it was."""
        names = ("Status", "Info", "Par 4")
        self.apply(described(tuple((name, "", "") for name in names), ()))
        self.apply(TelemetryLine(b"pm 3 4 5 "))
        self.tell_parameters()
        states = self.states()
        shown = [states[f"channel_{each}"] for each in ("status", "info", "par_4")]
        self.assertEqual((["3", "4", "5"], "20.000"), (shown, states["par_4"]))
        self.assertIn("session_start", json.loads(states["info"]))

    def test_the_bridge(self) -> None:
        """Its version, since when it runs, and what went wrong last."""
        bridge = json.loads(self.states()["bridge"])
        self.assertEqual(
            (__version__, "2023-11-14T22:13:20+00:00", None),
            (bridge["version"], bridge["since"], bridge["last_error"]),
        )

    def test_what_the_bridge_understands(self) -> None:
        """How the meaning of the lines is known, and what they hide."""
        self.assertEqual("unknown", json.loads(self.states()["bridge"])["layout_known_by"])
        self.apply(described())
        self.line()
        bridge = json.loads(self.states()["bridge"])
        self.assertEqual(
            ("boiler", None, [], []),
            tuple(
                bridge[each] for each in ("layout_known_by", "layout", "hidden", "assumed_hidden")
            ),
        )

    def test_the_last_error(self) -> None:
        """A warning of the bridge's own; what the boiler complains of is a fault of its."""
        Logger("hargassner.storage.file").warn("the disk is full")
        Logger("hargassner.boiler.faults").warn("the boiler reports a fault")
        Logger("twisted.web").error("nobody knows")
        Logger("hargassner.storage.file").info("all is well")
        self.clock.advance(DATES_EVERY)
        self.assertEqual("the disk is full", json.loads(self.states()["bridge"])["last_error"])

    def test_the_end_says_that_nothing_is_to_be_had(self) -> None:
        """Session and telemetry are offline when the bridge stops."""
        self.everything()
        self.view.stopService()
        states = self.states()
        self.assertEqual(("offline", "offline"), (states["session"], states["telemetry"]))


class PaceTests(HomeCase):
    """How often a channel is published."""

    def setUp(self) -> None:
        super().setUp()
        self.apply(described())
        self.line()
        self.settle()
        self.clock.advance(60)
        self.broker.take()

    def test_an_unchanged_line_publishes_nothing(self) -> None:
        for _ in range(100):
            self.line()
            self.clock.advance(1)
        self.assertEqual([], self.broker.take())

    def test_a_measurement_is_published_once_in_an_interval(self) -> None:
        """Of ten seconds' values the first and then the newest are published."""
        for tenth in range(10):
            self.line(tk=f"66.{tenth}0")
            self.clock.advance(1)
        self.assertEqual(
            [(f"{BASE}/tk", "66.00"), (f"{BASE}/tk", "66.90")],
            self.broker.take(),
        )

    def test_a_value_that_comes_back_within_the_interval_is_no_news(self) -> None:
        self.line(tk="66.00")
        self.line(tk="66.10")
        self.line(tk="66.00")
        self.clock.advance(60)
        self.assertEqual([(f"{BASE}/tk", "66.00")], self.broker.take())

    def test_states_and_bits_and_fault_numbers_cannot_wait(self) -> None:
        """Each of them is published as often as it changes."""
        for zk in ("3", "4", "5"):
            self.line(zk=zk)
        self.line(stoerungs_nr="70")
        self.line(stoerungs_nr="0")
        self.on = {"HKP1"}
        self.line()
        self.on = set()
        self.line()
        sent = self.broker.take()
        self.assertEqual(["3", "4", "5"], [what for topic, what in sent if topic.endswith("/zk")])
        self.assertEqual(["ON", "OFF"], [what for topic, what in sent if topic.endswith("/hkp1")])
        numbers = [what for topic, what in sent if topic.endswith("/stoerungs_nr")]
        self.assertEqual(["70", "0"], numbers)

    def test_what_nobody_asked_for_is_published_once_a_minute(self) -> None:
        """It is disabled in Home Assistant unless its owner enables it; some bits flicker."""
        for second in range(120):
            self.line(wünschelrute=str(second))
            self.clock.advance(1)
        published = [what for topic, what in self.broker.take() if topic.endswith("wuenschelrute")]
        self.assertEqual(["0", "59", "119"], published)

    def test_everything_is_published_as_usual_where_all_of_it_is_wanted(self) -> None:
        self.config = with_options(self.config, entities="all")
        self.live_again()
        self.apply(described())
        self.line()
        self.broker.take()
        for second in range(20):
            self.line(wünschelrute=str(second))
            self.clock.advance(1)
        published = [what for topic, what in self.broker.take() if topic.endswith("wuenschelrute")]
        self.assertEqual(["7", "9", "19"], published)

    def test_what_waits_is_said_at_the_end(self) -> None:
        """The last value before the bridge stops is not lost."""
        self.line(tk="66.00")
        self.line(tk="67.00")
        self.view.stopService()
        self.assertEqual("67.00", self.states()["tk"])

    def test_without_an_interval_everything_is_published_at_once(self) -> None:
        self.config = config_from({"telemetry": {"interval": 0}, "web": {"listen": ""}})
        self.live_again()
        self.apply(described())
        self.line()
        self.broker.take()
        self.line(tk="66.00")
        self.line(tk="67.00")
        published = [what for topic, what in self.broker.take() if topic.endswith("/tk")]
        self.assertEqual(["66.00", "67.00"], published)


class FaultTests(HomeCase):
    """What the boiler complains of."""

    def events(self) -> list[dict[str, object]]:
        """The fault events that were published, none of them retained."""
        published = [
            (json.loads(payload), retain)
            for topic, payload, retain in self.broker.published
            if topic == f"{BASE}/fault_event"
        ]
        self.assertFalse(any(retain for _, retain in published))
        return [event for event, _ in published]

    def test_no_fault(self) -> None:
        self.apply(described())
        self.line()
        states = self.states()
        self.assertEqual(("OFF", "no fault"), (states["fault"], states["fault_text"]))

    def test_what_is_known_of_a_fault(self) -> None:
        """As attributes of the entity: of the first one, and of all."""
        self.apply(described())
        self.line(stoerungs_nr="70")
        known = json.loads(self.states()["faults"])
        self.assertEqual((70, 1), (known["number"], len(known["faults"])))
        self.assertIn("fuel", known["advice"])
        self.line(stoerungs_nr="0")
        self.assertEqual({"faults": []}, json.loads(self.states()["faults"]))

    def test_a_fault_is_shown_and_fires_once(self) -> None:
        """The state has number and text, the event comes with the first line that has it."""
        self.apply(described())
        self.line()
        for _ in range(3):
            self.line(stoerungs_nr="70")
        states = self.states()
        self.assertEqual("ON", states["fault"])
        self.assertTrue(states["fault_text"].startswith("70: "))
        [event] = self.events()
        self.assertEqual(("fault", 70), (event["event_type"], event["number"]))

    def test_each_new_fault_fires(self) -> None:
        """Also one that comes beside another, or comes again."""
        self.apply(described())
        self.line(stoerungs_nr="70")
        self.apply(ActiveErrors(("0070 Pellets", "0009 STB")))
        self.line(stoerungs_nr="0")
        self.apply(ActiveErrors(()))
        self.line(stoerungs_nr="70")
        self.assertEqual([70, 9, 70], [event["number"] for event in self.events()])

    def test_a_fault_that_outlives_the_bridge_is_not_new(self) -> None:
        self.apply(described())
        self.line(stoerungs_nr="70")
        self.live_again()
        self.apply(described())
        self.line(stoerungs_nr="70")
        self.assertEqual([], self.events())
        self.assertEqual("ON", self.states()["fault"])

    def test_a_fault_stays_until_telemetry_says_otherwise(self) -> None:
        """A bridge that starts knows of no fault, and does not say that there is none."""
        self.apply(described())
        self.line(stoerungs_nr="70")
        self.live_again()
        self.apply(described())
        self.log_in()
        self.assertEqual("ON", self.states()["fault"])

    def test_the_owners_language(self) -> None:
        self.config = config_from({"homeassistant": {"language": "de"}, "web": {"listen": ""}})
        self.live_again()
        self.apply(described())
        self.line(stoerungs_nr="70")
        self.assertEqual("70: Pellets-Lagerstand gering", self.states()["fault_text"])

    def test_many_faults_make_no_state_that_is_too_long(self) -> None:
        self.apply(described())
        self.line()
        self.apply(ActiveErrors(tuple(f"complaint number {each}" for each in range(100))))
        self.assertEqual(255, len(self.states()["fault_text"]))


class TakingBackTests(HomeCase):
    """States that hold no more are cleared, of this life and of earlier ones."""

    def test_a_channel_that_is_gone(self) -> None:
        """With another descriptor its topic is cleared, and the others stay."""
        self.everything()
        self.apply(described(CHANNELS[:2], BITS))
        self.line()
        self.settle()
        self.assertNotIn("tra_1", self.states())
        self.assertIn("tk", self.states())
        self.assertIn("par_4", self.states())

    def test_a_channel_that_went_while_the_bridge_was_away(self) -> None:
        self.everything()
        self.live_again()
        self.assertIn("tra_1", self.states())
        self.apply(described(CHANNELS[:2], BITS))
        self.line()
        self.settle()
        self.assertNotIn("tra_1", self.states())
        self.assertIn("par_4", self.states())

    def test_another_node(self) -> None:
        """Under a new name nothing is left under the old one, not even the link's own topic."""
        self.everything()
        self.broker.retained[f"{BASE}/status"] = "offline"
        self.config = config_from({"mqtt": {"node": "cellar"}, "web": {"listen": ""}})
        self.live_again()
        self.everything()
        self.assertFalse([topic for topic in self.broker.retained if "boiler" in topic])
        self.assertIn("hargassner/cellar/tk", self.broker.retained)
        self.assertIn("homeassistant/device/hargassner_cellar/config", self.broker.retained)

    def test_an_empty_memory_is_no_reason_to_fail(self) -> None:
        """A file that is damaged in whatever way is set aside."""
        self.view.stopService()
        sound = json.loads((self.directory / RetainedSnapshot.FILE).read_bytes())
        for damaged in (
            b"",
            b"{",
            b"[]",
            b"{}",
            b'{"base": 7}',
            *(
                json.dumps({**sound, **wrong}).encode()
                for wrong in (
                    {"base": 7},
                    {"more": 7},
                    {"states": [7]},
                    {"announcements": [None]},
                    {"components": {"key": 7}},
                    {"components": {"key": {"platform": "sensor"}}},
                    {"faults": {}},
                )
            ),
        ):
            self.view.stopService()
            StateDirectory(self.directory).save(RetainedSnapshot.FILE, damaged)
            self.live()
            self.assertFalse((self.directory / RetainedSnapshot.FILE).exists(), damaged)
            self.settle()

    def test_nothing_is_remembered_that_did_not_change(self) -> None:
        """An hour of telemetry writes nothing to the disk."""
        self.everything()
        path = self.directory / RetainedSnapshot.FILE
        path.unlink()
        for tenth in range(10):
            self.line(tk=f"66.{tenth}0", zk=str(tenth))
            self.clock.advance(60)
        self.assertFalse(path.exists())


class BirthTests(HomeCase):
    """Home Assistant says that it has started."""

    def test_everything_is_said_again(self) -> None:
        """Discovery comes first, then the states."""
        self.everything()
        self.broker.take()
        self.broker.deliver("homeassistant/status", "online")
        self.clock.advance(BIRTH_DELAY)
        published = self.broker.take()
        first = [topic for topic, _ in published[:2]]
        self.assertEqual(
            [f"homeassistant/device/hargassner_boiler{each}/config" for each in ("_bridge", "")],
            first,
        )
        self.assertEqual(self.broker.retained, dict(published))

    def test_many_births_are_answered_once(self) -> None:
        self.everything()
        self.broker.take()
        for _ in range(100):
            self.broker.deliver("homeassistant/status", "online")
        self.clock.advance(BIRTH_DELAY)
        topics = [topic for topic, _ in self.broker.take()]
        self.assertEqual(len(set(topics)), len(topics))

    def test_its_end_is_no_birth(self) -> None:
        self.everything()
        self.broker.take()
        self.broker.deliver("homeassistant/status", "offline")
        self.clock.advance(BIRTH_DELAY)
        self.assertEqual([], self.broker.take())

    def test_the_configured_prefix(self) -> None:
        self.config = config_from({"homeassistant": {"prefix": "ha/x"}, "web": {"listen": ""}})
        self.live_again()
        self.everything()
        self.broker.take()
        self.broker.deliver("homeassistant/status", "online")
        self.clock.advance(BIRTH_DELAY)
        self.assertEqual([], self.broker.take())
        self.broker.deliver("ha/x/status", "online")
        self.clock.advance(BIRTH_DELAY)
        self.assertEqual("ha/x/device/hargassner_boiler_bridge/config", self.broker.take()[0][0])

    def test_a_birth_before_anything_is_known(self) -> None:
        """Neither fails nor announces more than the bridge itself."""
        self.broker.deliver("homeassistant/status", "online")
        self.clock.advance(SETTLE)
        self.assertEqual(2, len(self.announced()))
