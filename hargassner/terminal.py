"""Text for a terminal: what comes from the wire must not steer it, and tables stand in columns."""

import io
from collections.abc import Iterable, Sequence
from typing import TextIO


def printable(text: str) -> str:
    """A text as one line without control characters, whoever wrote it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def replace_unknown_signs(output: TextIO) -> None:
    """Have an output show a sign that its encoding does not have as "?", instead of failing."""
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="replace")


def columns(rows: Iterable[Sequence[object]]) -> str:
    """Rows as lines whose cells stand one below the other; every cell is made printable.

    The rows must be equally long. The last column is not padded.
    """
    table = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
