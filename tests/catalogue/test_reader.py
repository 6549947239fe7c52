"""The catalogue: what is known of names, and whether Home Assistant can take it."""

import re
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import COMPUTED_WITH
from hargassner.boiler.roles import CHARTS, CIRCUITS, TANKS
from hargassner.catalogue import Catalogue, Family, Text, family_of, spelled_unit
from hargassner.catalogue.reader import CLASS_UNITS, UNITS, spelling
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.web.dashboard import TILES
from tests.shared import shared_file

CATALOGUE = Catalogue.load()
ANALOG = {entry.name: entry for entry in CATALOGUE.analog_entries.values()}
DIGITAL = {entry.name: entry for entry in CATALOGUE.digital_entries.values()}

STATE_CLASSES = {
    "current": {"measurement"},
    "distance": {"measurement", "total_increasing"},
    "duration": {"measurement", "total_increasing"},
    "energy": {"total_increasing"},
    "power": {"measurement"},
    "pressure": {"measurement"},
    "temperature": {"measurement"},
    "voltage": {"measurement"},
    "volume_flow_rate": {"measurement"},
    "weight": {"measurement", "total_increasing"},
}
"""What Home Assistant accepts beside each device class, of what the catalogue uses."""

DAMAGES = (
    lambda letter: "°",
    lambda letter: "\N{REPLACEMENT CHARACTER}",
    lambda letter: "?",
    lambda letter: letter.encode("latin-1").decode("mac-roman"),
    lambda letter: letter.encode("utf-8").decode("latin-1"),
    lambda letter: {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}[letter],
)
"""How an umlaut has been seen to be damaged or rewritten."""


def rows(table: str) -> list[list[str]]:
    """The rows of a table without its comments and headings, as they stand in the file."""
    content = files("hargassner.catalogue").joinpath(table).read_text(encoding="utf-8")
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    return [line.split("\t") for line in lines[1:]]


class NamesTests(SynchronousTestCase):
    """Channels are found by their names, in whatever state these arrive."""

    def test_a_channel_is_known_by_its_name(self) -> None:
        """The exact name gives the channel's own entry."""
        entry = CATALOGUE.analog("TVL_1", "°C")
        assert entry is not None
        self.assertEqual("heating circuit 1 flow", entry.text.en)
        self.assertEqual("Vorlauf Heizkreis 1", entry.text.de)
        self.assertEqual("départ circuit 1", entry.text.fr)

    def test_an_unknown_channel_has_no_entry(self) -> None:
        """A name that no table has is answered with None."""
        self.assertIsNone(CATALOGUE.analog("Wünschelrute", "°C"))
        self.assertIsNone(CATALOGUE.digital("Wünschelrute"))
        self.assertIsNone(CATALOGUE.parameter("ZZ9"))

    def test_damaged_umlauts_are_recognised(self) -> None:
        """Each known damage to each umlaut leaves every name recognisable."""
        for name, entry in ANALOG.items():
            for damage in DAMAGES:
                damaged = "".join(
                    damage(letter) if letter in "äöüÄÖÜ" else letter for letter in name
                )
                found = CATALOGUE.analog(damaged, entry.unit)
                self.assertEqual(entry, found, damaged)

    def test_blanks_and_case_do_not_matter(self) -> None:
        """Firmwares write one name with and without a blank, in capitals and without."""
        self.assertEqual(
            CATALOGUE.analog("Einschubschn. BSZ", ""), CATALOGUE.analog("Einschubschn.BSZ", "")
        )
        self.assertEqual(CATALOGUE.digital("STB"), CATALOGUE.digital("Stb"))

    def test_different_names_for_one_thing_say_the_same(self) -> None:
        """The names that differ between firmwares have entries with the same words."""
        for names in (
            ("O2soll", "O2_soll"),
            ("SZist", "SZ"),
            ("PuffZustand", "PufZustand"),
            ("Puff Füllgrad", "Puff Fuellgrad", "Pufferfüllgrad", "PufLad"),
            ("Höchste Anf", "Max Anf Kessel"),
            ("Sens U Lambda", "U_Lambda"),
            ("RLP", "RLP/PuffPumpe"),
            ("Ext.HK Soll", "ExtHK Solltmp.", "Solltmp. ExtHK"),
        ):
            entries = [CATALOGUE.analog(name, "") for name in names]
            self.assertEqual(1, len({entry.text for entry in entries if entry}), names)
            self.assertNotIn(None, entries, names)

    @given(st.text())
    def test_any_name_can_be_asked_for(self, name: str) -> None:
        """Whatever a boiler calls a channel, asking for it raises nothing."""
        CATALOGUE.analog(name, name)
        CATALOGUE.digital(name)

    def test_spellings_keep_names_apart(self) -> None:
        """No two entries have names that are compared as equal, so none hides another."""
        for table in ("channels_analog.tsv", "channels_digital.tsv"):
            names = [row[0] for row in rows(table)]
            self.assertEqual(len(names), len({spelling(name) for name in names}), table)


