"""Who the boiler and the gateway are, as it is published, and what a channel shows."""

from dataclasses import asdict
from datetime import UTC, datetime

from hargassner.boiler.model import Boiler, Channel
from hargassner.clock import IClock
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.states import UNKNOWN

OF_GATEWAY = ("gateway", "session", "par_", "climate_", "water_heater_")
"""How the names begin of what there is only with a gateway."""


def boiler_info(boiler: Boiler, clock: IClock, absent: tuple[str, ...]) -> Json:
    """Who the boiler and the gateway are; what is not known is None.

    Args:
        boiler: the model.
        clock: time.
        absent: how the names begin of what there is not.
    """
    info = {**asdict(boiler.identity), "session_start": _session_start(boiler, clock)}
    there = {key: value or None for key, value in info.items() if not key.startswith(absent)}
    return {**there, **boiler.understanding.facts}


def has_told(channel: Channel) -> bool:
    """Whether a telemetry line has told what the channel shows."""
    return channel.text is not None


def shown(channel: Channel) -> str:
    """What a channel shows, if that is known."""
    is_known = channel.connected and channel.value is not None
    # Whatever has a value has a text.
    return str(channel.text) if is_known else UNKNOWN


def _session_start(boiler: Boiler, clock: IClock) -> str | None:
    session = boiler.availability.session
    return None if session is None else iso(clock.date(session.opened))


def iso(date: float) -> str:
    """A date as it is published, given in seconds since the epoch."""
    return datetime.fromtimestamp(date, UTC).isoformat(timespec="seconds")
