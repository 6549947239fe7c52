"""Which circuits, tanks, buffers and lines there are.

A boiler describes the channels of everything that could be connected to it, and most of that is
not. What belongs together is judged together, as a group: it exists when one of its channels shows
so, or when somebody sets one of its parameters. What once existed stays, and so does an input to
which something was connected once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from hargassner.boiler.values import Channel
from hargassner.catalogue import BOILER, Catalogue, Proof

UNMEASURED_ROOM = 20.0
"""°C that a boiler shows of a room without a remote control."""

_NOT_HEATING = frozenset({1, 4})
"""The codes of the mode switch with which a boiler does not heat: off, combustion off."""


def _is_positive(value: float, _heats: bool) -> bool:
    return value > 0


def _is_positive_while_heating(value: float, heats: bool) -> bool:
    return heats and value > 0


def _is_measured_room(value: float, _heats: bool) -> bool:
    return value != UNMEASURED_ROOM


def _always(_value: float, _heats: bool) -> bool:
    return True


def _never(_value: float, _heats: bool) -> bool:
    return False


_SHOWS: Mapping[Proof, Callable[[float, bool], bool]] = {
    Proof.NONE: _never,
    Proof.CONNECTED: _always,
    Proof.ON: _is_positive,
    Proof.POSITIVE: _is_positive,
    Proof.HEATING: _is_positive_while_heating,
    Proof.MOVED: _is_measured_room,
}
"""Whether a value that a connected channel shows is a proof, by the kind of proof."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What has shown that it exists: groups by their keys, and inputs by their identifiers."""

    groups: frozenset[str] = frozenset()
    inputs: frozenset[str] = frozenset()

    def __or__(self, other: "Proven") -> "Proven":
        """What either knows."""
        return Proven(self.groups | other.groups, self.inputs | other.inputs)


class Installation:
    """What exists.

    ``proven`` has the groups that have proved themselves, and the inputs to which something was
    connected once: an input whose sensor breaks does not disappear.

    Args:
        catalogue: what belongs to which group.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.proven = Proven()
        self._catalogue = catalogue
        self._channels: tuple[Channel, ...] = ()
        self._doubtful: frozenset[Channel] = frozenset()
        self._unjudged: set[Channel] = set()
        self._heats = True

    @property
    def present(self) -> frozenset[str]:
        """The groups that exist."""
        return self.proven.groups

    def has(self, group: str) -> bool:
        """Whether a group exists; the boiler itself, which is none, does."""
        return not group or group in self.proven.groups

    def shows(self, channel: Channel) -> bool:
        """Whether a channel belongs to something that exists, and has shown a value of its own."""
        return self.has(channel.place.group) and not self._is_unconnected(channel)

    def describe(self, channels: Iterable[Channel]) -> None:
        """The boiler has these channels now."""
        self._channels = tuple(channels)
        self._doubt()
        self._unjudged = set(self._doubtful)

    def changed(self, channels: Iterable[Channel]) -> None:
        """Channels show something else; they are judged the next time."""
        self._unjudged |= self._doubtful.intersection(channels)

    def judge(self, programme: float | None) -> bool:
        """Look at what the channels show that changed; whether a group has proved itself.

        Args:
            programme: the code that the mode switch shows, None where that is not known.
        """
        heats = programme not in _NOT_HEATING
        # What heating proves, all of them may prove now.
        unjudged = self._unjudged if heats == self._heats else self._doubtful
        self._unjudged, self._heats = set(), heats
        if not unjudged:
            return False
        return self.add(_proven_by([*filter(_shows_something, unjudged)], heats))

    def parameter_set(self, id_: str) -> bool:
        """Somebody set a parameter; whether that shows that a group exists."""
        return self.add(Proven(frozenset({self._catalogue.place_of_parameter(id_).group})))

    def add(self, proven: Proven) -> bool:
        """This exists; whether that is news. Of a part, the whole exists as well."""
        if proven.groups <= self.proven.groups and proven.inputs <= self.proven.inputs:
            return False
        known = self._catalogue.equipment
        named = frozenset(proven.groups & known.groups.keys())
        wholes = {known.device(each) for each in named} - {BOILER}
        before = self.proven
        self.proven = before | Proven(named | wholes, proven.inputs)
        if self.proven == before:
            return False
        self._doubt()
        return True

    def _doubt(self) -> None:
        """Find the channels that may yet show something."""
        self._doubtful = frozenset(filter(self._is_doubtful, self._channels))
        self._unjudged &= self._doubtful

    def _is_doubtful(self, channel: Channel) -> bool:
        may_prove = bool(channel.place.proof) and not self.has(channel.place.group)
        return may_prove or self._is_unconnected(channel)

    def _is_unconnected(self, channel: Channel) -> bool:
        return channel.detectable and channel.object not in self.proven.inputs


def _proven_by(channels: Collection[Channel], heats: bool) -> Proven:
    """What the values that these channels show are a proof of."""
    groups = (each.place.group for each in channels if _is_proof(each, heats))
    inputs = (each.object for each in channels if each.detectable)
    return Proven(frozenset(groups), frozenset(inputs))


def _shows_something(channel: Channel) -> bool:
    """Whether a channel shows a value of its own; an input in doubt does not."""
    value = channel.value
    return channel.connected and value is not None and not channel.means_missing(value)


def _is_proof(channel: Channel, heats: bool) -> bool:
    """Whether what a connected channel shows is a proof that its group exists."""
    return channel.value is not None and _SHOWS[channel.place.proof](channel.value, heats)
