"""Who is connected, who the boiler and the gateway are, and what can be reached."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from hargassner.dialogue.channels import LengthMismatch
from hargassner.dialogue.events import Announced, Identified, LoggedIn, SessionOpened, SessionOver


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the boiler and the gateway are; an empty string for what is not known yet."""

    model: str = ""
    firmware: str = ""
    io_firmware: str = ""
    io_serial: str = ""
    controller_serial: str = ""
    boot_version: str = ""
    api_version: str = ""
    asnr: str = ""
    system_code: str = ""
    boiler_address: str = ""
    gateway_serial: str = ""
    gateway_software: str = ""
    gateway_address: str = ""


_FACTS = frozenset(each.name for each in fields(Identity))


def identified(identity: Identity, event: Identified | Announced) -> Identity:
    """What is known of who they are after a fact or an announcement."""
    if isinstance(event, Announced):
        return replace(
            identity,
            gateway_address=event.address,
            gateway_software=event.software,
            gateway_serial=event.serial,
        )
    return replace(identity, **{event.name: event.value}) if event.name in _FACTS else identity


@dataclass(frozen=True, slots=True)
class Session:
    """A session through the bridge; ``logged_in`` is None before the gateway's login."""

    number: int | None
    client: str
    opened: float
    logged_in: float | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """What can be reached now, and since when.

    ``session`` is the newest session that has logged in: settings can be changed while there is
    one. ``telemetry`` says whether lines arrive. ``mismatch`` says that their length does not fit
    the descriptor, so that not every channel is known.
    """

    session: Session | None = None
    telemetry: bool = False
    telemetry_since: float | None = None
    mismatch: LengthMismatch | None = None
    mismatch_since: float | None = None


class Sessions:
    """The sessions that run now, oldest first, logged in or not."""

    def __init__(self) -> None:
        self._running: dict[int | None, Session] = {}
        self._logged_in: dict[int | None, Session] = {}

    @property
    def running(self) -> Sequence[Session]:
        """Every session."""
        return tuple(self._running.values())

    @property
    def newest(self) -> Session | None:
        """The one that logged in last, if one is logged in."""
        return next(reversed(self._logged_in.values()), None)

    def take(
        self, event: SessionOpened | LoggedIn | SessionOver, now: float, session: int | None
    ) -> None:
        """One began, logged in or ended.

        Args:
            event: which of these.
            now: the moment.
            session: the session's number; a login needs it.
        """
        match event:
            case SessionOpened():
                self._running[event.session] = Session(event.session, event.client, now)
            case LoggedIn():
                opened = self._running.get(session) or Session(session, "", now)
                self._logged_in.pop(session, None)
                self._running[session] = self._logged_in[session] = replace(opened, logged_in=now)
            case SessionOver():
                self._running.pop(event.session, None)
                self._logged_in.pop(event.session, None)
