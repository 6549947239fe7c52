"""Whether it works, and where it hangs: each link of the chain, reckoned from plain facts."""

from dataclasses import dataclass
from enum import StrEnum

from hargassner.dialogue.channels import LengthMismatch
from hargassner.mqtt.interfaces import LinkState, LinkStatus

PATIENCE = 120.0
"""Seconds of quiet after which a neighbour that should be heard counts as missing. A gateway that
starts over is quiet for half a minute, and then takes a quarter of one to find the boiler."""

FIRST_TELEMETRY_PATIENCE = 30.0
"""Seconds that a boiler whose address is known has for its first telemetry line."""


class Level(StrEnum):
    """How a link is, at a glance."""

    OK = "ok"
    WAIT = "wait"
    BROKEN = "broken"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Link:
    """How one link is.

    ``state`` names it, such as "gateway.online"; the table of texts has it in words. ``since`` is
    the moment, None where nothing has happened yet. ``address`` is the far end's,
    as far as it is known. ``problem`` is the cause as the system or the broker tells it. ``advice``
    names the sentence that says what to do, empty where nothing is to be done; ``fields`` are
    filled into it.
    """

    state: str
    level: Level
    since: float | None = None
    address: str = ""
    problem: str = ""
    advice: str = ""
    fields: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the chain's state follows from. Times are moments of a clock that runs evenly.

    ``closed_to_gateway`` and ``closed_to_boiler`` name what should be open on each side and is
    not. ``gateway_heard`` and ``session_over`` are when the gateway last announced itself and last
    ended a session; ``connected`` is when a client's open session began, None without one, and
    ``logged_in`` when the gateway logged in on it. ``boiler_problem`` is why the last connection to
    the boiler could not be made. ``reads_directly`` says whether the bridge reads telemetry on
    its own. ``broker`` is None where none is configured.
    """

    now: float
    started: float
    gateway_place: str = ""
    boiler_place: str = ""
    closed_to_gateway: tuple[str, ...] = ()
    closed_to_boiler: tuple[str, ...] = ()
    gateway_address: str = ""
    gateway_heard: float | None = None
    session_over: float | None = None
    connected: float | None = None
    logged_in: float | None = None
    boiler_address: str = ""
    boiler_problem: str = ""
    reads_directly: bool = True
    telemetry: bool = False
    telemetry_since: float | None = None
    mismatch: LengthMismatch | None = None
    broker: LinkStatus | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The whole chain."""

    gateway: Link
    bridge: Link
    boiler: Link
    broker: Link


def status_of(facts: Facts) -> Status:
    """The chain's state."""
    boiler = _boiler(facts)
    return Status(_gateway(facts, boiler), _bridge(facts), boiler, _broker(facts.broker))


def _bridge(facts: Facts) -> Link:
    if facts.closed_to_gateway or facts.closed_to_boiler:
        return Link("bridge.closed", Level.BROKEN, facts.started, advice="bridge.closed.advice")
    return Link("bridge.online", Level.OK, facts.started)


def _closed(side: str, what: tuple[str, ...], address: str) -> Link:
    return Link(
        f"{side}.closed",
        Level.BROKEN,
        address=address,
        advice=f"{side}.closed.advice",
        fields=(("what", ", ".join(what)),),
    )


def _gateway(facts: Facts, boiler: Link) -> Link:
    address = facts.gateway_address
    if facts.logged_in is not None:
        return Link("gateway.online", Level.OK, facts.logged_in, address)
    if facts.closed_to_gateway:
        return _closed("gateway", facts.closed_to_gateway, address)
    if facts.connected is not None:
        return Link("gateway.connected", Level.WAIT, facts.connected, address)
    signs = (facts.started, facts.gateway_heard or 0.0, facts.session_over or 0.0)
    last_sign = max(signs)
    if facts.now - last_sign >= PATIENCE:
        return Link(
            "gateway.silent",
            Level.BROKEN,
            last_sign,
            address,
            advice="gateway.silent.advice",
            fields=(("place", facts.gateway_place),),
        )
    if boiler.level is Level.BROKEN:
        return Link(
            "gateway.waiting", Level.WAIT, last_sign, address, advice="gateway.refused.advice"
        )
    heard = facts.gateway_heard is not None and facts.gateway_heard == last_sign
    return Link("gateway.announced" if heard else "gateway.waiting", Level.WAIT, last_sign, address)


def _boiler(facts: Facts) -> Link:
    address = facts.boiler_address
    if facts.telemetry:
        if facts.mismatch is None:
            return Link("boiler.online", Level.OK, facts.telemetry_since, address)
        counts = (("got", facts.mismatch.got), ("expected", facts.mismatch.expected))
        return Link(
            "boiler.misfit",
            Level.WAIT,
            facts.telemetry_since,
            address,
            advice="boiler.misfit.advice",
            fields=counts,
        )
    if facts.closed_to_boiler:
        return _closed("boiler", facts.closed_to_boiler, address)
    since = facts.started if facts.telemetry_since is None else facts.telemetry_since
    place = (("place", facts.boiler_place),)
    if not address:
        if facts.now - since < PATIENCE:
            return Link("boiler.unknown", Level.WAIT, since)
        return Link("boiler.lost", Level.BROKEN, since, advice="boiler.lost.advice", fields=place)
    if not facts.reads_directly and facts.connected is None and facts.logged_in is None:
        return Link("boiler.idle", Level.OFF, since, address)
    if facts.telemetry_since is None and facts.now - since < FIRST_TELEMETRY_PATIENCE:
        return Link("boiler.connecting", Level.WAIT, since, address)
    return Link(
        "boiler.away",
        Level.BROKEN,
        since,
        address,
        problem=facts.boiler_problem,
        advice="boiler.away.advice",
        fields=place,
    )


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
        return Link(
            "broker.limited",
            Level.OK,
            status.since,
            status.url,
            advice="broker.limited.advice",
            fields=(("size", status.limit),),
        )
    level = _BROKER_LEVELS[status.state]
    return Link(
        f"broker.{status.state}",
        level,
        status.since,
        status.url,
        problem=status.problem,
        advice=f"broker.{status.state}.advice" if level is Level.BROKEN else "",
    )
