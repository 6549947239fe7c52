"""Recorded dialogues, descriptors and lines of real boilers, where this machine has them."""

from pathlib import Path
from unittest import SkipTest

FOLDER = Path(__file__).resolve().parents[2] / "shared"
CAPTURED = "captures/nano-pk-v14.0n3.json"
INVENTED = Path(__file__).resolve().parent / "fixtures" / "invented-session.json"
"""A start of a session that no boiler ever said, in the form of a captured one."""


def shared_file(name: str) -> Path:
    """The path of a shared recording, such as ``captures/nano-pk-v14.0n3.json``.

    Raises:
        SkipTest: the recordings, which are not part of this repository, are not beside it.
    """
    path = FOLDER / name
    if not path.exists():
        raise SkipTest(
            f"the recordings are not part of the repository, and ../shared/{name} is absent"
        )
    return path


def session_starts() -> list[Path]:
    """Starts of a session, segment by segment: an invented one, and a real one where it is."""
    return [each for each in (INVENTED, FOLDER / CAPTURED) if each.exists()]
