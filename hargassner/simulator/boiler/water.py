"""The water in the simulated boiler, and its way to the buffer."""

from hargassner.simulator.boiler.house import WATER, Buffer

RETURN_SETPOINT = 58.0
"""Degrees Celsius: the water that comes back is kept as warm as this."""

_CAPACITY = 350.0
_FLOW = 0.4
_PUMP_FROM = {False: (60.0, 4.0), True: (57.0, 1.0)}
"""What the water has to exceed, in °C, and by how much the buffer, by whether the pump runs.

The pump runs on after the fire, until the boiler has nothing left to give.
"""


class BoilerWater:
    """The boiler's water with its pump and the mixer of its return.

    ``temperature`` and ``back`` (the return) are in °C.
    """

    def __init__(self) -> None:
        self.temperature = 41.0
        self.back = 38.5
        self.pumping = False

    @property
    def return_is_cold(self) -> bool:
        """Whether the mixer has to raise the temperature of the return."""
        return self.temperature - self.back > 1 and self.back < RETURN_SETPOINT

    def step(self, seconds: float, power: float, buffer: Buffer) -> None:
        """Let a few seconds pass; the fire gives ``power`` kW, and the buffer takes them."""
        self.pumping = self._pump_runs(buffer.bottom)
        if self.pumping:
            power -= self._charge(seconds, buffer)
        else:
            self.back += (self.temperature - 2.5 - self.back) * min(seconds / 300, 1.0)
        self.temperature += (power - 0.006 * (self.temperature - 18)) * seconds / _CAPACITY
        buffer.settle(seconds)

    def _pump_runs(self, below: float) -> bool:
        lowest, margin = _PUMP_FROM[self.pumping]
        return self.temperature > max(lowest, below + margin)

    def _charge(self, seconds: float, buffer: Buffer) -> float:
        """Pump water into the buffer; the result is how many kW that takes from the boiler."""
        below = buffer.bottom
        share = self._mixed(below)
        flow = share * _FLOW
        back = share * below + (1 - share) * self.temperature
        buffer.charge(seconds, flow, self.temperature)
        self.back += (back - self.back) * min(seconds / 30, 1.0)
        return flow * WATER * (self.temperature - below)

    def _mixed(self, below: float) -> float:
        """The share of the pumped water that the mixer lets out, so that the return stays warm."""
        if below >= RETURN_SETPOINT:
            return 1.0
        spread = max(self.temperature - below, 0.1)
        return min(max((self.temperature - RETURN_SETPOINT) / spread, 0.0), 1.0)
