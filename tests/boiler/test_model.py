"""The model: what is known of the boiler, and its observers."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import (
    MISSING_TIMEOUT,
    TELEMETRY_TIMEOUT,
    Availability,
    Boiler,
    BoilerObserver,
    Channel,
    Counters,
    Fault,
    Identity,
    Reported,
    Session,
    Setting,
)
from hargassner.catalogue import Family, Text
from hargassner.dialogue.channels import LengthMismatch
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import (
    ActiveErrors,
    Announced,
    BoilerDescribed,
    Clearing,
    ClockRead,
    Event,
    Identified,
    LoggedIn,
    ModelEvent,
    Notice,
    ParameterChanged,
    ParameterSeen,
    SessionOpened,
    SessionOver,
    TelemetryLine,
    UptimeRead,
)
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter, OtherParameter
from hargassner.monitor.readings import LineReader
from tests.cases import Log
from tests.doubles.documents import document
from tests.shared import shared_file
from tests.telling import tell

SMALL = (
    ("ZK", ""),
    ("TK", "°C"),
    ("TPo", "°C"),
    ("Störungs Nr", ""),
    ("Verbrauchszähler", "kg"),
    ("Lagerstand", "kg"),
)
"""The analog channels of a small boiler; its only digital one is the fault bit."""


def described(*analog: tuple[str, str]) -> BoilerDescribed:
    """The event of a descriptor with these analog channels and the fault bit."""
    content = document(analog, ["Störung"])
    return BoilerDescribed(content, parse_descriptor(content))


def mode(index: int) -> ChoiceParameter:
    """The boiler's mode, as a parameter line tells it."""
    return ChoiceParameter("PR001", "Mode", index, ("Manu", "Arr", "Ballon", "Auto"), 1)


def day_temperature(text: str) -> NumberParameter:
    """The day temperature of the first circuit, as a parameter line tells it."""
    return NumberParameter(
        id="4",
        name="Zone 1 Temp. ambiante jour",
        value=Decimal(text),
        text=text,
        minimum=Decimal("14.000"),
        maximum=Decimal("26.000"),
        step=Decimal("0.500"),
        unit="°C",
        default=Decimal("20.000"),
    )


