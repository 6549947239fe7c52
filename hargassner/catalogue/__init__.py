"""What is known of channel names, whatever boiler they come from."""

from hargassner.catalogue.equipment import BOILER, NOWHERE, Place, Proof
from hargassner.catalogue.families import Family, family_of
from hargassner.catalogue.reader import (
    AnalogEntry,
    Catalogue,
    CircuitEntry,
    DigitalEntry,
    ParameterEntry,
    spelled_unit,
)
from hargassner.catalogue.text import Text

__all__ = [
    "BOILER",
    "NOWHERE",
    "AnalogEntry",
    "Catalogue",
    "CircuitEntry",
    "DigitalEntry",
    "Family",
    "ParameterEntry",
    "Place",
    "Proof",
    "Text",
    "family_of",
    "spelled_unit",
]
