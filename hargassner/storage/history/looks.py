"""What the history sees of the model."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from hargassner.boiler.model import Boiler, Channel, Fault
from hargassner.boiler.roles import OUTDOOR, OUTPUT, PUMPS, STATE, by_role, charted
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
    code = _code(state)
    return Look(
        values={
            **_recorded(chain(*charted(channels).values())),
            **_recorded(filter(None, [state]), is_state=True),
        },
        state=code,
        activity=_activity(boiler, state, code),
        pumps=tuple(_running(first)),
        output=_value(_first(first, OUTPUT)),
        outdoor=_value(_first(first, OUTDOOR)),
        burnt=boiler.counters.consumption,
        stock=boiler.counters.stock,
        faults=frozenset(map(fault_seen, boiler.faults)),
    )


def _found(channels: dict[str, Channel], roles: Sequence[str]) -> Iterator[Channel]:
    return (channels[role] for role in roles if role in channels)


def _running(channels: dict[str, Channel]) -> Iterator[str]:
    """The pumps that run."""
    return (each.object for each in _found(channels, PUMPS) if each.value)


def _first(channels: dict[str, Channel], roles: Sequence[str]) -> Channel | None:
    return next(_found(channels, roles), None)


def _recorded(channels: Iterable[Channel], *, is_state: bool = False) -> dict[Recorded, float]:
    return {
        Recorded(each.object, each.name, each.unit, is_state): float(each.value)
        for each in islice(channels, MOST_CHANNELS)
        if each.value is not None
    }


def _activity(boiler: Boiler, state: Channel | None, code: int | None) -> str | None:
    if state is None or code is None:
        return None
    return activities(boiler.catalogue, state.name, boiler.family).get(code, OTHER)


def _code(state: Channel | None) -> int | None:
    value = _value(state)
    return None if value is None else int(value)


def _value(channel: Channel | None) -> float | None:
    return None if channel is None or channel.value is None else float(channel.value)


def fault_seen(fault: Fault) -> FaultSeen:
    """A fault of the model's as it is kept."""
    return FaultSeen(fault.number or 0, fault.text.en)
