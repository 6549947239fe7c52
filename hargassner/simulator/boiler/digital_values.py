"""The digital channels of the simulated boiler, by name."""

from collections.abc import Iterable

from hargassner.simulator.boiler.burner import FIRE, HOPPER, LIT, Burner, State
from hargassner.simulator.boiler.faults import ASH_DRAWER_OPEN, SAFETY_LIMITER, Faults
from hargassner.simulator.boiler.house import Circuit, Tank
from hargassner.simulator.boiler.water import BoilerWater


def fault_bits(faults: Faults) -> dict[str, bool]:
    """Whether there are faults, and the contacts that raise some of them."""
    return {
        "Störung": bool(faults.active),
        "Stb": SAFETY_LIMITER not in faults,
        "Aschebox": ASH_DRAWER_OPEN not in faults,
    }


def burner_bits(burner: Burner, *, screw_turns: bool) -> dict[str, bool]:
    """The motors and heating elements around the fire."""
    state = burner.state
    igniting = state in (State.FEEDING, State.WAITING)
    return {
        "Fuellstand": burner.hopper > HOPPER / 2,
        "L Heiz.": state in LIT,
        "Z Heiz.": igniting,
        "Z Geb.": igniting,
        "ES Run": screw_turns,
        "AA Run": state is State.ASH,
        "AS Saug": state is State.FILLING,
        "AS RA Run": state is State.FILLING,
        "sAS Anf Füll": state is State.FILL_START,
        "Rein En": state is State.CLEANING,
        "Rein Run": state is State.CLEANING,
        "Es Rein Endl": state is not State.CLEANING,
        "Betriebsmeldung": state in FIRE,
    }


def water_bits(water: BoilerWater, tank: Tank) -> dict[str, bool]:
    """The pumps of boiler and tank, and the mixer of the return."""
    return {
        "RLP/PuffP": water.pumping,
        "RLm_auf": water.pumping and not water.return_is_cold,
        "RLm_zu": water.pumping and water.return_is_cold,
        "BP1": tank.pump,
    }


def circuit_bits(circuits: Iterable[Circuit]) -> dict[str, bool]:
    """The pumps and mixers of the heating circuits."""
    bits = {}
    for number, circuit in enumerate(circuits, 1):
        difference = circuit.setpoint - circuit.flow
        bits[f"HKP{number}"] = circuit.pump
        bits[f"M{number}A"] = circuit.pump and difference > 1
        bits[f"M{number}Z"] = circuit.pump and difference < -1
    return bits
