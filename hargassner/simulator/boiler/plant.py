"""The simulated boiler as a thing that burns: temperatures, pumps, counters and faults.

It knows nothing of the wire.  Time is given to it; the same seed and the same steps give the same
values.
"""

from dataclasses import dataclass
from enum import IntEnum
from random import Random

from hargassner.simulator.boiler.burner import Burner, Conditions, State
from hargassner.simulator.boiler.combustion import Combustion
from hargassner.simulator.boiler.demand import Demand
from hargassner.simulator.boiler.digital_values import (
    burner_bits,
    circuit_bits,
    fault_bits,
    water_bits,
)
from hargassner.simulator.boiler.faults import SAFETY_LIMITER, Fault, Faults
from hargassner.simulator.boiler.fire_values import (
    combustion_values,
    counter_values,
    motor_values,
    screw_turns,
    sensor_values,
)
from hargassner.simulator.boiler.heat_values import (
    buffer_values,
    circuit_values,
    tank_values,
    water_values,
    weather_values,
)
from hargassner.simulator.boiler.house import (
    Buffer,
    Circuit,
    CircuitMode,
    CircuitSettings,
    Surroundings,
    Tank,
)
from hargassner.simulator.boiler.noise import Noise
from hargassner.simulator.boiler.parameters import standard_parameters
from hargassner.simulator.boiler.water import BoilerWater
from hargassner.simulator.boiler.weather import Weather

_STEP = 5.0
"""Seconds that are computed at once."""


class Mode(IntEnum):
    """The boiler's mode, as the parameter PR001 and the channel ``Programm`` number it."""

    HAND = 0
    OFF = 1
    HOT_WATER = 2
    AUTO = 3
    NO_FIRE = 4


@dataclass(frozen=True, slots=True)
class News:
    """What happened meanwhile.

    ``notices`` are the boiler's log lines without the leading ``z``; ``finished`` are the ids of
    parameters that started something which is done, so that they go back to "no".
    """

    notices: tuple[str, ...]
    finished: tuple[str, ...]


