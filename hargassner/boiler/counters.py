"""What was burnt, and what is left."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Counters:
    """What was burnt and what is left, in kg, and the heat made of it in kWh.

    Consumption and energy only rise, except when the boiler's counter is reset; each is None as
    long as the boiler has not sent it.
    """

    consumption: float | None = None
    energy: float | None = None
    stock: float | None = None


def counted(
    before: Counters, consumption: float | None, stock: float | None, kwh_per_kg: float
) -> Counters:
    """The counters after telemetry; what it does not have stays as it was.

    Args:
        before: the counters so far.
        consumption: what the boiler has burnt, in kg.
        stock: what is left, in kg.
        kwh_per_kg: the heat that is made of the fuel.
    """
    counters = before
    if consumption is not None:
        # Rounded, so that a rising counter gives no energy that falls by a floating-point hair.
        energy = round(consumption * kwh_per_kg, 3)
        counters = replace(counters, consumption=consumption, energy=energy)
    if stock is not None:
        counters = replace(counters, stock=stock)
    return counters
