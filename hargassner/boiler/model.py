"""The model: what is known of the boiler now.

Events come in, each with the moment at which it happened; whoever observes the model is told what
changed. Nothing here knows of bytes, sockets or a clock, and nothing here knows who looks on. All
times here are moments of a clock that runs evenly; who shows them makes dates of them
(hargassner/clock.py).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

from twisted.logger import Logger

from hargassner.catalogue import (
    AnalogEntry,
    Catalogue,
    DigitalEntry,
    Family,
    ParameterEntry,
    Text,
    family_of,
    spelled_unit,
)
from hargassner.dialogue.channels import (
    AnalogChannel,
    Descriptor,
    DigitalChannel,
    LengthMismatch,
    Reading,
)
from hargassner.dialogue.events import (
    ActiveErrors,
    Announced,
    ClockRead,
    Described,
    Identified,
    LoggedIn,
    ModelEvent,
    ParameterChanged,
    ParameterSeen,
    Readings,
    SessionOpened,
    SessionOver,
    UptimeRead,
)
from hargassner.dialogue.identifiers import parameter_object
from hargassner.dialogue.parameters import (
    ChoiceParameter,
    NumberParameter,
    Parameter,
)
from hargassner.observers import Observers, Once
from hargassner.terminal import printable

log = Logger()

T = TypeVar("T")

TELEMETRY_PATIENCE = 30.0
"""Seconds without a telemetry line after which telemetry counts as offline."""

MISSING_PATIENCE = 3600.0
"""Seconds for which an input that worked may show a "nothing connected" value before it counts as
not connected. Long enough for a loose contact that is pushed back, or a board that restarts."""

CREEP = 5.0
"""How far a measurement can move between two readings, in its unit. An input that gets to its
"nothing connected" value in a smaller step has measured that value: the coldest night of the
winter is no broken wire."""

FAULT_NUMBER = "fault_number"
FAULT = "fault"
CONSUMPTION = ("consumption", "pellet_consumption")
STOCK = ("stock", "pellet_stock")
COMPUTED_WITH = frozenset({FAULT_NUMBER, FAULT, *CONSUMPTION, *STOCK})
"""The roles of the channels from which the model concludes more than what they show. Of two roles
for the same thing the first one counts that a channel of the boiler has."""

_MISMATCHES_SAID = 16
"""Lengths that are said of lines that do not fit one descriptor."""

_LEADING_NUMBER = re.compile(r"\s*0*([0-9]{1,5})\b")


@dataclass(slots=True, eq=False)
class Channel:
    """One channel of the boiler's telemetry, and what it shows now.

    The object stays the same for as long as the boiler describes the channel; only the model
    changes it. ``unit`` is spelled as Home Assistant spells it; ``entry`` is what the catalogue
    knows of the channel, if anything. ``text`` is the boiler's own text, "ON" or "OFF" for a
    digital channel, and None before the first telemetry line. ``value`` is None for as long as the
    text says nothing: it is then empty, or no number. ``since`` is the time of the last change.

    ``connected`` is False for an input that shows nothing but its "nothing connected" values. One
    that has once shown something else is believed for an hour before it counts as disconnected,
    and for good if it came to that value slowly. It comes alive with the first other value.
    """

    kind: Literal["analog", "digital"]
    object: str
    name: str
    unit: str
    decimals: int | None
    entry: AnalogEntry | DigitalEntry | None
    text: str | None = None
    value: float | int | bool | None = None
    since: float | None = None
    connected: bool = True


@dataclass(slots=True, eq=False)
class Setting:
    """One of the boiler's parameters, and how it is set now.

    ``text`` is the boiler's own text of the value and ``since`` the time of its last change.
    ``parameter`` is what the boiler last told of it in full, with limits or options, and agrees
    with ``text``; it is None when only a notice has named the parameter yet. Should a notice name
    a value that the parameter cannot have, ``text`` has that, and ``parameter`` the one before.
    ``entry`` is what the catalogue knows of it.
    """

    id: str
    object: str
    name: str
    text: str
    since: float
    parameter: Parameter | None
    entry: ParameterEntry | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the boiler complains of.

    ``number`` is None for a complaint without one. ``text`` is the catalogue's, else the boiler's
    own words in place of each language. ``since`` does not make two faults different.
    """

    number: int | None
    text: Text
    since: float = field(compare=False)


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


