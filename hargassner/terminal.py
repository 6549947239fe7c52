"""Text for a terminal: what comes from the wire must not steer it, and tables stand in columns."""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
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


def shows_colours(output: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether an output is a terminal whose owner wants colours (https://no-color.org)."""
    return output.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def coloured(text: str, code: str) -> str:
    """A text in a colour, or bold, by the code of the terminal's sequence ("1" is bold)."""
    return f"\x1b[{code}m{text}\x1b[0m"


def preferred_language(environ: Mapping[str, str], languages: Collection[str]) -> str:
    """The language that the environment asks for; English where it is none of these."""
    named = (environ.get(each, "") for each in ("LC_ALL", "LC_MESSAGES", "LANG"))
    language = next(filter(None, named), "")[:2].lower()
    return language if language in languages else "en"


def columns(rows: Iterable[Sequence[object]]) -> str:
    """Rows as lines whose cells stand one below the other; every cell is made printable.

    The rows must be equally long. The last column is not padded.
    """
    table = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)
