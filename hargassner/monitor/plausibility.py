"""How well what a place of the lines shows goes with a channel, as a logarithm of odds.

A figure above 0 speaks for the channel and one below against it, as against a value of which
nothing is known. The figures are rough on purpose: what many places show is added up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain

from hargassner.catalogue import AnalogEntry, Catalogue, Family
from hargassner.dialogue.channels import AnalogChannel
from hargassner.monitor.observed import INTEGER, ONE_DECIMAL, Place

IMPOSSIBLE = -9.0
"""For a channel that can't show that: a state without such a code, a percentage of 2,007."""

_FITS_CODE = 1.5
_FITS_SENTINEL = 1.5
_STRANGE_SENTINEL = -3.0
_STRANGE_ZERO = -1.5
_FELL = -4.0
_WARM = 1.0
_COLD = -1.0

_RANGES = {
    "°C": (-60.0, 1400.0),
    "%": (-100.0, 300.0),
    "kg": (0.0, 1e6),
    "h": (0.0, 1e6),
    "min": (0.0, 1e7),
    "bar": (-1.0, 20.0),
}
"""Lowest and highest value of a unit."""

_SENTINELS = frozenset({-20.0, 120.0, 140.0})
"""What inputs show to which nothing is connected."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of the values of a channel.

    ``codes`` are those of a state channel, else empty. ``missing`` are the ranges that an input
    shows to which nothing is connected. ``rises`` says that it never falls.
    """

    low: float
    high: float
    codes: frozenset[int]
    missing: tuple[tuple[float, float], ...]
    temperature: bool
    rises: bool


_ANYTHING = Kind(-1e15, 1e15, frozenset(), (), temperature=False, rises=False)


@cache
def kind_of(channel: AnalogChannel) -> Kind:
    """What the catalogue knows of a channel's values."""
    catalogue = Catalogue.load()
    entry = catalogue.analog(channel.name, channel.unit)
    if entry is None:
        return _ANYTHING
    low, high = _RANGES.get(entry.unit, (-1e15, 1e15))
    return Kind(
        low=low,
        high=high,
        codes=_codes(catalogue, entry),
        missing=entry.missing,
        temperature=entry.unit == "°C",
        rises=entry.state_class == "total_increasing",
    )


def _codes(catalogue: Catalogue, entry: AnalogEntry) -> frozenset[int]:
    """Every code that a channel can show, in whichever family."""
    return frozenset(chain.from_iterable(catalogue.states(entry.name, each) for each in Family))


def plausibility(kind: Kind, place: Place) -> float:
    """How well what a place has shown goes with a channel of this kind."""
    if not place.forms:
        return 0.0
    if kind.codes:
        return _codes_shown(kind, place)
    return sum(judge(kind, place) for judge in _JUDGES)


def _codes_shown(kind: Kind, place: Place) -> float:
    fits = place.forms == INTEGER and kind.codes.issuperset(place.values)
    return _FITS_CODE if fits else IMPOSSIBLE


def _range(kind: Kind, place: Place) -> float:
    return 0.0 if kind.low <= place.low <= place.high <= kind.high else IMPOSSIBLE


def _sentinel(kind: Kind, place: Place) -> float:
    if not _SENTINELS.issuperset(place.values):
        return 0.0
    expected = all(map(partial(_within, kind.missing), place.values))
    return _FITS_SENTINEL if expected else _STRANGE_SENTINEL


def _within(ranges: Sequence[tuple[float, float]], value: float) -> bool:
    return any(low <= value <= high for low, high in ranges)


def _zero(kind: Kind, place: Place) -> float:
    never_moved = place.values == (0.0,)
    return _STRANGE_ZERO if kind.missing and never_moved else 0.0


def _direction(kind: Kind, place: Place) -> float:
    return _FELL if kind.rises and place.fell else 0.0


def _warmth(kind: Kind, place: Place) -> float:
    if place.forms & ~(INTEGER | ONE_DECIMAL) or not 5.0 <= place.low < place.high <= 100.0:
        return 0.0
    return _WARM if kind.temperature else _COLD


_JUDGES: Sequence[Callable[[Kind, Place], float]] = (_range, _sentinel, _zero, _direction, _warmth)
