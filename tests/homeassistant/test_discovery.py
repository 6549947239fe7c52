"""What is announced to Home Assistant: by its rules, and as an owner wants it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner import __version__
from hargassner.boiler.model import Boiler
from hargassner.boiler.settable import Settable
from hargassner.config import Config, WebConfig, config_from
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import (
    Described,
    Identified,
    ParameterChanged,
    ParameterSeen,
    TelemetryLine,
)
from hargassner.dialogue.parameters import parse_parameter
from hargassner.homeassistant.discovery import Discovery
from hargassner.homeassistant.page_address import status_page
from tests.doubles.hass import Home, check_announcements
from tests.mqtt.cases import (
    BITS,
    CHANNELS,
    HOME,
    NOW,
    PARAMETERS,
    HomeCase,
    described,
    standard_boiler,
    with_options,
)
from tests.shared import shared_file
from tests.telling import tell

ENGLISH = (
    "PR001;6;3;4;1;0;0;0;Mode;Manual;Off;Hot water;Auto;Firing off",
    "PR012;6;4;4;1;0;0;0;Zone 2 mode;Off;Auto;Setback;Comfort;Comfort once",
    "PR040;6;1;1;0;0;0;0;Charge buffer;No;Yes",
    "7;3;21.000;14.000;26.000;0.500;°C;20.000;0;0;0;Zone 2 day",
)


def configurations() -> Iterator[Config]:
    """Every way to announce, in every language."""
    for discovery in ("device", "entity"):
        for language in ("en", "de", "fr"):
            for entities in ("standard", "all"):
                yield with_options(HOME, discovery=discovery, language=language, entities=entities)


def announced(boiler: Boiler, config: Config) -> Home:
    """What is announced of a boiler, checked."""
    discovery = discovery_of(boiler, config)
    sent = discovery.messages(discovery.components(), {})
    return check_announcements({topic: json.dumps(each) for topic, each in sent.items()})


def discovery_of(boiler: Boiler, config: Config, url: str = "") -> Discovery:
    """What there is to announce of a boiler."""
    settable = Settable(config.control.parameters, boiler.catalogue, boiler.equipment)
    return Discovery(boiler, config, settable, url, can_restart=True)


def boiler_with(event: Described, line: bytes = b"", *parameters: str) -> Boiler:
    """A boiler that was described and has told a line and parameters."""
    boiler = Boiler()
    boiler.apply(event, NOW)
    # A line that does not fit makes every channel one that has told something unknown.
    tell(boiler, TelemetryLine(line or b"pm "), NOW)
    boiler.apply(Identified("model", "Nano.2(.3) 15"), NOW)
    for each in parameters:
        boiler.apply(ParameterSeen(parse_parameter(each)), NOW)
    return boiler


def small_boiler(*parameters: str) -> Boiler:
    """The small boiler, with its parameters or these."""
    return boiler_with(described(), line_of(CHANNELS), *(parameters or PARAMETERS))


def line_of(channels: Iterable[tuple[str, str, str]]) -> bytes:
    """A line with what these channels show at first."""
    return f"pm {' '.join(value for _, _, value in channels)} 2 ".encode()


class RulesTests(SynchronousTestCase):
    """Whatever the boiler, the language and the way to announce: Home Assistant takes it."""

    def test_a_boiler_with_most_of_what_there_is(self) -> None:
        boiler = Boiler()
        standard_boiler(boiler)
        for config in configurations():
            home = announced(boiler, config)
            of_everything = config.homeassistant.entities == "all"
            self.assertGreater(len(home.components), 250 if of_everything else 130)

    def test_real_descriptors(self) -> None:
        """Those of real boilers, of three families."""
        for file in sorted(shared_file("firmware").glob("*.xml")):
            document = file.read_bytes()
            descriptor = parse_descriptor(document)
            boiler = boiler_with(Described(descriptor), b"", *PARAMETERS)
            for config in configurations():
                home = announced(boiler, config)
                known = len(descriptor.analog) + len(descriptor.digital)
                of_everything = config.homeassistant.entities == "all"
                self.assertGreater(len(home.components), known if of_everything else known / 3)

    def test_panels_in_every_language(self) -> None:
        for parameters in (PARAMETERS, ENGLISH):
            for config in configurations():
                announced(small_boiler(*parameters), config)

    def test_nothing_known_but_the_bridge(self) -> None:
        for config in configurations():
            home = announced(Boiler(), config)
            self.assertEqual(9, len(home.components))

    @given(
        names=st.lists(
            st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])),
            min_size=1,
            max_size=5,
        ),
        unit=st.sampled_from(["", "°C", "KW", "kg", "%", "''", "Ohm"]),
    )
    def test_any_names(self, names: list[str], unit: str) -> None:
        """A boiler may call its channels whatever it likes, several alike included."""
        xml = described(tuple((name, unit, "1") for name in names), tuple(names))
        for discovery in ("device", "entity"):
            announced(boiler_with(xml), with_options(HOME, discovery=discovery))

    def test_a_state_channel_that_has_a_unit_is_a_measured_one(self) -> None:
        """Home Assistant takes no options where there is a unit."""
        boiler = boiler_with(described((("ZK", "°C", "1"),)))
        for discovery in ("device", "entity"):
            home = announced(boiler, with_options(HOME, discovery=discovery))
            self.assertNotIn("options", home.entity("sensor", "zk"))

    def test_parameters_that_are_not_sound(self) -> None:
        """Limits that limit nothing, options that cannot be told apart: shown, and not more."""
        home = announced(
            small_boiler(
                "PR001;6;0;1;0;0;0;0;Mode;Same;Same",
                "PR011;6;0;1;0;0;0;0;Mode;;Auto",
                "21;6;0;0;0;0;0;0;Mode;Only",
                "4;3;20.000;20.000;20.000;0.500;°C;20.000;0;0;0;Day",
                "5;3;20.000;10.000;20.000;0.000;;20.000;0;0;0;Setback",
                "7;9;x;y;z",
            ),
            HOME,
        )
        shown = {
            object_: platform
            for platform, _, object_ in (
                key.replace("/", " ").replace("hargassner_boiler_", "").partition(" ")
                for key in home.components
            )
            if object_.startswith("par_")
        }
        self.assertEqual(
            {
                "par_pr001": "sensor",
                "par_pr011": "sensor",
                "par_4": "sensor",
                "par_5": "number",
                "par_21": "select",
            },
            shown,
        )


class EntityTests(SynchronousTestCase):
    """Which entity a channel or a parameter becomes."""

    def setUp(self) -> None:
        self.boiler = small_boiler()
        self.home = announced(self.boiler, HOME)

    def assert_has(self, component: dict[str, Any], **expected: Any) -> None:
        """Insist on these properties, None for absent ones."""
        self.assertEqual(expected, {key: component.get(key) for key in expected})

    def test_a_temperature(self) -> None:
        self.assert_has(
            self.home.entity("sensor", "tk"),
            name="Boiler temperature",
            unit_of_measurement="°C",
            device_class="temperature",
            state_class="measurement",
            state_topic="hargassner/boiler/tk",
            default_entity_id="sensor.hargassner_boiler_boiler_temperature",
            entity_category=None,
            enabled_by_default=None,
        )

    def test_a_state_code_has_every_code_as_an_option(self) -> None:
        """All of them, in the owner's language; its words have a topic, so it needs no template."""
        home = announced(self.boiler, with_options(HOME, language="de"))
        sensor = home.entity("sensor", "zk")
        self.assertEqual(20, len(sensor["options"]))
        self.assertIn("Aschebox warten", sensor["options"])
        self.assertEqual("hargassner/boiler/zk/text", sensor["state_topic"])
        self.assertNotIn("value_template", sensor)

    def test_the_family_decides_what_codes_mean(self) -> None:
        self.boiler.apply(Identified("model", "HV 20"), NOW)
        home = announced(self.boiler, HOME)
        self.assertEqual("door open", home.entity("sensor", "zk")["options"][13])

    def test_the_polarity_of_safety_contacts(self) -> None:
        """The limiter's loop is closed in operation: 1 is no problem."""
        sensor = self.home.entity("binary_sensor", "stb")
        self.assertEqual("problem", sensor["device_class"])
        shown = [
            self.home.state(sensor, {"hargassner/boiler/stb": state})
            for state in ("ON", "OFF", "None")
        ]
        self.assertEqual([False, True, None], shown)
        pump = self.home.entity("binary_sensor", "hkp1")
        self.assertTrue(self.home.state(pump, {"hargassner/boiler/hkp1": "ON"}))

    def test_what_is_enabled(self) -> None:
        """What an owner wants; not what nobody knows, and not what is not connected."""
        enabled = {
            object_: "enabled_by_default" not in self.home.entity(platform, object_)
            for platform, object_ in (
                ("sensor", "tk"),
                ("sensor", "wuenschelrute"),
                ("sensor", "lagerstand"),
                ("binary_sensor", "stoerung"),
                ("binary_sensor", "fault"),
                ("select", "par_pr001"),
                ("sensor", "par_d17"),
            )
        }
        self.assertEqual(
            {
                "tk": True,
                "wuenschelrute": False,
                "lagerstand": True,
                # The model's own says the same, and more.
                "stoerung": False,
                "fault": True,
                "par_pr001": True,
                "par_d17": False,
            },
            enabled,
        )

    def test_what_is_not_connected_waits(self) -> None:
        """Home Assistant decides at first sight whether an entity is enabled."""
        self.assertNotIn("sensor/hargassner_boiler_tpo", self.home.components)

    def test_everything_is_there_and_enabled_on_demand(self) -> None:
        """What is not connected, too."""
        home = announced(self.boiler, with_options(HOME, entities="all"))
        home.entity("sensor", "tpo")
        disabled = [each for each in home.components.values() if "enabled_by_default" in each]
        self.assertEqual([], disabled)

    def test_what_nobody_knows_has_the_boilers_own_name(self) -> None:
        self.assert_has(
            self.home.entity("sensor", "wuenschelrute"),
            name="Wünschelrute",
            entity_category="diagnostic",
        )

    def test_consumption_stock_and_heat(self) -> None:
        for object_, unit, device_class, state_class in (
            ("verbrauchszaehler", "kg", "weight", "total_increasing"),
            ("lagerstand", "kg", "weight", "measurement"),
            ("heat", "kWh", "energy", "total_increasing"),
        ):
            self.assert_has(
                self.home.entity("sensor", object_),
                unit_of_measurement=unit,
                device_class=device_class,
                state_class=state_class,
            )

    def test_parameters(self) -> None:
        """Choices are selects, yes and no is a switch, numbers have limits, step and unit."""
        self.assertEqual(
            ["manual", "off", "hot water only", "auto", "combustion off"],
            self.home.entity("select", "par_pr001")["options"],
        )
        self.assert_has(
            self.home.entity("switch", "par_21"),
            payload_on="Oui",
            payload_off="Non",
            command_topic="hargassner/boiler/par_21/set",
        )
        self.assert_has(
            self.home.entity("number", "par_4"),
            min=14.0,
            max=26.0,
            step=0.5,
            unit_of_measurement="°C",
            device_class="temperature",
        )

    def test_a_difference_in_degrees_is_no_temperature(self) -> None:
        """Home Assistant would convert it to another difference elsewhere."""
        self.assert_has(
            self.home.entity("number", "par_a6d"), unit_of_measurement="°C", device_class=None
        )

    def test_switches_in_three_languages(self) -> None:
        """Either way round; on and off are no yes and no."""
        for options, on in (
            ("No;Yes", "Yes"),
            ("Nein;Ja", "Ja"),
            ("Non;Oui", "Oui"),
            ("JA;NEIN", "JA"),
            ("Aus;Ein", None),
            ("Oui;Nein", None),
        ):
            home = announced(small_boiler(f"21;6;0;1;0;0;0;0;x;{options}"), HOME)
            key = "switch/hargassner_boiler_par_21"
            self.assertEqual(on, home.components.get(key, {}).get("payload_on"), options)

    def test_the_owners_language_counts_and_not_the_panels(self) -> None:
        """They have topics of their own, so that no template is needed."""
        for panel in ("Manu;Arr;Ballon;Auto;Arr comb.", "Hand;Aus;Boiler;Auto;Feuerung aus"):
            boiler = small_boiler(f"PR001;6;3;4;1;0;0;0;Mode;{panel}")
            home = announced(boiler, with_options(HOME, language="fr"))
            select = home.entity("select", "par_pr001")
            words = ["manuel", "arrêt", "eau chaude seule", "auto", "combustion arrêtée"]
            self.assert_has(
                select,
                options=words,
                state_topic="hargassner/boiler/par_pr001/text",
                command_topic="hargassner/boiler/par_pr001/set",
                value_template=None,
                command_template=None,
            )

    def test_options_that_are_not_those_that_are_known(self) -> None:
        """A choice of another length means something else: the panel's words are shown."""
        home = announced(small_boiler("PR001;6;0;2;0;0;0;0;Mode;x;y;z"), HOME)
        self.assertEqual(["x", "y", "z"], home.entity("select", "par_pr001")["options"])

    def test_charging_is_a_button(self) -> None:
        """Yes is all that is ever said; the boiler goes back to no by itself."""
        for options, yes in (("Non;Oui", "1"), ("Yes;No", "0")):
            home = announced(small_boiler(f"PR040;6;0;1;0;0;0;0;x;{options}"), HOME)
            button = home.entity("button", "par_pr040")
            self.assertEqual((yes, "Charge now"), (button["payload_press"], button["name"]))
            self.assertEqual(
                "hargassner_boiler_buffer", home.devices["hargassner_boiler_par_pr040"]
            )

    def test_a_parameter_that_may_not_be_set_is_shown(self) -> None:
        """As a sensor, without a topic for commands."""
        sensor = self.home.entity("sensor", "par_b2")
        self.assert_has(sensor, command_topic=None, unit_of_measurement="°C")

    def test_a_parameter_that_was_only_named_waits(self) -> None:
        """How it can be set is not known before it is known in full."""
        boiler = small_boiler("4;3;20.000;14.000;26.000;0.500;°C;20.000;0;0;0;Jour")
        boiler.apply(ParameterChanged("PR001", "Mode", None, "Auto"), NOW)
        boiler.apply(ParameterChanged("A9", "", None, "1"), NOW)
        ids = {each["unique_id"] for each in announced(boiler, HOME).components.values()}
        self.assertNotIn("hargassner_boiler_par_pr001", ids)
        self.assertIn("hargassner_boiler_par_a9", ids)

    def test_the_bridge(self) -> None:
        """Its session and telemetry, since when, and the gateway's software."""
        retained = {
            "hargassner/boiler/session": "online",
            "hargassner/boiler/telemetry": "offline",
            "hargassner/boiler/info": json.dumps(
                {"session_start": "2023-11-14T22:13:20+00:00", "gateway_software": None}
            ),
        }
        shown = self.home.show_all(retained)
        self.assertIs(True, shown["binary_sensor/hargassner_boiler_session"])
        self.assertIs(False, shown["binary_sensor/hargassner_boiler_telemetry"])
        self.assertEqual(NOW, shown["sensor/hargassner_boiler_session_start"].timestamp())
        self.assertIsNone(shown["sensor/hargassner_boiler_gateway_software"])

    def test_availability(self) -> None:
        """Telemetry, settings and the bridge are available each with its own."""
        everything = dict.fromkeys(
            (f"hargassner/boiler/{each}" for each in ("status", "session", "telemetry")), "online"
        )
        without = {
            "status": {"sensor/tk", "number/par_4", "climate/climate_1", "sensor/session_start"},
            "session": {"number/par_4", "climate/climate_1"},
            "telemetry": {"sensor/tk"},
        }
        for missing, expected in without.items():
            retained = {**everything, f"hargassner/boiler/{missing}": "offline"}
            unavailable = {
                each
                for each in without["status"]
                if not self.home.available(self.home.entity(*each.split("/")), retained)
            }
            self.assertEqual(expected, unavailable, missing)


