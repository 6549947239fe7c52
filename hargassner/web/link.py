"""One link of the chain, as the page and the commands show it, and what links follow from."""

from dataclasses import dataclass
from enum import StrEnum

from hargassner.boiler.understanding import Understanding
from hargassner.dialogue.channels import LengthMismatch
from hargassner.dialogue.origin import BOILER
from hargassner.mqtt.interfaces import LinkStatus

_AS_DESCRIBED = Understanding(BOILER)


class Level(StrEnum):
    """How a link is, at a glance."""

    OK = "ok"
    WAIT = "wait"
    BROKEN = "broken"
    NOT_UNDERSTOOD = "not-understood"
    """It works, but what it brings means nothing yet."""
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


def advised(
    state: str,
    level: Level,
    since: float | None,
    address: str = "",
    advice: str = "",
    **fields: object,
) -> Link:
    """A link with advice, that of its state unless another is named."""
    said = advice or f"{state}.advice"
    return Link(state, level, since, address, advice=said, fields=tuple(fields.items()))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the chain's state follows from. Times are moments of a clock that runs evenly.

    ``with_gateway`` says whether there is a gateway, or the bridge only reads the boiler.
    ``closed_to_gateway`` and ``closed_to_boiler`` name what should be open on each side and is
    not. ``gateway_heard`` and ``session_over`` are when the gateway last announced itself and last
    ended a session; ``connected`` is when a client's open session began, None without one, and
    ``logged_in`` when the gateway logged in on it. ``boiler_problem`` is why the last connection to
    the boiler could not be made. ``reads_directly`` says whether the bridge reads telemetry on its
    own. ``understanding`` is what is known of the meaning of its telemetry. ``broker`` is None
    where none is configured.
    """

    now: float
    started: float
    with_gateway: bool = True
    gateway_interface: str = ""
    boiler_interface: str = ""
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
    length_mismatch: LengthMismatch | None = None
    understanding: Understanding = _AS_DESCRIBED
    broker: LinkStatus | None = None
