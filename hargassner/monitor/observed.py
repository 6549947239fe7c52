"""What has been seen at each place of a boiler's telemetry lines, in bounded memory."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from operator import ne

MOST_VALUES = 8
"""Different values that are kept of a place; of one with more, the range is."""

INTEGER, ONE_DECIMAL, TWO_DECIMALS, MORE_DECIMALS = 1, 2, 4, 8
"""How a number is printed, as bits."""

ANY_FORM = INTEGER | ONE_DECIMAL | TWO_DECIMALS | MORE_DECIMALS

_is_number = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?").fullmatch

Change = tuple[int, str]
"""A place of a line, and what it shows otherwise than the line before."""


@lru_cache(maxsize=1024)
def form_of(token: str) -> int:
    """How a token is printed; 0 if it is no number."""
    if not _is_number(token):
        return 0
    return min(1 << len(token.partition(".")[2]), MORE_DECIMALS)


@dataclass(slots=True)
class Place:
    """What one place of the lines has shown: its forms, its range, its first few values.

    ``fell`` says that it once showed less than before.
    """

    forms: int = 0
    low: float = 0.0
    high: float = 0.0
    last: float = 0.0
    fell: bool = False
    values: tuple[float, ...] = ()

    def see(self, token: str) -> None:
        """Take in what it shows."""
        form = form_of(token)
        if not form:
            return
        value = float(token)
        if not self.forms:
            self.low = self.high = self.last = value
        self.forms |= form
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.fell = self.fell or value < self.last
        self.last = value
        if len(self.values) < MOST_VALUES and value not in self.values:
            self.values = (*self.values, value)


class Observed:
    """The places of lines that all have the same number of values.

    Args:
        values: how many.
    """

    def __init__(self, values: int) -> None:
        self.places = tuple(Place() for _ in range(values))
        self.lines = 0
        self._tokens = [""] * values
        self._numbers = range(values)

    def changed(self, tokens: Sequence[str]) -> list[Change]:
        """What a line shows otherwise than the last one that was seen; mostly little."""
        places = compress(self._numbers, map(ne, tokens, self._tokens))
        return [(place, tokens[place]) for place in places]

    def see(self, changes: Iterable[Change]) -> None:
        """Take in a line that differs so from the last one."""
        for place, token in changes:
            self.places[place].see(token)
            self._tokens[place] = token
        self.lines += 1
