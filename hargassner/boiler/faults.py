"""What the boiler complains of."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import filterfalse

from twisted.logger import Logger

from hargassner.catalogue import Catalogue, Text
from hargassner.terminal import printable

log = Logger()

_UNNUMBERED = Text(en="fault", de="Störung", fr="défaut")
_LEADING_NUMBER = re.compile(r"\s*0*([1-9][0-9]{0,4})\b")


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
        known = {fault: fault for fault in self.current}
        complaints = self._complaints(number, present, now)
        faults = tuple(known.get(fault, fault) for fault in complaints)
        if faults == self.current:
            return False
        _log_change(known, faults)
        self.current = faults
        return True

    def _complaints(self, number: int, present: bool, now: float) -> Collection[Fault]:
        complaints: dict[int | str, Fault] = {}
        if number:
            text = Text(en=f"fault {number}", de=f"Störung {number}", fr=f"défaut {number}")
            complaints[number] = self._numbered(number, text, now)
        for error in self.listed:
            fault = self._in_words(error, now)
            complaints.setdefault(fault.number or error, fault)
        if present and not complaints:
            return [Fault(None, _UNNUMBERED, now)]
        return complaints.values()

    def _in_words(self, error: str, now: float) -> Fault:
        """What the boiler says of a fault, its number first if it has one."""
        own_words = Text(en=error, de=error, fr=error)
        leading = _LEADING_NUMBER.match(error)
        if leading is None:
            return Fault(None, own_words, now)
        return self._numbered(int(leading[1]), own_words, now)

    def _numbered(self, number: int, otherwise: Text, now: float) -> Fault:
        return Fault(number, self._catalogue.fault(number) or otherwise, now)


def _log_change(known: Collection[Fault], faults: Collection[Fault]) -> None:
    for fault in filterfalse(known.__contains__, faults):
        log.warn(
            "the boiler reports a fault: {number} {text}",
            number=fault.number or "",
            text=printable(fault.text.en),
        )
    if not faults:
        log.info("the boiler reports no fault any more")
