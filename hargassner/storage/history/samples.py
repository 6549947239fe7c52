"""Looks at the model, and the minute that they make. No I/O and no clock."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from hargassner.catalogue.activities import ASH_REMOVAL, IGNITION

MINUTE = 60
"""Seconds."""
LONGEST_LOOK = 30.0
"""Seconds for which a look is taken to hold at most: what is longer is a gap."""

Tally = dict[str, float]
"""What a while adds to its day, by the names below. It adds up."""

SECONDS = "seconds"
FULL_LOAD = "full_load"
"""Seconds, weighted with the output."""
OUTDOOR = "outdoor"
"""°C times seconds."""
OUTDOOR_SECONDS = "outdoor_seconds"
IGNITIONS = "ignitions"
ASH_REMOVALS = "ash_removals"
STATE = "state/"
"""Before a code: seconds in that state."""
PUMP = "pump/"
"""Before an object: seconds for which the pump ran."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A channel whose values are kept; ``is_state`` where they are codes."""

    object: str
    name: str
    unit: str
    is_state: bool = False


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """A fault: its number, 0 for one without, and the boiler's or the catalogue's words."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """What the model shows at a moment.

    ``output`` in %, ``outdoor`` in °C, ``burnt`` (the boiler's counter) and ``stock`` in kg; each
    is None where the boiler has none, or does not show it.
    """

    values: Mapping[Recorded, float] = field(default_factory=dict)
    state: int | None = None
    activity: str | None = None
    pumps: tuple[str, ...] = ()
    output: float | None = None
    outdoor: float | None = None
    burnt: float | None = None
    stock: float | None = None
    faults: frozenset[FaultSeen] = frozenset()


@dataclass(frozen=True, slots=True)
class Sample:
    """A minute: what its first look showed, what all of them came to, all the faults in it.

    ``moment`` is that of the first look. ``burnt`` and ``stock`` are the last look's.
    """

    moment: float
    values: Mapping[Recorded, float]
    tally: Tally
    burnt: float | None
    stock: float | None
    faults: frozenset[FaultSeen]


@dataclass(frozen=True, slots=True)
class Dated:
    """A minute with its date: ``minute`` is counted from the epoch."""

    minute: int
    sample: Sample

    @property
    def date(self) -> float:
        """Its date, in seconds since the epoch."""
        return float(self.minute * MINUTE)


def tally_of(look: Look, seconds: float) -> Tally:
    """What a look adds that holds for so many seconds."""
    tally = {SECONDS: seconds, **{f"{PUMP}{each}": seconds for each in look.pumps}}
    if look.state is not None:
        tally[f"{STATE}{look.state}"] = seconds
    if look.output is not None:
        tally[FULL_LOAD] = seconds * look.output / 100
    if look.outdoor is not None:
        tally[OUTDOOR] = seconds * look.outdoor
        tally[OUTDOOR_SECONDS] = seconds
    return tally


BEGUN = {IGNITION: IGNITIONS, ASH_REMOVAL: ASH_REMOVALS}
"""The activities that are counted, with what counts them."""


def begun(before: str | None, now: str | None) -> Tally:
    """What a change of the activity adds; what went on already when it was first seen does not."""
    if before is None or now == before or now not in BEGUN:
        return {}
    return {BEGUN[now]: 1.0}


def added(before: Mapping[str, float], more: Mapping[str, float]) -> Tally:
    """Two tallies together."""
    return {**before, **{key: before.get(key, 0.0) + value for key, value in more.items()}}


class Sampler:
    """Makes minutes of looks."""

    def __init__(self) -> None:
        self._minute: float | None = None
        self._sample: Sample | None = None
        self._last = math.nan
        self._activity: str | None = None

    @property
    def open(self) -> Sample | None:
        """The minute that it is now, as far as it has come; None where nothing is known of it."""
        return self._sample

    def look(self, moment: float, date: float, look: Look | None) -> Sample | None:
        """Take a look in.

        Args:
            moment: when, by a clock that runs evenly.
            date: when, by the wall clock: it tells minutes apart.
            look: what the model shows, None while it is not known.

        Returns:
            the minute before, if this look is not of it and something was known of it.
        """
        minute = date // MINUTE
        done = None
        if minute != self._minute:
            done, self._sample, self._minute = self._sample, None, minute
        if look is None:
            self._last = math.nan
        else:
            self._take(moment, look)
        return done

    def close(self) -> Sample | None:
        """End the minute, since nothing more comes; the result is what is known of it."""
        sample, self._sample = self._sample, None
        self._minute, self._last = None, math.nan
        return sample

    def _take(self, moment: float, look: Look) -> None:
        passed = moment - self._last
        tally = tally_of(look, passed if 0 <= passed <= LONGEST_LOOK else 0.0)
        tally = added(tally, begun(self._activity, look.activity))
        self._last, self._activity = moment, look.activity
        before = self._sample or Sample(moment, {}, {}, None, None, frozenset())
        self._sample = Sample(
            before.moment,
            {**look.values, **before.values},
            added(before.tally, tally),
            look.burnt,
            look.stock,
            before.faults | look.faults,
        )
