"""What the parser of TOML complains of, in words for whoever wrote the file.

Of a line only the key is shown: the value may be a password.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_PLACE = r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)"
_UNQUOTED = (
    'texts stand in quotes, as in "eth0", lists in brackets; true and false are written small'
)


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What the parser says, and where; ``key`` is what stands before "=" there, or empty."""

    found: re.Match[str]
    line: int
    key: str


def _section_twice(complaint: _Complaint) -> str:
    names = ".".join(re.findall(r"'([^']*)'", complaint.found["names"]))
    return f"[{names}] is there twice (line {complaint.line}): put all of its keys below one"


def _key_twice(complaint: _Complaint) -> str:
    return f"{complaint.key or 'a key'} is there twice (line {complaint.line})"


def _unquoted(complaint: _Complaint) -> str:
    what = f"{complaint.key}: " if complaint.key else ""
    return f"is not TOML: line {complaint.line}: {what}{_UNQUOTED}"


_COMPLAINTS: tuple[tuple[str, Callable[[_Complaint], str]], ...] = (
    (r"Cannot declare \((?P<names>.*)\) twice", _section_twice),
    (r"Cannot overwrite a value", _key_twice),
    (r"Invalid value", _unquoted),
    (r"Expected newline or end of document after a statement", _unquoted),
)


def explained(complaint: str, text: str) -> str:
    """What is wrong with a file, in a sentence that goes with the file's name.

    Args:
        complaint: what the parser says.
        text: the file's text.
    """
    for pattern, words in _COMPLAINTS:
        found = re.fullmatch(pattern + _PLACE, complaint)
        if found is not None:
            return words(_placed(found, text))
    return f"is not TOML: {complaint}"


def _placed(found: re.Match[str], text: str) -> _Complaint:
    # At the document's end, it is the last line that has something.
    lines = text.rstrip().splitlines() or [""]
    number = int(found["line"] or len(lines))
    line = (lines[number - 1 : number] or [""])[0]
    key = re.match(r"\s*([\w-]{1,40})\s*=", line)
    return _Complaint(found, number, key[1] if key else "")
