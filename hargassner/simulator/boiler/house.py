"""What the simulated boiler heats: heating circuits, a hot water tank, and a buffer for them."""

from dataclasses import dataclass, field
from enum import IntEnum

WATER = 4.19
"""Heat capacity of water in kJ/(kg K)."""


class CircuitState(IntEnum):
    """The state of a heating circuit as ``HKZustand`` numbers it."""

    OFF = 0
    HEATING = 1
    REDUCED = 3
    SUMMER = 5


class CircuitMode(IntEnum):
    """How a circuit is to work, as the parameters PR010 to PR017 number it."""

    OFF = 0
    AUTO = 1
    REDUCED = 2
    COMFORT = 3
    COMFORT_ONCE = 4
    COOLING = 5


@dataclass(frozen=True, slots=True)
class CircuitSettings:
    """The settings of a circuit; temperatures in °C."""

    mode: CircuitMode
    day: float
    reduced: float
    correction: float
    slope: float
    lowest: float
    highest: float

    def flow(self, room: float, outdoor: float) -> float:
        """The flow temperature for a room temperature, from the heating curve."""
        return min(max(room + self.slope * (room - outdoor), self.lowest), self.highest)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is the same for all circuits.

    ``outdoor`` is the temperature outside in °C, ``summer`` whether it has been too warm for
    heating, ``hour`` the time of day, and ``enabled`` whether the boiler's mode allows heating.
    """

    outdoor: float
    summer: bool
    hour: float
    enabled: bool


@dataclass(frozen=True, slots=True)
class Draw:
    """Water taken from the buffer: kg/s, and the temperature it comes back with."""

    flow: float
    back: float


NOTHING = Draw(0.0, 0.0)


@dataclass(slots=True)
class Circuit:
    """One heating circuit and the rooms behind it.

    ``emission`` is what radiators or floor give, in kW for each degree above the room.
    """

    emission: float
    room: float
    flow: float
    largest_flow: float = 0.14
    room_setpoint: float = 20.0
    setpoint: float = 0.0
    state: CircuitState = CircuitState.OFF

    @property
    def pump(self) -> bool:
        """Whether the pump runs."""
        return self.state in (CircuitState.HEATING, CircuitState.REDUCED)

    def step(
        self, seconds: float, settings: CircuitSettings, surroundings: Surroundings, top: float
    ) -> Draw:
        """Let a few seconds pass; the result is what it takes from a buffer of ``top`` °C."""
        self.state = _state(settings.mode, surroundings)
        base = settings.day if self.state is CircuitState.HEATING else settings.reduced
        self.room_setpoint = base + settings.correction
        drawn, given = NOTHING, 0.0
        if self.pump:
            self.setpoint = settings.flow(self.room_setpoint, surroundings.outdoor)
            goal = min(self.setpoint, top - 0.5)
            self.flow += (goal - self.flow) * min(seconds / 150, 1.0)
            given = max(self.emission * (self.flow - self.room), 0.0)
            drawn = self._drawn(given, top)
        else:
            self.setpoint = 0.0
            self.flow += (self.room - self.flow) * min(seconds / 2400, 1.0)
        self.room += (given - 0.15 * (self.room - surroundings.outdoor)) * seconds / 22_000
        return drawn

    def _drawn(self, given: float, top: float) -> Draw:
        """What the mixer takes from a buffer of ``top`` °C while the rooms get ``given`` kW."""
        back = self.flow - given / (WATER * self.largest_flow)
        # The mixer takes as much hot water as lifts the return to the flow temperature.
        share = (self.flow - back) / (top - back) if top - back > 1 else 1.0
        return Draw(self.largest_flow * min(max(share, 0.0), 1.0), back)


_STATES = {
    CircuitMode.OFF: (CircuitState.OFF, CircuitState.OFF),
    CircuitMode.AUTO: (CircuitState.HEATING, CircuitState.REDUCED),
    CircuitMode.REDUCED: (CircuitState.REDUCED, CircuitState.REDUCED),
    CircuitMode.COMFORT: (CircuitState.HEATING, CircuitState.HEATING),
    CircuitMode.COMFORT_ONCE: (CircuitState.HEATING, CircuitState.HEATING),
    CircuitMode.COOLING: (CircuitState.OFF, CircuitState.OFF),
}
"""What a circuit in a mode does where it may heat: by day, and at night."""


def _state(mode: CircuitMode, surroundings: Surroundings) -> CircuitState:
    """What a circuit in this mode does."""
    by_day, at_night = _STATES[mode if surroundings.enabled else CircuitMode.OFF]
    if by_day is not CircuitState.OFF and surroundings.summer:
        return CircuitState.SUMMER
    return by_day if 6 <= surroundings.hour < 22 else at_night


_USED = {6: 2.4, 7: 2.4, 18: 1.7, 19: 1.7, 20: 1.7}
"""Kilowatts of hot water used in some hours, on the average of many days; 0.15 in the others."""


@dataclass(slots=True)
class Tank:
    """A hot water tank of 200 litres."""

    temperature: float = 49.0
    needs_heat: bool = False
    pump: bool = False

    def step(
        self,
        seconds: float,
        *,
        enabled: bool,
        setpoint: float,
        difference: float,
        hour: float,
        top: float,
    ) -> Draw:
        """Let a few seconds pass; the result is what it takes from a buffer of ``top`` °C."""
        self.needs_heat |= self.temperature < setpoint - difference
        self.needs_heat &= enabled and self.temperature < setpoint
        self.pump = self.needs_heat and top > self.temperature + 4
        drawn = Draw(0.18, self.temperature + 3) if self.pump else NOTHING
        power = drawn.flow * WATER * (top - drawn.back) - 0.05 - _USED.get(int(hour), 0.15)
        self.temperature = max(self.temperature + power * seconds / (200 * WATER), 12.0)
        return drawn


@dataclass(slots=True)
class Buffer:
    """A buffer of three layers and 500 litres, hot water on top."""

    layers: list[float] = field(default_factory=lambda: [55.0, 46.0, 37.0])
    _layer_mass = 500 / 3

    @property
    def top(self) -> float:
        """Temperature of the top layer in °C."""
        return self.layers[0]

    @property
    def bottom(self) -> float:
        """Temperature of the bottom layer in °C."""
        return self.layers[-1]

    def charge(self, seconds: float, flow: float, temperature: float) -> None:
        """Push water in at the top, and as much out at the bottom."""
        incoming = temperature
        for place, layer in enumerate(self.layers):
            self.layers[place] = layer + flow * (incoming - layer) * seconds / self._layer_mass
            incoming = layer

    def draw(self, seconds: float, draw: Draw) -> None:
        """Take water out at the top, and let it back in at the bottom."""
        incoming = draw.back
        for place in reversed(range(len(self.layers))):
            layer = self.layers[place]
            change = draw.flow * (incoming - layer) * seconds / self._layer_mass
            self.layers[place] = layer + change
            incoming = layer

    def settle(self, seconds: float) -> None:
        """Lose a little to the cellar, and mix what lies the wrong way round."""
        for place, layer in enumerate(self.layers):
            self.layers[place] = layer - (layer - 15) * seconds / 400_000
        for upper in range(len(self.layers) - 1):
            if self.layers[upper] < self.layers[upper + 1]:
                mean = (self.layers[upper] + self.layers[upper + 1]) / 2
                self.layers[upper] = self.layers[upper + 1] = mean

    def level(self, cold: float, hot: float) -> float:
        """How full it is, in percent between two temperatures."""
        mean = sum(self.layers) / len(self.layers)
        return min(max((mean - cold) / (hot - cold) * 100, 0.0), 100.0)
