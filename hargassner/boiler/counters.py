"""What was burnt, and what is left."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


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
        return _known({"heat": self.energy, "fuel_energy": self.fuel_energy})


def counted(
    before: Counters, consumption: float | None, stock: float | None, energies: Mapping[str, float]
) -> Counters:
    """The counters after telemetry; what it does not have stays as it was.

    Args:
        before: the counters so far.
        consumption: what the boiler's counter shows, in kg.
        stock: what is left, in kg.
        energies: ``energy`` and ``fuel_energy``, if they are counted.
    """
    return replace(before, **_known({"consumption": consumption, "stock": stock}), **energies)


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}
