"""The families of boilers, and how one is told."""

import re
from collections.abc import Iterable
from enum import StrEnum


class Family(StrEnum):
    """The kind of boiler, which decides what its state codes mean."""

    PELLET = "pellet"
    WOOD = "wood"
    CHIP = "chip"


_MODELS = (
    (re.compile(r"\b(eco|wth|hk|magno)", re.IGNORECASE), Family.CHIP),
    (re.compile(r"\b((st)?hv|mv)", re.IGNORECASE), Family.WOOD),
    (re.compile(r"nano|hsv|classic|\bcl\b|pk", re.IGNORECASE), Family.PELLET),
)
"""How the names of models tell the family; the first that fits counts."""

_OF_LOGS = re.compile(r"TKS$|PK_")

_OWN_FEED = frozenset({"ESsoll", "ES Run", "I Es", "AS RA Run", "Lagerstand"})
"""Channels of a boiler that feeds itself; those of a pellet part begin with ``PK_``."""


def family_of(model: str, names: Iterable[str]) -> Family:
    """The family of a boiler, by its model's name, else by the names of its channels.

    ``model`` may be empty. A boiler for log wood has a door contact (``TKS``) or a second, pellet
    part (``PK_…``), as some others have, and does not feed itself, unlike all others. When nothing
    shows it, it is the commonest, a pellet boiler.
    """
    for pattern, family in _MODELS:
        if pattern.search(model):
            return family
    return Family.WOOD if _burns_logs(frozenset(names)) else Family.PELLET


def _burns_logs(names: frozenset[str]) -> bool:
    """Whether the channels with these names are those of a boiler for log wood."""
    return names.isdisjoint(_OWN_FEED) and any(map(_OF_LOGS.match, names))
