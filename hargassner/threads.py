"""How threads share the interpreter with the reactor's."""

import sys

SWITCH_INTERVAL = 0.0002
"""Seconds after which a thread that computes gives way to another that wants to run."""


def give_way_soon() -> None:
    """Have what threads compute hold up the reactor for a fraction of a millisecond at most.

    They write recordings and the history, several times a second where something is recorded.
    Python lets a thread go on for 5 ms, for which a message that arrives meanwhile would wait.
    Twice does no harm.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