class NameTests(SynchronousTestCase):
    """What entities are called."""

    def test_languages(self) -> None:
        names = [
            announced(small_boiler(), with_options(HOME, language=each)).entity("sensor", "tk")
            for each in ("en", "de", "fr")
        ]
        self.assertEqual(
            ["Boiler temperature", "Kesseltemperatur", "Température chaudière"],
            [each["name"] for each in names],
        )

    def test_channels_of_the_same_name_are_told_apart(self) -> None:
        """By the boiler's own names, where these differ, or by their numbers."""
        boiler = boiler_with(
            described((("Dummy 1", "", "0"), ("Dummy 2", "", "0"), ("X", "", "0"), ("X", "", "0")))
        )
        home = announced(boiler, HOME)
        names = [home.entity("sensor", each)["name"] for each in ("dummy_1", "dummy_2", "x", "x_2")]
        self.assertEqual(
            ["Unnamed position (Dummy 1)", "Unnamed position (Dummy 2)", "X (x)", "X (x_2)"], names
        )

    def test_only_words_get_a_capital(self) -> None:
        """A name that begins with a sign of its own keeps it."""
        boiler = boiler_with(described((("eCleaner 1 aktiv", "", "0"), ("pump x", "", "0")), ()))
        home = announced(boiler, HOME)
        names = [home.entity("sensor", each)["name"] for each in ("ecleaner_1_aktiv", "pump_x")]
        self.assertEqual(["eCleaner 1 aktiv", "Pump x"], names)

    def test_nodes_share_a_home(self) -> None:
        """Two bridges at one broker have no id in common."""
        ids = []
        for node in ("boiler", "cellar-2"):
            config = config_from({"mqtt": {"node": node}})
            home = announced(small_boiler(), config)
            ids.append({each["unique_id"] for each in home.components.values()})
            ids.append({each["default_entity_id"] for each in home.components.values()})
        self.assertFalse(ids[0] & ids[2])
        self.assertFalse(ids[1] & ids[3])


