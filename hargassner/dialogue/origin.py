"""How it is known what a boiler's telemetry means."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Where a descriptor comes from, the most trusted first."""

    BOILER = "boiler"
    """The boiler sent it, in this life of the bridge."""
    REMEMBERED = "remembered"
    """The boiler sent it earlier."""
    FILE = "file"
    """The owner gave it."""
    RECOGNISED = "recognised"
    """It is a published one with which the lines go."""
    UNKNOWN = "unknown"
    """There is none: values are not understood."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a descriptor comes from.

    ``layout`` is the name of a recognised layout, such as "V14.0n", and ``published`` says who
    published it; both are empty for any other.
    """

    source: Source
    layout: str = ""
    published: str = ""


BOILER = Origin(Source.BOILER)
UNKNOWN = Origin(Source.UNKNOWN)