class RecordingObserver(BoilerObserver):
    """Keeps its calls: words for what channels and settings showed just then."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        self.seen.append(
            ("described", [each.object for each in channels], [each.object for each in gone])
        )

    def channels_changed(self, channels: Sequence[Channel]) -> None:
        self.seen.extend((each.object, each.text, each.connected) for each in channels)

    def setting_changed(self, setting: Setting) -> None:
        self.seen.append((setting.object, setting.text))

    def faults_changed(self, faults: Sequence[Fault]) -> None:
        self.seen.append(("faults", [fault.number for fault in faults]))

    def counters_changed(self, counters: Counters) -> None:
        self.seen.append(counters)

    def availability_changed(self, availability: Availability) -> None:
        self.seen.append(availability)

    def identity_changed(self, identity: Identity) -> None:
        self.seen.append(identity)


class BoilerCase(SynchronousTestCase):
    """A boiler, somebody who observes it, and what is logged."""

    def setUp(self) -> None:
        self.log = Log(self)
        self.boiler = Boiler()
        self.observer = RecordingObserver()
        self.stop = self.boiler.observe(self.observer)

    def apply(
        self, event: Event | ModelEvent, now: float = 0.0, session: int | None = None
    ) -> None:
        tell(self.boiler, event, now, session)

    def describe(self, *analog: tuple[str, str]) -> None:
        """Let the boiler describe itself, and forget what was notified of that."""
        self.apply(described(*(analog or SMALL)))
        self.observer.seen.clear()

    def line(self, values: str, now: float = 0.0) -> None:
        """Let a telemetry line arrive."""
        self.apply(TelemetryLine(f"pm {values} ".encode("latin-1")), now)

    def notified(self) -> list[object]:
        """What was notified since this was asked last."""
        seen, self.observer.seen = self.observer.seen, []
        return seen

    def warnings(self) -> int:
        """How many warnings were logged."""
        return [event["log_level"] for event in self.log.events].count(LogLevel.warn)


class ChannelTests(BoilerCase):
    """Channels come from the boiler's own description, and show its telemetry."""

    def test_a_descriptor_gives_channels(self) -> None:
        """Each channel has an identifier, a unit, what is known of it, and no value yet."""
        self.describe()
        self.assertEqual(
            ["zk", "tk", "tpo", "stoerungs_nr", "verbrauchszaehler", "lagerstand", "stoerung"],
            list(self.boiler.channels),
        )
        channel = self.boiler.channels["tk"]
        assert channel.entry is not None
        self.assertEqual(
            ("analog", "TK", "°C", "boiler temperature", None, None, None),
            (
                channel.kind,
                channel.name,
                channel.unit,
                channel.entry.text.en,
                channel.text,
                channel.value,
                channel.since,
            ),
        )

    def test_an_unknown_channel_is_there_all_the_same(self) -> None:
        """A channel that no catalogue knows has the boiler's name and its unit, well spelled."""
        self.describe(("Wünschelrute", "KW"))
        channel = self.boiler.channels["wuenschelrute"]
        self.assertIsNone(channel.entry)
        self.assertEqual(("Wünschelrute", "kW"), (channel.name, channel.unit))

    def test_the_first_line_tells_every_channel(self) -> None:
        """After the first line each channel has its text, its value and the time of the line."""
        self.describe()
        self.line("7 65.70 48 0 61 60 0000", now=12.0)
        channel = self.boiler.channels["tk"]
        self.assertEqual(("65.70", 65.7, 12.0), (channel.text, channel.value, channel.since))
        bit = self.boiler.channels["stoerung"]
        self.assertEqual(("digital", "OFF", False), (bit.kind, bit.text, bit.value))

    def test_only_changes_are_told(self) -> None:
        """A line that repeats the last one tells nothing, one that differs only what differs."""
        self.describe()
        self.line("7 65.7 48 0 61 60 0000", now=1.0)
        self.notified()
        self.line("7 65.7 48 0 61 60 0000", now=2.0)
        self.line("8 65.7 49 0 61 60 0000", now=3.0)
        self.assertEqual([("zk", "8", True), ("tpo", "49", True)], self.notified())
        self.assertEqual(1.0, self.boiler.channels["tk"].since)
        self.assertEqual(3.0, self.boiler.channels["zk"].since)

    def test_a_token_that_is_no_number_is_unknown(self) -> None:
        """The channel keeps the boiler's text and has no value; the others don't mind."""
        self.describe()
        self.line("7 --- 48 0 61 60 0000")
        channel = self.boiler.channels["tk"]
        self.assertEqual(("---", None), (channel.text, channel.value))
        self.assertEqual(48, self.boiler.channels["tpo"].value)

    def test_telemetry_before_a_descriptor_is_telemetry_all_the_same(self) -> None:
        """Without a descriptor nothing is understood, but lines do arrive."""
        self.line("7 65.7 48 0 61 60 0000")
        self.assertEqual({}, dict(self.boiler.channels))
        self.assertTrue(self.boiler.availability.telemetry)

    def test_state_codes_are_told_in_words(self) -> None:
        """A state channel's code has a text that depends on the boiler's family."""
        self.describe()
        self.line("7 65.7 48 0 61 60 0000")
        channel = self.boiler.channels["zk"]
        self.assertEqual("Leistungsbrand", self.boiler.state_text(channel, "de"))
        self.apply(Identified("model", "STHV2"))
        self.assertIs(Family.WOOD, self.boiler.family)
        self.assertEqual("from full to part load", self.boiler.state_text(channel, "en"))

    def test_channels_without_states_have_no_words(self) -> None:
        """A temperature, a bit and a channel without a value are no states."""
        self.describe()
        self.assertIsNone(self.boiler.state_text(self.boiler.channels["zk"], "en"))
        self.line("7 7 48 0 61 60 0001")
        self.assertIsNone(self.boiler.state_text(self.boiler.channels["tk"], "en"))
        self.assertIsNone(self.boiler.state_text(self.boiler.channels["stoerung"], "en"))


class DescriptorTests(BoilerCase):
    """A new descriptor changes no more than it must."""

    def test_the_same_one_changes_nothing(self) -> None:
        """A gateway that logs in anew tells what is known already."""
        self.describe()
        self.line("7 65.7 48 0 61 60 0000")
        self.notified()
        self.apply(described(*SMALL), now=9.0)
        self.line("7 65.7 48 0 61 60 0000", now=10.0)
        self.assertEqual([], self.notified())

    def test_what_vanished_is_told_and_what_stayed_keeps_its_value(self) -> None:
        """Observers hear what is there and what is gone; channels that stayed show the same."""
        self.describe(("ZK", ""), ("TK", "°C"), ("TPo", "°C"))
        self.line("7 65.7 48 0000", now=1.0)
        kept = self.boiler.channels["tpo"]
        self.notified()
        self.apply(described(("TPo", "°C"), ("ZK", ""), ("O2", "%")), now=2.0)
        self.assertEqual([("described", ["tpo", "zk", "o2", "stoerung"], ["tk"])], self.notified())
        self.assertIs(kept, self.boiler.channels["tpo"])
        self.assertEqual(("48", 1.0), (kept.text, kept.since))
        self.line("48 7 9.9 0000", now=3.0)
        self.assertEqual([("o2", "9.9", True)], self.notified())

    def test_a_channel_with_another_unit_is_another_channel(self) -> None:
        """What is called the same and is something else is gone and new."""
        self.describe(("TK", "°C"))
        self.line("65.7 0000")
        self.notified()
        self.apply(described(("TK", "%")))
        self.assertEqual([("described", ["tk", "stoerung"], ["tk"])], self.notified())
        self.assertIsNone(self.boiler.channels["tk"].text)

    def test_hidden_values_are_passed_over(self) -> None:
        """A place that the owner calls hidden belongs to no channel."""
        self.apply(described(("ZK", ""), ("TK", "°C")))
        readings = LineReader(hidden=[1]).read(b"pm 7 999 65.7 0000 ", self.boiler.descriptor)
        self.apply(readings)
        self.assertEqual("65.7", self.boiler.channels["tk"].text)
        self.assertIsNone(self.boiler.availability.mismatch)


