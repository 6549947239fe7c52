"""What the history sees of the model."""

from itertools import chain

from hargassner.boiler.model import Boiler, Channel, Fault
from hargassner.boiler.roles import CHARTS, OUTDOOR, OUTPUT, PUMPS, STATE, by_role
from hargassner.catalogue.activities import OTHER, activities
from hargassner.storage.history.samples import FaultSeen, Look, Recorded

MOST_CHANNELS = 32
"""Channels that are kept at most; a boiler has about twenty."""


def look_at(boiler: Boiler) -> Look | None:
    """What the model shows now, None while no telemetry comes."""
    if not boiler.availability.telemetry:
        return None
    channels = by_role(boiler)
    first = {role: found[0] for role, found in channels.items()}
    state = _first(first, STATE)
    charted = [channel for role in chain(*CHARTS.values()) for channel in channels.get(role, ())]
    code = None if state is None or state.value is None else int(state.value)
    return Look(
        values={
            _recorded(each, each is state): float(each.value)
            for each in [*charted, *([state] if state else [])][:MOST_CHANNELS]
            if each.value is not None
        },
        state=code,
        activity=_activity(boiler, state, code),
        pumps=tuple(first[role].object for role in PUMPS if role in first and first[role].value),
        output=_value(_first(first, OUTPUT)),
        outdoor=_value(_first(first, OUTDOOR)),
        burnt=boiler.counters.consumption,
        stock=boiler.counters.stock,
        faults=frozenset(map(fault_seen, boiler.faults)),
    )


def _first(channels: dict[str, Channel], roles: tuple[str, ...]) -> Channel | None:
    return next((channels[role] for role in roles if role in channels), None)


def _recorded(channel: Channel, is_state: bool) -> Recorded:
    return Recorded(channel.object, channel.name, channel.unit, is_state)


def _activity(boiler: Boiler, state: Channel | None, code: int | None) -> str | None:
    if state is None or code is None:
        return None
    return activities(boiler.catalogue, state.name, boiler.family).get(code, OTHER)


def _value(channel: Channel | None) -> float | None:
    return None if channel is None or channel.value is None else float(channel.value)


def fault_seen(fault: Fault) -> FaultSeen:
    """A fault of the model's as it is kept."""
    return FaultSeen(fault.number or 0, fault.text.en)
