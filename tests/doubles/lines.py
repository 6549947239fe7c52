"""Telemetry lines of boilers that were never met, as their descriptor promises them."""

import random
from collections.abc import Iterator

from hargassner.catalogue import AnalogEntry, Catalogue, Family, family_of
from hargassner.dialogue.channels import AnalogChannel, Descriptor

_ABSENT = (-20.0, -20.0, -20.0, 120.0, 140.0)
_SPANS = {
    "°C": (15.0, 80.0),
    "%": (0.0, 100.0),
    "mA": (0.0, 800.0),
    "h": (0.0, 9000.0),
    "bar": (0.5, 2.5),
}
_RESTING = 0.9
"""Of ten values that can move, nine rest from a line to the next."""


class _Value:
    """One analog value, as it changes."""

    def __init__(self, channel: AnalogChannel, promises: bool, family: Family, chance) -> None:
        self._chance = chance
        self._decimals = self._printed(channel, promises)
        self._entry = Catalogue.load().analog(channel.name, channel.unit)
        self._codes = self._states(channel, family)
        self._rises = self._entry is not None and self._entry.state_class == "total_increasing"
        self._span = _SPANS.get(self._entry.unit if self._entry else channel.unit, (0.0, 50.0))
        self._value = self._begin()

    def _printed(self, channel: AnalogChannel, promises: bool) -> int:
        if channel.decimals is not None:
            return channel.decimals
        return self._chance.choice([1, 1, 1, 0] if promises else [1, 0])

    def _states(self, channel: AnalogChannel, family: Family) -> list[int]:
        if self._entry is None or not self._entry.states:
            return []
        return list(Catalogue.load().states(channel.name, family))

    def _begin(self) -> float:
        if self._codes:
            return self._chance.choice(self._codes)
        sensor = isinstance(self._entry, AnalogEntry) and self._entry.means_missing(-20.0)
        if sensor and self._chance.random() < 0.5:
            self._span = (0.0, 0.0)
            absent = [value for value in _ABSENT if self._entry.means_missing(value)]
            return self._chance.choice(absent)
        if not sensor and self._chance.random() < 0.5:
            self._span = (0.0, 0.0)
            return self._chance.choice([0.0, 0.0, 0.0, 1.0, 20.0, 70.0])
        return self._chance.uniform(*self._span)

    def next(self) -> str:
        """What it shows in the next line."""
        moves = self._chance.random() > _RESTING
        if moves and self._codes:
            self._value = self._chance.choice(self._codes)
        elif moves and self._span[1]:
            low, high = self._span
            step = self._chance.uniform(-0.02, 0.02) * (high - low)
            self._value = min(max(self._value + (abs(step) if self._rises else step), low), high)
        return f"{self._value:.{0 if self._codes else self._decimals}f}"


def lines_of(descriptor: Descriptor, seed: int, family: Family | None = None) -> Iterator[bytes]:
    """Lines without end, of a boiler with this descriptor.

    Which inputs have sensors, what runs and what rests is different for each seed. Words are
    printed in four digits by firmware that promises no decimals, else in as many as it takes.
    """
    chance = random.Random(seed)
    promises = any(channel.decimals is not None for channel in descriptor.analog)
    names = [channel.name for channel in descriptor.analog]
    family = family or family_of("", names)
    values = {
        channel.place: _Value(channel, promises, family, chance) for channel in descriptor.analog
    }
    bits = [0] * descriptor.words
    for bit in descriptor.digital:
        bits[bit.word] |= (chance.random() < 0.3) << bit.bit
    while True:
        if descriptor.digital and chance.random() < 0.3:
            bit = chance.choice(descriptor.digital)
            bits[bit.word] ^= 1 << bit.bit
        tokens = [
            values[place].next() if place in values else "0"
            for place in range(descriptor.analog_values)
        ]
        words = [f"{word:X}" if promises else f"{word:04X}" for word in bits]
        yield ("pm " + "".join(f"{token} " for token in [*tokens, *words])).encode("latin-1")
