"""Tables by code: what the states of a channel or the options of a parameter mean."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from hargassner.tables import rows

T = TypeVar("T")
Codes = Mapping[tuple[str, str], Mapping[int, T]]
"""What each code means, by the table's name and the family of boilers that it is for."""

ANY_FAMILY = "any"
"""Marks the tables that are the same for every family."""


def code_tables(file: str, meaning: Callable[[Mapping[str, str]], T]) -> Codes[T]:
    """The tables in a file, each row a code.

    Args:
        file: its name.
        meaning: what a row says of its code.
    """
    tables: dict[tuple[str, str], dict[int, T]] = {}
    for row in rows(__package__, file):
        tables.setdefault((row["states"], row["family"]), {})[int(row["code"])] = meaning(row)
    return tables


def codes_of(tables: Codes[T], name: str, family: str) -> Mapping[int, T]:
    """The table with this name: the family's own, or the one for all; empty if there is none."""
    return tables.get((name, family)) or tables.get((name, ANY_FAMILY), {})
