"""The analog channels of the simulated boiler that show water, buffer and house, by name."""

from collections.abc import Sequence

from hargassner.simulator.boiler.demand import Demand
from hargassner.simulator.boiler.fire_values import value_if
from hargassner.simulator.boiler.house import Buffer, Circuit, CircuitState, Tank
from hargassner.simulator.boiler.parameters import ParameterTable
from hargassner.simulator.boiler.water import RETURN_SETPOINT, BoilerWater
from hargassner.simulator.boiler.weather import Weather


def water_values(
    water: BoilerWater, demand: Demand, parameters: ParameterTable
) -> dict[str, float]:
    """The boiler's water."""
    hot = parameters.number("C4a")
    return {
        "TK": water.temperature,
        "TKsoll": value_if(demand.buffer, hot),
        "TRL": water.back,
        "TRLsoll": value_if(water.pumping, RETURN_SETPOINT),
        "Spreizung": value_if(water.pumping, water.temperature - water.back),
        "Max Anf Kessel": value_if(demand.buffer, hot, demand.highest),
        "Wasserdruck": 1.42 + (water.temperature - 40) * 0.004,
        "Tplat": 29 + water.temperature / 20,
    }


def buffer_values(
    buffer: Buffer, demand: Demand, parameters: ParameterTable, *, drawn: bool
) -> dict[str, float]:
    """The buffer; ``drawn`` if somebody takes heat from it."""
    top, middle, bottom = buffer.layers
    return {
        "TPo": top,
        "TPm": middle,
        "TPu": bottom,
        "Puff Füllgrad": buffer.level(25.0, parameters.number("C4a")),
        "Puffer_soll oben": value_if(demand.buffer, demand.highest),
        "Puffer_soll unten": value_if(demand.buffer, parameters.number("C4")),
        "PuffZustand": value_if(demand.buffer, 3, 2 * drawn),
    }


def weather_values(weather: Weather) -> dict[str, float]:
    """The temperature outside, now and averaged."""
    return {"Taus": weather.outdoor, "TA Gem.": weather.average}


def tank_values(tank: Tank, parameters: ParameterTable) -> dict[str, float]:
    """The hot water tank."""
    return {
        "TB1": tank.temperature,
        "TBs_1": value_if(tank.needs_heat, parameters.number("2")),
        "BoiZustand_1": tank.pump,
    }


def circuit_values(circuits: Sequence[Circuit], demand: Demand) -> dict[str, float]:
    """The heating circuits, and what they demand."""
    heating = max(circuit.setpoint for circuit in circuits)
    values: dict[str, float] = {
        "HKR Anf": demand.highest,
        "Anf. HKR0": max(heating, demand.highest),
        # Only the first circuit has a remote control that measures the room.
        "TRA_1": circuits[0].room,
        "TRs_1": circuits[0].room_setpoint,
    }
    for number, circuit in enumerate(circuits, 1):
        values[f"TVL_{number}"] = circuit.flow
        values[f"TVLs_{number}"] = circuit.setpoint
        values[f"HKZustand_{number}"] = circuit.state
        values[f"FR{number} Zustand"] = value_if(circuit.state is CircuitState.HEATING, 3, 1)
        values[f"HKP{number} Status"] = value_if(circuit.pump, 25)
    return values
