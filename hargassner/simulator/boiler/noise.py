"""The noise of the simulated boiler's sensors."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Noise:
    """What is added to the values of sensors; drawn anew whenever time passes."""

    supply: float = 0.0
    chamber: float = 0.0
    oxygen: float = 0.0
    flue: float = 0.0
    current: float = 0.0

    @classmethod
    def drawn(cls, random: Random) -> "Noise":
        """New noise."""
        draw = random.uniform
        return cls(draw(-4, 4), draw(-6, 6), draw(-0.3, 0.3), draw(-0.8, 0.8), draw(0, 9))
