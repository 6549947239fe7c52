"""The burn cycle of the simulated boiler: what the fire does, step by step."""

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


LOWEST_POWER = 30.0
"""Percent: below this a pellet fire does not burn cleanly."""

IGNITION = frozenset({State.START, State.FEEDING, State.WAITING, State.KINDLING})
"""From the start to a fire that burns by itself."""

FIRE = frozenset({State.KINDLING, State.BURNING, State.EMBERS, State.BURNING_OUT})
"""There is a fire, at least embers."""

HOPPER = 28.0
"""Kilograms of pellets in the boiler's own hopper when it is full."""

_NEARLY_EMPTY = 9.0
_BURNS_BETWEEN_CLEANING = 3
_TOO_HOT = 6.0
_EMBERS_TOO_HOT = 1500.0
_EMBERS_UNWANTED = 600.0

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

    def step(
        self, seconds: float, *, wanted: bool, allowed: bool, tripped: bool, excess: float
    ) -> None:
        """Let a few seconds pass.

        Args:
            seconds: how many.
            wanted: somebody needs heat.
            allowed: the boiler is switched on, and no fault forbids a fire.
            tripped: the safety limiter has opened.
            excess: by how many degrees the boiler is above its set temperature.
        """
        self._elapsed += seconds
        self._decide(wanted=wanted and allowed, allowed=allowed, tripped=tripped, excess=excess)
        self._burn(seconds, excess)

    def _decide(self, *, wanted: bool, allowed: bool, tripped: bool, excess: float) -> None:
        state = self.state
        if tripped:
            self._enter(State.SAFETY)
        elif state is State.SAFETY:
            self._enter(State.OFF)
        elif state is State.OFF:
            if self.hopper < _NEARLY_EMPTY and allowed:
                self._enter(State.FILL_START)
            elif wanted:
                self._enter(State.START)
        elif state in (State.BURNING, State.EMBERS):
            self._keep(wanted=wanted, allowed=allowed and self.hopper > 0, excess=excess)
        elif state in IGNITION and not allowed:
            self._enter(State.OFF if state is State.START else State.BURNING_OUT)
        elif self._elapsed >= _NEXT[state][0]:
            self._finish(state, _NEXT[state][1])

    def _keep(self, *, wanted: bool, allowed: bool, excess: float) -> None:
        """Burn, keep the embers for a while when there is no use for the heat, or burn out."""
        if not allowed:
            self._enter(State.BURNING_OUT)
        elif self.state is State.BURNING:
            if not wanted or excess > _TOO_HOT:
                self._enter(State.EMBERS)
        elif wanted and excess < 0:
            self._enter(State.BURNING)
        elif self._elapsed > (_EMBERS_TOO_HOT if wanted else _EMBERS_UNWANTED):
            self._enter(State.BURNING_OUT)

    def _finish(self, state: State, following: State) -> None:
        if state is State.KINDLING:
            self.ignitions += 1
            self.power = LOWEST_POWER
        elif state is State.ASH:
            self.burns += 1
            self.feeding_since_ash = 0.0
            if self.burns % _BURNS_BETWEEN_CLEANING == 0:
                following = State.CLEANING
        elif state is State.FILLING:
            self.hopper = HOPPER
            self.feeding_since_filling = 0.0
        self._enter(following)

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
            goal = {State.WAITING: 3.0, State.KINDLING: 25.0, State.EMBERS: 4.0}.get(
                self.state, 0.0
            )
        slowness = 150.0 if self.state is State.BURNING_OUT else 40.0
        self.heat += (goal - self.heat) * min(seconds / slowness, 1.0)
        if self.state in FIRE:
            self.hours += seconds / 3600
        if self.feeds:
            self.feeding_since_filling += seconds / 60
            self.feeding_since_ash += seconds / 60

    @property
    def feeds(self) -> bool:
        """Whether the feed screw has work."""
        return self.state in (State.FEEDING, State.KINDLING, State.BURNING)
