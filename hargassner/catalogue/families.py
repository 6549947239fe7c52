"""The families of boilers, and how one is told."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Family(StrEnum):
    """The kind of boiler, which decides what its state codes mean."""

    PELLET = "pellet"
    WOOD = "wood"
    CHIP = "chip"


_CHIP = re.compile(r"\b(eco|wth)", re.IGNORECASE)
_WOOD = re.compile(r"\b((st)?hv|mv)", re.IGNORECASE)
_PELLET = re.compile(r"nano|hsv|classic|\bcl\b|pk", re.IGNORECASE)


def family_of(model: str, names: Iterable[str]) -> Family:
    """The family of a boiler, by its model's name, else by the names of its channels.

    ``model`` may be empty. Only boilers for log wood have a door contact (``TKS``) or a second,
    pellet part (``PK_…``); when nothing shows it, it is the commonest, a pellet boiler.
    """
    for pattern, family in ((_CHIP, Family.CHIP), (_WOOD, Family.WOOD), (_PELLET, Family.PELLET)):
        if pattern.search(model):
            return family
    if any(name == "TKS" or name.startswith("PK_") for name in names):
        return Family.WOOD
    return Family.PELLET