class LengthMismatchTests(BoilerCase):
    """Lines that don't fit the descriptor are said, and not guessed at."""

    def test_it_is_said_once_with_the_lengths(self) -> None:
        """However many lines don't fit, one warning tells both lengths."""
        self.describe(("ZK", ""), ("TK", "°C"))
        for now in (1.0, 2.0, 3.0):
            self.line(f"7 65.7 99 {now} 0000", now)
        [event] = [event for event in self.log.events if event["log_level"] is LogLevel.warn]
        self.assertEqual((3, 5), (event["expected"], event["got"]))
        self.assertEqual(LengthMismatch(expected=3, got=5), self.boiler.availability.mismatch)
        self.assertEqual(1.0, self.boiler.availability.mismatch_since)

    def test_lengths_that_alternate_are_said_once(self) -> None:
        """A boiler that leaves a value out now and then does not fill the log, nor hide."""
        self.describe(("ZK", ""), ("TK", "°C"))
        for now in range(100):
            self.line("7 65.7 99 0000", now=float(now))
            self.assertIsNotNone(self.boiler.availability.mismatch)
            self.line("7 65.7 0000", now=float(now))
            self.assertIsNone(self.boiler.availability.mismatch)
        said = [
            event["log_format"]
            for event in self.log.events
            if "telemetry lines" in event["log_format"]
        ]
        self.assertEqual(2, len(said), said)

    def test_another_length_is_said_too(self) -> None:
        """And that lines fit again, whichever length came last."""
        self.describe(("ZK", ""), ("TK", "°C"))
        for line in ("7 0000", "7 65.7 99 0000", "7 0000", "7 65.7 0000"):
            self.line(line)
        said = [
            event["log_level"]
            for event in self.log.events
            if "telemetry lines" in event["log_format"]
        ]
        self.assertEqual([LogLevel.warn, LogLevel.warn, LogLevel.info], said)

    def test_the_fitting_is_said_too(self) -> None:
        """When lines fit again that is told and logged, and every channel is known again."""
        self.describe(("ZK", ""), ("TK", "°C"))
        self.line("7 65.7 99 0000", now=1.0)
        self.notified()
        self.line("7 65.7 0000", now=2.0)
        self.assertIsNone(self.boiler.availability.mismatch)
        self.assertIn(self.boiler.availability, self.notified())
        self.assertEqual("65.7", self.boiler.channels["tk"].text)
        self.assertEqual(LogLevel.info, self.log.events[-1]["log_level"])


