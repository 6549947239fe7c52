"""The simulated boiler as a thing that burns: temperatures, pumps, counters and faults.

It knows nothing of the wire.  Time is given to it; the same seed and the same steps give the same
values.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from random import Random

from hargassner.simulator.boiler.burner import FIRE, HOPPER, IGNITION, Burner, State
from hargassner.simulator.boiler.house import (
    WATER,
    Buffer,
    Circuit,
    CircuitMode,
    CircuitSettings,
    CircuitState,
    Tank,
    outdoor_temperature,
)
from hargassner.simulator.boiler.parameters import ParameterTable, standard_parameters

RATED_POWER = 20.0
"""Kilowatts at full output."""

_STEP = 5.0
_EFFICIENCY = 0.92
_KWH_PER_KG = 4.8
_BOILER_CAPACITY = 350.0
_BOILER_FLOW = 0.4
_RETURN_SETPOINT = 58.0
_PUMP_FROM = 60.0
_AIR = 20.9


class Mode(IntEnum):
    """The boiler's mode, as the parameter PR001 and the channel ``Programm`` number it."""

    HAND = 0
    OFF = 1
    HOT_WATER = 2
    AUTO = 3
    NO_FIRE = 4


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as the boiler tells it, and whether a fire may burn beside it."""

    number: int
    text: str
    stops: bool


_SAFETY_LIMITER = 1
_ASH_DRAWER_OPEN = 93
_FAULTS = {
    each.number: each
    for each in (
        Fault(_SAFETY_LIMITER, "Übertemperatur, STB ausgelöst", stops=True),
        Fault(5, "Aschelade entleeren", stops=False),
        Fault(6, "Aschelade voll", stops=True),
        Fault(9, "Überstrom Putzeinrichtung", stops=False),
        Fault(17, "Außenfühler: Unterbrechung", stops=False),
        Fault(26, "Zündzeit überschritten", stops=True),
        Fault(27, "Rauchgastemperatur zu niedrig", stops=True),
        Fault(32, "maximale Füllzeit überschritten", stops=True),
        Fault(70, "Pellets-Lagerstand gering", stops=False),
        Fault(_ASH_DRAWER_OPEN, "Aschelade offen", stops=True),
    )
}


@dataclass(frozen=True, slots=True)
class News:
    """What happened meanwhile.

    ``notices`` are the boiler's log lines without the leading ``z``; ``finished`` are the ids of
    parameters that started something which is done, so that they go back to "no".
    """

    notices: tuple[str, ...]
    finished: tuple[str, ...]


@dataclass(slots=True)
class _Noise:
    """What sensors add, drawn anew whenever time passes."""

    supply: float = 0.0
    chamber: float = 0.0
    oxygen: float = 0.0
    flue: float = 0.0
    current: float = 0.0


@dataclass(slots=True)
class _Demand:
    """Who wants heat; the buffer's wish holds until it is charged."""

    buffer: bool = False
    hot_water: bool = False
    highest: float = 0.0
    notices: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)


