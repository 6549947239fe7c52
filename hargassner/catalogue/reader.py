"""The reader of the tables beside it: names, classes, state codes, faults, parameters.

A boiler describes itself; the catalogue only decorates what it knows. So every question here may
be answered with None, and whoever asks falls back on the boiler's own words.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, TypeVar

from hargassner.catalogue.codes import ANY_FAMILY, Codes, code_tables, codes_of
from hargassner.catalogue.equipment import NOWHERE, Equipment, Place
from hargassner.catalogue.families import Family
from hargassner.catalogue.text import NO_WORDS, Text
from hargassner.tables import rows


@dataclass(frozen=True, slots=True)
class AnalogEntry:
    """What is known of one analog channel.

    Units and classes are Home Assistant's; an empty string means none. ``missing`` holds the
    ranges of values, both ends included, that the channel shows when nothing is connected.
    ``states`` names the table of a channel whose values are state codes. ``role`` is what the
    program takes the channel for if it computes with it, such as ``flue_temperature``. ``place`` is
    where it belongs, and ``icon`` how it is drawn where its class says nothing.
    """

    inverted: ClassVar[bool] = False

    name: str
    unit: str
    text: Text
    device_class: str
    state_class: str
    entity_category: str
    enabled: bool
    missing: tuple[tuple[float, float], ...]
    states: str
    role: str
    icon: str
    place: Place

    def means_missing(self, value: float) -> bool:
        """Whether this is a value that the channel shows when nothing is connected."""
        for low, high in self.missing:  # noqa: SIM110 - a generator is thrice as dear
            if low <= value <= high:
                return True
        return False


@dataclass(frozen=True, slots=True)
class DigitalEntry:
    """What is known of one digital channel.

    ``inverted`` channels are 1 when their class says "no": a ``problem`` that is 1 when all is
    well, a ``door`` that is 1 when it is closed. ``role``, ``icon`` and ``place`` are as with an
    analog channel. What only those have is empty.
    """

    state_class: ClassVar[str] = ""
    states: ClassVar[str] = ""

    name: str
    text: Text
    device_class: str = ""
    entity_category: str = ""
    enabled: bool = False
    inverted: bool = False
    role: str = ""
    icon: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class ParameterEntry:
    """What is known of one parameter.

    ``options`` names the table of what its options mean, by their indexes. ``is_safe`` says that it
    can be set without harm, and ``is_button`` that it only ever starts something.
    """

    id: str
    text: Text
    options: str = ""
    is_safe: bool = False
    is_button: bool = False
    place: Place = NOWHERE


UNKNOWN_PARAMETER = ParameterEntry("", NO_WORDS)
"""What is said of a parameter that is in no table."""


@dataclass(frozen=True, slots=True)
class CircuitEntry:
    """What belongs to one heating circuit.

    ``mode``, ``day`` and ``setback`` are the ids of the parameters that hold its mode and its room
    temperatures; ``room`` and ``pump`` name the channels of its room temperature and its pump.
    """

    circuit: str
    mode: str
    day: str
    setback: str
    room: str
    pump: str


UNITS: Mapping[str, str] = {
    "KW": "kW",
    "Min": "min",
    "l/h": "L/h",
    "l/min": "L/min",
    "ľA": "µA",
    "''": "",
    "' '": "",
}
"""Units that boilers spell otherwise than Home Assistant does."""

CLASS_UNITS: Mapping[str, frozenset[str]] = {
    "current": frozenset({"mA", "A"}),
    "distance": frozenset({"mm", "cm", "m"}),
    "duration": frozenset({"s", "min", "h", "d"}),
    "energy": frozenset({"Wh", "kWh", "MWh"}),
    "power": frozenset({"W", "kW"}),
    "pressure": frozenset({"Pa", "hPa", "mbar", "bar"}),
    "temperature": frozenset({"°C"}),
    "voltage": frozenset({"mV", "V", "kV"}),
    "volume_flow_rate": frozenset({"L/min", "L/h"}),
    "weight": frozenset({"g", "kg", "t"}),
}
"""The units with which Home Assistant accepts a device class, of those that a boiler may use."""


def spelled_unit(unit: str) -> str:
    """A boiler's unit as Home Assistant spells it, empty for none."""
    stripped = unit.strip()
    return UNITS.get(stripped, stripped)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that is known, by name, by code and by number.

    ``roles`` has the names of the channels that have each role, in the order in which they count.
    """

    analog_entries: Mapping[str, AnalogEntry]
    digital_entries: Mapping[str, DigitalEntry]
    roles: Mapping[str, tuple[str, ...]]
    state_tables: Codes[Text]
    faults: Mapping[int, Text]
    parameters: Mapping[str, ParameterEntry]
    circuits: tuple[CircuitEntry, ...]
    equipment: Equipment

    @staticmethod
    @cache
    def load() -> "Catalogue":
        """The catalogue that comes with the package, read once."""
        analog = list(map(_analog_entry, rows(__package__, "channels_analog.tsv")))
        digital = list(map(_digital_entry, rows(__package__, "channels_digital.tsv")))
        parameters = map(_parameter_entry, rows(__package__, "parameters.tsv"))
        return Catalogue(
            analog_entries=_by_name(analog),
            digital_entries=_by_name(digital),
            roles=_roles([*analog, *digital]),
            state_tables=code_tables("states.tsv", Text.of),
            faults={int(row["number"]): Text.of(row) for row in rows(__package__, "errors.tsv")},
            parameters={each.id: each for each in parameters},
            circuits=tuple(CircuitEntry(**row) for row in rows(__package__, "circuits.tsv")),
            equipment=Equipment.load(),
        )

    def analog(self, name: str, unit: str) -> AnalogEntry | None:
        """What is known of an analog channel, with the unit that its boiler gives it.

        The boiler's own unit counts where it gives one, since firmwares differ; it is spelled as
        Home Assistant spells it. A device class that does not go with that unit is left away.
        """
        entry = _find(self.analog_entries, name)
        spelled = spelled_unit(unit)
        if entry is None or spelled in ("", entry.unit):
            return entry
        allowed = CLASS_UNITS.get(entry.device_class, frozenset())
        device_class = entry.device_class if spelled in allowed else ""
        return replace(entry, unit=spelled, device_class=device_class)

    def digital(self, name: str) -> DigitalEntry | None:
        """What is known of a digital channel."""
        return _find(self.digital_entries, name)

    def states(self, name: str, family: Family) -> Mapping[int, Text]:
        """Every code that the state channel ``name`` can show, with its meaning.

        Empty for a channel that is unknown or shows no states.
        """
        return codes_of(self.state_tables, self.state_table(name), family)

    def state_table(self, name: str) -> str:
        """The table of the codes that the state channel ``name`` shows, empty for another one."""
        entry = _find(self.analog_entries, name)
        return entry.states if entry else ""

    def state_text(self, name: str, code: int, family: Family, language: str) -> str | None:
        """What the state channel ``name`` means by ``code``, or None if that is not known."""
        text = self.states(name, family).get(code)
        return text.to(language) if text else None

    def place_of_parameter(self, id: str) -> Place:  # noqa: A002 - the protocol's own word
        """Where the parameter with this id belongs; nowhere if it is not known."""
        return self.parameters.get(id, UNKNOWN_PARAMETER).place

    def options(self, id: str) -> Mapping[int, Text]:  # noqa: A002 - the protocol's own word
        """What the options of the parameter with this id mean; empty where that is not known."""
        table = self.parameters.get(id, UNKNOWN_PARAMETER).options
        return codes_of(self.state_tables, table, ANY_FAMILY)

    def fault(self, number: int) -> Text | None:
        """The meaning of a fault number."""
        return self.faults.get(number)

    def parameter(self, id: str) -> ParameterEntry | None:  # noqa: A002 - the protocol's own word
        """What is known of the parameter with this id."""
        return self.parameters.get(id)


_Entry = TypeVar("_Entry", AnalogEntry, DigitalEntry)


def spelling(name: str) -> str:
    """A channel's name as it is compared: without what firmwares and bad copies make differ.

    Case and blanks do not count. Every umlaut, written out or damaged in whichever way, is one
    and the same sign: ``Füllgrad``, ``Fuellgrad``, ``F°llgrad``, ``F¸llgrad`` are one name.
    """
    composed = unicodedata.normalize("NFC", name).casefold()
    return _UMLAUT.sub("*", "".join(composed.split()))


# What stands for an umlaut: anything beyond ASCII (several signs where UTF-8 was read as latin-1),
# a question mark, or two letters. "ss" is among them because case folding makes it of "ß".
_UMLAUT = re.compile(r"(?:[^\x00-\x7f]|\?)+|ae|oe|ue|ss")


def _by_name(entries: Iterable[_Entry]) -> Mapping[str, _Entry]:
    """Entries by their exact names, and by their spellings for those who come with another."""
    named = {entry.name: entry for entry in entries}
    return {spelling(name): entry for name, entry in named.items()} | named


def _roles(entries: Iterable[AnalogEntry | DigitalEntry]) -> Mapping[str, tuple[str, ...]]:
    """The names of each role, in the order of the rows."""
    roles: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        if entry.role:
            roles[entry.role] = (*roles.get(entry.role, ()), entry.name)
    return roles


def _find(named: Mapping[str, _Entry], name: str) -> _Entry | None:
    return named.get(name) or named.get(spelling(name))


def _analog_entry(row: Mapping[str, str]) -> AnalogEntry:
    return AnalogEntry(
        name=row["name"],
        unit=row["unit"],
        text=Text.of(row),
        device_class=row["device_class"],
        state_class=row["state_class"],
        entity_category=row["entity_category"],
        enabled=row["enabled"] == "1",
        missing=tuple(map(_range, filter(None, row["missing"].split("|")))),
        states=row["states"],
        role=row["role"],
        icon=row["icon"],
        place=Equipment.load().of_channel(row["name"]),
    )


def _range(part: str) -> tuple[float, float]:
    low, _, high = part.partition("..")
    return float(low), float(high or low)


def _digital_entry(row: Mapping[str, str]) -> DigitalEntry:
    return DigitalEntry(
        name=row["name"],
        text=Text.of(row),
        device_class=row["device_class"],
        entity_category=row["entity_category"],
        enabled=row["enabled"] == "1",
        inverted=row["inverted"] == "1",
        role=row["role"],
        icon=row["icon"],
        place=Equipment.load().of_channel(row["name"]),
    )


def _parameter_entry(row: Mapping[str, str]) -> ParameterEntry:
    return ParameterEntry(
        id=row["id"],
        text=Text.of(row),
        options=row["options"],
        is_safe=row["auto"] == "1",
        is_button=row["control"] == "button",
        place=Equipment.load().of_parameter(row["group"], row["part"]),
    )