class ClimateTests(SynchronousTestCase):
    """Heating circuits as thermostats."""

    def test_its_limits_are_the_parameters(self) -> None:
        climate = announced(small_boiler(), HOME).entity("climate", "climate_1")
        self.assertEqual(
            (14.0, 26.0, 0.5, None),
            tuple(climate[each] for each in ("min_temp", "max_temp", "temp_step", "name")),
        )

    def test_a_boiler_that_cannot_cool(self) -> None:
        """A mode with five options."""
        line = PARAMETERS[1].replace("6;1;5", "6;1;4").removesuffix(";Refroid.")
        climate = announced(small_boiler(line, PARAMETERS[3]), HOME).entity("climate", "climate_1")
        self.assertEqual(["off", "auto", "heat"], climate["modes"])

    def test_without_one_of_its_parts_there_is_none(self) -> None:
        """Mode, day temperature and room temperature are all needed, and the right to set."""
        only = config_from({"control": {"parameters": ["PR011", "5"]}})
        no_room = tuple(each for each in CHANNELS if each[0] != "TRA_1")
        for boiler, config in (
            (small_boiler(PARAMETERS[1]), HOME),
            (small_boiler(PARAMETERS[3]), HOME),
            (boiler_with(described(no_room), b"", *PARAMETERS), HOME),
            (small_boiler(), only),
        ):
            platforms = {each["platform"] for each in announced(boiler, config).components.values()}
            self.assertNotIn("climate", platforms)

    def test_a_mode_that_is_none_makes_no_thermostat(self) -> None:
        """Other options than those of a circuit's mode, or two that cannot be told apart."""
        for mode in (
            "PR011;6;0;1;0;0;0;0;x;Arr;Auto",
            "PR011;6;0;4;0;0;0;0;x;Arr;Auto;Auto;Confort;1x",
            "PR011;3;1.000;0.000;5.000;1.000;;1.000;0;0;0;x",
        ):
            home = announced(small_boiler(mode, PARAMETERS[3]), HOME)
            self.assertNotIn("climate/hargassner_boiler_climate_1", home.components)

    def test_a_day_temperature_that_is_none_makes_no_thermostat(self) -> None:
        """Without room between its limits, or a choice."""
        for day in (
            "4;3;20.000;20.000;20.000;0.500;°C;20.000;0;0;0;Jour",
            "4;6;0;1;0;0;0;0;Jour;Non;Oui",
        ):
            home = announced(small_boiler(PARAMETERS[1], day), HOME)
            self.assertNotIn("climate/hargassner_boiler_climate_1", home.components)

    def test_two_circuits(self) -> None:
        channels = (*CHANNELS, ("TRA_2", "°C", "21.0"))
        boiler = boiler_with(
            described(channels, BITS), line_of(channels), *PARAMETERS, *ENGLISH[1:]
        )
        home = announced(boiler, with_options(HOME, language="de"))
        devices = [home.devices[f"hargassner_boiler_climate_{each}"] for each in (1, 2)]
        self.assertEqual(["hargassner_boiler_circuit_1", "hargassner_boiler_circuit_2"], devices)
        self.assertNotIn("action_topic", home.entity("climate", "climate_2"))

    def test_a_room_that_never_shows_another_temperature_than_20_is_no_thermostat(self) -> None:
        """A boiler shows that of a circuit whose room nothing measures."""
        for shown, thermostats in (("20.0", 0), ("20.5", 1)):
            channels = tuple(
                (name, unit, shown if name == "TRA_1" else value) for name, unit, value in CHANNELS
            )
            boiler = boiler_with(described(channels, BITS), line_of(channels), *PARAMETERS)
            platforms = [each["platform"] for each in announced(boiler, HOME).components.values()]
            self.assertEqual(thermostats, platforms.count("climate"))

    def test_a_setback_temperature_that_may_be_lower_is_within_its_limits(self) -> None:
        """Home Assistant refuses what is beyond them, of whichever temperature it is."""
        setback = "5;3;16.000;8.000;24.000;0.500;°C;16.000;0;0;0;Zone 1 Temp. réduite"
        climate = announced(small_boiler(*PARAMETERS, setback), HOME).entity("climate", "climate_1")
        self.assertEqual((8.0, 26.0), (climate["min_temp"], climate["max_temp"]))


