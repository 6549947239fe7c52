"""What telemetry lines mean while the boiler has not described itself."""

from hargassner.dialogue.channels import Descriptor
from hargassner.dialogue.events import Described, NotRecognised
from hargassner.dialogue.origin import Origin, Source
from hargassner.monitor.recognition import Recogniser


class Meaning:
    """Finds out what lines mean: by the owner's file, else by recognising their layout.

    Args:
        given: what the owner's file describes, None without one.
    """

    def __init__(self, given: Descriptor | None = None) -> None:
        self._given = given
        self._recogniser = Recogniser()
        self._said = 0

    def take(self, line: bytes) -> Described | NotRecognised | None:
        """Take in a line; what has become known by it, if anything."""
        if self._given is not None:
            return Described(self._given, Origin(Source.FILE))
        recognised = self._recogniser.take(line)
        if recognised is not None:
            return Described(recognised.descriptor, recognised.origin)
        return self._in_vain()

    def _in_vain(self) -> NotRecognised | None:
        """After each look at all layouts that came to nothing, that it did."""
        looks = self._recogniser.failed_looks
        if looks == self._said:
            return None
        self._said = looks
        return NotRecognised(self._recogniser.values, self._recogniser.lines)