class MissingTests(BoilerCase):
    """Inputs to which nothing is connected are marked, and come alive."""

    def show(self, value: str, now: float = 0.0) -> bool:
        """Let the sensor show a value, and tell whether it counts as connected."""
        self.line(f"{value} 0000", now)
        return self.boiler.channels[next(iter(self.boiler.channels))].connected

    def test_a_sentinel_from_the_start_is_not_connected(self) -> None:
        """An input that shows nothing but its values for "nothing there" is not connected."""
        for sentinel in ("-20", "120.0", "140"):
            self.boiler = Boiler()
            self.describe(("TPo", "°C"))
            self.assertFalse(self.show(sentinel), sentinel)

    def test_it_comes_alive_at_once(self) -> None:
        """The first other value makes it connected."""
        self.describe(("TPo", "°C"))
        self.show("-20")
        self.show("120")
        self.notified()
        self.assertTrue(self.show("48"))
        self.assertEqual([("tpo", "48", True)], self.notified())

    def test_one_sentinel_hides_nothing(self) -> None:
        """An input that once worked is believed, until it shows a sentinel for an hour."""
        self.describe(("TPo", "°C"))
        self.show("48")
        self.assertTrue(self.show("120", now=10.0))
        self.boiler.tick(10.0 + MISSING_TIMEOUT - 1)
        self.assertTrue(self.boiler.channels["tpo"].connected)
        self.notified()
        self.boiler.tick(10.0 + MISSING_TIMEOUT)
        self.assertFalse(self.boiler.channels["tpo"].connected)
        self.assertIn(("tpo", "120", False), self.notified())
        self.assertTrue(self.show("48", now=9999.0))

    def test_a_sentinel_in_passing_is_forgotten(self) -> None:
        """A value in between starts the hour anew."""
        self.describe(("TPo", "°C"))
        self.show("48")
        self.show("120", now=10.0)
        self.show("48", now=20.0)
        self.show("120", now=3000.0)
        self.boiler.tick(10.0 + MISSING_TIMEOUT)
        self.assertTrue(self.boiler.channels["tpo"].connected)

    def test_a_cold_night_is_no_broken_wire(self) -> None:
        """An outdoor sensor that came to -20 by and by has measured it, however long it stays."""
        self.describe(("Taus", "°C"))
        for value in ("-18", "-19", "-20"):
            self.show(value)
        self.boiler.tick(100 * MISSING_TIMEOUT)
        self.assertTrue(self.boiler.channels["taus"].connected)

    def test_the_rule_is_each_channels_own(self) -> None:
        """What is a sentinel for a sensor is a flue gas temperature, or a setpoint, elsewhere."""
        self.describe(("TRG", "°C"), ("TKsoll", "°C"), ("TRA_1", "°C"), ("TPo", "°C"))
        self.line("120 0 20.0 120 0000")
        connected = [each.connected for each in self.boiler.channels.values()]
        self.assertEqual([True, True, True, False, True], connected)

    def test_noise_of_an_absent_probe_is_not_connected(self) -> None:
        """A combustion chamber input that drifts between 100 and 130 has no probe."""
        self.describe(("BRT", "°C"))
        for value in ("117.7", "103.2", "119.5"):
            self.assertFalse(self.show(value))
        self.assertTrue(self.show("480.0"))


class FaultTests(BoilerCase):
    """What the boiler complains of, from its telemetry and from the gateway's question."""

    def test_a_fault_number_has_its_text(self) -> None:
        """The number's meaning is told in each language, with the time since when."""
        self.describe()
        self.line("1 65.7 48 70 61 60 0001", now=5.0)
        [fault] = self.boiler.faults
        self.assertEqual((70, 5.0), (fault.number, fault.since))
        self.assertEqual("Pellets-Lagerstand gering", fault.text.de)
        self.assertIn(("faults", [70]), self.notified())
        self.assertEqual(1, self.warnings())

    def test_it_ends(self) -> None:
        """When number and bit are 0 again there is no fault."""
        self.describe()
        self.line("1 65.7 48 70 61 60 0001", now=5.0)
        self.line("1 65.7 48 0 61 60 0000", now=6.0)
        self.assertEqual((), self.boiler.faults)
        self.assertEqual(("faults", []), self.notified()[-1])

    def test_an_unknown_number_is_a_fault_too(self) -> None:
        """A number that no manual has is told as a number."""
        self.describe()
        self.line("1 65.7 48 8888 61 60 0001")
        [fault] = self.boiler.faults
        self.assertEqual(Text("fault 8888", "Störung 8888", "défaut 8888"), fault.text)

    def test_the_bit_alone_is_a_fault(self) -> None:
        """A boiler that gives no number may have a fault all the same."""
        self.describe(("TK", "°C"))
        self.line("65.7 0001")
        [fault] = self.boiler.faults
        self.assertIsNone(fault.number)

    def test_active_errors_add_to_it(self) -> None:
        """What ``$erract`` tells stands beside the number in telemetry, and twice is once."""
        self.describe()
        self.line("1 65.7 48 70 61 60 0001", now=5.0)
        self.apply(ActiveErrors(("0070 Lagerstand", "0013", "Fühler unklar")), now=6.0)
        self.assertEqual([70, 13, None], [fault.number for fault in self.boiler.faults])
        self.assertEqual([5.0, 6.0, 6.0], [fault.since for fault in self.boiler.faults])
        self.assertEqual("Fühler unklar", self.boiler.faults[2].text.fr)
        self.apply(ActiveErrors(()), now=7.0)
        self.assertEqual([70], [fault.number for fault in self.boiler.faults])

    def test_the_same_faults_are_told_once(self) -> None:
        """The gateway asks every few seconds; an answer as before is no change."""
        self.apply(ActiveErrors(("0013",)), now=1.0)
        self.notified()
        self.apply(ActiveErrors(("0013",)), now=2.0)
        self.assertEqual([], self.notified())
        self.assertEqual(1.0, self.boiler.faults[0].since)

    def test_active_errors_end_with_the_session(self) -> None:
        """Without a gateway nobody asks, so what it was told last is not kept for ever."""
        self.apply(SessionOpened(1, "192.0.2.7"))
        self.apply(LoggedIn(), session=1)
        self.apply(ActiveErrors(("0013",)), session=1)
        self.apply(SessionOver(1, "closed"))
        self.assertEqual((), self.boiler.faults)

    def test_a_number_vanishes_with_its_channel(self) -> None:
        """If the boiler tells numbers no more and the bit is still set, the fault has none."""
        self.describe()
        self.line("1 65.7 48 70 61 60 0001")
        self.apply(described(("TK", "°C")))
        self.assertEqual([None], [fault.number for fault in self.boiler.faults])


