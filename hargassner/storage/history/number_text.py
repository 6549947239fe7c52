"""Numbers as text, many at a time.

One operation formats many cells, so that none of them becomes a text of its own; but not so many
that other threads have to wait for long, since Python runs none of them meanwhile.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Any

AT_ONCE = 2000
"""Cells that are formatted in one operation: half a millisecond on a desktop computer."""
REST = 50e-6
"""Seconds between two operations. Without them, a thread that waits for its turn (the reactor's)
gets it after 5 ms (``sys.getswitchinterval``)."""


def repeated(form: str, cells: Sequence[Any], size: int = 1) -> str:
    """A ``%`` format again and again, for as many times ``size`` cells as there are."""
    step = max(1, AT_ONCE // size) * size
    whole = len(cells) - len(cells) % step
    rest = cells[whole:]
    texts = [*_formatted(form * (step // size), cells, range(0, whole, step))]
    return "".join([*texts, form * (len(rest) // size) % tuple(rest)])


def _formatted(form: str, cells: Sequence[Any], places: range) -> Iterator[str]:
    for at in places:
        yield form % tuple(cells[at : at + places.step])
        time.sleep(REST)


def table(forms: Sequence[str], columns: Sequence[Sequence[Any]], separator: str) -> str:
    """Rows of cells, each column in its format."""
    width = len(columns)
    cells: list[Any] = [None] * sum(map(len, columns))
    for place, column in enumerate(columns):
        cells[place::width] = column
    return repeated(f"{separator.join(forms)}\r\n", cells, width)
