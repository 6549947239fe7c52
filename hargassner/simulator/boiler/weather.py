"""The weather around the simulated boiler: a day's course around a mean that drifts."""

import math
from random import Random


class Weather:
    """The time of day and the temperature outside.

    ``average`` is the outdoor temperature in °C averaged over half a day.

    Args:
        hour: the time of day at the start, in hours.
        random: decides the mean temperature and its drift.
    """

    def __init__(self, hour: float, random: Random) -> None:
        self.hour = hour
        self._random = random
        self._mean = random.uniform(-3.0, 5.0)
        self.average = self.outdoor

    @property
    def outdoor(self) -> float:
        """The temperature outside in °C."""
        return _outdoor_temperature(self.hour, self._mean)

    def step(self, seconds: float) -> None:
        """Let a few seconds pass."""
        self.hour = (self.hour + seconds / 3600) % 24
        drift = self._random.uniform(-1, 1) * 0.0004 * seconds
        self._mean = min(max(self._mean + drift, -8.0), 9.0)
        self.average += (self.outdoor - self.average) * seconds / 43_200


def _outdoor_temperature(hour: float, mean: float) -> float:
    """The day's course around its mean: coldest at four, warmest at four in the afternoon."""
    return mean - 4.5 * math.cos((hour - 4) / 24 * 2 * math.pi)
