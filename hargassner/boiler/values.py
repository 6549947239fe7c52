"""The boiler's channels, and what they show now."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import filterfalse
from operator import attrgetter
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

from hargassner.catalogue import NOWHERE, AnalogEntry, Catalogue, DigitalEntry, Place, spelled_unit
from hargassner.dialogue.channels import AnalogChannel, Descriptor, DigitalChannel

T = TypeVar("T")


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

    @property
    def place(self) -> Place:
        """Where the channel belongs; nowhere if it is not known."""
        return self.entry.place if self.entry is not None else NOWHERE

    @property
    def role(self) -> str:
        """What the program takes the channel for, empty for nothing."""
        return self.entry.role if self.entry is not None else ""

    @property
    def detectable(self) -> bool:
        """Whether it has values which mean "nothing connected"."""
        return isinstance(self.entry, AnalogEntry) and bool(self.entry.missing)

    def means_missing(self, value: float) -> bool:
        """Whether this value means "nothing connected"."""
        return isinstance(self.entry, AnalogEntry) and self.entry.means_missing(value)


@dataclass(frozen=True, slots=True)
class Reported(Generic[T]):
    """Something that the boiler reported of itself, and when."""

    value: T
    at: float


class Channels:
    """The channels that the boiler describes, by their identifiers, in the descriptor's order.

    Args:
        catalogue: what is known of names.
        roles: the roles by which channels are looked up.
    """

    def __init__(self, catalogue: Catalogue, roles: Iterable[str]) -> None:
        self._catalogue = catalogue
        self._roles = frozenset(roles)
        self._by_object: dict[str, Channel] = {}
        self._by_role: dict[str, Channel] = {}
        self.with_role: frozenset[Channel] = frozenset()
        """Those that are looked up by their roles."""
        self.detectable: frozenset[Channel] = frozenset()
        """Those that show it when nothing is connected."""

    def __iter__(self) -> Iterator[Channel]:
        """Every channel."""
        return iter(self._by_object.values())

    @property
    def by_object(self) -> Mapping[str, Channel]:
        """Every channel by its identifier, not to be changed."""
        return MappingProxyType(self._by_object)

    def value(self, *roles: str) -> float | None:
        """What the channel with the first of these roles that there is shows, if it is known."""
        for role in roles:
            channel = self._by_role.get(role)
            if channel is not None:
                return channel.value
        return None

    def describe(self, descriptor: Descriptor) -> Sequence[Channel]:
        """Have the channels of another descriptor; those that it has too stay the same objects.

        Returns:
            the channels that are no more.
        """
        before = self._by_object
        analog = map(partial(_analog, self._catalogue), descriptor.analog)
        digital = map(partial(_digital, self._catalogue), descriptor.digital)
        described = (*analog, *digital)
        channels = [_kept(before.get(each.object, each), each) for each in described]
        self._by_object = {each.object: each for each in channels}
        self._by_role = {each.role: each for each in channels if each.role in self._roles}
        self.with_role = frozenset(self._by_role.values())
        self.detectable = frozenset(filter(attrgetter("detectable"), channels))
        return [*filterfalse(frozenset(channels).__contains__, before.values())]


def _analog(catalogue: Catalogue, described: AnalogChannel) -> Channel:
    entry = catalogue.analog(described.name, described.unit)
    return Channel(
        kind="analog",
        object=described.object,
        name=described.name,
        unit=entry.unit if entry else spelled_unit(described.unit),
        decimals=described.decimals,
        entry=entry,
    )


def _digital(catalogue: Catalogue, described: DigitalChannel) -> Channel:
    return Channel(
        kind="digital",
        object=described.object,
        name=described.name,
        unit="",
        decimals=None,
        entry=catalogue.digital(described.name),
    )


def _kept(before: Channel, described: Channel) -> Channel:
    """The channel that was there before, if it is the one described now."""
    return before if _description(before) == _description(described) else described


def _description(channel: Channel) -> tuple[str, str, str, int | None]:
    return channel.kind, channel.name, channel.unit, channel.decimals
