"""One link of the chain, as the page and the commands show it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a link is, at a glance."""

    OK = "ok"
    WAIT = "wait"
    BROKEN = "broken"
    NOT_UNDERSTOOD = "not-understood"
    """It works, but what it brings means nothing yet."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Link:
    """How one link is.

    ``state`` names it, such as "gateway.online"; the table of texts has it in words. ``since`` is
    the moment, None where nothing has happened yet. ``address`` is the far end's,
    as far as it is known. ``problem`` is the cause as the system or the broker tells it. ``advice``
    names the sentence that says what to do, empty where nothing is to be done; ``fields`` are
    filled into it.
    """

    state: str
    level: Level
    since: float | None = None
    address: str = ""
    problem: str = ""
    advice: str = ""
    fields: tuple[tuple[str, object], ...] = ()