class DeviceTests(SynchronousTestCase):
    """The bridge, the boiler behind it, and what the boiler has behind that."""

    def properties(self, boiler: Boiler, **options: str) -> dict[str, dict[str, Any]]:
        """The devices that are announced, by their names."""
        discovery = discovery_of(boiler, with_options(HOME, **options), "http://pi:8080")
        sent = discovery.messages(discovery.components(), {}).values()
        return {each["device"]["name"]: each["device"] for each in sent}

    def test_what_is_known_of_the_boiler(self) -> None:
        boiler = Boiler()
        for name, value in (
            ("model", "Nano.2(.3) 15"),
            ("firmware", "V14.0n3"),
            ("controller_serial", "1234567"),
        ):
            boiler.apply(Identified(name, value), NOW)
        self.assertEqual(
            {
                "identifiers": ["hargassner_boiler"],
                "manufacturer": "Hargassner",
                "name": "Hargassner Nano.2(.3) 15",
                "model": "Nano.2(.3) 15",
                "sw_version": "V14.0n3",
                "serial_number": "1234567",
                "via_device": "hargassner_boiler_bridge",
            },
            self.properties(boiler)["Hargassner Nano.2(.3) 15"],
        )

    def test_the_bridge(self) -> None:
        """It has a version and a page, and is behind nothing."""
        self.assertEqual(
            {
                "identifiers": ["hargassner_boiler_bridge"],
                "name": "Hargassner bridge",
                "sw_version": __version__,
                "configuration_url": "http://pi:8080",
            },
            self.properties(Boiler())["Hargassner bridge"],
        )

    def test_what_the_boiler_has(self) -> None:
        """In the owner's language, and in either way to announce."""
        for discovery in ("device", "entity"):
            devices = self.properties(small_boiler(), language="de", discovery=discovery)
            self.assertEqual(
                [
                    "Hargassner-Bridge",
                    "Hargassner Nano.2(.3) 15",
                    "Heizkreis 1",
                    "Boiler 1",
                    "Puffer",
                    "Brennstofflager",
                ],
                list(devices),
            )
            self.assertEqual("hargassner_boiler", devices["Puffer"]["via_device"])

    def test_entity_ids_can_be_read(self) -> None:
        """They are the same in every language."""
        for language in ("en", "de", "fr"):
            home = announced(small_boiler(), with_options(HOME, language=language))
            for platform, object_, id_ in (
                ("number", "par_4", "circuit_1_day_temperature"),
                ("select", "par_pr011", "circuit_1_mode"),
                ("sensor", "tra_1", "circuit_1_room_temperature"),
                ("binary_sensor", "hkp1", "circuit_1_pump"),
                ("climate", "climate_1", "circuit_1"),
                ("sensor", "tb1", "tank_1_temperature"),
                ("button", "par_pr040", "buffer_charge"),
                ("sensor", "lagerstand", "fuel_stock"),
                ("button", "restart", "bridge_restart"),
            ):
                self.assertEqual(
                    f"{platform}.hargassner_boiler_{id_}",
                    home.entity(platform, object_)["default_entity_id"],
                )

    def test_the_status_page(self) -> None:
        """An address that others can use, or none."""
        for listen, url in (
            ("", ""),
            ("tcp:8080:interface=127.0.0.1", ""),
            ("tcp:8080:interface=localhost", ""),
            (r"tcp6:8080:interface=\:\:1", ""),
            ("unix:/run/x", ""),
            ("tcp:8080", "http://192.0.2.80:8080"),
            ("tcp:port=80:interface=0.0.0.0", "http://192.0.2.80:80"),
            (r"tcp6:8080:interface=\:\:", "http://192.0.2.80:8080"),
            ("tcp:8080:interface=192.0.2.5", "http://192.0.2.5:8080"),
            (r"tcp6:8080:interface=fd00\:\:5", "http://[fd00::5]:8080"),
            ("ssl:443:privateKey=k.pem", "https://192.0.2.80:443"),
        ):
            self.assertEqual(url, status_page(WebConfig(listen), "192.0.2.80"), listen)

    def test_the_status_page_by_the_owners_name(self) -> None:
        """Where the owner has named the machine, that name is known."""
        web = WebConfig("tcp:8080", ("boiler.home.example",))
        self.assertEqual("http://boiler.home.example:8080", status_page(web, "192.0.2.80"))

    def test_no_status_page_without_an_address(self) -> None:
        self.assertEqual("", status_page(WebConfig("tcp:8080"), ""))


