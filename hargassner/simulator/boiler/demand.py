"""Who needs heat from the simulated boiler."""

from collections.abc import Iterable, Sequence

from hargassner.simulator.boiler.house import Buffer, Circuit

_NOTICES = {
    (False, True): ("Puffer Laden",),
    (True, False): ("Puffer Aus", "keine Anforderung"),
}
"""What the boiler says when the charging of the buffer begins, and when it ends."""


class Demand:
    """What is demanded of the boiler.

    ``buffer``: the buffer is to be charged; this holds until it is full. ``highest`` is the
    highest temperature that a circuit or the tank demands of the buffer, in °C; 0 for none.
    """

    def __init__(self) -> None:
        self.buffer = False
        self.highest = 0.0

    def collect(self, circuits: Iterable[Circuit], tank: float) -> None:
        """Find the highest demanded temperature; ``tank`` is the tank's, 0 if it needs none."""
        self.highest = max([*(each.setpoint + 3 for each in circuits if each.pump), tank])

    def update(
        self, buffer: Buffer, *, full: bool, enabled: bool, requested: bool
    ) -> Sequence[str]:
        """Decide whether the buffer is to be charged; the result are the notices of a change.

        Args:
            buffer: the buffer.
            full: it is as warm as it is to become.
            enabled: the boiler's mode allows heating.
            requested: somebody asked for it at the panel or with the app.
        """
        before = self.buffer
        self.buffer |= requested or 0 < self.highest > buffer.top
        self.buffer &= enabled and not full
        return _NOTICES.get((before, self.buffer), ())