class CounterTests(BoilerCase):
    """Consumption, the heat made of it, and the stock."""

    def test_energy_follows_consumption(self) -> None:
        """Of each kg that is burnt from now on, its energy, and the part that becomes heat."""
        self.describe()
        self.line("7 65.7 48 0 61 60 0000")
        self.line("7 65.7 48 0 71 50 0000")
        self.assertEqual(
            Counters(consumption=71, energy=43.2, stock=50, fuel_energy=48.0), self.boiler.counters
        )

    def test_the_owner_knows_his_fuel(self) -> None:
        """Both factors can be set."""
        self.boiler = Boiler(pellet_kwh_per_kg=5.0, efficiency=0.8)
        self.describe()
        self.line("7 65.7 48 0 100 60 0000")
        self.line("7 65.7 48 0 110 60 0000")
        self.assertEqual(40.0, self.boiler.counters.energy)

    def test_energy_need_not_be_counted(self) -> None:
        """The boiler's own counter is shown all the same."""
        self.boiler = Boiler(counts_energy=False)
        self.describe()
        self.line("7 65.7 48 0 61 60 0000")
        self.assertEqual(Counters(consumption=61, stock=60), self.boiler.counters)

    def test_a_counter_that_lines_have_shown_all_along_does_not_leap(self) -> None:
        """However long it stood still, a boiler burns no tons from one line to the next."""
        self.describe()
        self.line("7 65.7 48 0 61 60 0000")
        self.line("7 66.7 48 0 61 60 0000", now=1_000_000.0)
        self.line("7 66.7 48 0 9061 60 0000", now=1_000_001.0)
        self.assertEqual(
            (9061, 0.0), (self.boiler.counters.consumption, self.boiler.counters.energy)
        )

    def test_changes_are_told(self) -> None:
        """Counters are told when they count, and not for other channels."""
        self.describe()
        self.line("7 65.7 48 0 61 60 0000")
        self.notified()
        self.line("8 66.7 48 0 61 60 0000")
        self.assertNotIn(self.boiler.counters, self.notified())
        self.line("8 66.7 48 0 62 59 0000")
        self.assertEqual(
            Counters(consumption=62, energy=4.32, stock=59, fuel_energy=4.8), self.notified()[-1]
        )

    def test_an_unreadable_counter_is_not_a_reset(self) -> None:
        """Consumption that cannot be told for a line stays where it was."""
        self.describe()
        self.line("7 65.7 48 0 61 60 0000")
        self.line("7 65.7 48 0 -- 60 0000")
        self.line("7 65.7 0000")
        self.assertEqual(61, self.boiler.counters.consumption)

    def test_a_reset_at_the_boiler_shows_in_its_own_counter_only(self) -> None:
        """When the owner sets the counter back, energy goes on from what it was."""
        self.describe()
        for counter in (61, 71, 0, 10):
            self.line(f"7 65.7 48 0 {counter} 60 0000")
        self.assertEqual(
            (10, 86.4), (self.boiler.counters.consumption, self.boiler.counters.energy)
        )

    def test_the_pellet_part_of_a_combined_boiler_counts(self) -> None:
        """Where only the pellet part has a counter, it is that one."""
        self.describe(("PK_Verbrauchszähler", "kg"), ("PK_Lagerstand", "kg"))
        self.line("10 200 0000")
        self.assertEqual((10, 200), (self.boiler.counters.consumption, self.boiler.counters.stock))

    def test_nothing_is_known_before_it_is_told(self) -> None:
        """Without telemetry there is no zero that would look like a reset."""
        self.describe()
        self.assertEqual(Counters(), self.boiler.counters)


