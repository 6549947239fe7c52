"""What was burnt, and what is left."""

from dataclasses import dataclass, replace

from hargassner.boiler.energy import Sums


@dataclass(frozen=True, slots=True)
class Counters:
    """What was burnt and what is left, in kg, and its energy in kWh.

    ``consumption`` is the boiler's own counter, which falls when it is set back. ``energy``, the
    heat, and ``fuel_energy`` only rise. Each is None as long as the boiler has not sent it, or it
    is not counted.
    """

    consumption: float | None = None
    energy: float | None = None
    stock: float | None = None
    fuel_energy: float | None = None

    @property
    def energies(self) -> dict[str, float]:
        """The energies that are counted, in kWh, by their identifiers."""
        counted = {"heat": self.energy, "fuel_energy": self.fuel_energy}
        return {object_: kwh for object_, kwh in counted.items() if kwh is not None}


def counted(
    before: Counters, consumption: float | None, stock: float | None, sums: Sums | None
) -> Counters:
    """The counters after telemetry; what it does not have stays as it was.

    Args:
        before: the counters so far.
        consumption: what the boiler's counter shows, in kg.
        stock: what is left, in kg.
        sums: the energy that was counted.
    """
    counters = before
    if consumption is not None:
        counters = replace(counters, consumption=consumption)
    if sums is not None:
        counters = replace(counters, energy=float(sums.heat), fuel_energy=float(sums.fuel))
    if stock is not None:
        counters = replace(counters, stock=stock)
    return counters