class WaterHeaterTests(SynchronousTestCase):
    """Hot water tanks of which everything is known as water heaters."""

    TANK = (
        "2;3;58.000;30.000;75.000;1.000;°C;60.000;0;0;0;Ballon 1",
        "PR042;6;0;1;0;0;0;0;Ballon 1 charge;Non;Oui",
    )

    def test_what_it_shows_and_sets(self) -> None:
        home = announced(small_boiler(*self.TANK), HOME)
        heater = home.entity("water_heater", "water_heater_tank_1")
        below = "hargassner/boiler/water_heater_tank_1"
        topics = {"temperature": "58", "mode": "performance", "current": "48.6"}
        self.assertEqual(
            {"mode": "performance", "temperature": 58.0, "current_temperature": 48.6},
            home.state(heater, {f"{below}/{part}": each for part, each in topics.items()}),
        )
        self.assertEqual((30.0, 75.0), (heater["min_temp"], heater["max_temp"]))

    def test_its_temperature_is_not_enabled_twice(self) -> None:
        number = announced(small_boiler(*self.TANK), HOME).entity("number", "par_2")
        self.assertIs(False, number["enabled_by_default"])
        number = announced(small_boiler(self.TANK[0]), HOME).entity("number", "par_2")
        self.assertNotIn("enabled_by_default", number)

    def test_without_one_of_its_parts_there_is_none(self) -> None:
        no_tank = tuple(each for each in CHANNELS if each[0] != "TB1")
        for boiler in (
            *(small_boiler(each) for each in self.TANK),
            small_boiler(self.TANK[0], "PR042;6;0;2;0;0;0;0;x;a;b;c"),
            small_boiler(self.TANK[0].replace("75.000", "30.000"), self.TANK[1]),
            boiler_with(described(no_tank), line_of(no_tank), *self.TANK),
        ):
            home = announced(boiler, HOME)
            self.assertNotIn("water_heater/hargassner_boiler_water_heater_tank_1", home.components)


