"""Whether the wall clock can be believed. No I/O and no clock."""

import math

FLOOR = 1_767_225_600.0
"""2026: the program is not older, so that a clock that shows an earlier date is wrong."""
DOUBT = 3600.0
"""Seconds for which a clock that shows a date before what is kept, or that nobody has set yet, is
doubted."""


class Plausibility:
    """Says when dates can be made of moments.

    A machine without a battery for its clock starts in 1970, or when it was last switched off, and
    is set right a minute later. So what is sampled is held back while the clock shows what cannot
    be, and for an hour while it may be wrong.
    """

    def __init__(self) -> None:
        self._doubted_since = math.inf

    def believed(self, moment: float, date: float, newest: float, is_set: bool) -> bool:
        """Whether the clock is believed.

        Args:
            moment: now, by a clock that runs evenly.
            date: now, by the wall clock.
            newest: the latest date that is kept already.
            is_set: whether the wall clock was set by another one, as far as the machine tells.
        """
        if date < FLOOR:
            return False
        if is_set and date >= newest:
            self._doubted_since = math.inf
            return True
        self._doubted_since = min(self._doubted_since, moment)
        return moment - self._doubted_since >= DOUBT
