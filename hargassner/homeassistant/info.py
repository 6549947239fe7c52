"""Who the boiler and the gateway are, as it is published, and what a channel shows."""

from dataclasses import asdict
from datetime import UTC, datetime

from hargassner.boiler.model import Boiler, Channel
from hargassner.clock import IClock
from hargassner.homeassistant.entities import Json
from hargassner.homeassistant.states import UNKNOWN

OF_GATEWAY = ("gateway", "session", "par_", "climate_", "water_heater_")
"""How the names begin of what there is only with a gateway."""


def boiler_info(boiler: Boiler, clock: IClock, *, with_gateway: bool) -> Json:
    """Who the boiler and the gateway are; what is not known is None."""
    info = {key: value or None for key, value in asdict(boiler.identity).items()}
    info["session_start"] = _session_start(boiler, clock)
    known = {
        key: each for key, each in info.items() if with_gateway or not key.startswith(OF_GATEWAY)
    }
    return {**known, **boiler.understanding.facts}


def shown(channel: Channel) -> str:
    """What a channel shows, if that is known."""
    known = channel.connected and channel.value is not None
    return UNKNOWN if not known or channel.text is None else channel.text


def _session_start(boiler: Boiler, clock: IClock) -> str | None:
    session = boiler.availability.session
    if session is None:
        return None
    return datetime.fromtimestamp(clock.date(session.opened), UTC).isoformat(timespec="seconds")