class RoleTests(SynchronousTestCase):
    """What the program takes a channel for is in the tables, not in the program."""

    def test_a_channel_has_its_role_however_it_is_spelled(self) -> None:
        """A damaged umlaut and a unit of the boiler's own take no role away."""
        for name in ("Störungs Nr", "St?rungs Nr", "Stoerungs Nr"):
            entry = CATALOGUE.analog(name, "x")
            assert entry is not None
            self.assertEqual("fault_number", entry.role)

    def test_of_several_names_the_first_row_counts(self) -> None:
        """Firmwares call the buffer's charge level differently."""
        names = ("Puff Füllgrad", "Pufferfüllgrad", "PufLad")
        self.assertEqual(names, CATALOGUE.roles["buffer_fill"])

    def test_every_role_that_is_asked_for_is_a_channels(self) -> None:
        """A role that no row has would look like a boiler without that channel."""
        shown = {role for roles in (*TILES.values(), *CHARTS.values()) for role in roles}
        parts = {
            *(f"tank_{each}{part}" for each in TANKS for part in ("_setpoint", "_state", "_pump")),
            *(
                f"circuit_{each}_{part}"
                for each in CIRCUITS
                for part in ("flow_setpoint", "room", "state", "pump")
            ),
        }
        others = {"boiler_state", "pellet_boiler_state", "buffer_state", *COMPUTED_WITH}
        others.add("external_circuit_setpoint")
        self.assertEqual(shown | parts | others, set(CATALOGUE.roles))


class UnitTests(SynchronousTestCase):
    """The boiler's unit counts, spelled as Home Assistant wants it."""

    def test_the_boilers_unit_is_spelled_for_home_assistant(self) -> None:
        """Units that only look different are the same ones."""
        self.assertEqual("kW", spelled_unit("KW"))
        self.assertEqual("min", spelled_unit("Min"))
        self.assertEqual("L/min", spelled_unit(" l/min "))
        self.assertEqual("", spelled_unit("''"))
        self.assertEqual("°C", spelled_unit("°C"))

    def test_a_missing_unit_is_filled_in(self) -> None:
        """A channel to which the boiler gives no unit has the catalogue's."""
        entry = CATALOGUE.analog("Höchste Anf", "")
        assert entry is not None
        self.assertEqual("°C", entry.unit)
        self.assertEqual("temperature", entry.device_class)

    def test_a_fitting_unit_keeps_the_device_class(self) -> None:
        """Minutes instead of hours are a duration too."""
        entry = CATALOGUE.analog("BSZ_HEIZUNG", "Min")
        assert entry is not None
        self.assertEqual(("min", "duration"), (entry.unit, entry.device_class))

    def test_another_unit_takes_the_device_class_away(self) -> None:
        """Home Assistant refuses a unit that does not belong to its class."""
        entry = CATALOGUE.analog("TK", "%")
        assert entry is not None
        self.assertEqual(("%", ""), (entry.unit, entry.device_class))


