"""How commands end: their exit status, and the line that says why one failed."""

import sys
from collections.abc import Callable

INTERRUPTED = 130
"""The exit status of a command that Ctrl-C ended, as a shell has it."""


def failed(command: str, why: object) -> int:
    """Say why a command failed; the result is its exit status."""
    print(f"hargassner {command}: {why}", file=sys.stderr)
    return 1


def exit_status(command: str, work: Callable[[], object], *failures: type[Exception]) -> int:
    """Do a command's work; the result is its exit status.

    Args:
        command: its name.
        work: what it does.
        failures: the exceptions whose text is the line that the user reads.
    """
    try:
        work()
    except KeyboardInterrupt:
        return INTERRUPTED
    except failures as wrong:
        return failed(command, wrong)
    return 0