class SettingTests(BoilerCase):
    """Parameters, as replies and notices tell them."""

    def test_a_reply_gives_a_setting(self) -> None:
        """A parameter that was seen is known with its text, its limits and the time."""
        self.apply(ParameterSeen(day_temperature("19.500")), now=3.0)
        setting = self.boiler.settings["4"]
        self.assertEqual(
            ("par_4", "Zone 1 Temp. ambiante jour", "19.500", 3.0),
            (setting.object, setting.name, setting.text, setting.since),
        )
        self.assertEqual(day_temperature("19.500"), setting.parameter)
        assert setting.entry is not None
        self.assertEqual("heating circuit 1: day room temperature", setting.entry.text.en)
        self.assertEqual([("par_4", "19.500")], self.notified())

    def test_the_same_again_is_no_change(self) -> None:
        """A second reply as the first tells nothing."""
        self.apply(ParameterSeen(mode(1)), now=1.0)
        self.notified()
        self.apply(ParameterSeen(mode(1)), now=2.0)
        self.assertEqual([], self.notified())
        self.assertEqual(1.0, self.boiler.settings["PR001"].since)

    def test_a_notice_changes_a_choice(self) -> None:
        """An option that was chosen at the panel is chosen in the model, by its index too."""
        self.apply(ParameterSeen(mode(1)), now=1.0)
        self.notified()
        self.apply(ParameterChanged("PR001", "Mode", "Arr", "Auto"), now=2.0)
        setting = self.boiler.settings["PR001"]
        self.assertEqual(("Auto", 2.0, mode(3)), (setting.text, setting.since, setting.parameter))
        self.assertEqual([("par_pr001", "Auto")], self.notified())

    def test_a_notice_changes_a_number(self) -> None:
        """The limits stay known, the value is the notice's."""
        self.apply(ParameterSeen(day_temperature("19.500")))
        self.apply(ParameterChanged("4", "Temp. ambiante jour", None, "20.0"), now=2.0)
        setting = self.boiler.settings["4"]
        assert isinstance(setting.parameter, NumberParameter)
        self.assertEqual((Decimal("20.0"), "20.0"), (setting.parameter.value, setting.text))
        self.assertEqual(Decimal("26.000"), setting.parameter.maximum)
        self.assertEqual("Zone 1 Temp. ambiante jour", setting.name)

    def test_a_notice_of_the_value_that_is_known_is_no_change(self) -> None:
        """``20.0`` in a notice is the ``20.000`` of a reply."""
        self.apply(ParameterSeen(day_temperature("20.000")), now=1.0)
        self.notified()
        self.apply(ParameterChanged("4", "Temp. ambiante jour", "19.5", "20.0"), now=2.0)
        self.assertEqual([], self.notified())
        self.assertEqual(1.0, self.boiler.settings["4"].since)

    def test_a_reply_in_other_digits_does_not_count_as_set(self) -> None:
        """The time of the change is the notice's, not that of the reply that confirms it."""
        self.apply(ParameterSeen(day_temperature("19.500")), now=1.0)
        self.apply(ParameterChanged("4", "Temp. ambiante jour", "19.5", "20.0"), now=2.0)
        self.apply(ParameterSeen(day_temperature("20.000")), now=3.0)
        setting = self.boiler.settings["4"]
        self.assertEqual(("20.000", 2.0), (setting.text, setting.since))

    def test_a_notice_of_an_unknown_parameter_is_kept(self) -> None:
        """What a notice alone has told is text without limits."""
        self.apply(ParameterChanged("A6d", "", None, "1.0"), now=4.0)
        setting = self.boiler.settings["A6d"]
        self.assertEqual(
            ("par_a6d", "1.0", None), (setting.object, setting.text, setting.parameter)
        )

    def test_a_value_that_is_no_option_is_told_as_text(self) -> None:
        """The boiler's word counts, and what was told in full stays until it is told anew."""
        self.apply(ParameterSeen(mode(1)))
        self.apply(ParameterChanged("PR001", "Mode", "Arr", "Nouveau"))
        self.apply(ParameterSeen(day_temperature("20.000")))
        self.apply(ParameterChanged("4", "", None, "NaN"))
        settings = self.boiler.settings
        self.assertEqual(
            ("Nouveau", mode(1)), (settings["PR001"].text, settings["PR001"].parameter)
        )
        self.assertEqual(day_temperature("20.000"), settings["4"].parameter)

    def test_a_parameter_of_an_unknown_type_is_shown_as_it_is(self) -> None:
        """Its value is taken from where every known type has it, and its name from a notice."""
        self.apply(ParameterChanged("1a", "Wochenuhr", None, "Mo-Fr"))
        self.apply(ParameterSeen(OtherParameter("1a", "9", ("06:00", "22:00"))))
        setting = self.boiler.settings["1a"]
        self.assertEqual(("Wochenuhr", "06:00"), (setting.name, setting.text))


