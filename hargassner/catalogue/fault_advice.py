"""What an owner can do about a fault, by what the fault is."""

import re
from collections.abc import Sequence
from functools import cache

from hargassner.catalogue.text import Text
from hargassner.tables import rows


@cache
def _table() -> Sequence[tuple[re.Pattern[str], Text]]:
    table = rows(__package__, "fault_advice.tsv")
    return [(re.compile(row["found"], re.IGNORECASE), Text.of(row)) for row in table]


@cache
def fault_advice(words: str) -> Text:
    """What to do.

    Args:
        words: what the catalogue calls the fault, in English.
    """
    return next((advice for found, advice in _table() if found.search(words)), _table()[-1][1])