@dataclass(frozen=True, slots=True)
class Counters:
    """What was burnt and what is left, in kg, and the heat made of it in kWh.

    Consumption and energy only rise, except when the boiler's counter is reset; each is None as
    long as the boiler has not told it.
    """

    consumption: float | None = None
    energy: float | None = None
    stock: float | None = None


@dataclass(frozen=True, slots=True)
class Reported(Generic[T]):
    """Something that the boiler said of itself, and when it said so."""

    value: T
    at: float


class BoilerObserver:
    """Whoever wants to know what changes; override what concerns you.

    The calls come in the order of the changes, each after the model has taken it in. One that
    raises is logged, and neither the model nor any other observer notices.
    """

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        """The boiler has other channels than before: all of them, and those that are no more."""

    def channel_changed(self, channel: Channel) -> None:
        """A channel shows something else, or its input was connected or disconnected."""

    def setting_changed(self, setting: Setting) -> None:
        """A parameter is new, has another value, or other limits or options."""

    def faults_changed(self, faults: Sequence[Fault]) -> None:
        """The boiler complains of something else than before; of nothing, if empty."""

    def counters_changed(self, counters: Counters) -> None:
        """Consumption, energy or stock have changed."""

    def availability_changed(self, availability: Availability) -> None:
        """A session logged in or ended, telemetry came or stopped, lines fit or don't."""

    def identity_changed(self, identity: Identity) -> None:
        """More is known of who the boiler and the gateway are."""


