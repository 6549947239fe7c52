"""Whether it works, and where it hangs: each link of the chain, computed from plain facts.

The state of a link is that of the first rule which applies; the rules stand in that order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hargassner.mqtt.interfaces import LinkState, LinkStatus
from hargassner.web.link import Facts, Level, Link, advised
from hargassner.web.understood import assumed, contradicted, not_understood, recognised

__all__ = ["Facts", "Level", "Link", "Status", "status_of"]

SILENCE_TIMEOUT = 120.0
"""Seconds of silence after which a device that should be heard counts as missing. A gateway that
starts over is silent for half a minute, and then takes a quarter of one to find the boiler."""

FIRST_TELEMETRY_TIMEOUT = 30.0
"""Seconds that a boiler whose address is known has for its first telemetry line."""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole chain; ``gateway`` is None where there is none in it."""

    gateway: Link | None
    bridge: Link
    boiler: Link
    broker: Link


def status_of(facts: Facts) -> Status:
    """The chain's state."""
    boiler = _boiler(facts)
    gateway = _gateway(facts, boiler) if facts.with_gateway else None
    return Status(gateway, _bridge(facts), boiler, _broker(facts.broker))


def _bridge(facts: Facts) -> Link:
    if facts.closed_to_gateway or facts.closed_to_boiler:
        return advised("bridge.closed", Level.BROKEN, facts.started)
    return Link("bridge.online", Level.OK, facts.started)


def _closed(side: str, what: tuple[str, ...], address: str) -> Link:
    return advised(f"{side}.closed", Level.BROKEN, None, address, what=", ".join(what))


def _first(rules: Iterable[Callable[[Facts], Link | None]], facts: Facts) -> Link | None:
    """The link that the first rule which applies makes of the facts."""
    return next((link for rule in rules if (link := rule(facts)) is not None), None)


# The gateway.


def _gateway(facts: Facts, boiler: Link) -> Link:
    return _first(_GATEWAY_RULES, facts) or _gateway_starting(facts, boiler)


def _gateway_logged_in(facts: Facts) -> Link | None:
    if facts.logged_in is None:
        return None
    return Link("gateway.online", Level.OK, facts.logged_in, facts.gateway_address)


def _gateway_ports_closed(facts: Facts) -> Link | None:
    if not facts.closed_to_gateway:
        return None
    return _closed("gateway", facts.closed_to_gateway, facts.gateway_address)


def _gateway_connected(facts: Facts) -> Link | None:
    if facts.connected is None:
        return None
    return Link("gateway.connected", Level.WAIT, facts.connected, facts.gateway_address)


def _gateway_silent(facts: Facts) -> Link | None:
    last_sign = _last_sign(facts)
    if facts.now - last_sign < SILENCE_TIMEOUT:
        return None
    place = facts.gateway_interface
    return advised("gateway.silent", Level.BROKEN, last_sign, facts.gateway_address, place=place)


_GATEWAY_RULES = (_gateway_logged_in, _gateway_ports_closed, _gateway_connected, _gateway_silent)


def _gateway_starting(facts: Facts, boiler: Link) -> Link:
    """A gateway that was heard not long ago; without its boiler it cannot connect."""
    last_sign = _last_sign(facts)
    announced = facts.gateway_heard == last_sign
    advice = "gateway.refused.advice" if boiler.level is Level.BROKEN else ""
    state = "gateway.announced" if announced and not advice else "gateway.waiting"
    return Link(state, Level.WAIT, last_sign, facts.gateway_address, advice=advice)


def _last_sign(facts: Facts) -> float:
    """When something was last heard of the gateway, or the bridge started."""
    heard = facts.started if facts.gateway_heard is None else facts.gateway_heard
    return max(heard, facts.session_over or 0.0)


# The boiler.


def _boiler(facts: Facts) -> Link:
    return _first(_BOILER_RULES, facts) or _boiler_away(facts)


def _boiler_telling(facts: Facts) -> Link | None:
    """A boiler whose telemetry comes, by what is known of its meaning."""
    return _first(_TELEMETRY_RULES, facts) if facts.telemetry else None


def _mismatched(facts: Facts) -> Link | None:
    mismatch = facts.length_mismatch
    if mismatch is None:
        return None
    return advised(
        "boiler.mismatch",
        Level.WAIT,
        facts.telemetry_since,
        facts.boiler_address,
        got=mismatch.got,
        expected=mismatch.expected,
    )


def _boiler_online(facts: Facts) -> Link:
    return Link("boiler.online", Level.OK, facts.telemetry_since, facts.boiler_address)


_TELEMETRY_RULES = (
    contradicted,
    _mismatched,
    not_understood,
    recognised,
    assumed,
    _boiler_online,
)


def _boiler_ports_closed(facts: Facts) -> Link | None:
    if not facts.closed_to_boiler:
        return None
    return _closed("boiler", facts.closed_to_boiler, facts.boiler_address)


def _boiler_unknown(facts: Facts) -> Link | None:
    if facts.boiler_address:
        return None
    since = _no_telemetry_since(facts)
    if facts.now - since < SILENCE_TIMEOUT:
        return Link("boiler.unknown", Level.WAIT, since)
    advice = "" if facts.with_gateway else "boiler.lost.alone.advice"
    place = facts.boiler_interface
    return advised("boiler.lost", Level.BROKEN, since, advice=advice, place=place)


def _boiler_idle(facts: Facts) -> Link | None:
    in_use = facts.reads_directly or facts.connected is not None or facts.logged_in is not None
    if in_use:
        return None
    return Link("boiler.idle", Level.OFF, _no_telemetry_since(facts), facts.boiler_address)


def _boiler_connecting(facts: Facts) -> Link | None:
    waited = facts.now - facts.started
    if facts.telemetry_since is not None or waited >= FIRST_TELEMETRY_TIMEOUT:
        return None
    return Link("boiler.connecting", Level.WAIT, facts.started, facts.boiler_address)


_BOILER_RULES = (
    _boiler_telling,
    _boiler_ports_closed,
    _boiler_unknown,
    _boiler_idle,
    _boiler_connecting,
)


def _boiler_away(facts: Facts) -> Link:
    return Link(
        "boiler.away",
        Level.BROKEN,
        _no_telemetry_since(facts),
        facts.boiler_address,
        problem=facts.boiler_problem,
        advice="boiler.away.advice",
        fields=(("place", facts.boiler_interface),),
    )


def _no_telemetry_since(facts: Facts) -> float:
    return facts.started if facts.telemetry_since is None else facts.telemetry_since


# The broker.


_BROKER_LEVELS = {
    LinkState.CONNECTING: Level.WAIT,
    LinkState.ONLINE: Level.OK,
    LinkState.WAITING: Level.BROKEN,
    LinkState.REFUSED: Level.BROKEN,
    LinkState.STOPPED: Level.OFF,
}


def _broker(status: LinkStatus | None) -> Link:
    if status is None:
        return Link("broker.off", Level.OFF)
    if status.limit and status.state is LinkState.ONLINE:
        return advised("broker.limited", Level.OK, status.since, status.url, size=status.limit)
    level = _BROKER_LEVELS[status.state]
    return Link(
        f"broker.{status.state}",
        level,
        status.since,
        status.url,
        problem=status.problem,
        advice=f"broker.{status.state}.advice" if level is Level.BROKEN else "",
    )