class MissingTests(SynchronousTestCase):
    """Values that mean that nothing is connected are the channel's own."""

    def test_a_sensor_knows_its_values(self) -> None:
        """An open buffer sensor shows -20, 120 or 140, and nothing in between."""
        entry = CATALOGUE.analog("TPo", "°C")
        assert entry is not None
        shown = [value for value in (-20, 0, 20.0, 119.9, 120.0, 140) if entry.means_missing(value)]
        self.assertEqual([-20, 120.0, 140], shown)

    def test_a_noisy_input_is_missing_over_a_range(self) -> None:
        """Without a probe the combustion chamber shows noise from 100 to 130."""
        entry = CATALOGUE.analog("BRT", "°C")
        assert entry is not None
        shown = [value for value in (20, 100, 117.7, 130, 131, 620) if entry.means_missing(value)]
        self.assertEqual([100, 117.7, 130], shown)

    def test_twenty_degrees_are_never_a_reason(self) -> None:
        """No channel counts as missing at 20, a perfectly good room temperature."""
        self.assertEqual([], [name for name, each in ANALOG.items() if each.means_missing(20.0)])

    def test_setpoints_at_zero_are_switched_off_not_missing(self) -> None:
        """Zero means that nothing is connected for the water pressure sensor alone."""
        self.assertEqual(
            ["Wasserdruck"], [name for name, each in ANALOG.items() if each.means_missing(0.0)]
        )


class StatesTests(SynchronousTestCase):
    """State codes mean what the boiler's family means by them."""

    def test_the_family_decides(self) -> None:
        """State 7 is full combustion, a change to part load, or burn-out."""
        meanings = [CATALOGUE.state_text("ZK", 7, family, "en") for family in Family]
        self.assertEqual(["full combustion", "from full to part load", "burn-out"], meanings)

    def test_languages(self) -> None:
        """A state is told in each language, and in English for any other."""
        texts = [CATALOGUE.state_text("ZK", 8, Family.PELLET, each) for each in ("de", "fr", "it")]
        self.assertEqual(["Gluterhaltung", "maintien de braises", "ember keeping"], texts)

    def test_the_pellet_part_of_a_log_wood_boiler_is_a_pellet_boiler(self) -> None:
        """``PK_ZK`` follows the pellet table on whatever boiler."""
        self.assertEqual("full combustion", CATALOGUE.state_text("PK_ZK", 7, Family.WOOD, "en"))

    def test_an_unknown_code_has_no_text(self) -> None:
        """A code that no manual names, or of a channel without states, is not made up."""
        self.assertIsNone(CATALOGUE.state_text("ZK", 99, Family.PELLET, "en"))
        self.assertIsNone(CATALOGUE.state_text("TK", 1, Family.PELLET, "en"))

    def test_every_state_channel_has_its_codes_in_every_family(self) -> None:
        """A channel of class enum has states, any other has none."""
        for name, entry in ANALOG.items():
            for family in Family:
                has_states = bool(CATALOGUE.states(name, family))
                self.assertEqual(entry.device_class == "enum", has_states, (name, family))

    def test_options_are_told_apart(self) -> None:
        """Within a table no two codes have the same words, in any language."""
        for key, table in CATALOGUE.state_tables.items():
            for language in ("en", "de", "fr"):
                words = [text.to(language) for text in table.values()]
                self.assertEqual(len(words), len(set(words)), (key, language))

    def test_families_are_told_by_the_model(self) -> None:
        """The names on the data plates, as boilers give them."""
        for family, models in {
            Family.PELLET: ("Nano.2(.3) 15", "Nano-PK 20", "HSV/CL 9-60KW V14.0n3", "Classic 22"),
            Family.WOOD: ("STHV2", "HV 20", "MV 35", "Neo-HV 30"),
            Family.CHIP: (
                *("Eco-HK 60", "Eco-PK 70-120", "WTH 150"),
                *("HK100", "Eco.HK 330", "Magno-HK", "Magno-VR 400"),
            ),
        }.items():
            for model in models:
                self.assertIs(family, family_of(model, ["TKS"] if family is Family.CHIP else []))

    def test_families_are_told_by_channels_where_the_model_says_nothing(self) -> None:
        """Log wood has a door contact or a pellet part; the rest counts as pellets."""
        self.assertIs(Family.WOOD, family_of("", ["TK", "TKS"]))
        self.assertIs(Family.WOOD, family_of("Muster 3000", ["TK", "PK_TK"]))
        self.assertIs(Family.PELLET, family_of("", ["ZK", "TK"]))

    def test_a_boiler_with_a_door_contact_that_feeds_itself_burns_no_logs(self) -> None:
        """A large pellet boiler has one, too."""
        self.assertIs(Family.PELLET, family_of("", ["TKS", "Programm", "ZK", "ES Run"]))
        self.assertIs(Family.WOOD, family_of("", ["TKS", "PK_ES Run", "ZK"]))

    def test_real_boilers_are_of_the_families_that_they_are_when_their_model_is_not_known(
        self,
    ) -> None:
        """Two of the published descriptors are of log wood boilers, and all others of pellets."""
        wood = set()
        for file in shared_file("layouts").glob("*.xml"):
            names = re.findall(r"name='([^']*)'", file.read_text("latin-1"))
            if family_of("", names) is Family.WOOD:
                wood.add(file.name.partition("-")[0])
        self.assertEqual({"neo", "sthv2"}, wood)

    def test_motors_and_cascades_are_called_by_words(self) -> None:
        """Not by the boiler's abbreviations."""
        for name in ("I Aa", "I Es", "I Ra", "I Rein", "I Sr", "AA Dir", "KASK1 MaxLeist"):
            entry = CATALOGUE.analog(name, "") or CATALOGUE.digital(name)
            assert entry is not None
            for word in name.split():
                self.assertNotIn(word, entry.text.en.split())


