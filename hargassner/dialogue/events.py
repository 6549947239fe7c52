"""What happened, as values: the events that the rest of the bridge lives on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hargassner.dialogue.channels import Descriptor, Fit, LengthMismatch, Reading
from hargassner.dialogue.origin import BOILER, Origin
from hargassner.dialogue.parameters import Parameter

Direction = Literal["gateway", "boiler", "bridge"]
"""Who sent something; the bridge asks the boiler on the gateway's connection."""


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A client connected through the bridge; ``session`` numbers it from now on."""

    session: int
    client: str


@dataclass(frozen=True, slots=True)
class SessionOver:
    """A session ended, and why."""

    session: int
    reason: str


@dataclass(frozen=True, slots=True)
class Announced:
    """The gateway broadcast that it is there and starts over."""

    address: str
    software: str
    serial: str


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The boiler accepted the gateway's key."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """The boiler acknowledged ``$igw clear``: the gateway is about to close and start over."""


@dataclass(frozen=True, slots=True)
class BoilerDescribed:
    """The boiler described its telemetry: the document as it came, and what it means."""

    document: bytes
    descriptor: Descriptor


@dataclass(frozen=True, slots=True)
class Described:
    """What the boiler's telemetry means from now on, and how that is known."""

    descriptor: Descriptor
    origin: Origin = BOILER


@dataclass(frozen=True, slots=True)
class NotRecognised:
    """Lines of so many values were looked at, and what they mean is not known."""

    values: int
    lines: int


@dataclass(frozen=True, slots=True)
class Identified:
    """One fact of who the boiler or the gateway is.

    ``name`` is one of model, firmware, io_firmware, io_serial, controller_serial, boot_version,
    api_version, gateway_serial and asnr; ``value`` is never empty.
    """

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ClockRead:
    """What the boiler's clock shows, without a time zone."""

    time: datetime


@dataclass(frozen=True, slots=True)
class UptimeRead:
    """For how long the boiler's controller has been running."""

    seconds: int


@dataclass(frozen=True, slots=True)
class TelemetryLine:
    """One telemetry line, from ``pm`` on, without its line end."""

    line: bytes


@dataclass(frozen=True, slots=True)
class Readings:
    """What changed in a telemetry line, which can be nothing.

    ``mismatch`` says that the line has another length than was described, so that not every channel
    is known. ``fit`` is how the lines go with their descriptor, None where there is none.
    """

    changed: Sequence[Reading] = ()
    mismatch: LengthMismatch | None = None
    fit: Fit | None = None


@dataclass(frozen=True, slots=True)
class ParameterSeen:
    """A reply described a parameter in full."""

    parameter: Parameter


@dataclass(frozen=True, slots=True)
class ParameterChanged:
    """Notices said that a parameter was set, at the boiler's panel or by a request.

    ``name`` is empty and ``old`` is None where the boiler did not say them.
    """

    id: str
    name: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class ActiveErrors:
    """The errors that the boiler lists as active, in its own words; none, if empty."""

    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A log line of the boiler, from its leading ``z`` on."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The boiler refused a request; ``reply`` is the line that said so."""

    request: str
    reply: str
    asked_by: Direction = "gateway"


@dataclass(frozen=True, slots=True)
class Passthrough:
    """A request of a kind that is not known: its reply passes without being understood.

    ``kind`` is how such requests begin. There is an event for the first request of a kind only.
    """

    request: str
    kind: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was not understood: who sent it, how it begins, and what is wrong."""

    direction: Direction
    text: str
    reason: str


ValueEvent = (
    SessionOpened
    | SessionOver
    | Announced
    | LoggedIn
    | Clearing
    | Identified
    | ClockRead
    | UptimeRead
    | ParameterSeen
    | ParameterChanged
    | ActiveErrors
    | Notice
    | Refused
    | Passthrough
    | Unreadable
)
"""What has no bytes in it."""

Event = ValueEvent | BoilerDescribed | TelemetryLine
"""What a dialogue gives, and what the proxy and the discovery say of it."""

ModelEvent = ValueEvent | Described | NotRecognised | Readings
"""What the model takes in: descriptors and readings, not documents and lines."""