_BUTTONS = {"restart", "par_pr040"}


class ShownTests(HomeCase):
    """States and announcements fit each other."""

    def test_a_small_boiler(self) -> None:
        """Every entity shows what is retained, without a complaint."""
        self.on = {"STB"}
        self.everything()
        home = check_announcements(self.announced())
        shown = home.show_all(self.broker.retained)
        unknown = {key.split("_boiler_")[1] for key, state in shown.items() if state is None}
        self.assertEqual(
            {"gateway_software", "fault_event", "last_error", "last_command", *_BUTTONS}, unknown
        )
        self.assertEqual("initialising", shown["sensor/hargassner_boiler_zk"])

    def test_the_simulated_boiler(self) -> None:
        standard_boiler(self.boiler)
        self.settle()
        for discovery in ("device", "entity"):
            self.config = with_options(self.config, discovery=discovery)
            self.live_again()
            standard_boiler(self.boiler)
            self.settle()
            self.clock.advance(30)
            check_announcements(self.announced()).show_all(self.broker.retained)

    def test_recorded_lines(self) -> None:
        """Seven hours of a real boiler, each state that was published on the way."""
        recording = shared_file("firmware/nano2-25-V14.0k3.txt")
        document = recording.with_suffix(".xml").read_bytes()
        self.apply(Described(parse_descriptor(document)))
        home = None
        for line in recording.read_bytes().splitlines():
            start = line.find(b"pm ")
            if start < 0:
                continue
            self.apply(TelemetryLine(line[start:]))
            self.clock.advance(1)
            if home is None:
                self.settle()
                home = check_announcements(self.announced())
            home.show_all(self.broker.retained)
