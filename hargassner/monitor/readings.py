"""Telemetry lines as readings, by the description that holds when they come."""

from collections.abc import Sequence

from hargassner.dialogue.channels import Descriptor, LengthMismatch, Placement, Reading
from hargassner.dialogue.events import Readings
from hargassner.dialogue.telemetry import Decoder
from hargassner.monitor.fitting import Fitting
from hargassner.monitor.hidden import Hidden, Verdict

_NOTHING = Readings()


class LineReader:
    """Reads the telemetry lines of one boiler, one after the other.

    Args:
        hidden: places of values in a telemetry line that the descriptor leaves out; "auto" has
            them found.
    """

    def __init__(self, hidden: Hidden = "auto") -> None:
        self._hidden: Hidden = hidden
        self._descriptor: Descriptor | None = None
        self._reader: _DescribedReader | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The digital words of the last line, empty for one that is not known."""
        return () if self._reader is None else self._reader.words

    def read(self, line: bytes, descriptor: Descriptor | None) -> Readings:
        """What changed since the last line; with another descriptor, what every channel shows.

        Args:
            line: a whole telemetry line, without its line end.
            descriptor: what the line means, the same object until it means something else; None as
                long as that is not known, and then there are no readings.
        """
        if descriptor is not self._descriptor:
            self._descriptor = descriptor
            self._reader = (
                None if descriptor is None else _DescribedReader(descriptor, self._hidden)
            )
        return _NOTHING if self._reader is None else self._reader.read(line)


class _DescribedReader:
    """Reads lines by one descriptor."""

    def __init__(self, descriptor: Descriptor, hidden: Hidden) -> None:
        self._descriptor = descriptor
        self._fitting = Fitting(descriptor, hidden)
        self._placement = Placement.as_described(descriptor)
        self._decoder = Decoder(descriptor)
        # Whether the decoder's last line was one that fits.
        self._fits = False

    @property
    def words(self) -> tuple[str, ...]:
        return self._decoder.words

    def read(self, line: bytes) -> Readings:
        news = self._decoder.news(line) if self._fits else None
        if news is None or not self._fitting.goes_on(news.analog):
            return self._read_whole(line)
        if self._fitting.placement is not self._placement:
            readings = self._changed(line, Verdict.FITS)
        else:
            readings = self._decoder.take(line, news)
        fit = self._fitting.fit
        return Readings(readings, fit.mismatch, fit)

    def _read_whole(self, line: bytes) -> Readings:
        tokens = [*filter(None, line[3:].decode("latin-1").split(" "))]
        verdict = self._fitting.take(tokens)
        self._fits = verdict is Verdict.FITS
        fit = self._fitting.fit
        if verdict is Verdict.ODD and len(tokens) != fit.got:
            mismatch = LengthMismatch(self._descriptor.values, len(tokens))
            return Readings(self._decoder.decode(line), mismatch, fit)
        return Readings(self._changed(line, verdict), fit.mismatch, fit)

    def _changed(self, line: bytes, verdict: Verdict) -> Sequence[Reading]:
        if verdict is Verdict.ODD:
            return ()
        if verdict is Verdict.UNFIT:
            return self._decoder.take_back()
        before, self._placement = self._placement, self._fitting.placement
        if self._placement != before:
            self._decoder = Decoder(self._descriptor, self._placement)
        return self._decoder.decode(line)
