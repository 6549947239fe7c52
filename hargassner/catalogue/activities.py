"""What a boiler does in each of its states, as the history counts it and the page colours it."""

from collections.abc import Mapping
from functools import cache

from hargassner.catalogue.families import Family
from hargassner.catalogue.reader import ANY_FAMILY, Catalogue
from hargassner.tables import rows

IGNITION = "ignition"
ASH_REMOVAL = "ash_removal"
OTHER = "other"
"""The activity in a state that is none of the table's."""


@cache
def _tables() -> Mapping[tuple[str, str], Mapping[int, str]]:
    tables: dict[tuple[str, str], dict[int, str]] = {}
    for row in rows(__package__, "activities.tsv"):
        table = tables.setdefault((row["states"], row["family"]), {})
        table[int(row["code"])] = row["activity"]
    return tables


def activities(catalogue: Catalogue, name: str, family: Family) -> Mapping[int, str]:
    """The activity of each code of a state channel that has one; of all others it is ``OTHER``.

    Args:
        catalogue: knows which codes the channel has.
        name: the channel's.
        family: the kind of boiler.
    """
    entry = catalogue.analog(name, "")
    states = entry.states if entry else ""
    tables = _tables()
    return tables.get((states, family)) or tables.get((states, ANY_FAMILY), {})
