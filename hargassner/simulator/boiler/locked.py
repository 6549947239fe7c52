"""A simulated boiler that refuses every request, as real ones do without a login."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import cycle

from hargassner.simulator.boiler.engine import BoilerEngine, Message
from hargassner.simulator.boiler.plant import Plant


class LockedEngine(BoilerEngine):
    """Sends telemetry, and answers nothing but that it may not.

    Args:
        plant: what is measured.
        now: the boiler's clock.
        lines: telemetry lines to send instead of the plant's, with their line ends, over and over.
    """

    def __init__(
        self, plant: Plant, now: Callable[[], datetime], *, lines: Sequence[bytes] = ()
    ) -> None:
        super().__init__(plant, now)
        self._lines = cycle(lines) if lines else None

    def line(self) -> bytes:
        """The next one of the lines that were given, else the plant's."""
        return super().line() if self._lines is None else next(self._lines)

    def received(self, number: int, line: bytes) -> list[Message]:
        """Refuse a request; whatever does not begin like one is passed over."""
        refusal = Message(number, b"$permission denied\r\n")
        return [refusal] if line.startswith(b"$") else []