class Boiler:
    """What is known of one boiler now.

    It outlives sessions, and several may run at once. Feed it events with ``apply`` and the time
    with ``tick``; read its attributes, and hear of changes with ``observe``.

    Args:
        pellet_kwh_per_kg: the energy of the fuel.
        efficiency: the part of it that becomes heat.
        catalogue: what is known of names; the package's own if not given.
    """

    def __init__(
        self,
        pellet_kwh_per_kg: float = 4.8,
        efficiency: float = 0.9,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.catalogue = catalogue or Catalogue.load()
        self.identity = Identity()
        self.availability = Availability()
        self.counters = Counters()
        self.faults: tuple[Fault, ...] = ()
        self.family = Family.PELLET
        self.descriptor: Descriptor | None = None
        self.clock: Reported[datetime] | None = None
        self.uptime: Reported[int] | None = None

        self._kwh_per_kg = pellet_kwh_per_kg * efficiency
        self._channels: dict[str, Channel] = {}
        self._computed_with: dict[str, Channel] = {}
        self._suspects: dict[str, float] = {}
        self._settings: dict[str, Setting] = {}
        self._sessions: dict[int | None, Session] = {}
        self._errors: tuple[str, ...] = ()
        self._last_line: float | None = None
        self._mismatches = Once(_MISMATCHES_SAID)
        self._mismatch_said = False
        self._observers: Observers[BoilerObserver] = Observers("a change of the boiler")

    # What is known.

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Every channel by its object id, in the descriptor's order."""
        return MappingProxyType(self._channels)

    @property
    def settings(self) -> Mapping[str, Setting]:
        """Every parameter that was seen, by its id."""
        return MappingProxyType(self._settings)

    @property
    def sessions(self) -> Sequence[Session]:
        """The sessions that run now, oldest first, logged in or not."""
        return tuple(self._sessions.values())

    def state_text(self, channel: Channel, language: str) -> str | None:
        """What a state channel's code means, or None if it shows no known code."""
        if channel.kind == "digital" or channel.value is None:
            return None
        code = int(channel.value)
        return self.catalogue.state_text(channel.name, code, self.family, language)

    def observe(self, observer: BoilerObserver) -> Callable[[], None]:
        """Tell an observer of changes from now on, until the returned function is called."""
        return self._observers.add(observer)

    # What happens.

    def apply(self, event: ModelEvent, now: float, session: int | None = None) -> None:
        """Take in what happened.

        Events that say nothing of the boiler's state, such as a notice, change nothing.

        Args:
            event: what the dialogue, the discovery or the proxy told.
            now: the moment at which it happened.
            session: the number of the session in which it happened; a login needs it.
        """
        match event:
            case Readings():
                self._read(event, now)
            case Described():
                self._describe(event.descriptor, now)
            case ParameterSeen():
                self._see(event.parameter, now)
            case ParameterChanged():
                self._set(event, now)
            case ActiveErrors():
                self._errors = event.errors
                self._compute_faults(now)
            case ClockRead():
                self.clock = Reported(event.time, now)
            case UptimeRead():
                self.uptime = Reported(event.seconds, now)
            case Identified() | Announced():
                self._identify(event)
            case SessionOpened() | LoggedIn() | SessionOver():
                self._live(event, now, session)

    def tick(self, now: float) -> None:
        """Take in that time passes; to be called every few seconds."""
        if (
            self.availability.telemetry
            and self._last_line is not None
            and now - self._last_line >= TELEMETRY_PATIENCE
        ):
            log.info("no telemetry for {patience:g} seconds", patience=TELEMETRY_PATIENCE)
            self._avail(replace(self.availability, telemetry=False, telemetry_since=now))
        for name, since in tuple(self._suspects.items()):
            if now - since >= MISSING_PATIENCE:
                del self._suspects[name]
                channel = self._channels[name]
                channel.connected = False
                self._tell_channel(channel)

    # Telemetry.

    def _read(self, readings: Readings, now: float) -> None:
        self._last_line = now
        if readings.changed:
            self._change(readings.changed, now)
        if readings.mismatch != self.availability.mismatch:
            self._fit(readings.mismatch, now)
        if not self.availability.telemetry:
            log.info("telemetry arrives")
            self._avail(replace(self.availability, telemetry=True, telemetry_since=now))

    def _change(self, readings: Sequence[Reading], now: float) -> None:
        compute = False
        for reading in readings:
            channel = self._channels[reading.channel.object]
            if channel.text != reading.text:
                self._show(channel, reading, now)
                compute = compute or channel in self._computed_with.values()
        if compute:
            self._compute_faults(now)
            self._compute_counters()

    def _show(self, channel: Channel, reading: Reading, now: float) -> None:
        entry = channel.entry
        if isinstance(entry, AnalogEntry) and entry.missing and reading.value is not None:
            self._judge(channel, entry, reading.value, now)
        channel.text = reading.text
        channel.value = reading.value
        channel.since = now
        self._tell_channel(channel)

    def _judge(self, channel: Channel, entry: AnalogEntry, value: float, now: float) -> None:
        """Decide whether a channel that is about to show ``value`` is connected."""
        if not entry.means_missing(value):
            channel.connected = True
            self._suspects.pop(channel.object, None)
        elif channel.text is None:
            channel.connected = False
        elif channel.connected and (channel.value is None or abs(value - channel.value) > CREEP):
            self._suspects.setdefault(channel.object, now)

    def _fit(self, mismatch: LengthMismatch | None, now: float) -> None:
        # Lengths may alternate from line to line, for years: each is said once.
        if mismatch is None:
            if self._mismatch_said:
                log.info("telemetry lines fit their descriptor again")
            self._mismatch_said = False
        elif self._mismatches.first(mismatch):
            self._mismatch_said = True
            log.warn(
                "telemetry lines have {got} values, their descriptor has {expected}: not every"
                " channel can be told, see telemetry.hidden in the configuration",
                got=mismatch.got,
                expected=mismatch.expected,
            )
        self._avail(replace(self.availability, mismatch=mismatch, mismatch_since=now))

    # The descriptor.

    def _describe(self, descriptor: Descriptor, now: float) -> None:
        # A gateway asks for the descriptor at every login: mostly it is the same one.
        if descriptor == self.descriptor:
            return
        log.info(
            "the boiler describes {analog} values and {digital} bits",
            analog=len(descriptor.analog),
            digital=len(descriptor.digital),
        )
        before = self._channels
        channels = [
            *(self._analog_channel(each) for each in descriptor.analog),
            *(self._digital_channel(each) for each in descriptor.digital),
        ]
        self.descriptor = descriptor
        self._mismatches = Once(_MISMATCHES_SAID)
        self._channels = {
            channel.object: _kept(before.get(channel.object), channel) for channel in channels
        }
        self._computed_with = {
            channel.entry.role: channel
            for channel in self._channels.values()
            if channel.entry is not None and channel.entry.role in COMPUTED_WITH
        }
        gone = [each for each in before.values() if self._channels.get(each.object) is not each]
        for channel in gone:
            self._suspects.pop(channel.object, None)
        self._find_family()
        described = tuple(self._channels.values())
        self._observers.notify(lambda observer: observer.described(described, gone))
        self._compute_faults(now)
        self._compute_counters()

    def _analog_channel(self, described: AnalogChannel) -> Channel:
        entry = self.catalogue.analog(described.name, described.unit)
        return Channel(
            kind="analog",
            object=described.object,
            name=described.name,
            unit=entry.unit if entry else spelled_unit(described.unit),
            decimals=described.decimals,
            entry=entry,
        )

    def _digital_channel(self, described: DigitalChannel) -> Channel:
        return Channel(
            kind="digital",
            object=described.object,
            name=described.name,
            unit="",
            decimals=None,
            entry=self.catalogue.digital(described.name),
        )

    def _find_family(self) -> None:
        names = [channel.name for channel in self._channels.values()]
        self.family = family_of(self.identity.model, names)

    # What follows from what channels show.

    def _value(self, *roles: str) -> float | None:
        """What the channel with the first of these roles that there is shows, if it is known."""
        for role in roles:
            channel = self._computed_with.get(role)
            if channel is not None:
                return channel.value
        return None

    def _compute_faults(self, now: float) -> None:
        since = {(fault.number, fault.text): fault.since for fault in self.faults}
        faults = tuple(
            Fault(number, text, since.get((number, text), now))
            for number, text in self._complaints()
        )
        if faults == self.faults:
            return
        for fault in faults:
            if fault not in self.faults:
                log.warn(
                    "the boiler reports a fault: {number} {text}",
                    number=fault.number or "",
                    text=printable(fault.text.en),
                )
        if not faults:
            log.info("the boiler reports no fault any more")
        self.faults = faults
        self._observers.notify(lambda observer: observer.faults_changed(faults))

    def _complaints(self) -> Iterable[tuple[int | None, Text]]:
        """What the boiler complains of: by telemetry first, then by the gateway's question."""
        complaints: dict[int | str, tuple[int | None, Text]] = {}
        number = int(self._value(FAULT_NUMBER) or 0)
        if number:
            complaints[number] = number, self._fault_text(number)
        for error in self._errors:
            leading = _LEADING_NUMBER.match(error)
            number = int(leading[1]) if leading else 0
            text = self.catalogue.fault(number) if number else None
            own_words = Text(en=error, de=error, fr=error)
            complaints.setdefault(number or error, (number or None, text or own_words))
        if not complaints and self._value(FAULT):
            return [(None, Text(en="fault", de="Störung", fr="défaut"))]
        return complaints.values()

    def _fault_text(self, number: int) -> Text:
        return self.catalogue.fault(number) or Text(
            en=f"fault {number}", de=f"Störung {number}", fr=f"défaut {number}"
        )

    def _compute_counters(self) -> None:
        consumption = self._value(*CONSUMPTION)
        stock = self._value(*STOCK)
        counters = self.counters
        if consumption is not None:
            # Rounded, so that a rising counter gives no energy that falls by a floating-point hair.
            energy = round(consumption * self._kwh_per_kg, 3)
            counters = replace(counters, consumption=consumption, energy=energy)
        if stock is not None:
            counters = replace(counters, stock=stock)
        if counters != self.counters:
            self.counters = counters
            self._observers.notify(lambda observer: observer.counters_changed(counters))

    # Settings.

    def _see(self, parameter: Parameter, now: float) -> None:
        setting = self._settings.get(parameter.id)
        if setting is None:
            self._add_setting(parameter.id, parameter.name, parameter.text, now, parameter)
            return
        if setting.parameter == parameter and setting.text == parameter.text:
            return
        if not _same_value(setting.text, parameter.text):
            setting.since = now
        setting.name = parameter.name or setting.name
        setting.text = parameter.text
        setting.parameter = parameter
        self._observers.notify(lambda observer: observer.setting_changed(setting))

    def _set(self, event: ParameterChanged, now: float) -> None:
        setting = self._settings.get(event.id)
        if setting is None:
            self._add_setting(event.id, event.name, event.new, now, None)
            return
        if _same_value(setting.text, event.new):
            return
        setting.text = event.new
        setting.since = now
        setting.parameter = _with_text(setting.parameter, event.new)
        self._observers.notify(lambda observer: observer.setting_changed(setting))

    def _add_setting(
        self, number: str, name: str, text: str, now: float, parameter: Parameter | None
    ) -> None:
        setting = Setting(
            id=number,
            object=parameter_object(number),
            name=name,
            text=text,
            since=now,
            parameter=parameter,
            entry=self.catalogue.parameter(number),
        )
        self._settings[number] = setting
        self._observers.notify(lambda observer: observer.setting_changed(setting))

    # Who is there.

    def _identify(self, event: Identified | Announced) -> None:
        if isinstance(event, Announced):
            facts = {
                "gateway_address": event.address,
                "gateway_software": event.software,
                "gateway_serial": event.serial,
            }
        else:
            facts = {event.name: event.value} if event.name in _FACTS else {}
        identity = replace(self.identity, **facts)
        if identity != self.identity:
            self.identity = identity
            self._find_family()
            self._observers.notify(lambda observer: observer.identity_changed(identity))

    def _live(
        self, event: SessionOpened | LoggedIn | SessionOver, now: float, session: int | None
    ) -> None:
        match event:
            case SessionOpened():
                self._sessions[event.session] = Session(event.session, event.client, now)
            case LoggedIn():
                opened = self._sessions.get(session) or Session(session, "", now)
                self._sessions[session] = replace(opened, logged_in=now)
            case SessionOver():
                self._sessions.pop(event.session, None)
        logged_in = [each for each in self._sessions.values() if each.logged_in is not None]
        newest = max(logged_in, key=lambda each: each.logged_in or 0.0, default=None)
        if newest is None:
            # Only a gateway asks for the active errors: without one, a list of them gets stale.
            self._errors = ()
            self._compute_faults(now)
        self._avail(replace(self.availability, session=newest))

    def _avail(self, availability: Availability) -> None:
        if availability != self.availability:
            self.availability = availability
            self._observers.notify(lambda observer: observer.availability_changed(availability))

    def _tell_channel(self, channel: Channel) -> None:
        self._observers.notify(lambda observer: observer.channel_changed(channel))


def _kept(before: Channel | None, described: Channel) -> Channel:
    """The channel that was there before, if it is the one described now."""
    if before is None:
        return described
    return before if _description(before) == _description(described) else described


def _description(channel: Channel) -> tuple[str, str, str, int | None]:
    return channel.kind, channel.name, channel.unit, channel.decimals


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _same_value(one: str, other: str) -> bool:
    """Whether two texts are the same value: replies say ``20.000`` where notices say ``20.0``."""
    number = _number(one)
    return one == other or (number is not None and number == _number(other))


def _with_text(parameter: Parameter | None, text: str) -> Parameter | None:
    """A parameter set to what a notice calls ``text``, or left alone if it has no such value."""
    match parameter:
        case NumberParameter():
            number = _number(text)
            if number is not None:
                return replace(parameter, value=number, text=text)
        case ChoiceParameter():
            if text in parameter.options:
                return replace(parameter, index=parameter.options.index(text))
    return parameter
