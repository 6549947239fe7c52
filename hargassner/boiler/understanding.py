"""What is understood of the telemetry, and how that is known."""

from dataclasses import dataclass

from hargassner.dialogue.channels import Fit
from hargassner.dialogue.origin import UNKNOWN, Origin, Source


@dataclass(frozen=True, slots=True)
class Understanding:
    """What is understood of the boiler's telemetry lines.

    ``origin`` says how their meaning is known. ``fit`` is how they go with it, None before the
    first line. ``values`` is how many values a line has whose meaning is not known, and ``lines``
    how many were looked at; both are 0 where it is known.
    """

    origin: Origin = UNKNOWN
    fit: Fit | None = None
    values: int = 0
    lines: int = 0

    @property
    def understood(self) -> bool:
        """Whether it is known what the values mean."""
        return self.origin.source is not Source.UNKNOWN

    @property
    def boilers_own(self) -> bool:
        """Whether the boiler itself said, now or earlier, what the values mean."""
        return self.origin.source in (Source.BOILER, Source.REMEMBERED)

    @property
    def facts(self) -> dict[str, object]:
        """What is understood, for people and programs; None for what there is nothing to say of."""
        fit = self.fit or Fit(0, 0)
        return {
            "layout": self.origin.layout or None,
            "layout_known_by": str(self.origin.source),
            "layout_published_by": self.origin.published or None,
            "values": fit.got or self.values or None,
            "hidden": list(fit.hidden),
            "assumed_hidden": list(fit.assumed),
            "unknown_channels": fit.unknown,
        }

    @property
    def not_recognised(self) -> bool:
        """Whether lines come, and no layout goes with them so far."""
        return not self.understood and self.lines > 0
