"""The analog channels of the simulated boiler that show its fire, by name."""

from hargassner.simulator.boiler.burner import FIRE, LIT, Burner, State
from hargassner.simulator.boiler.combustion import AIR, Combustion, fan_setpoint
from hargassner.simulator.boiler.noise import Noise

_CURRENTS = {"I Aa": (State.ASH, 140), "I Sr": (State.GRATE, 210), "I Rein": (State.CLEANING, 120)}
"""Motors that run in one state only: which, and the mean current in mA."""


def value_if(condition: bool, value: float, otherwise: float = 0.0) -> float:
    """A value that a channel shows under a condition, and what it shows else."""
    return value if condition else otherwise


def screw_turns(burner: Burner, noise: Noise) -> bool:
    """Whether the feed screw turns now; it turns the more often, the more power is asked for."""
    return burner.feeds and noise.current < 0.09 * max(burner.power, 20.0)


def combustion_values(burner: Burner, combustion: Combustion, noise: Noise) -> dict[str, float]:
    """State, output, flue gas and fan."""
    burning = burner.state is State.BURNING
    fire = burner.state in FIRE
    return {
        "ZK": burner.state,
        "O2": min(combustion.oxygen + value_if(burning, noise.oxygen), AIR),
        "O2soll": value_if(fire, 7.7),
        "TRG": combustion.flue + value_if(fire, noise.flue),
        "SZist": combustion.fan,
        "SZsoll": fan_setpoint(burner),
        "Effizienz": value_if(burning, 94.0 - 0.03 * (combustion.flue - 80)),
        "Leistung": burner.power,
        "ESsoll": value_if(burner.feeds, burner.power * 0.857 * 0.86),
        "ESRegler": value_if(burning, 100.0),
        "min.Leist.TRG": value_if(combustion.flue < 90, 30.3, 30.0),
    }


def motor_values(burner: Burner, noise: Noise) -> dict[str, float]:
    """The currents of the motors in mA."""
    current = noise.current
    filling = burner.state is State.FILLING
    return {
        "I Es": value_if(screw_turns(burner, noise), 168 + current),
        "I Ra": value_if(filling, 310 + noise.supply, 2 + current / 9),
        **{
            name: value_if(burner.state is state, mean + current)
            for name, (state, mean) in _CURRENTS.items()
        },
    }


def counter_values(burner: Burner, combustion: Combustion) -> dict[str, float]:
    """What is counted: running times, burns, fuel."""
    return {
        "LZ ES seit Füll.": burner.feeding_since_filling,
        "LZ ES seit Ent.": burner.feeding_since_ash,
        "Anzahl Entasch.": burner.burns % 10,
        "Anzahl SR Beweg.": 21 + burner.burns,
        "Lagerstand": combustion.stock,
        "Verbrauchszähler": int(combustion.burnt),
        "BSZ_HEIZUNG": int(burner.hours),
        "BSZ_ZUENDUNGEN": burner.ignitions,
    }


def sensor_values(burner: Burner, combustion: Combustion, noise: Noise) -> dict[str, float]:
    """The lambda probe, the power supply and the chamber's temperature."""
    heated = burner.state in LIT
    return {
        "Heiz P Lambda": value_if(heated, 8.0),
        "Heiz U Lambda": value_if(heated, 13.58),
        "Heiz I Lambda": value_if(heated, 589.0, -5.0),
        "U_Lambda": value_if(heated, 38 - 2.1 * combustion.oxygen, -5.2),
        "U Netzteil": 24_190 + noise.supply,
        "BRT": 110 + noise.chamber,
    }