class AvailabilityTests(BoilerCase):
    """Whether telemetry arrives, and whether settings can be changed."""

    def test_telemetry_comes_and_goes(self) -> None:
        """A line makes it online, half a minute without one offline, each told once."""
        self.line("7", now=100.0)
        self.line("8", now=101.0)
        [seen] = self.notified()
        self.assertEqual(Availability(telemetry=True, telemetry_since=100.0), seen)
        self.boiler.tick(101.0 + TELEMETRY_TIMEOUT - 0.1)
        self.assertEqual([], self.notified())
        self.boiler.tick(101.0 + TELEMETRY_TIMEOUT)
        self.boiler.tick(101.0 + TELEMETRY_TIMEOUT + 1)
        self.assertEqual([Availability(telemetry=False, telemetry_since=131.0)], self.notified())

    def test_it_is_not_told_offline_before_it_was_online(self) -> None:
        """A bridge that has just started has nothing to take back."""
        self.boiler.tick(1e9)
        self.assertEqual([], self.notified())

    def test_values_are_told_before_telemetry_is(self) -> None:
        """Who hears that telemetry is online has heard what it says."""
        self.describe(("TK", "°C"))
        self.line("65.7 0000", now=1.0)
        *values, last = self.notified()
        self.assertEqual([("tk", "65.7", True), ("stoerung", "OFF", True)], values)
        self.assertEqual(self.boiler.availability, last)

    def test_a_session_counts_from_its_login(self) -> None:
        """A connection alone can change no settings; one that logged in can."""
        self.apply(SessionOpened(7, "192.0.2.7"), now=1.0)
        self.assertEqual([], self.notified())
        self.assertEqual((Session(7, "192.0.2.7", 1.0),), self.boiler.sessions)
        self.apply(LoggedIn(), now=2.0, session=7)
        session = Session(7, "192.0.2.7", opened=1.0, logged_in=2.0)
        self.assertEqual([Availability(session=session)], self.notified())

    def test_it_ends_with_the_session(self) -> None:
        """A session that is over leaves nothing behind."""
        self.apply(SessionOpened(7, "192.0.2.7"), now=1.0)
        self.apply(LoggedIn(), now=2.0, session=7)
        self.notified()
        self.apply(SessionOver(7, "closed"), now=3.0)
        self.assertEqual([Availability()], self.notified())
        self.assertEqual((), self.boiler.sessions)

    def test_several_sessions_may_run(self) -> None:
        """The newest login counts; another client's end changes nothing; the older one remains."""
        for number in (1, 2, 3):
            self.apply(SessionOpened(number, f"192.0.2.{number}"), now=float(number))
        self.apply(LoggedIn(), now=10.0, session=1)
        self.apply(LoggedIn(), now=20.0, session=2)
        self.notified()
        self.apply(SessionOver(3, "closed"))
        self.assertEqual([], self.notified())
        self.apply(SessionOver(2, "closed"))
        session = self.boiler.availability.session
        assert session is not None
        self.assertEqual(1, session.number)

    def test_the_end_of_an_unknown_session_is_nothing(self) -> None:
        """An end without a beginning raises nothing and tells nothing."""
        self.apply(SessionOver(9, "closed"))
        self.assertEqual([], self.notified())

    def test_a_login_without_a_session_is_one(self) -> None:
        """A dialogue that is replayed has no connection, and yet somebody logs in."""
        self.apply(LoggedIn(), now=2.0)
        self.assertEqual(Session(None, "", 2.0, 2.0), self.boiler.availability.session)


class IdentityTests(BoilerCase):
    """Who the boiler and the gateway are, and what they say the time is."""

    def test_facts_are_gathered(self) -> None:
        """Each fact is told when it is new, and only then."""
        self.apply(Identified("model", "Nano.2(.3) 15"))
        self.apply(Identified("model", "Nano.2(.3) 15"))
        self.apply(Identified("firmware", "V14.0n3"))
        self.assertEqual(
            [
                Identity(model="Nano.2(.3) 15"),
                Identity(model="Nano.2(.3) 15", firmware="V14.0n3"),
            ],
            self.notified(),
        )

    def test_the_gateway_announces_itself(self) -> None:
        """An announcement tells the gateway's address, software and serial number."""
        self.apply(Announced("192.0.2.7", "6.4.1", "0012345"))
        self.assertEqual(
            Identity(
                gateway_address="192.0.2.7", gateway_software="6.4.1", gateway_serial="0012345"
            ),
            self.boiler.identity,
        )

    def test_a_fact_that_nobody_asked_for_is_passed_over(self) -> None:
        """A name that the model does not know changes nothing."""
        self.apply(Identified("colour", "red"))
        self.assertEqual([], self.notified())

    def test_clock_and_uptime_are_kept_with_their_time(self) -> None:
        """What the boiler's clock showed is only worth something with when it was read."""
        time = datetime(2023, 11, 12, 18, 32, 35)
        self.apply(ClockRead(time), now=1.0)
        self.apply(UptimeRead(666151), now=2.0)
        self.assertEqual(Reported(time, 1.0), self.boiler.clock)
        self.assertEqual(Reported(666151, 2.0), self.boiler.uptime)
        self.assertEqual([], self.notified())

    def test_events_without_a_state_change_nothing(self) -> None:
        """A notice, or a gateway about to start over, says nothing of the boiler's state."""
        self.apply(Notice("Puffer Aus"))
        self.apply(Clearing())
        self.assertEqual([], self.notified())


