"""Which circuits, tanks, buffers and lines a boiler has."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.equipment import Proven
from hargassner.boiler.model import Boiler, BoilerObserver
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import (
    Described,
    ParameterChanged,
    ParameterSeen,
    TelemetryLine,
)
from hargassner.dialogue.parameters import parse_parameter
from tests.telling import tell

ANALOG = {
    "Programm": "3",
    "TVL_1": "120.0",
    "TVLs_1": "0",
    "TRA_1": "20.0",
    "HKZustand_1": "0",
    "TB1": "-20.0",
    "TBs_1": "0",
    "TPo": "120.0",
    "TVG": "-20.0",
    "Lagerstand": "0",
}
"""A boiler to which nothing is connected, with what it shows."""

BITS = ("HKP1", "BP1", "BZP1", "FLP", "gFlP")


def document() -> bytes:
    """Its descriptor."""
    analog = "".join(f"<CHANNEL id='{place}' name='{name}'/>" for place, name in enumerate(ANALOG))
    digital = "".join(
        f"<CHANNEL id='0' bit='{bit}' name='{name}'/>" for bit, name in enumerate(BITS)
    )
    return f"<DAQPRJ><ANALOG>{analog}</ANALOG><DIGITAL>{digital}</DIGITAL></DAQPRJ>".encode()


class EquipmentCase(SynchronousTestCase):
    """A boiler to which nothing is connected at first."""

    def setUp(self) -> None:
        self.boiler = Boiler()
        self.boiler.apply(Described(parse_descriptor(document())), 0.0)

    def line(self, *bits: str, **values: str) -> None:
        """Let a line arrive, with these bits and these values instead of the resting ones."""
        tokens = [values.get(name, rest) for name, rest in ANALOG.items()]
        word = sum(1 << place for place, name in enumerate(BITS) if name in bits)
        tell(self.boiler, TelemetryLine(f"pm {' '.join(tokens)} {word:X} ".encode()))

    def present(self) -> set[str]:
        """What exists."""
        return set(self.boiler.equipment.present)


class ProofTests(EquipmentCase):
    """What shows that a group exists."""

    def test_a_description_shows_nothing(self) -> None:
        self.assertEqual(set(), self.present())

    def test_resting_channels_show_nothing(self) -> None:
        self.line()
        self.assertEqual(set(), self.present())

    def test_a_connected_sensor(self) -> None:
        for name, value, group in (
            ("TVL_1", "35.2", "circuit_1"),
            ("TB1", "48.0", "tank_1"),
            ("TPo", "70.0", "buffer"),
            ("TVG", "30.0", "line"),
        ):
            self.line(**{name: value})
            self.assertIn(group, self.present())

    def test_a_pump_that_runs(self) -> None:
        """An unmixed circuit may have no sensor of its flow."""
        for pump, group in (("HKP1", "circuit_1"), ("BP1", "tank_1"), ("FLP", "remote_line")):
            self.assertNotIn(group, self.present())
            self.line(pump)
            self.assertIn(group, self.present())

    def test_a_setpoint_while_the_boiler_heats(self) -> None:
        for code in ("1", "4"):
            self.line(Programm=code, TVLs_1="40")
            self.assertEqual(set(), self.present(), code)
        self.line(Programm="3", TVLs_1="40")
        self.assertEqual({"circuit_1"}, self.present())

    def test_a_room_that_is_measured(self) -> None:
        """It has a remote control, and so there is a circuit."""
        self.line(TRA_1="20.5")
        self.assertEqual({"circuit_1", "remote_1"}, self.present())

    def test_a_circuit_without_a_remote_control(self) -> None:
        """Its room shows 20 degrees for ever, which nothing measures."""
        self.line(TVL_1="35.0")
        self.assertEqual({"circuit_1"}, self.present())

    def test_a_part_shows_the_whole(self) -> None:
        self.line("BZP1")
        self.assertEqual({"circulation_1", "tank_1"}, self.present())

    def test_stock(self) -> None:
        self.line(Lagerstand="1950")
        self.assertEqual({"fuel"}, self.present())

    def test_a_parameter_that_somebody_sets(self) -> None:
        """By the gateway, the app or the panel: each is told by a notice."""
        self.boiler.apply(ParameterChanged("PR013", "Zone 3", "Aus", "Auto"), 0.0)
        self.boiler.apply(ParameterChanged("H2", "Boiler 2", "50", "55"), 0.0)
        self.assertEqual({"circuit_3", "tank_2"}, self.present())

    def test_a_parameter_that_is_told_shows_nothing(self) -> None:
        """Boilers tell the parameters of circuits that they have not."""
        record = "PR013;6;1;4;1;0;0;0;Zone 3;Aus;Auto;Absenken;Heizen;1x Heizen"
        self.boiler.apply(ParameterSeen(parse_parameter(record)), 0.0)
        self.assertEqual(set(), self.present())

    def test_a_line_that_was_cut_short_shows_nothing(self) -> None:
        """Its last value may look like bits."""
        for _ in range(3):
            tell(self.boiler, TelemetryLine(b"pm 3 35.0 40 1 "))
        self.assertEqual(set(), self.present())

    def test_an_input_that_was_unknown_before_shows_nothing(self) -> None:
        """It is in doubt for an hour then, and shows what means that nothing is connected."""
        tell(self.boiler, TelemetryLine(b"pm 3 "))
        for _ in range(3):
            self.line()
        self.assertEqual(set(), self.present())


class StayingTests(EquipmentCase):
    """What once existed stays."""

    @given(st.lists(st.sampled_from(["HKP1", "BP1", "FLP", "TVL_1", "TB1", "TPo", ""])))
    def test_it_only_grows(self, steps: list[str]) -> None:
        """Whatever a boiler shows, and however it is described again."""
        self.setUp()
        before: set[str] = set()
        for step in steps:
            self.line(step, **({step: "40.0"} if step in ANALOG else {}))
            self.boiler.apply(Described(parse_descriptor(document())), 0.0)
            self.assertLessEqual(before, self.present())
            before = self.present()

    def test_a_sensor_that_breaks_stays(self) -> None:
        """The circuit's flow was measured once; its room never was."""
        self.line(TVL_1="35.0")
        self.line()
        shown = {name for name in ANALOG if self.shows(name)}
        self.assertLess({"TVL_1", "TVLs_1", "HKZustand_1"}, shown)
        self.assertFalse({"TRA_1", "TPo", "TB1"} & shown)

    def shows(self, name: str) -> bool:
        """Whether a channel belongs to what exists."""
        [channel] = [each for each in self.boiler.channels.values() if each.name == name]
        return self.boiler.equipment.shows(channel)

    def test_an_earlier_life_knew_more(self) -> None:
        self.boiler.equipment.add(Proven(frozenset({"tank_1", "a thing that nobody knows"})))
        self.line("HKP1")
        self.assertEqual({"tank_1", "circuit_1"}, self.present())

    def test_observers_are_told_once(self) -> None:
        told: list[Proven] = []

        class Observer(BoilerObserver):
            def equipment_changed(self, proven: Proven) -> None:
                told.append(proven)

        self.boiler.observe(Observer())
        for _ in range(3):
            self.line("HKP1")
        self.assertEqual([Proven(frozenset({"circuit_1"}))], told)