class FaultsAndParametersTests(SynchronousTestCase):
    """Fault numbers and parameter ids have words."""

    def test_a_fault_has_its_text(self) -> None:
        """Fault 70 is the low stock of pellets."""
        fault = CATALOGUE.fault(70)
        assert fault is not None
        self.assertEqual("Pellets-Lagerstand gering", fault.de)

    def test_every_known_number_is_there(self) -> None:
        """The manuals' 339 numbers, and two that were met on log wood boilers."""
        self.assertEqual(341, len(CATALOGUE.faults))
        self.assertEqual(341, len(rows("errors.tsv")))

    def test_parameters_have_texts_by_their_ids(self) -> None:
        """Ids are taken as the boiler writes them."""
        parameter = CATALOGUE.parameter("PR011")
        assert parameter is not None
        self.assertEqual("mode of heating circuit 1", parameter.text.en)
        self.assertEqual(len(CATALOGUE.parameters), len(rows("parameters.tsv")))


class CircuitsTests(SynchronousTestCase):
    """What belongs to a heating circuit is what the other tables know of it."""

    def test_parameters_and_channels_are_those_of_the_circuit(self) -> None:
        """Each is in its table, and named there after the same circuit."""
        self.assertEqual(7, len(CATALOGUE.circuits))
        for circuit in CATALOGUE.circuits:
            parameters = CATALOGUE.parameters
            for text in (
                parameters[circuit.mode].text,
                parameters[circuit.day].text,
                parameters[circuit.setback].text,
                ANALOG[circuit.room].text,
            ):
                self.assertIn(f"heating circuit {circuit.circuit}", text.en)
            self.assertEqual(
                f"heating circuit pump {circuit.circuit}", DIGITAL[circuit.pump].text.en
            )

    def test_temperatures_are_told_apart(self) -> None:
        """By day is another parameter than in setback, and a mode is none of them."""
        for circuit in CATALOGUE.circuits:
            texts = [CATALOGUE.parameters[each].text.en for each in (circuit.day, circuit.setback)]
            self.assertIn("day room temperature", texts[0])
            self.assertIn("setback room temperature", texts[1])
            self.assertIn("mode of", CATALOGUE.parameters[circuit.mode].text.en)


