"""Telemetry lines as readings, by the description that holds when they come."""

from collections.abc import Sequence

from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.events import Readings
from hargassner.dialogue.telemetry import Decoder

_NOTHING = Readings()


class LineReader:
    """Reads the telemetry lines of one boiler, one after the other.

    Args:
        hidden: places of values in a telemetry line that the descriptor leaves out.
    """

    def __init__(self, hidden: Sequence[int] = ()) -> None:
        self._hidden = tuple(hidden)
        self._descriptor: Descriptor | None = None
        self._decoder: Decoder | None = None

    def read(self, line: bytes, descriptor: Descriptor | None) -> Readings:
        """What changed since the last line; with another descriptor, what every channel shows.

        Args:
            line: a whole telemetry line, without its line end.
            descriptor: what the line means, the same object until it means something else; None as
                long as that is not known, and then there are no readings.
        """
        if descriptor is not self._descriptor:
            self._descriptor = descriptor
            self._decoder = None if descriptor is None else Decoder(descriptor, self._hidden)
        if self._decoder is None:
            return _NOTHING
        changed = self._decoder.decode(line)
        mismatch = self._decoder.mismatch
        # Most lines repeat the last one.
        return Readings(changed, mismatch) if changed or mismatch else _NOTHING
