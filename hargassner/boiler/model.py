"""The model: what is known of the boiler now.

Events come in, each with the moment at which it happened; observers are notified of what changed.
Nothing here knows of bytes, sockets or a clock, and nothing here knows who observes. All times here
are moments of a clock that runs evenly; who shows them makes dates of them (hargassner/clock.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from twisted.logger import Logger

from hargassner.boiler.counters import Counters, counted
from hargassner.boiler.energy import Factors, Meter
from hargassner.boiler.equipment import Installation
from hargassner.boiler.faults import Fault, Faults
from hargassner.boiler.fitting_log import FitLog, say_not_recognised, say_origin
from hargassner.boiler.inputs import MISSING_TIMEOUT, Inputs
from hargassner.boiler.observer import BoilerObserver, BoilerObservers
from hargassner.boiler.sessions import Availability, Identity, Session, Sessions, identified
from hargassner.boiler.settings import Setting, Settings
from hargassner.boiler.understanding import Understanding
from hargassner.boiler.values import Channel, Channels, Reported
from hargassner.catalogue import Catalogue, Family, family_of
from hargassner.dialogue.channels import Descriptor, Fit, Reading
from hargassner.dialogue.events import (
    ActiveErrors,
    Announced,
    ClockRead,
    Described,
    Identified,
    LoggedIn,
    ModelEvent,
    NotRecognised,
    ParameterChanged,
    ParameterSeen,
    Readings,
    SessionOpened,
    SessionOver,
    UptimeRead,
)
from hargassner.dialogue.origin import UNKNOWN, Origin

__all__ = [
    "MISSING_TIMEOUT",
    "TELEMETRY_TIMEOUT",
    "Availability",
    "Boiler",
    "BoilerObserver",
    "Channel",
    "Counters",
    "Fault",
    "Identity",
    "Reported",
    "Session",
    "Setting",
    "Understanding",
]

log = Logger()

TELEMETRY_TIMEOUT = 30.0
"""Seconds without a telemetry line after which telemetry counts as offline."""

FAULT_NUMBER = "fault_number"
FAULT = "fault"
CONSUMPTION = ("consumption", "pellet_consumption")
STOCK = ("stock", "pellet_stock")
PROGRAMME = "programme"
DISPLAY = "display_in_use"
COMPUTED_WITH = frozenset({FAULT_NUMBER, FAULT, PROGRAMME, DISPLAY, *CONSUMPTION, *STOCK})
"""The roles of the channels from which the model concludes more than what they show. Of two roles
for the same thing the first one counts that a channel of the boiler has."""


class Boiler:
    """What is known of one boiler now.

    It outlives sessions, and several may run at once. Feed it events with ``apply`` and the time
    with ``tick``; read its attributes, and hear of changes with ``observe``.

    Args:
        pellet_kwh_per_kg: the energy of the fuel.
        efficiency: the part of it that becomes heat.
        catalogue: what is known of names; the package's own if not given.
        counts_energy: whether the energy of what is burnt is counted.
    """

    def __init__(
        self,
        pellet_kwh_per_kg: float = 4.8,
        efficiency: float = 0.9,
        catalogue: Catalogue | None = None,
        *,
        counts_energy: bool = True,
    ) -> None:
        self.catalogue = catalogue or Catalogue.load()
        self.identity = Identity()
        self.availability = Availability()
        self.counters = Counters()
        self.family = Family.PELLET
        self.descriptor: Descriptor | None = None
        self.understanding = Understanding()
        self.clock: Reported[datetime] | None = None
        self.uptime: Reported[int] | None = None

        self.meter = Meter(Factors.of(pellet_kwh_per_kg, efficiency))
        self._counts_energy = counts_energy
        self.equipment = Installation(self.catalogue)
        self._channels = Channels(self.catalogue, COMPUTED_WITH)
        self._inputs = Inputs()
        self._settings = Settings(self.catalogue)
        self._faults = Faults(self.catalogue)
        self._sessions = Sessions()
        self._last_line = 0.0
        self._fit_log = FitLog()
        self._observers = BoilerObservers()

    # What is known.

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Every channel by its object id, in the descriptor's order."""
        return self._channels.by_object

    @property
    def settings(self) -> Mapping[str, Setting]:
        """Every parameter that was seen, by its id."""
        return self._settings.by_id

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What the boiler complains of."""
        return self._faults.current

    @property
    def sessions(self) -> Sequence[Session]:
        """The sessions that run now, oldest first, logged in or not."""
        return self._sessions.running

    @property
    def display_in_use(self) -> bool:
        """Whether somebody operates the boiler's display, as far as it tells."""
        return bool(self._channels.value(DISPLAY))

    def state_text(self, channel: Channel, language: str) -> str | None:
        """What a state channel's code means, or None if it shows no known code."""
        if channel.kind == "digital" or channel.value is None:
            return None
        code = int(channel.value)
        return self.catalogue.state_text(channel.name, code, self.family, language)

    def observe(self, observer: BoilerObserver) -> Callable[[], None]:
        """Notify an observer of changes from now on, until the returned function is called."""
        return self._observers.add(observer)

    # What happens.

    def apply(self, event: ModelEvent, now: float, session: int | None = None) -> None:
        """Take in what happened.

        Events that say nothing of the boiler's state, such as a notice, change nothing.

        Args:
            event: what happened.
            now: the moment at which it happened.
            session: the number of the session in which it happened; a login needs it.
        """
        match event:
            case Readings():
                self._read(event, now)
            case Described() | NotRecognised():
                self._take_meaning(event, now)
            case ParameterSeen():
                self._notify_setting(self._settings.see(event.parameter, now))
            case ParameterChanged():
                self._notify_setting(self._settings.change(event, now))
                self._notify_equipment(self.equipment.parameter_set(event.id))
            case ActiveErrors():
                self._list_errors(event.errors, now)
            case ClockRead():
                self.clock = Reported(event.time, now)
            case UptimeRead():
                self.uptime = Reported(event.seconds, now)
            case Identified() | Announced():
                self._identify(event)
            case SessionOpened() | LoggedIn() | SessionOver():
                self._follow_session(event, now, session)

    def tick(self, now: float) -> None:
        """Take in that time passes; to be called every few seconds."""
        if self.availability.telemetry and now - self._last_line >= TELEMETRY_TIMEOUT:
            log.info("no telemetry for {timeout:g} seconds", timeout=TELEMETRY_TIMEOUT)
            self._set_availability(replace(self.availability, telemetry=False, telemetry_since=now))
        disconnected = self._inputs.disconnect(now)
        if disconnected:
            self._observers.of_channels.tell(disconnected)

    # Telemetry.

    def _read(self, readings: Readings, now: float) -> None:
        self._last_line = now
        if readings.changed:
            self._take_changed(readings, now)
        if self._channels.value(*CONSUMPTION) is not None:
            self.meter.saw(now)
        if readings.mismatch != self.availability.mismatch:
            self._set_availability(
                replace(self.availability, mismatch=readings.mismatch, mismatch_since=now)
            )
        fit, known = readings.fit, self.understanding.fit
        if fit is not known and fit != known:
            self._take_fit(fit)
        if not self.availability.telemetry:
            log.info("telemetry arrives")
            self._set_availability(replace(self.availability, telemetry=True, telemetry_since=now))

    def _take_changed(self, readings: Readings, now: float) -> None:
        self._show(readings.changed, now)
        # What a line that was cut short shows once is no proof that stays for ever.
        if readings.mismatch == self.availability.mismatch:
            self._judge_equipment()

    def _take_fit(self, fit: Fit | None) -> None:
        if fit is not None:
            self._fit_log.say(fit)
            self._understand(replace(self.understanding, fit=fit))

    def _show(self, readings: Sequence[Reading], now: float) -> None:
        # Every second, for some ten channels: what can be known beforehand is.
        channels, detectable = self._channels.by_object, self._channels.detectable
        changed: list[Channel] = []
        for reading in readings:
            channel = channels[reading.channel.object]
            text = reading.text
            if channel.text != text:
                value = reading.value
                if channel in detectable:
                    self._inputs.judge(channel, value, now)
                channel.text = text
                channel.value = value
                channel.since = now
                changed.append(channel)
        if changed:
            self._changed(changed, now)

    def _changed(self, channels: Sequence[Channel], now: float) -> None:
        self._observers.of_channels.tell(channels)
        self.equipment.changed(channels)
        if not self._channels.with_role.isdisjoint(channels):
            self._compute(now)

    def _take_meaning(self, event: Described | NotRecognised, now: float) -> None:
        if isinstance(event, Described):
            self._describe(event.descriptor, event.origin, now)
            return
        if event.values != self.understanding.values:
            say_not_recognised(event.values)
        self._understand(Understanding(UNKNOWN, None, event.values, event.lines))

    def _describe(self, descriptor: Descriptor, origin: Origin, now: float) -> None:
        # A gateway asks for the descriptor at every login: mostly it is the same one.
        if descriptor == self.descriptor:
            self._understand(replace(self.understanding, origin=origin))
            return
        say_origin(origin, descriptor)
        self.descriptor = descriptor
        self._fit_log = FitLog()
        self._understand(Understanding(origin))
        gone = self._channels.describe(descriptor)
        for channel in gone:
            self._inputs.forget(channel)
        self._find_family()
        described = tuple(self._channels)
        self.equipment.describe(described)
        self._observers.notify(lambda observer: observer.described(described, gone))
        self._compute(now)
        self._judge_equipment()

    def _understand(self, understanding: Understanding) -> None:
        if understanding != self.understanding:
            self.understanding = understanding
            self._observers.notify(lambda observer: observer.understanding_changed(understanding))

    # What follows from what channels show.

    def _compute(self, now: float) -> None:
        self._compute_faults(now)
        consumption, stock = self._channels.value(*CONSUMPTION), self._channels.value(*STOCK)
        counters = counted(self.counters, consumption, stock, self._energies(consumption, now))
        if counters != self.counters:
            self.counters = counters
            self._observers.notify(lambda observer: observer.counters_changed(counters))

    def _energies(self, consumption: float | None, now: float) -> Mapping[str, float]:
        if consumption is None or not self._counts_energy:
            return {}
        sums = self.meter.count(consumption, now)
        return {"energy": float(sums.heat), "fuel_energy": float(sums.fuel)}

    def _judge_equipment(self) -> None:
        self._notify_equipment(self.equipment.judge(self._channels.value(PROGRAMME)))

    def _compute_faults(self, now: float) -> None:
        number = int(self._channels.value(FAULT_NUMBER) or 0)
        if self._faults.compute(number, bool(self._channels.value(FAULT)), now):
            self._observers.notify(lambda observer: observer.faults_changed(self.faults))

    def _list_errors(self, errors: Sequence[str], now: float) -> None:
        self._faults.listed = errors
        self._compute_faults(now)

    def _find_family(self) -> None:
        names = [channel.name for channel in self._channels]
        self.family = family_of(self.identity.model, names)

    # Who is there.

    def _identify(self, event: Identified | Announced) -> None:
        identity = identified(self.identity, event)
        if identity != self.identity:
            self.identity = identity
            self._find_family()
            self._observers.notify(lambda observer: observer.identity_changed(identity))

    def _follow_session(
        self, event: SessionOpened | LoggedIn | SessionOver, now: float, session: int | None
    ) -> None:
        self._sessions.take(event, now, session)
        newest = self._sessions.newest
        if newest is None:
            # Only a gateway asks for the active errors: without one, a list of them gets stale.
            self._list_errors((), now)
        self._set_availability(replace(self.availability, session=newest))

    def _set_availability(self, availability: Availability) -> None:
        if availability != self.availability:
            self.availability = availability
            self._observers.notify(lambda observer: observer.availability_changed(availability))

    def _notify_equipment(self, is_new: bool) -> None:
        if is_new:
            proven = self.equipment.proven
            self._observers.notify(lambda observer: observer.equipment_changed(proven))

    def _notify_setting(self, setting: Setting | None) -> None:
        if setting is not None:
            self._observers.notify(lambda observer: observer.setting_changed(setting))