class Plant:
    """A pellet boiler of 20 kW with a buffer, two heating circuits and a hot water tank.

    Args:
        seed: decides the weather and the noise.
        hour: the time of day at the start, in hours.
        parameters: the settings that it obeys; its own standard ones when left out.
    """

    def __init__(
        self, seed: int = 0, hour: float = 7.0, parameters: ParameterTable | None = None
    ) -> None:
        self.parameters = standard_parameters() if parameters is None else parameters
        self.burner = Burner()
        self.buffer = Buffer()
        self.tank = Tank()
        self.circuits = (Circuit(0.14, 20.1, 31.0), Circuit(0.34, 21.2, 26.5))
        self.boiler = 41.0
        self.back = 38.5
        self.flue = 44.0
        self.oxygen = _AIR
        self.fan = 0.0
        self.pumping = False
        self.burnt = 1133.0
        self.stock = 3067.0
        self._hour = hour
        self._random = Random(seed)  # noqa: S311 - noise, not a secret
        self._mean_outdoor = self._random.uniform(-3.0, 5.0)
        self._outdoor_average = self.outdoor
        self._faults: dict[int, Fault] = {}
        self._noise = _Noise()
        self._demand = _Demand()

    @property
    def state(self) -> State:
        """What the boiler does, as ``ZK`` shows it."""
        return self.burner.state

    @property
    def mode(self) -> Mode:
        """The boiler's mode, from the parameter PR001."""
        return Mode(int(self.parameters.number("PR001")))

    @property
    def outdoor(self) -> float:
        """The temperature outside in °C."""
        return outdoor_temperature(self._hour, self._mean_outdoor)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The active faults, oldest first."""
        return tuple(self._faults.values())

    def raise_fault(self, number: int) -> None:
        """Let a fault happen; one whose number is not known stops the fire."""
        self._faults[number] = _FAULTS.get(number, Fault(number, "Störung", stops=True))

    def clear_fault(self, number: int) -> None:
        """Mend a fault; one that is not there needs no mending."""
        self._faults.pop(number, None)

    def advance(self, seconds: float) -> News:
        """Let time pass."""
        left = seconds
        while left > 0:
            step = min(left, _STEP)
            self._step(step)
            left -= step
        draw = self._random.uniform
        self._noise = _Noise(draw(-4, 4), draw(-6, 6), draw(-0.3, 0.3), draw(-0.8, 0.8), draw(0, 9))
        news = News(tuple(self._demand.notices), tuple(self._demand.finished))
        self._demand.notices.clear()
        self._demand.finished.clear()
        return news

    def values(self) -> dict[str, float]:
        """The analog values of all channels that something here decides."""
        return {**self._fire_values(), **self._store_values(), **self._house_values()}

    def bits(self) -> dict[str, bool]:
        """The digital channels that something here decides."""
        state = self.state
        below = self.boiler - self.back > 1 and self.back < _RETURN_SETPOINT
        bits = {
            "Störung": bool(self._faults),
            "Stb": _SAFETY_LIMITER not in self._faults,
            "Aschebox": _ASH_DRAWER_OPEN not in self._faults,
            "Fuellstand": self.burner.hopper > HOPPER / 2,
            "RLP/PuffP": self.pumping,
            "RLm_auf": self.pumping and not below,
            "RLm_zu": self.pumping and below,
            "L Heiz.": state in FIRE or state in IGNITION,
            "Z Heiz.": state in (State.FEEDING, State.WAITING),
            "Z Geb.": state in (State.FEEDING, State.WAITING),
            "ES Run": self._screw_turns(),
            "AA Run": state is State.ASH,
            "AS Saug": state is State.FILLING,
            "AS RA Run": state is State.FILLING,
            "sAS Anf Füll": state is State.FILL_START,
            "Rein En": state is State.CLEANING,
            "Rein Run": state is State.CLEANING,
            "Es Rein Endl": state is not State.CLEANING,
            "BP1": self.tank.pump,
            "Betriebsmeldung": state in FIRE,
        }
        for number, circuit in enumerate(self.circuits, 1):
            off = circuit.setpoint - circuit.flow
            bits[f"HKP{number}"] = circuit.pump
            bits[f"M{number}A"] = circuit.pump and off > 1
            bits[f"M{number}Z"] = circuit.pump and off < -1
        return bits

    def _step(self, seconds: float) -> None:
        self._hour = (self._hour + seconds / 3600) % 24
        drift = self._random.uniform(-1, 1) * 0.0004 * seconds
        self._mean_outdoor = min(max(self._mean_outdoor + drift, -8.0), 9.0)
        self._outdoor_average += (self.outdoor - self._outdoor_average) * seconds / 43_200
        self._heat_house(seconds)
        self._want()
        self._fire(seconds)
        self._move_water(seconds)

    def _heat_house(self, seconds: float) -> None:
        number = self.parameters.number
        active = self.mode in (Mode.AUTO, Mode.NO_FIRE, Mode.HOT_WATER)
        for circuit, settings in zip(self.circuits, self._circuit_settings(), strict=True):
            drawn = circuit.step(
                seconds,
                settings,
                enabled=active and self.mode is not Mode.HOT_WATER,
                outdoor=self.outdoor,
                summer=self._outdoor_average > number("11"),
                hour=self._hour,
                top=self.buffer.top,
            )
            self.buffer.draw(seconds, drawn)
        if number("PR042"):
            self.tank.wanted = True
        drawn = self.tank.step(
            seconds,
            enabled=active,
            setpoint=number("2"),
            difference=number("B2"),
            hour=self._hour,
            top=self.buffer.top,
        )
        self.buffer.draw(seconds, drawn)
        if number("PR042") and not self.tank.wanted:
            self._finish("PR042")

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

    def _want(self) -> None:
        """Decide whether the buffer is to be charged, and say it when that changes."""
        demand = self._demand
        asked = bool(self.parameters.number("PR040"))
        flows = [circuit.setpoint + 3 for circuit in self.circuits if circuit.pump]
        tank = self.parameters.number("2") + 5 if self.tank.wanted else 0.0
        demand.highest = max([*flows, tank])
        demand.hot_water = self.tank.wanted
        before = demand.buffer
        if self.mode not in (Mode.AUTO, Mode.HOT_WATER):
            demand.buffer = False
        elif self.buffer.bottom >= self.parameters.number("C4"):
            demand.buffer = False
            if asked:
                self._finish("PR040")
        elif asked or (demand.highest and self.buffer.top < demand.highest):
            demand.buffer = True
        if before != demand.buffer:
            demand.notices.append("Puffer Laden" if demand.buffer else "Puffer Aus")
            if not demand.buffer:
                demand.notices.append("keine Anforderung")

    def _finish(self, parameter: str) -> None:
        if parameter not in self._demand.finished:
            self._demand.finished.append(parameter)

    def _fire(self, seconds: float) -> None:
        burner = self.burner
        burner.step(
            seconds,
            wanted=self._demand.buffer,
            allowed=self.mode in (Mode.AUTO, Mode.HOT_WATER)
            and not any(fault.stops for fault in self._faults.values()),
            tripped=_SAFETY_LIMITER in self._faults,
            excess=self.boiler - self.parameters.number("C4a"),
        )
        used = burner.heat / 100 * RATED_POWER / _EFFICIENCY / _KWH_PER_KG * seconds / 3600
        self.burnt += used
        burner.hopper = max(burner.hopper - used, 0.0)
        self.stock = max(self.stock - used, 0.0)
        share = burner.heat / 100
        if self.state in FIRE or self.state in IGNITION:
            goal, slowness = max(self.boiler, 40) + 8 + 68 * share, 110.0
        else:
            goal, slowness = self.boiler + 2, 1500.0
        self.flue += (goal - self.flue) * min(seconds / slowness, 1.0)
        oxygen = 7.6 + (1 - share) * 4 if share > 0.2 else _AIR
        self.oxygen += (oxygen - self.oxygen) * min(seconds / 60, 1.0)
        self.fan += (self._fan_setpoint() - self.fan) * min(seconds / 8, 1.0)

    def _fan_setpoint(self) -> float:
        match self.state:
            case State.BURNING:
                return 32 + 0.38 * self.burner.power
            case State.START | State.BURNING_OUT:
                return 65.0
            case State.FEEDING | State.WAITING | State.KINDLING:
                return 45.0
            case State.EMBERS:
                return 15.0
        return 0.0

    def _move_water(self, seconds: float) -> None:
        power = self.burner.heat / 100 * RATED_POWER
        # The pump runs on after the fire, until the boiler has nothing left to give.
        margin = 1.0 if self.pumping else 4.0
        self.pumping = (
            self.boiler > (_PUMP_FROM - 3 if self.pumping else _PUMP_FROM)
            and self.boiler > self.buffer.bottom + margin
        )
        if self.pumping:
            below = self.buffer.bottom
            share = 1.0
            if below < _RETURN_SETPOINT:
                # The mixer lets so much boiler water through that the return stays warm.
                spread = max(self.boiler - below, 0.1)
                share = min(max((self.boiler - _RETURN_SETPOINT) / spread, 0.0), 1.0)
            flow = share * _BOILER_FLOW
            back = share * below + (1 - share) * self.boiler
            power -= flow * WATER * (self.boiler - below)
            self.buffer.charge(seconds, flow, self.boiler)
            self.back += (back - self.back) * min(seconds / 30, 1.0)
        else:
            self.back += (self.boiler - 2.5 - self.back) * min(seconds / 300, 1.0)
        self.boiler += (power - 0.006 * (self.boiler - 18)) * seconds / _BOILER_CAPACITY
        self.buffer.settle(seconds)

    def _screw_turns(self) -> bool:
        return self.burner.feeds and self._noise.current < 0.09 * max(self.burner.power, 20.0)

    def _fire_values(self) -> dict[str, float]:
        burner, noise = self.burner, self._noise
        burning = self.state is State.BURNING
        lambda_heated = self.state in FIRE or self.state in IGNITION
        turning = self._screw_turns()
        return {
            "ZK": self.state,
            "O2": min(self.oxygen + (noise.oxygen if burning else 0.0), _AIR),
            "O2soll": 7.7 if self.state in FIRE else 0.0,
            "TRG": self.flue + (noise.flue if self.state in FIRE else 0.0),
            "SZist": self.fan,
            "SZsoll": self._fan_setpoint(),
            "Effizienz": 94.0 - 0.03 * (self.flue - 80) if burning else 0.0,
            "Leistung": burner.power,
            "ESsoll": burner.power * 0.857 * 0.86 if burner.feeds else 0.0,
            "ESRegler": 100.0 if burning else 0.0,
            "min.Leist.TRG": 30.3 if self.flue < 90 else 30.0,
            "Störungs Nr": next(reversed(self._faults), 0),
            "I Es": 168 + noise.current if turning else 0.0,
            "I Ra": 310 + noise.supply if self.state is State.FILLING else 2 + noise.current / 9,
            "I Aa": 140 + noise.current if self.state is State.ASH else 0.0,
            "I Sr": 210 + noise.current if self.state is State.GRATE else 0.0,
            "I Rein": 120 + noise.current if self.state is State.CLEANING else 0.0,
            "LZ ES seit Füll.": burner.feeding_since_filling,
            "LZ ES seit Ent.": burner.feeding_since_ash,
            "Anzahl Entasch.": burner.burns % 10,
            "Anzahl SR Beweg.": 21 + burner.burns,
            "Lagerstand": self.stock,
            "Verbrauchszähler": int(self.burnt),
            "BSZ_HEIZUNG": int(burner.hours),
            "BSZ_ZUENDUNGEN": burner.ignitions,
            "Heiz P Lambda": 8.0 if lambda_heated else 0.0,
            "Heiz U Lambda": 13.58 if lambda_heated else 0.0,
            "Heiz I Lambda": 589.0 if lambda_heated else -5.0,
            "U_Lambda": 38 - 2.1 * self.oxygen if lambda_heated else -5.2,
            "U Netzteil": 24_190 + noise.supply,
            "BRT": 110 + noise.chamber,
            "Tplat": 29 + self.boiler / 20,
        }

    def _store_values(self) -> dict[str, float]:
        demand = self._demand
        hot = self.parameters.number("C4a")
        top, middle, bottom = self.buffer.layers
        return {
            "TK": self.boiler,
            "TKsoll": hot if demand.buffer else 0.0,
            "TRL": self.back,
            "TRLsoll": _RETURN_SETPOINT if self.pumping else 0.0,
            "Spreizung": self.boiler - self.back if self.pumping else 0.0,
            "TPo": top,
            "TPm": middle,
            "TPu": bottom,
            "Puff Füllgrad": self.buffer.level(25.0, hot),
            "Puffer_soll oben": demand.highest if demand.buffer else 0.0,
            "Puffer_soll unten": self.parameters.number("C4") if demand.buffer else 0.0,
            "PuffZustand": 3 if demand.buffer else 2 * self._anybody_draws(),
            "Max Anf Kessel": hot if demand.buffer else demand.highest,
            "Programm": self.mode,
            "Wasserdruck": 1.42 + (self.boiler - 40) * 0.004,
        }

    def _anybody_draws(self) -> bool:
        return self.tank.pump or any(circuit.pump for circuit in self.circuits)

    def _house_values(self) -> dict[str, float]:
        heating = max(circuit.setpoint for circuit in self.circuits)
        values: dict[str, float] = {
            "Taus": self.outdoor,
            "TA Gem.": self._outdoor_average,
            "TB1": self.tank.temperature,
            "TBs_1": self.parameters.number("2") if self.tank.wanted else 0.0,
            "BoiZustand_1": self.tank.pump,
            "HKR Anf": self._demand.highest,
            "Anf. HKR0": max(heating, self._demand.highest),
            # Only the first circuit has a remote control that measures the room.
            "TRA_1": self.circuits[0].room,
            "TRs_1": self.circuits[0].wished,
        }
        for number, circuit in enumerate(self.circuits, 1):
            values[f"TVL_{number}"] = circuit.flow
            values[f"TVLs_{number}"] = circuit.setpoint
            values[f"HKZustand_{number}"] = circuit.state
            values[f"FR{number} Zustand"] = 3 if circuit.state is CircuitState.HEATING else 1
            values[f"HKP{number} Status"] = 25 if circuit.pump else 0
        return values
