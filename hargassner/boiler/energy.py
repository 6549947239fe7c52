"""Heat and fuel energy as sums of what was burnt, which only rise.

The boiler counts its fuel, in kg since its counter was last set back. Energy is not computed from
what that counter shows but from what it rises by: neither another factor nor a counter that starts
again at 0 changes what was counted already. The sums are kept across restarts together with what
the counter showed, so that what is burnt meanwhile is counted afterwards.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from twisted.logger import Logger

from hargassner.observers import Once

log = Logger()

MOST_PER_HOUR = 1000
"""kg; more than the largest boiler burns in an hour."""

MOST_AT_ONCE = 25
"""kg by which a counter may rise at once beyond that: it goes in steps."""

LEAST_PAUSE = 1800.0
"""Seconds that the bridge is taken to have rested at a restart at least: a machine without a clock
of its own believes that it rested less than it did."""

_SAID = 16
"""Leaps of the boiler's counter that are logged."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What a kg of the fuel is worth, in kWh, and the part of it that becomes heat."""

    kwh_per_kg: Decimal
    efficiency: Decimal

    @staticmethod
    def of(kwh_per_kg: float, efficiency: float) -> "Factors":
        """The factors, exactly as they are written in decimal."""
        return Factors(Decimal(str(kwh_per_kg)), Decimal(str(efficiency)))


@dataclass(frozen=True, slots=True)
class Sums:
    """What was counted until the boiler's counter showed ``counter``, in kg.

    ``fuel`` and ``heat`` are in kWh. ``factors`` are those that held then.
    """

    counter: Decimal
    factors: Factors
    fuel: Decimal = Decimal(0)
    heat: Decimal = Decimal(0)

    def plus(self, burnt: Decimal) -> "Sums":
        """The sums when so many kg more were burnt."""
        fuel = burnt * self.factors.kwh_per_kg
        heat = fuel * self.factors.efficiency
        return replace(self, fuel=self.fuel + fuel, heat=self.heat + heat)


class Meter:
    """Counts the energy of what is burnt.

    ``sums`` are what was counted, None before anything is known.

    Args:
        factors: what a kg is worth from now on.
    """

    def __init__(self, factors: Factors) -> None:
        self.sums: Sums | None = None
        self._factors = factors
        self._seen = 0.0
        self._leaps = Once(_SAID)

    def recall(self, sums: Sums, now: float, rested: float) -> None:
        """Go on from what an earlier life counted.

        Args:
            sums: what it counted; what was burnt since then is worth what a kg was worth then.
            now: the moment.
            rested: seconds since then, as far as is known.
        """
        self.sums = sums
        self._seen = now - max(rested, LEAST_PAUSE)

    def saw(self, now: float) -> None:
        """The boiler's counter is seen at this moment, whether it has changed or not."""
        self._seen = now

    def count(self, shown: float, now: float) -> Sums:
        """Count what the boiler's counter has risen by.

        Args:
            shown: what it shows, in kg.
            now: the moment.
        """
        counter = Decimal(str(shown))
        before = self.sums or Sums(counter, self._factors)
        rise = counter - before.counter
        # One that was set back counts from 0 again.
        burnt = self._believed(rise if rise >= 0 else counter, before.counter, counter, now)
        self.sums = replace(before.plus(burnt), counter=counter, factors=self._factors)
        self._seen = now
        return self.sums

    def _believed(self, burnt: Decimal, before: Decimal, counter: Decimal, now: float) -> Decimal:
        """What was burnt, or nothing if no boiler burns so much in this time."""
        most = MOST_AT_ONCE + MOST_PER_HOUR * (now - self._seen) / 3600
        if 0 <= burnt <= most:
            return burnt
        if self._leaps.first((before, counter)):
            self._log_leap(before, counter, now - self._seen)
        return Decimal(0)

    def _log_leap(self, before: Decimal, counter: Decimal, seconds: float) -> None:
        log.warn(
            "the boiler's fuel counter went from {before} to {counter} kg, which no boiler burns in"
            " {seconds:.0f} seconds: this is not counted as heat",
            before=before,
            counter=counter,
            seconds=seconds,
        )
