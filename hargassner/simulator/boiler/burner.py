"""The burn cycle of the simulated boiler: what the fire does, step by step."""

from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """The boiler's state as its channel ``ZK`` numbers it for pellet boilers."""

    OFF = 1
    START = 3
    FEEDING = 4
    WAITING = 5
    KINDLING = 6
    BURNING = 7
    EMBERS = 8
    BURNING_OUT = 9
    GRATE = 10
    ASH = 11
    CLEANING = 12
    FILL_START = 13
    FILLING = 14
    SAFETY = 19


RATED_POWER = 20.0
"""Kilowatts at full output."""

LOWEST_POWER = 30.0
"""Percent: below this a pellet fire does not burn cleanly."""

IGNITION = frozenset({State.START, State.FEEDING, State.WAITING, State.KINDLING})
"""From the start to a fire that burns by itself."""

FIRE = frozenset({State.KINDLING, State.BURNING, State.EMBERS, State.BURNING_OUT})
"""There is a fire, at least embers."""

LIT = IGNITION | FIRE
"""The boiler is in operation."""

HOPPER = 28.0
"""Kilograms of pellets in the boiler's own hopper when it is full."""

_NEARLY_EMPTY = 9.0
_BURNS_BETWEEN_CLEANING = 3
_TOO_HOT = 6.0
_LONGEST_EMBERS = {True: 1500.0, False: 600.0}
"""Seconds that embers are preserved, by whether somebody needs heat."""

# How long a state lasts, in seconds, and what comes then.
_NEXT = {
    State.START: (40.0, State.FEEDING),
    State.FEEDING: (150.0, State.WAITING),
    State.WAITING: (180.0, State.KINDLING),
    State.KINDLING: (180.0, State.BURNING),
    State.BURNING_OUT: (420.0, State.GRATE),
    State.GRATE: (45.0, State.ASH),
    State.ASH: (60.0, State.OFF),
    State.CLEANING: (50.0, State.OFF),
    State.FILL_START: (30.0, State.FILLING),
    State.FILLING: (240.0, State.OFF),
}

# What the fire gives in percent of the rated power where it is not the power asked for.
_HEAT = {State.WAITING: 3.0, State.KINDLING: 25.0, State.EMBERS: 4.0}

# How fast it comes to that, as a time constant in seconds, where it is not 40.
_INERTIA = {State.BURNING_OUT: 150.0}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decides about the fire.

    ``demanded``: somebody needs heat. ``allowed``: the boiler is switched on, and no fault forbids
    a fire. ``tripped``: the safety limiter has opened. ``excess``: by how many degrees the boiler
    is above its set temperature.
    """

    demanded: bool
    allowed: bool
    tripped: bool
    excess: float


class Burner:
    """The fire and what serves it.

    ``power`` is the output asked of the fire in percent; ``heat`` is what it gives, which differs
    from it while the fire grows or dies.
    """

    def __init__(self) -> None:
        self.state = State.OFF
        self.power = 0.0
        self.heat = 0.0
        self.hopper = 20.0
        self.ignitions = 874
        self.burns = 0
        self.hours = 1956.0
        self.feeding_since_filling = 212.0
        self.feeding_since_ash = 9.0
        self._elapsed = 0.0
        # What is decided in a state; in the others only the time counts.
        self._decisions = {
            State.SAFETY: self._when_safe_again,
            State.OFF: self._when_off,
            State.BURNING: self._when_burning,
            State.EMBERS: self._when_embers,
            **dict.fromkeys(IGNITION, self._when_igniting),
        }
        # What the end of a state's time does, and what comes then.
        self._ends = {
            State.KINDLING: self._kindled,
            State.ASH: self._ash_removed,
            State.FILLING: self._filled,
        }

    @property
    def feeds(self) -> bool:
        """Whether the feed screw has work."""
        return self.state in (State.FEEDING, State.KINDLING, State.BURNING)

    @property
    def output(self) -> float:
        """What the fire gives, in kW."""
        return self.heat / 100 * RATED_POWER

    def step(self, seconds: float, conditions: Conditions) -> None:
        """Let a few seconds pass."""
        self._elapsed += seconds
        if conditions.tripped:
            self._enter(State.SAFETY)
        else:
            self._decisions.get(self.state, self._when_time_is_up)(conditions)
        self._burn(seconds, conditions.excess)
        self._count(seconds)

    def _when_safe_again(self, _conditions: Conditions) -> None:
        self._enter(State.OFF)

    def _when_off(self, conditions: Conditions) -> None:
        if not conditions.allowed:
            return
        if self.hopper < _NEARLY_EMPTY:
            self._enter(State.FILL_START)
        elif conditions.demanded:
            self._enter(State.START)

    def _when_igniting(self, conditions: Conditions) -> None:
        if conditions.allowed:
            self._when_time_is_up(conditions)
        else:
            self._enter(State.OFF if self.state is State.START else State.BURNING_OUT)

    def _when_burning(self, conditions: Conditions) -> None:
        """Burn, or preserve the embers when there is no use for the heat."""
        if self._has_to_end(conditions):
            self._enter(State.BURNING_OUT)
        elif not conditions.demanded or conditions.excess > _TOO_HOT:
            self._enter(State.EMBERS)

    def _when_embers(self, conditions: Conditions) -> None:
        """Wait for a use of the heat for a while, then burn out."""
        if self._has_to_end(conditions):
            self._enter(State.BURNING_OUT)
        elif conditions.demanded and conditions.excess < 0:
            self._enter(State.BURNING)
        elif self._elapsed > _LONGEST_EMBERS[conditions.demanded]:
            self._enter(State.BURNING_OUT)

    def _has_to_end(self, conditions: Conditions) -> bool:
        return not conditions.allowed or self.hopper <= 0

    def _when_time_is_up(self, _conditions: Conditions) -> None:
        seconds, following = _NEXT[self.state]
        if self._elapsed >= seconds:
            self._enter(self._ends.get(self.state, lambda: following)())

    def _kindled(self) -> State:
        self.ignitions += 1
        self.power = LOWEST_POWER
        return State.BURNING

    def _ash_removed(self) -> State:
        self.burns += 1
        self.feeding_since_ash = 0.0
        return State.OFF if self.burns % _BURNS_BETWEEN_CLEANING else State.CLEANING

    def _filled(self) -> State:
        self.hopper = HOPPER
        self.feeding_since_filling = 0.0
        return State.OFF

    def _enter(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            self._elapsed = 0.0

    def _burn(self, seconds: float, excess: float) -> None:
        if self.state is State.BURNING:
            target = min(max(100.0 - 12.0 * (excess + 3.0), LOWEST_POWER), 100.0)
            most = 0.4 * seconds
            self.power += min(max(target - self.power, -most), most)
            goal = self.power
        else:
            self.power = LOWEST_POWER if self.state is State.KINDLING else 0.0
            goal = _HEAT.get(self.state, 0.0)
        self.heat += (goal - self.heat) * min(seconds / _INERTIA.get(self.state, 40.0), 1.0)

    def _count(self, seconds: float) -> None:
        if self.state in FIRE:
            self.hours += seconds / 3600
        if self.feeds:
            self.feeding_since_filling += seconds / 60
            self.feeding_since_ash += seconds / 60