class ObserverTests(BoilerCase):
    """Observers hear of changes, in order, and cannot hurt anybody."""

    def test_it_can_stop(self) -> None:
        """Who stopped observing hears no more, and stopping twice is no mistake."""
        self.stop()
        self.stop()
        self.apply(Identified("model", "Nano"))
        self.assertEqual([], self.notified())

    def test_one_that_raises_hurts_nobody(self) -> None:
        """Its failure is logged; the others hear everything, and it hears of the next change."""

        class Broken(RecordingObserver):
            def identity_changed(self, identity: Identity) -> None:
                super().identity_changed(identity)
                raise RuntimeError("a view is broken")

        broken, last = Broken(), RecordingObserver()
        self.boiler.observe(broken)
        self.boiler.observe(last)
        self.apply(Identified("model", "Nano"))
        self.apply(Identified("firmware", "V14"))
        self.assertEqual(2, len(self.flushLoggedErrors(RuntimeError)))
        self.assertEqual(self.observer.seen, broken.seen)
        self.assertEqual(self.observer.seen, last.seen)
        self.assertEqual(2, len(last.seen))

    def test_one_that_raises_at_a_channel_hurts_nobody(self) -> None:
        """The others are told of the channels of each line, and so is it."""

        class Broken(RecordingObserver):
            def channels_changed(self, channels: Sequence[Channel]) -> None:
                super().channels_changed(channels)
                raise RuntimeError("a view is broken")

        broken, last = Broken(), RecordingObserver()
        stop = self.boiler.observe(broken)
        self.boiler.observe(last)
        self.apply(described(*SMALL))
        self.line("7 65.7 48 70 61 60 0001")
        self.line("7 65.8 49 70 61 60 0001")
        self.assertEqual(2, len(self.flushLoggedErrors(RuntimeError)))
        self.assertEqual(last.seen, broken.seen)
        texts = [each[1] for each in last.seen if isinstance(each, tuple)]
        self.assertEqual(["65.7", "65.8"], [each for each in texts if each in ("65.7", "65.8")])
        stop()
        self.line("8 65.8 49 71 62 61 0000")
        self.assertGreater(len(last.seen), len(broken.seen))

    def test_one_may_stop_while_it_is_told(self) -> None:
        """Who stops in the middle is not told again, and nobody behind it is passed over."""
        stops: list[Callable[[], None]] = []

        class Once(RecordingObserver):
            def identity_changed(self, identity: Identity) -> None:
                super().identity_changed(identity)
                stops.pop()()

        once, last = Once(), RecordingObserver()
        stops.append(self.boiler.observe(once))
        self.boiler.observe(last)
        self.apply(Identified("model", "Nano"))
        self.apply(Identified("firmware", "V14"))
        self.assertEqual((1, 2), (len(once.seen), len(last.seen)))

    def test_one_that_wants_to_know_nothing_may(self) -> None:
        """An observer overrides what concerns it; the rest does nothing."""
        self.boiler.observe(BoilerObserver())
        self.apply(described(*SMALL))
        self.line("7 65.7 48 70 61 60 0001")
        self.apply(ParameterSeen(mode(1)))
        self.apply(Identified("model", "Nano"))
        self.assertEqual([], self.flushLoggedErrors())


class RecordedTests(BoilerCase):
    """A real pellet boiler's recorded telemetry."""

    def test_a_recorded_burn(self) -> None:
        """What the recording's owner saw: no fault, 64 kg burnt, and sensors that were never there.

        Every line fits its descriptor, and the channels that live are not marked missing.
        """
        document = shared_file("firmware/nano2-25-V14.0k3.xml").read_bytes()
        lines = shared_file("firmware/nano2-25-V14.0k3.txt").read_text("utf-8").splitlines()
        self.apply(BoilerDescribed(document, parse_descriptor(document)))
        for now, line in enumerate(line for line in lines if line.startswith("pm ")):
            self.apply(TelemetryLine(line.encode("latin-1")), float(now))
            self.assertIsNone(self.boiler.availability.mismatch)
        self.assertEqual((), self.boiler.faults)
        self.assertEqual(
            Counters(consumption=64, energy=12.96, stock=57, fuel_energy=14.4), self.boiler.counters
        )
        channels = self.boiler.channels
        for missing in ("tpo", "tfw", "brt", "tvl_2", "tb2", "t_spuelung", "wmz_6_flow"):
            self.assertFalse(channels[missing].connected, missing)
        for live in ("tk", "trg", "taus", "tvl_1", "tb1", "tra_1", "tksoll", "heiz_i_lambda"):
            self.assertTrue(channels[live].connected, live)
