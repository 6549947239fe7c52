"""Text for a terminal: what comes from the wire must not steer it, and tables stand in columns."""

from collections.abc import Iterable, Sequence


def printable(text: str) -> str:
    """A text as one line without control characters, whoever wrote it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def columns(rows: Iterable[Sequence[object]]) -> str:
    """Rows as lines whose cells stand one below the other; every cell is made harmless.

    The rows must be equally long. The last column is not padded.
    """
    table = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
