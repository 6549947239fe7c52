"""The generated table of entities, and every known layout through discovery."""

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Boiler
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import Described, ParameterSeen, TelemetryLine
from hargassner.dialogue.parameters import parse_parameter
from hargassner.simulator.boiler.parameters import standard_parameters
from tests.doubles.hass import check_announcements
from tests.homeassistant import layout_table
from tests.homeassistant.entity_table import LANGUAGES, discovered, simulated_boiler, table
from tests.shared import shared_file
from tests.telling import tell

PAGE = Path(__file__).resolve().parents[2] / "docs" / "entities.md"


class TableTests(SynchronousTestCase):
    """docs/entities.md."""

    maxDiff = None

    def test_it_is_what_the_bridge_announces(self) -> None:
        """If not: .venv/bin/python -m tests.homeassistant.entity_table > docs/entities.md"""
        self.assertEqual(table().splitlines(), PAGE.read_text("utf-8").splitlines())

    def test_no_more_is_enabled_than_an_owner_can_look_through(self) -> None:
        """Fifty at most, thermostats, buttons and the bridge included, and no phantom."""
        components = discovered(simulated_boiler(), "en", "standard").components()
        enabled = [key for key, each in components.items() if "enabled_by_default" not in each]
        self.assertLessEqual(len(enabled), 50)
        phantoms = ("tank_2", "tank_a", "circuit_a", "circuit_3", "line", "extra_buffer")
        self.assertEqual([], [key for key in components if key.startswith(phantoms)])

    def test_what_everybody_looks_for_is_enabled(self) -> None:
        components = discovered(simulated_boiler(), "en", "standard").components()
        enabled = {
            each["default_entity_id"].replace(".hargassner_boiler_", ".")
            for each in components.values()
            if "enabled_by_default" not in each
        }
        self.assertLessEqual(
            {
                "sensor.boiler_state",
                "sensor.boiler_temperature",
                "sensor.flue_gas_temperature",
                "sensor.boiler_output",
                "sensor.outdoor_temperature",
                "sensor.pellet_consumption",
                "sensor.heat",
                "sensor.fuel_stock",
                "sensor.buffer_top",
                "sensor.buffer_charge_level",
                "sensor.circuit_1_flow_temperature",
                "sensor.circuit_1_room_temperature",
                "sensor.circuit_2_flow_temperature",
                "binary_sensor.circuit_2_pump",
                "sensor.tank_1_temperature",
                "select.boiler_mode",
                "select.circuit_2_mode",
                "number.circuit_1_day_temperature",
                "climate.circuit_1",
                "water_heater.tank_1",
                "button.tank_1_charge",
                "button.buffer_charge",
                "binary_sensor.fault",
                "sensor.fault_text",
            },
            enabled,
        )


class LayoutTableTests(SynchronousTestCase):
    """docs/entities-by-layout.md."""

    maxDiff = None

    def test_it_is_what_the_bridge_announces(self) -> None:
        """If not: .venv/bin/python -m tests.homeassistant.layout_table > <the page>"""
        page = PAGE.with_name("entities-by-layout.md").read_text("utf-8")
        self.assertEqual(layout_table.table().splitlines(), page.splitlines())


class LayoutTests(SynchronousTestCase):
    """Layouts of real boilers, in every language."""

    def test_every_layout(self) -> None:
        """Names that are told apart, ids that are the same in each language, devices in order."""
        files = sorted(shared_file("layouts").glob("*.xml"))
        self.assertGreaterEqual(len(files), 17)
        for file in files:
            boiler = described_by(file)
            ids = {self.ids(boiler, language) for language in LANGUAGES}
            self.assertEqual(1, len(ids), file.name)

    def ids(self, boiler: Boiler, language: str) -> frozenset[str]:
        """The entity ids of all that can be announced, checked."""
        discovery = discovered(boiler, language, "all")
        components = discovery.components()
        sent = discovery.messages(components, {})
        home = check_announcements({topic: json.dumps(each) for topic, each in sent.items()})
        self.assertEqual(len(components), len(home.components))
        return frozenset(each["default_entity_id"] for each in components.values())


def described_by(file: Path) -> Boiler:
    """A boiler with this descriptor, of which everything that there could be is there."""
    boiler = Boiler()
    descriptor = parse_descriptor(file.read_bytes())
    boiler.apply(Described(descriptor), 0.0)
    words = max((each.word for each in descriptor.digital), default=0) + 1
    line = f"pm {'33 ' * len(descriptor.analog)}{'FFFFFFFF ' * words}"
    tell(boiler, TelemetryLine(line.encode()))
    for parameter in standard_parameters():
        boiler.apply(ParameterSeen(parse_parameter(parameter.record())), 0.0)
    return boiler
