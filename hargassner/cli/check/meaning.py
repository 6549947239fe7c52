"""Whether it is known what the boiler's values mean."""

import os
from dataclasses import dataclass

from hargassner.cli.check.context import Context
from hargassner.cli.check.report import Outcome
from hargassner.monitor.recognition import Recogniser, Recognition
from hargassner.recording.description import DescriptionError, read_description
from hargassner.storage.directory import state_directory
from hargassner.storage.snapshots import DescriptorSnapshot

RECOGNITION_TIMEOUT = 45.0
"""Seconds that recognising may take: it needs 30 lines, one comes every second."""

_ADVICE = (
    "Give the description that is on the boiler's SD card (a file DAQnnnnn.DAQ) in "
    "boiler.descriptor, or send a recording: docs/telemetry.md."
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is to be said of what the values mean; ``what`` is empty for nothing."""

    outcome: Outcome
    what: str
    advice: str = ""


class Lines:
    """The telemetry lines of a check; ``values`` is how many the last one had."""

    def __init__(self) -> None:
        self.values = 0
        self.recognition: Recognition | None = None
        self._recogniser = Recogniser()

    @property
    def looked(self) -> bool:
        """Whether their layout is recognised, or was looked for in vain."""
        return self.recognition is not None or self._recogniser.failed_looks > 0

    def take(self, line: bytes) -> None:
        """Take in a line."""
        self.values = len(line.split()) - 1
        self.recognition = self.recognition or self._recogniser.take(line)


async def meaning_of(context: Context, lines: Lines) -> Meaning:
    """How it is known what the values mean, in words; lines go on coming meanwhile.

    Where there is a gateway and nothing is remembered, nothing is said: it has the boiler tell it.
    """
    if _is_remembered(context):
        return Meaning(Outcome.OK, "which the boiler has described")
    if context.config.boiler.descriptor:
        return Meaning(Outcome.OK, "which boiler.descriptor describes")
    if context.config.gateway.enabled:
        return Meaning(Outcome.OK, "")
    await context.until(lambda: lines.looked, RECOGNITION_TIMEOUT, "30 lines to recognise")
    return _recognised(lines.recognition)


def _is_remembered(context: Context) -> bool:
    directory = state_directory(context.config.state.directory, os.environ)
    try:
        read_description(directory / DescriptorSnapshot.FILE)
    except DescriptionError:
        return False
    return True


def _recognised(recognition: Recognition | None) -> Meaning:
    if recognition is None:
        return Meaning(Outcome.FAILED, "not recognised", _ADVICE)
    origin = recognition.origin
    what = f"recognised as {origin.layout} (as published by {origin.published})"
    return Meaning(Outcome.OK, what, "Please compare some values with the boiler's display.")
