"""What the fire of the simulated boiler does to flue gas, fan and fuel."""

from hargassner.simulator.boiler.burner import LIT, Burner, State

AIR = 20.9
"""Percent of oxygen in air."""

_EFFICIENCY = 0.92
_KWH_PER_KG = 4.8
_FAN = {
    State.START: 65.0,
    State.BURNING_OUT: 65.0,
    State.FEEDING: 45.0,
    State.WAITING: 45.0,
    State.KINDLING: 45.0,
    State.EMBERS: 15.0,
}
"""The fan's setpoint in percent by state, apart from full operation."""


class Combustion:
    """Flue gas, fan and fuel.

    ``flue`` is the flue gas temperature in °C, ``oxygen`` and ``fan`` are percent; ``burnt`` is
    how many kilograms were burnt altogether, ``stock`` how many are left in the store.
    """

    def __init__(self) -> None:
        self.flue = 44.0
        self.oxygen = AIR
        self.fan = 0.0
        self.burnt = 1133.0
        self.stock = 3067.0

    def step(self, seconds: float, burner: Burner, boiler: float) -> None:
        """Let a few seconds pass; ``boiler`` is the temperature of the boiler's water in °C."""
        self._use_fuel(seconds, burner)
        share = burner.heat / 100
        if burner.state in LIT:
            goal, time_constant = max(boiler, 40) + 8 + 68 * share, 110.0
        else:
            goal, time_constant = boiler + 2, 1500.0
        self.flue += (goal - self.flue) * min(seconds / time_constant, 1.0)
        oxygen = 7.6 + (1 - share) * 4 if share > 0.2 else AIR
        self.oxygen += (oxygen - self.oxygen) * min(seconds / 60, 1.0)
        self.fan += (fan_setpoint(burner) - self.fan) * min(seconds / 8, 1.0)

    def _use_fuel(self, seconds: float, burner: Burner) -> None:
        used = burner.output / _EFFICIENCY / _KWH_PER_KG * seconds / 3600
        self.burnt += used
        burner.hopper = max(burner.hopper - used, 0.0)
        self.stock = max(self.stock - used, 0.0)


def fan_setpoint(burner: Burner) -> float:
    """The speed in percent that the control asks of the fan."""
    if burner.state is State.BURNING:
        return 32 + 0.38 * burner.power
    return _FAN.get(burner.state, 0.0)
