"""Heat and fuel energy: whatever happens to the boiler's counter, they only rise."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.energy import (
    LEAST_PAUSE,
    MOST_AT_ONCE,
    MOST_PER_HOUR,
    Factors,
    Meter,
    Sums,
)
from hargassner.storage.energy import sums_json, sums_of_json
from tests.cases import Log

USUAL = Factors.of(4.8, 0.9)
SECONDS_A_KG = 3600 / MOST_PER_HOUR
START = 61


@dataclass
class Cellar:
    """A boiler with its counter, and a bridge that sees it while it runs.

    ``burnt`` is what has to be counted, worked out from the fire and not from the counter.
    """

    factors: Factors = USUAL
    now: float = 1000.0
    counter: Decimal = Decimal(START)
    unseen: Decimal = Decimal(0)
    fuel: Decimal = Decimal(0)
    heat: Decimal = Decimal(0)
    shown: list[Sums] = field(default_factory=list)
    runs: bool = True

    def __post_init__(self) -> None:
        self.meter = Meter(self.factors)
        self.see()
        self.saved = self.kept()

    def see(self) -> None:
        """A telemetry line arrives, if the bridge runs."""
        if self.runs:
            self.shown.append(self.meter.count(float(self.counter), self.now))
            self.fuel += self.unseen * self.factors.kwh_per_kg
            self.heat += self.unseen * self.factors.kwh_per_kg * self.factors.efficiency
            self.unseen = Decimal(0)

    def burn(self, tenths: int) -> None:
        """Burn some, as fast as the largest boiler does."""
        kg = Decimal(tenths) / 10
        if not self.runs and self.counter < self.shown[-1].counter:
            # After a reset that nobody saw, the counter must not reach what it showed before.
            kg = min(kg, self.shown[-1].counter - self.counter - Decimal("0.1"))
        self.counter += kg
        self.unseen += kg
        self.now += float(kg) * SECONDS_A_KG
        self.see()

    def reset(self) -> None:
        """Set the boiler's counter back; what nobody has seen until then is lost.

        It is not done in the second in which the file is not written yet.
        """
        self.unseen = Decimal(0) if self.shown[-1].counter else self.unseen
        self.counter = Decimal(0) if self.shown[-1].counter else self.counter
        self.see()
        self.saved = self.kept()

    def save(self) -> None:
        """The file is written."""
        self.saved = self.kept()

    def kept(self) -> Any:
        """What is in the file now."""
        assert self.meter.sums is not None
        return json.loads(json.dumps(sums_json(self.meter.sums, self.now)))

    def stop(self) -> None:
        """The bridge is stopped, and writes its file."""
        if self.runs:
            self.save()
        self.runs = False

    def cut(self) -> None:
        """The power goes; what the file has may be older."""
        self.runs = False

    def start(self, kwh_per_kg: float, efficiency: float) -> None:
        """The bridge starts, with these factors, and telemetry arrives."""
        self.stop()
        self.meter = Meter(Factors.of(kwh_per_kg, efficiency))
        sums, date = sums_of_json(self.saved)
        self.meter.recall(sums, self.now, self.now - date)
        self.runs = True
        self.see()
        # What was burnt until now was worth what a kg was worth before.
        self.factors = Factors.of(kwh_per_kg, efficiency)
        self.saved = self.kept()


STEPS = st.one_of(
    st.tuples(st.just("burn"), st.integers(0, 300)),
    st.tuples(st.sampled_from(["reset", "save", "stop", "cut"])),
    st.tuples(st.just("start"), st.sampled_from([4.6, 4.8, 5.0]), st.sampled_from([0.8, 0.9, 1])),
)


class MeterTests(SynchronousTestCase):
    """What is counted of what the boiler's counter shows."""

    @given(steps=st.lists(STEPS, max_size=15))
    def test_whatever_happens_the_sums_are_those_of_the_increments(
        self, steps: list[tuple[Any, ...]]
    ) -> None:
        """Burnt, stopped, cut off, restarted with other factors, set back: each in any order.

        ``EXAMPLES=1000`` asks for a thousand of such lives.
        """
        cellar = Cellar()
        for name, *arguments in steps:
            getattr(cellar, name)(*arguments)
        cellar.start(4.8, 0.9)
        last = cellar.shown[-1]
        self.assertEqual((cellar.fuel, cellar.heat), (last.fuel, last.heat))
        for before, after in zip(cellar.shown, cellar.shown[1:], strict=False):
            self.assertLessEqual((before.fuel, before.heat), (after.fuel, after.heat))

    @given(
        readings=st.lists(
            st.tuples(st.floats(-1e7, 1e7, allow_nan=False), st.floats(0, 7200)), max_size=20
        )
    )
    def test_whatever_the_counter_shows_no_more_is_counted_than_a_boiler_can_burn(
        self, readings: list[tuple[float, float]]
    ) -> None:
        """A damaged value, another channel's: the sums neither fall nor leap."""
        meter, now, before = Meter(USUAL), 0.0, Decimal(0)
        for shown, seconds in readings:
            now += seconds
            heat = meter.count(shown, now).heat
            most = Decimal(MOST_AT_ONCE + MOST_PER_HOUR * seconds / 3600)
            self.assertLessEqual(before, heat)
            self.assertLessEqual(heat - before, most * Decimal("4.33"))
            before = heat

    def test_another_channels_value_for_a_line_counts_nothing(self) -> None:
        log = Log(self)
        meter = Meter(USUAL)
        for second, shown in enumerate((8000, 57, 8000, 57, 8000, 8001)):
            sums = meter.count(shown, float(second))
        self.assertEqual(Decimal("4.32"), sums.heat)
        self.assertEqual(2, len([each for each in log.lines if "no boiler burns" in each]))

    def test_what_was_burnt_while_no_telemetry_came_is_counted(self) -> None:
        meter = Meter(USUAL)
        meter.count(8000, 0.0)
        self.assertEqual(Decimal(300) * Decimal("4.8"), meter.count(8300, 86_400.0).fuel)

    def test_a_counter_that_stood_still_before_it_leapt_is_not_believed(self) -> None:
        """It was seen a moment before."""
        meter = Meter(USUAL)
        meter.count(57, 0.0)
        meter.saw(1_000_000.0)
        self.assertEqual(Decimal(0), meter.count(8000, 1_000_001.0).fuel)

    def test_a_machine_whose_clock_stood_still_meanwhile_counts_what_was_burnt(self) -> None:
        """Without a clock of its own it goes on from the time of its stop."""
        meter = Meter(USUAL)
        meter.recall(Sums(Decimal(8000), USUAL), 1000.0, rested=-5.0)
        most = int(MOST_PER_HOUR * LEAST_PAUSE / 3600)
        self.assertEqual(Decimal("4.8") * most, meter.count(8000 + most, 1000.0).fuel)
