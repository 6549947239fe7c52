"""The classes of lines that nobody can know whose they are, as docs/control.md counts them."""

import re
from pathlib import Path

MANUAL = Path(__file__).parents[2] / "docs" / "control.md"
_ROW = re.compile(r"\| (ours|the gateway's) \| ([a-z]+) \| ([\d,]+) \| ([\d,]+) \|")


def undecidable_classes() -> dict[tuple[str, str], tuple[int, int]]:
    """Whose the line is, and to which of the gateway's requests it is or may be the reply.

    With each class, how many there are with two requests of the gateway's, and with three.
    """
    rows = _ROW.findall(MANUAL.read_text("utf-8"))
    return {(whose, kind): (_number(two), _number(three)) for whose, kind, two, three in rows}


def _number(text: str) -> int:
    return int(text.replace(",", ""))
