"""The simulated plant: a burn cycle, what follows it, and what it shows."""

import re
from datetime import datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.simulator.boiler.burner import State
from hargassner.simulator.boiler.layout import AnalogChannel, standard_layout
from hargassner.simulator.boiler.parameters import RefusedError, standard_parameters
from hargassner.simulator.boiler.plant import Plant
from tests import EXAMPLES

WHEN = datetime(2024, 1, 15, 7, 0)
DAY = 86_400


def until(plant: Plant, state: State, seconds: float = DAY) -> None:
    """Let time pass until the plant is in a state."""
    for _ in range(int(seconds)):
        if plant.state is state:
            return
        plant.advance(1)
    raise AssertionError(f"{state.name} was not reached in {seconds:.0f} s")


class CycleTests(SynchronousTestCase):
    """The fire."""

    def test_a_burn_cycle_goes_through_its_states_in_order(self) -> None:
        """Off, ignition, full output, ember keeping, burn-out, ash removal, off."""
        plant = Plant(seed=1)
        seen = [plant.state]
        while len(seen) < 10:
            plant.advance(5)
            if plant.state is not seen[-1]:
                seen.append(plant.state)
        self.assertEqual(
            [
                State.OFF,
                State.START,
                State.FEEDING,
                State.WAITING,
                State.KINDLING,
                State.BURNING,
                State.EMBERS,
                State.BURNING_OUT,
                State.GRATE,
                State.ASH,
            ],
            seen,
        )

    def test_a_cold_morning_starts_a_fire_within_a_minute(self) -> None:
        """A new plant's buffer is nearly empty, so that something is seen at once."""
        until(Plant(), State.START, seconds=60)

    def test_temperatures_follow_the_fire(self) -> None:
        """While it burns the boiler, the flue gas and the buffer get warmer, and oxygen sinks."""
        plant = Plant()
        cold = plant.values()
        until(plant, State.BURNING)
        plant.advance(3600)
        hot = plant.values()
        for name in ("TK", "TRL", "TRG", "TPo", "TPm"):
            self.assertGreater(hot[name], cold[name] + 5, name)
        self.assertLess(hot["O2"], 10)
        self.assertGreater(hot["TK"], hot["TRL"])
        self.assertGreaterEqual(hot["TPo"], hot["TPu"])

    def test_the_buffer_is_discharged_by_the_house_when_there_is_no_fire(self) -> None:
        """With the fire forbidden the heating circuits live on the buffer."""
        plant = Plant()
        plant.parameters.set("PR001", "6", "4", WHEN)
        full = plant.values()
        plant.advance(3600)
        self.assertLess(plant.values()["Puff Füllgrad"], full["Puff Füllgrad"])
        self.assertEqual(State.OFF, plant.state)

    def test_what_is_burnt_is_counted_and_taken_from_the_stock(self) -> None:
        """Whole kilograms, about four and a half an hour at full output."""
        plant = Plant()
        until(plant, State.BURNING)
        before = plant.values()
        plant.advance(3600)
        after = plant.values()
        burnt = after["Verbrauchszähler"] - before["Verbrauchszähler"]
        self.assertIn(burnt, (3, 4, 5))
        self.assertLess(abs(before["Lagerstand"] - after["Lagerstand"] - burnt), 1)

    def test_the_counter_never_falls(self) -> None:
        """Through two days with several cycles and fillings."""
        plant = Plant()
        counts = []
        for _ in range(2 * 24):
            plant.advance(3600)
            counts.append(plant.values()["Verbrauchszähler"])
        self.assertEqual(counts, sorted(counts))
        self.assertGreater(counts[-1], counts[0] + 20)

    def test_the_afternoon_is_warmer_than_the_night(self) -> None:
        """The outdoor temperature has a day's course."""
        plant = Plant(hour=4.0)
        night = plant.values()["Taus"]
        plant.advance(12 * 3600)
        self.assertGreater(plant.values()["Taus"], night + 5)

    def test_it_stays_plausible_for_days(self) -> None:
        """No temperature leaves the range that a real plant has, in any season's noise."""
        for seed in range(max(1, EXAMPLES // 50)):
            plant = Plant(seed)
            for _ in range(2 * 24):
                plant.advance(3600)
                values = plant.values()
                self.assertTrue(20 < values["TK"] < 90, values["TK"])
                self.assertTrue(30 < values["TB1"] < 75, values["TB1"])
                self.assertTrue(15 < values["TRA_1"] < 25, values["TRA_1"])
                self.assertTrue(20 < values["TPu"] <= values["TPo"] < 90)

    def test_the_same_seed_gives_the_same_life(self) -> None:
        """And another seed another one."""
        layout = standard_layout()

        def line(seed: int) -> bytes:
            plant = Plant(seed)
            for _ in range(50):
                plant.advance(30)
            return layout.line(plant.values(), plant.bits())

        self.assertEqual(line(4), line(4))
        self.assertNotEqual(line(4), line(5))


class SettingTests(SynchronousTestCase):
    """The parameters rule the plant."""

    def test_switched_off_it_burns_out(self) -> None:
        """Mode "Aus" ends the fire, the pumps and the heating circuits."""
        plant = Plant()
        until(plant, State.BURNING)
        plant.parameters.set("PR001", "6", "1", WHEN)
        plant.advance(1)
        self.assertEqual(State.BURNING_OUT, plant.state)
        until(plant, State.OFF)
        plant.advance(3600)
        self.assertEqual(State.OFF, plant.state)
        self.assertEqual((1, 0), (plant.values()["Programm"], plant.values()["HKZustand_1"]))

    def test_a_warmer_room_makes_warmer_radiators(self) -> None:
        """The flow setpoint follows the wished room temperature and its correction."""
        plant = Plant()
        plant.advance(60)
        before = plant.values()["TVLs_1"]
        plant.parameters.set("4", "3", "23", WHEN)
        plant.parameters.set("A6d", "3", "1.0", WHEN)
        plant.advance(60)
        self.assertEqual(24.0, plant.values()["TRs_1"])
        self.assertGreater(plant.values()["TVLs_1"], before + 5)

    def test_a_started_charge_is_reported_when_it_is_done(self) -> None:
        """The plant says which parameter goes back to "no"."""
        plant = Plant()
        plant.parameters.set("PR040", "6", "1", WHEN)
        for _ in range(DAY // 60):
            news = plant.advance(60)
            if news.finished:
                break
        self.assertEqual(("PR040",), news.finished)
        self.assertIn("Puffer Aus", news.notices)

    def test_values_beyond_the_limits_are_refused(self) -> None:
        """Too high, too low, between steps, no number, no option, and nothing is changed."""
        table = standard_parameters()
        for id_, type_, value in [
            ("4", "3", "26.5"),
            ("4", "3", "13"),
            ("4", "3", "20.25"),
            ("4", "3", "warm"),
            ("4", "3", "NaN"),
            ("4", "3", "1E-999999"),
            ("4", "6", "20"),
            ("PR001", "6", "5"),
            ("PR001", "6", "-1"),
            ("PR001", "6", ""),
            ("nothing", "3", "1"),
        ]:
            self.assertRaises(RefusedError, table.set, id_, type_, value, WHEN)
        self.assertEqual([], table.changed_since(datetime(1970, 1, 1)))

    def test_changes_are_remembered_with_their_time(self) -> None:
        """Changed then or later; a value set to what it was is no change."""
        table = standard_parameters()
        table.set("4", "3", "20.5", WHEN)
        table.set("5", "3", "18", WHEN)
        self.assertEqual(["5"], [each.id for each in table.changed_since(WHEN)])
        self.assertEqual([], table.changed_since(WHEN.replace(hour=8)))


class FaultTests(SynchronousTestCase):
    """Faults are shown, and stop what they must."""

    def test_a_fault_shows_its_number_and_its_bit(self) -> None:
        """Until it is mended."""
        plant = Plant()
        plant.raise_fault(70)
        self.assertEqual((70, True), (plant.values()["Störungs Nr"], plant.bits()["Störung"]))
        plant.clear_fault(70)
        self.assertEqual((0, False), (plant.values()["Störungs Nr"], plant.bits()["Störung"]))

    def test_a_warning_lets_it_burn(self) -> None:
        """Low stock stops nothing."""
        plant = Plant()
        plant.raise_fault(70)
        until(plant, State.BURNING, seconds=1200)

    def test_a_fault_ends_the_fire(self) -> None:
        """And it stays out while the fault stands."""
        plant = Plant()
        until(plant, State.BURNING)
        plant.raise_fault(27)
        plant.advance(1)
        self.assertEqual(State.BURNING_OUT, plant.state)
        plant.advance(3600)
        self.assertEqual(State.OFF, plant.state)

    def test_the_safety_limiter_opens_its_loop(self) -> None:
        """``Stb`` is 1 when all is well."""
        plant = Plant()
        self.assertTrue(plant.bits()["Stb"])
        plant.raise_fault(1)
        plant.advance(1)
        self.assertFalse(plant.bits()["Stb"])
        self.assertEqual(19, plant.values()["ZK"])

    def test_an_open_ash_drawer_is_seen_by_its_contact(self) -> None:
        """``Aschebox`` is 1 when it is closed."""
        plant = Plant()
        self.assertTrue(plant.bits()["Aschebox"])
        plant.raise_fault(93)
        self.assertFalse(plant.bits()["Aschebox"])


class LayoutTests(SynchronousTestCase):
    """What a line and its descriptor look like."""

    def test_the_plant_speaks_of_known_channels_only(self) -> None:
        """A value that no channel shows would be a slip of the pen."""
        plant, layout = Plant(), standard_layout()
        self.assertEqual(set(), plant.values().keys() - {each.name for each in layout.analog})
        self.assertEqual(set(), plant.bits().keys() - {each.name for each in layout.digital})

    def test_it_is_as_large_as_a_real_one(self) -> None:
        """About 110 analog channels, 100 bits in eight words, ten kilobytes."""
        layout = standard_layout()
        self.assertEqual(
            (116, 105, 8, 9831),
            (len(layout.analog), len(layout.digital), layout.words, len(layout.document())),
        )

    def test_the_document_has_the_style_of_the_wire(self) -> None:
        """Single quotes, no blanks between elements, latin-1, a line end behind the last tag."""
        document = standard_layout().document()
        self.assertTrue(
            document.startswith(
                b"<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK' dop='0'/>"
                b"<CHANNEL id='1' name='O2' unit='%'/>"
            )
        )
        self.assertIn(b"<CHANNEL id='3' name='TK' unit='\xb0C'/>", document)
        self.assertIn(b"</ANALOG><DIGITAL><CHANNEL id='0' bit='0' name='St\xf6rung'/>", document)
        self.assertTrue(document.endswith(b"</DIGITAL></DAQPRJ>\r\n"))

    def test_blocks_join_to_the_document_and_are_cut_between_elements(self) -> None:
        """Every block but the first begins with a tag, and the first is the longest."""
        layout = standard_layout()
        blocks = layout.blocks()
        self.assertEqual(b"".join(blocks), layout.document())
        self.assertTrue(all(block.startswith(b"<") for block in blocks))
        self.assertEqual(max(blocks, key=len), blocks[0])
        self.assertGreater(len(blocks), 4)

    def test_values_have_the_places_that_the_descriptor_promises(self) -> None:
        """0 is an integer, 2 two places, absent one place; set values drop a final ``.0``."""
        self.assertEqual("65.0", AnalogChannel("TK", "°C", None, False, "0").text(65.04))
        self.assertEqual("7", AnalogChannel("ZK", "", 0, False, "0").text(7.4))
        self.assertEqual("13.50", AnalogChannel("U", "V", 2, False, "0").text(13.5))
        self.assertEqual("11", AnalogChannel("Spreizung", "°C", None, True, "0").text(11.0))
        self.assertEqual("11.3", AnalogChannel("Spreizung", "°C", None, True, "0").text(11.3))
        self.assertEqual("0.0", AnalogChannel("Taus", "°C", None, False, "0").text(-0.02))

    @given(st.integers(0, 3000), st.integers(0, 3))
    def test_every_line_has_every_value_in_its_form(self, seconds: int, seed: int) -> None:
        """Integers where promised, two places where promised, unpadded hexadecimal words."""
        plant, layout = Plant(seed), standard_layout()
        plant.advance(seconds)
        line = layout.line(plant.values(), plant.bits())
        self.assertTrue(line.startswith(b"pm ") and line.endswith(b" \r\n"))
        tokens = line.decode("latin-1").split()[1:]
        self.assertEqual(116 + 8, len(tokens))
        forms = {0: r"-?\d+", 2: r"-?\d+\.\d\d", None: r"-?\d+(\.\d)?"}
        for channel, token in zip(layout.analog, tokens, strict=False):
            self.assertRegex(token, f"^{forms[channel.decimals]}$", channel.name)
        for word in tokens[116:]:
            self.assertTrue(re.fullmatch(r"0|[1-9A-F][0-9A-F]*", word), word)

    def test_unconnected_inputs_show_their_sentinels(self) -> None:
        """-20.0, 120, 125 and 140.0, which never move."""
        plant, layout = Plant(), standard_layout()
        plant.advance(100)
        tokens = layout.line(plant.values(), plant.bits()).decode("latin-1").split()[1:]
        shown = {channel.name: token for channel, token in zip(layout.analog, tokens, strict=False)}
        self.assertEqual(
            ["-20.0", "120.0", "140.0", "125", "-20.0"],
            [shown[name] for name in ("TPmo", "TB2", "T Spülung", "TFW", "TVL_A")],
        )

    def test_few_values_change_from_line_to_line(self) -> None:
        """As on a real boiler, some four of them."""
        plant, layout = Plant(), standard_layout()
        lines = []
        for _ in range(200):
            plant.advance(1)
            lines.append(layout.line(plant.values(), plant.bits()).split())
        changed = [
            sum(a != b for a, b in zip(one, other, strict=True)) for one, other in pairwise(lines)
        ]
        self.assertTrue(2 <= sum(changed) / len(changed) <= 8, sum(changed) / len(changed))
