"""What the boiler complains of."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from twisted.logger import Logger

from hargassner.catalogue import Catalogue, Text
from hargassner.terminal import printable

log = Logger()

_UNNUMBERED = Text(en="fault", de="Störung", fr="défaut")
_LEADING_NUMBER = re.compile(r"\s*0*([0-9]{1,5})\b")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the boiler complains of.

    ``number`` is None for a complaint without one. ``text`` is the catalogue's, else the boiler's
    own words in place of each language. ``since`` does not make two faults different.
    """

    number: int | None
    text: Text
    since: float = field(compare=False)


class Faults:
    """The faults there are now: those of the telemetry, then those that the gateway asked for.

    Args:
        catalogue: what is known of fault numbers.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.current: tuple[Fault, ...] = ()
        self.listed: Sequence[str] = ()
        """The boiler's list of active errors, in its own words."""
        self._catalogue = catalogue

    def compute(self, number: int, present: bool, now: float) -> bool:
        """Compute them anew, and log what is new; whether they have changed.

        Args:
            number: what the telemetry has as the fault's number, 0 for none.
            present: whether the telemetry has a fault at all.
            now: the moment.
        """
        since = {(fault.number, fault.text): fault.since for fault in self.current}
        faults = tuple(
            Fault(code, text, since.get((code, text), now))
            for code, text in self._complaints(number, present)
        )
        if faults == self.current:
            return False
        for fault in faults:
            if fault not in self.current:
                log.warn(
                    "the boiler reports a fault: {number} {text}",
                    number=fault.number or "",
                    text=printable(fault.text.en),
                )
        if not faults:
            log.info("the boiler reports no fault any more")
        self.current = faults
        return True

    def _complaints(self, number: int, present: bool) -> Iterable[tuple[int | None, Text]]:
        complaints: dict[int | str, tuple[int | None, Text]] = {}
        if number:
            complaints[number] = number, self._text(number)
        for error in self.listed:
            leading = _LEADING_NUMBER.match(error)
            code = int(leading[1]) if leading else 0
            text = self._catalogue.fault(code) if code else None
            own_words = Text(en=error, de=error, fr=error)
            complaints.setdefault(code or error, (code or None, text or own_words))
        if not complaints and present:
            return [(None, _UNNUMBERED)]
        return complaints.values()

    def _text(self, number: int) -> Text:
        return self._catalogue.fault(number) or Text(
            en=f"fault {number}", de=f"Störung {number}", fr=f"défaut {number}"
        )