class Plant:
    """A pellet boiler of 20 kW with a buffer, two heating circuits and a hot water tank.

    Args:
        seed: decides the weather and the noise.
        hour: the time of day at the start, in hours.
    """

    def __init__(self, seed: int = 0, hour: float = 7.0) -> None:
        self.parameters = standard_parameters()
        self._burner = Burner()
        self._combustion = Combustion()
        self._water = BoilerWater()
        self._buffer = Buffer()
        self._tank = Tank()
        self._circuits = (Circuit(0.14, 20.1, 31.0), Circuit(0.34, 21.2, 26.5))
        self._random = Random(seed)  # noqa: S311 - noise, not a secret
        self._weather = Weather(hour, self._random)
        self._faults = Faults()
        self._noise = Noise()
        self._demand = Demand()
        self._notices: list[str] = []
        # Keys in the order in which they were finished.
        self._finished: dict[str, None] = {}

    @property
    def state(self) -> State:
        """What the boiler does, as ``ZK`` shows it."""
        return self._burner.state

    @property
    def mode(self) -> Mode:
        """The boiler's mode, from the parameter PR001."""
        return Mode(int(self.parameters.number("PR001")))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The active faults, oldest first."""
        return self._faults.active

    def raise_fault(self, number: int) -> None:
        """Let a fault happen; one whose number is not known stops the fire."""
        self._faults.set(number)

    def clear_fault(self, number: int) -> None:
        """Mend a fault; one that is not there needs no mending."""
        self._faults.clear(number)

    def advance(self, seconds: float) -> News:
        """Let time pass."""
        left = seconds
        while left > 0:
            step = min(left, _STEP)
            self._step(step)
            left -= step
        self._noise = Noise.drawn(self._random)
        news = News(tuple(self._notices), tuple(self._finished))
        self._notices.clear()
        self._finished.clear()
        return news

    def values(self) -> dict[str, float]:
        """The analog values of all channels that something here decides."""
        burner, combustion, noise = self._burner, self._combustion, self._noise
        demand, parameters = self._demand, self.parameters
        drawn = self._tank.pump or any(circuit.pump for circuit in self._circuits)
        return {
            "Programm": self.mode,
            "Störungs Nr": self._faults.last,
            **combustion_values(burner, combustion, noise),
            **motor_values(burner, noise),
            **counter_values(burner, combustion),
            **sensor_values(burner, combustion, noise),
            **water_values(self._water, demand, parameters),
            **buffer_values(self._buffer, demand, parameters, drawn=drawn),
            **weather_values(self._weather),
            **tank_values(self._tank, parameters),
            **circuit_values(self._circuits, demand),
        }

    def bits(self) -> dict[str, bool]:
        """The digital channels that something here decides."""
        return {
            **fault_bits(self._faults),
            **burner_bits(self._burner, screw_turns=screw_turns(self._burner, self._noise)),
            **water_bits(self._water, self._tank),
            **circuit_bits(self._circuits),
        }

    def _step(self, seconds: float) -> None:
        self._weather.step(seconds)
        self._heat_circuits(seconds)
        self._heat_tank(seconds)
        self._update_demand()
        self._burner.step(seconds, self._conditions())
        self._combustion.step(seconds, self._burner, self._water.temperature)
        self._water.step(seconds, self._burner.output, self._buffer)

    def _heat_circuits(self, seconds: float) -> None:
        weather = self._weather
        surroundings = Surroundings(
            outdoor=weather.outdoor,
            summer=weather.average > self.parameters.number("11"),
            hour=weather.hour,
            enabled=self.mode in (Mode.AUTO, Mode.NO_FIRE),
        )
        settings = self._circuit_settings()
        for circuit, its_settings in zip(self._circuits, settings, strict=True):
            drawn = circuit.step(seconds, its_settings, surroundings, self._buffer.top)
            self._buffer.draw(seconds, drawn)

    def _heat_tank(self, seconds: float) -> None:
        number, tank = self.parameters.number, self._tank
        requested = bool(number("PR042"))
        tank.needs_heat |= requested
        drawn = tank.step(
            seconds,
            enabled=self.mode in (Mode.AUTO, Mode.NO_FIRE, Mode.HOT_WATER),
            setpoint=number("2"),
            difference=number("B2"),
            hour=self._weather.hour,
            top=self._buffer.top,
        )
        self._buffer.draw(seconds, drawn)
        if requested and not tank.needs_heat:
            self._finished["PR042"] = None

    def _circuit_settings(self) -> tuple[CircuitSettings, CircuitSettings]:
        number = self.parameters.number
        return (
            CircuitSettings(
                mode=CircuitMode(int(number("PR011"))),
                day=number("4"),
                reduced=number("5"),
                correction=number("A6d"),
                slope=number("A2"),
                lowest=number("A3"),
                highest=number("A4"),
            ),
            CircuitSettings(
                mode=CircuitMode(int(number("PR012"))),
                day=number("7"),
                reduced=number("8"),
                correction=0.0,
                slope=number("A12"),
                lowest=number("A13"),
                highest=number("A14"),
            ),
        )

    @property
    def _heats(self) -> bool:
        """Whether the mode allows a fire."""
        return self.mode in (Mode.AUTO, Mode.HOT_WATER)

    def _update_demand(self) -> None:
        number = self.parameters.number
        requested = bool(number("PR040"))
        full = self._buffer.bottom >= number("C4")
        self._demand.collect(self._circuits, self._tank.needs_heat * (number("2") + 5))
        self._notices += self._demand.update(
            self._buffer, full=full, enabled=self._heats, requested=requested
        )
        if requested and full and self._heats:
            self._finished["PR040"] = None

    def _conditions(self) -> Conditions:
        return Conditions(
            demanded=self._demand.buffer,
            allowed=self._heats and not self._faults.forbid_fire,
            tripped=SAFETY_LIMITER in self._faults,
            excess=self._water.temperature - self.parameters.number("C4a"),
        )
