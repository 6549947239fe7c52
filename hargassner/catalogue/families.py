"""The families of boilers, and how one is told."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Family(StrEnum):
    """The kind of boiler, which decides what its state codes mean."""

    PELLET = "pellet"
    WOOD = "wood"
    CHIP = "chip"


_CHIP = re.compile(r"\b(eco|wth|hk|magno)", re.IGNORECASE)
_WOOD = re.compile(r"\b((st)?hv|mv)", re.IGNORECASE)
_PELLET = re.compile(r"nano|hsv|classic|\bcl\b|pk", re.IGNORECASE)

_OWN_FEED = frozenset({"ESsoll", "ES Run", "I Es", "AS RA Run", "Lagerstand"})
"""Channels of a boiler that feeds itself; those of a pellet part begin with ``PK_``."""


def family_of(model: str, names: Iterable[str]) -> Family:
    """The family of a boiler, by its model's name, else by the names of its channels.

    ``model`` may be empty. A boiler for log wood has a door contact (``TKS``) or a second, pellet
    part (``PK_…``), as some others have, and does not feed itself, unlike all others. When nothing
    shows it, it is the commonest, a pellet boiler.
    """
    for pattern, family in ((_CHIP, Family.CHIP), (_WOOD, Family.WOOD), (_PELLET, Family.PELLET)):
        if pattern.search(model):
            return family
    known = frozenset(names)
    may_burn_logs = "TKS" in known or any(name.startswith("PK_") for name in known)
    return Family.WOOD if may_burn_logs and not known & _OWN_FEED else Family.PELLET
