"""Which circuits, tanks, buffers and lines there are.

A boiler describes the channels of everything that could be connected to it, and most of that is
not. What belongs together is judged together, as a group: it exists when one of its channels shows
so, or when somebody sets one of its parameters. What once existed stays.
"""

from collections.abc import Callable, Iterable, Mapping

from hargassner.boiler.values import Channel
from hargassner.catalogue import BOILER, NOWHERE, Catalogue, Place, Proof

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


_SHOWS: Mapping[Proof, Callable[[float, bool], bool]] = {
    Proof.CONNECTED: _always,
    Proof.ON: _is_positive,
    Proof.POSITIVE: _is_positive,
    Proof.HEATING: _is_positive_while_heating,
    Proof.MOVED: _is_measured_room,
}
"""Whether a value that a connected channel shows is a proof, by the kind of proof."""


def place_of(channel: Channel) -> Place:
    """Where a channel belongs; nowhere if it is not known."""
    return channel.entry.place if channel.entry is not None else NOWHERE


class Installation:
    """The groups that exist.

    ``present`` has the keys of those that have proved themselves.

    Args:
        catalogue: what belongs to which group.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.present: frozenset[str] = frozenset()
        self._catalogue = catalogue
        self._doubtful: list[Channel] = []

    def has(self, group: str) -> bool:
        """Whether a group exists; the boiler itself, which is none, does."""
        return not group or group in self.present

    def shows(self, channel: Channel) -> bool:
        """Whether a channel belongs to something that exists."""
        return self.has(place_of(channel).group)

    def describe(self, channels: Iterable[Channel]) -> None:
        """The boiler has these channels now."""
        self._doubtful = [each for each in channels if place_of(each).proof]

    def judge(self, programme: float | None) -> bool:
        """Look at what the channels show; whether a group has proved itself.

        Args:
            programme: the code that the mode switch shows, None where that is not known.
        """
        heats = programme not in _NOT_HEATING
        return self.add(
            place_of(each).group
            for each in self._doubtful
            if each.connected
            and each.value is not None
            and _SHOWS[place_of(each).proof](each.value, heats)
        )

    def parameter_set(self, id_: str) -> bool:
        """Somebody set a parameter; whether that shows that a group exists."""
        entry = self._catalogue.parameter(id_)
        return self.add([entry.place.group] if entry is not None else [])

    def add(self, groups: Iterable[str]) -> bool:
        """These groups exist; whether that is news. Of a part, the whole exists as well."""
        known = self._catalogue.equipment
        named = {each for each in groups if each in known.groups}
        wholes = {known.device(each) for each in named} - {BOILER}
        new = (named | wholes) - self.present
        self.present |= new
        if new:
            self._doubtful = [each for each in self._doubtful if not self.shows(each)]
        return bool(new)
