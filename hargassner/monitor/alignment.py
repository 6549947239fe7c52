"""Which value of a line belongs to which channel, where lines have more than are described.

Some firmwares send values that their descriptor leaves out. An alignment says for each described
place how many values are skipped before it; that number never falls along a line. The decimals
that the descriptor promises (``dop``) rule out most alignments, and what all the others agree on
is certain. Shifts are bits here: bit ``n`` stands for ``n`` values skipped.
"""

from collections.abc import Callable, Sequence

from hargassner.dialogue.channels import Descriptor
from hargassner.monitor.observed import ANY_FORM, INTEGER, MORE_DECIMALS, ONE_DECIMAL

MOST_HIDDEN = 4
"""Values that a descriptor leaves out at most; more are not looked for."""


USUAL_FORMS = INTEGER | ONE_DECIMAL
"""How real firmware with ``dop`` prints the values of channels without."""


def promises_decimals(descriptor: Descriptor) -> bool:
    """Whether a boiler's firmware fixes how its values are printed."""
    return any(channel.decimals is not None for channel in descriptor.analog)


def promised_forms(descriptor: Descriptor, unsaid: int = ANY_FORM) -> list[int]:
    """The forms that each described place may have.

    Args:
        descriptor: what firmware with ``dop`` promises; other firmware promises nothing.
        unsaid: the forms of a channel without ``dop`` among others that have it.
    """
    forms = [ANY_FORM] * descriptor.analog_values
    if promises_decimals(descriptor):
        for channel in descriptor.analog:
            forms[channel.place] &= _promised_form(channel.decimals, unsaid)
    return forms


def _promised_form(decimals: int | None, unsaid: int) -> int:
    return unsaid if decimals is None else min(1 << decimals, MORE_DECIMALS)


def agreeing(promised: Sequence[int], shown: Sequence[int], skipped: int) -> list[int]:
    """The shifts of each described place at which what is shown keeps what is promised.

    Args:
        promised: the forms that each described place may have.
        shown: the forms that each place of the lines has had; ``skipped`` more than described.
        skipped: how many values no channel describes.
    """
    shifts = range(skipped + 1)
    return [
        sum(1 << shift for shift in shifts if not shown[place + shift] & ~forms)
        for place, forms in enumerate(promised)
    ]


def feasible(agreed: Sequence[int]) -> list[int] | None:
    """The shifts of each place that some alignment of the whole line has; None if there is none."""
    rising = _reached(agreed, _and_above)
    falling = _reached([*reversed(agreed)], _and_below)
    both = [one & other for one, other in zip(rising, reversed(falling), strict=True)]
    return both if all(both) else None


def certain(shifts: Sequence[int]) -> list[int | None]:
    """The shift of each place where all alignments agree, else None."""
    return [each.bit_length() - 1 if each & (each - 1) == 0 else None for each in shifts]


def _reached(agreed: Sequence[int], onwards: Callable[[int], int]) -> list[int]:
    """The shifts of each place that can be reached from one end of the line."""
    reached = []
    possible = -1
    for shifts in agreed:
        possible = onwards(possible) & shifts
        reached.append(possible)
    return reached


def _and_above(shifts: int) -> int:
    return -(shifts & -shifts)


def _and_below(shifts: int) -> int:
    return -1 if shifts < 0 else (1 << shifts.bit_length()) - 1
