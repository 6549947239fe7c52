"""What a check found, step by step."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of a step."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be looked at, or there is nothing to look at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step found, in a sentence, and what the owner can do about it."""

    step: str
    outcome: Outcome
    what: str
    advice: str = ""


class Reporter(Protocol):
    """Whoever shows findings as they come."""

    def found(self, finding: Finding) -> None:
        """A step is done."""

    def waiting(self, what: str, seconds: float) -> None:
        """Something is waited for, so many seconds more at most; called a few times a second."""
