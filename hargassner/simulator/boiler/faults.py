"""The faults that the simulated boiler can have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as the boiler reports it; ``stops`` if no fire may burn meanwhile."""

    number: int
    text: str
    stops: bool


SAFETY_LIMITER = 1
ASH_DRAWER_OPEN = 93
_KNOWN = {
    each.number: each
    for each in (
        Fault(SAFETY_LIMITER, "Übertemperatur, STB ausgelöst", stops=True),
        Fault(5, "Aschelade entleeren", stops=False),
        Fault(6, "Aschelade voll", stops=True),
        Fault(9, "Überstrom Putzeinrichtung", stops=False),
        Fault(17, "Außenfühler: Unterbrechung", stops=False),
        Fault(26, "Zündzeit überschritten", stops=True),
        Fault(27, "Rauchgastemperatur zu niedrig", stops=True),
        Fault(32, "maximale Füllzeit überschritten", stops=True),
        Fault(70, "Pellets-Lagerstand gering", stops=False),
        Fault(ASH_DRAWER_OPEN, "Aschelade offen", stops=True),
    )
}


class Faults:
    """The active faults, in the order in which they were raised."""

    def __init__(self) -> None:
        self._active: dict[int, Fault] = {}

    def __contains__(self, number: int) -> bool:
        """Whether the fault with this number is active."""
        return number in self._active

    @property
    def active(self) -> tuple[Fault, ...]:
        """The active faults, oldest first."""
        return tuple(self._active.values())

    @property
    def last(self) -> int:
        """The number of the newest active fault, 0 if there is none."""
        return next(reversed(self._active), 0)

    @property
    def forbid_fire(self) -> bool:
        """Whether one of them stops the fire."""
        return any(fault.stops for fault in self._active.values())

    def set(self, number: int) -> None:
        """Activate a fault; one whose number is not known stops the fire."""
        self._active[number] = _KNOWN.get(number, Fault(number, "Störung", stops=True))

    def clear(self, number: int) -> None:
        """End a fault; nothing happens if it is not active."""
        self._active.pop(number, None)
