"""What a boiler does in each of its states, as the history counts it and the page colours it."""

from collections.abc import Mapping
from functools import cache
from operator import itemgetter

from hargassner.catalogue.codes import Codes, code_tables, codes_of
from hargassner.catalogue.families import Family
from hargassner.catalogue.reader import Catalogue

IGNITION = "ignition"
ASH_REMOVAL = "ash_removal"
OTHER = "other"
"""The activity in a state that is none of the table's."""


@cache
def _tables() -> Codes[str]:
    return code_tables("activities.tsv", itemgetter("activity"))


def activities(catalogue: Catalogue, name: str, family: Family) -> Mapping[int, str]:
    """The activity of each code of a state channel that has one; of all others it is ``OTHER``.

    Args:
        catalogue: knows which codes the channel has.
        name: the channel's.
        family: the kind of boiler.
    """
    return codes_of(_tables(), catalogue.state_table(name), family)
