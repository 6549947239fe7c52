"""The energy that was counted, across restarts."""

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred

from hargassner.boiler.model import Boiler
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import BoilerDescribed, TelemetryLine
from hargassner.storage.directory import StateDirectory
from hargassner.storage.energy import FILE, SAVE_EVERY, EnergySnapshot
from hargassner.storage.file import SAVE_AFTER
from tests.cases import ClockCase
from tests.telling import tell

DOCUMENT = (
    "<DAQPRJ><ANALOG><CHANNEL id='0' name='Verbrauchszähler' unit='kg'/></ANALOG></DAQPRJ>"
).encode("latin-1")


def at_once(work: Any, *arguments: Any) -> Deferred[Any]:
    return maybeDeferred(work, *arguments)


class EnergySnapshotTests(ClockCase):
    """Lives of a bridge with one state directory."""

    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp())
        self.live()

    def live(self, efficiency: float = 0.9) -> None:
        """Begin a life of the bridge."""
        self.boiler = Boiler(efficiency=efficiency)
        self.snapshot = EnergySnapshot(StateDirectory(self.path), self.boiler, self.clock, at_once)
        self.snapshot.startService()
        tell(self.boiler, BoilerDescribed(DOCUMENT, parse_descriptor(DOCUMENT)))

    def end(self) -> None:
        """Stop it cleanly."""
        self.successResultOf(self.snapshot.stopService())

    def cut_power(self) -> None:
        """End it without a word."""
        for timer in self.clock.getDelayedCalls():
            timer.cancel()

    def shows(self, *counter: int) -> float | None:
        """The boiler's counter shows these, one after the other; the heat then, in kWh."""
        for each in counter:
            self.clock.advance(60.0)
            line = TelemetryLine(f"pm {each} ".encode())
            tell(self.boiler, line, self.clock.seconds())
        return self.boiler.counters.energy

    def test_heat_goes_on_in_the_next_life(self) -> None:
        self.shows(100, 110)
        self.end()
        self.live()
        self.assertEqual(4.32 * 10, self.shows(110))
        self.assertEqual(4.32 * 11, self.shows(111))
        self.end()

    def test_what_was_burnt_between_two_lives_is_counted(self) -> None:
        self.shows(100, 110)
        self.end()
        self.live()
        self.assertEqual(4.32 * 50, self.shows(150))
        self.end()

    def test_nothing_is_shown_before_the_boilers_counter_is_known(self) -> None:
        """Of a restored state that is older than what was shown, it would be too little."""
        self.shows(100, 110)
        self.end()
        self.live()
        self.assertIsNone(self.boiler.counters.energy)
        self.end()

    def test_other_factors_count_for_what_is_burnt_with_them(self) -> None:
        self.shows(100, 1000, 1010)
        self.end()
        self.live(efficiency=0.8)
        before = self.shows(1010)
        self.assertEqual(4.32 * 10, before)
        self.assertEqual(round(4.32 * 10 + 3.84, 6), self.shows(1011))
        self.end()

    def test_a_power_cut_takes_nothing_back(self) -> None:
        """The file is a kg behind, and the boiler's own counter is not."""
        self.shows(100, 110)
        self.clock.advance(SAVE_EVERY)
        self.shows(111)
        shown = self.shows(112)
        self.cut_power()
        self.live(efficiency=0.8)
        self.assertEqual(shown, self.shows(112))
        self.end()

    def test_an_older_state_that_is_restored_catches_up(self) -> None:
        self.shows(100, 110)
        self.end()
        older = (self.path / FILE).read_bytes()
        self.live()
        shown = self.shows(110, 120, 130)
        self.end()
        (self.path / FILE).write_bytes(older)
        self.live()
        self.assertEqual(shown, self.shows(130))
        self.end()

    def test_a_damaged_file_is_set_aside_and_counting_begins_at_0(self) -> None:
        damages = (b"{", b"[]", b"{}", b'{"counter_kg": "-1"}', b'{"counter_kg": "NaN"}', b"7")
        for damaged in damages:
            self.end()
            self.path.mkdir(exist_ok=True)
            (self.path / FILE).write_bytes(damaged)
            self.live()
            self.assertEqual(0.0, self.shows(500))
            self.assertTrue((self.path / f"{FILE}.damaged").exists())
        self.end()

    def test_the_file_is_written_at_most_every_ten_minutes(self) -> None:
        self.shows(100)
        self.clock.advance(SAVE_AFTER)
        for counter in range(101, 110):
            tell(self.boiler, TelemetryLine(f"pm {counter} ".encode()), self.clock.seconds())
            self.clock.advance(SAVE_AFTER)
        self.assertEqual("100", json.loads((self.path / FILE).read_bytes())["counter_kg"])
        self.clock.advance(SAVE_EVERY - 20)
        self.assertEqual("100", json.loads((self.path / FILE).read_bytes())["counter_kg"])
        self.clock.advance(20)
        self.assertEqual("109", json.loads((self.path / FILE).read_bytes())["counter_kg"])
        self.end()
