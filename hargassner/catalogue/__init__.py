"""What is known of channel names, whatever boiler they come from."""

from hargassner.catalogue.reader import (
    AnalogEntry,
    Catalogue,
    CircuitEntry,
    DigitalEntry,
    Family,
    ParameterEntry,
    Text,
    family_of,
    spelled_unit,
)

__all__ = [
    "AnalogEntry",
    "Catalogue",
    "CircuitEntry",
    "DigitalEntry",
    "Family",
    "ParameterEntry",
    "Text",
    "family_of",
    "spelled_unit",
]