class SoundnessTests(SynchronousTestCase):
    """Each row is something that Home Assistant accepts."""

    def test_device_classes_have_their_units(self) -> None:
        """A unit that does not belong to its class would reject the entity."""
        for name, entry in ANALOG.items():
            if entry.device_class and entry.device_class != "enum":
                self.assertIn(entry.unit, CLASS_UNITS[entry.device_class], name)

    def test_units_are_spelled_for_home_assistant(self) -> None:
        """No row has a unit in the boiler's spelling."""
        for name, entry in ANALOG.items():
            self.assertNotIn(entry.unit, UNITS, name)

    def test_device_classes_have_their_state_classes(self) -> None:
        """A state class is one that Home Assistant takes beside the device class."""
        for name, entry in ANALOG.items():
            if entry.device_class in STATE_CLASSES:
                self.assertIn(entry.state_class, STATE_CLASSES[entry.device_class], name)
            else:
                self.assertIn(entry.device_class, ("", "enum"), name)

    def test_enums_have_neither_unit_nor_state_class(self) -> None:
        """Home Assistant refuses both beside options."""
        for name, entry in ANALOG.items():
            if entry.device_class == "enum":
                self.assertEqual(("", ""), (entry.unit, entry.state_class), name)

    def test_counters_and_measurements_only(self) -> None:
        """The state class is one of two, or there is none."""
        self.assertLessEqual(
            {entry.state_class for entry in ANALOG.values()},
            {"", "measurement", "total_increasing"},
        )

    def test_sensors_are_diagnostic_or_plain(self) -> None:
        """A sensor of category config would break its topic in Home Assistant."""
        for entry in (*ANALOG.values(), *DIGITAL.values()):
            self.assertIn(entry.entity_category, ("", "diagnostic"), entry.name)

    def test_bits_have_known_classes(self) -> None:
        """A binary sensor is a door, a problem, something that runs, or plain."""
        for name, entry in DIGITAL.items():
            self.assertIn(entry.device_class, ("", "door", "problem", "running"), name)

    def test_safety_contacts_are_fine_when_they_are_closed(self) -> None:
        """The limiter, the ash box and the door show 1 in operation without a fault."""
        inverted = {name for name, entry in DIGITAL.items() if entry.inverted}
        self.assertEqual({"STB", "Aschebox", "PK_Aschebox", "SK Aschebox", "TKS"}, inverted)

    def test_every_row_has_words_in_every_language(self) -> None:
        """No text is empty, too long for a name, or has blanks around it."""
        texts: list[Text] = [
            *(entry.text for entry in ANALOG.values()),
            *(entry.text for entry in DIGITAL.values()),
            *(entry.text for entry in CATALOGUE.parameters.values()),
            *CATALOGUE.faults.values(),
            *(text for table in CATALOGUE.state_tables.values() for text in table.values()),
        ]
        for text in texts:
            for words in (text.en, text.de, text.fr):
                self.assertTrue(0 < len(words) <= 120, words)
                self.assertEqual(words.strip(), words)

    def test_no_two_channels_of_a_boiler_have_the_same_name(self) -> None:
        """In the descriptors of real boilers each known channel is told from the others."""
        for file in sorted(shared_file("firmware").glob("*.xml")):
            descriptor = parse_descriptor(file.read_bytes())
            entries = [
                *(CATALOGUE.analog(channel.name, channel.unit) for channel in descriptor.analog),
                *(CATALOGUE.digital(channel.name) for channel in descriptor.digital),
            ]
            self.assertNotIn(None, entries)
            for language in ("en", "de", "fr"):
                words = [
                    entry.text.to(language)
                    for entry in entries
                    if entry and entry.text.en != "unnamed position"
                ]
                twice = {each for each in words if words.count(each) > 1}
                self.assertEqual(set(), twice, file.name)
