"""``hargassner decode``: telemetry lines as people and programs can read them."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice

from hargassner.cli.exit_status import exit_status
from hargassner.cli.telemetry_input import (
    STANDARD_INPUT,
    CannotReadError,
    Source,
    describes_itself,
    read_descriptor,
    source,
)
from hargassner.cli.telemetry_output import Csv, JsonLines, Line, Table, Writer
from hargassner.dialogue.channels import Descriptor, Fit, LengthMismatch, Reading
from hargassner.dialogue.descriptor import MOST_CHANNELS
from hargassner.dialogue.events import Readings
from hargassner.monitor.hidden import Hidden
from hargassner.monitor.readings import LineReader
from hargassner.monitor.recognition import FEWEST_LINES, Recogniser, Recognition
from hargassner.recording.reader import RecordingError
from hargassner.terminal import replace_unknown_signs

SUMMARY = "Decode telemetry lines ('pm ...') to a table, JSON or CSV."

_MOST_LINES = 2000
"""Lines that are read to recognise what they mean."""

DETAILS = """\
FILE is the descriptor: a DAQPRJ document (XML, in UTF-8 or latin-1), a recording of a session in
which the gateway asked for the descriptor, or a recording of the boiler's own from its SD card
(DAQnnnnn.DAQ).

Without FILE, what the values mean is recognised by the lines themselves, at least 30 of them, if it
is a layout that somebody has published.

LINES has the telemetry: text with lines that begin with 'pm ' (others are passed over), or a
recording of either kind. Without LINES a recording's own lines are decoded; with an XML
descriptor, those of standard input, each as it comes: nc BOILER 23 | hargassner decode ...

The table shows every channel of the first line, and of each further line only what changed; '?'
stands for what is not known. --json prints one object a line, with every channel: numbers with the
boiler's own decimals, true and false, null for what is not known. --csv prints a row a line, with
every channel, after a header. Both begin with the time where a recording has it: the boiler's
clock on an SD card, seconds since the session's start in a recorded session.
"""


_MakeWriter = Callable[[Descriptor, bool], Writer]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--descriptor", metavar="FILE", help="what the values mean, see below")
    parser.add_argument(
        "lines", nargs="?", metavar="LINES", help="the telemetry, see below; '-' is standard input"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        dest="writer",
        action="store_const",
        const=JsonLines,
        help="print an object a line",
    )
    form.add_argument(
        "--csv", dest="writer", action="store_const", const=Csv, help="print a row a line"
    )
    parser.set_defaults(writer=Table)
    parser.add_argument(
        "--hidden",
        type=_places,
        default="auto",
        metavar="PLACES",
        help="places, counted from 0, of values that the descriptor leaves out, such as 57,92; "
        "without, they are found where possible",
    )


def run(arguments: argparse.Namespace) -> int:
    """Decode; the result is the exit status, 1 if there was something that cannot be read."""
    replace_unknown_signs(sys.stdout)
    return exit_status("decode", lambda: _decode(arguments), CannotReadError, RecordingError)


def _decode(arguments: argparse.Namespace) -> None:
    make_writer: _MakeWriter = arguments.writer
    descriptor, read = _described_lines(arguments.descriptor, arguments.lines)
    writer = make_writer(descriptor, read.timed)
    for line, readings in _decoded(read, descriptor, arguments.hidden):
        writer.write(line, readings)


def _places(text: str) -> Hidden:
    if text == "auto":
        return "auto"
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6})*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of places such as 57,92")
    return tuple(map(int, text.split(",")))


# Reading


def _described_lines(name: str | None, lines: str | None) -> tuple[Descriptor, Source]:
    """What the values mean and the lines, as the files on the command line tell it."""
    if name is None:
        return _own_or_recognised(lines or STANDARD_INPUT)
    descriptor, own = read_descriptor(name)
    if descriptor.truncated:
        _say(f"{name}: only the first {MOST_CHANNELS} channels are taken")
    return descriptor, own if lines is None else source(lines)


def _own_or_recognised(lines: str) -> tuple[Descriptor, Source]:
    """The meaning that a recording of the boiler's has itself, or what its layout is recognised as.

    Lines are read until that is known, and then decoded from the first on.
    """
    if describes_itself(lines):
        return read_descriptor(lines)
    whole = source(lines)
    rest = iter(whole.lines)
    read: list[Line] = []
    recognition = _recognised(rest, read)
    if recognition is None:
        raise CannotReadError(_not_recognised(whole.name, read))
    origin = recognition.origin
    _say(
        f"recognised as {origin.layout} (as published by {origin.published}): "
        "please compare with the display"
    )
    return recognition.descriptor, Source(whole.name, whole.timed, chain(read, rest))


def _recognised(lines: Iterator[Line], read: list[Line]) -> Recognition | None:
    """What lines are recognised as; those that were read for it are added to ``read``."""
    recogniser = Recogniser()
    for line in islice(lines, _MOST_LINES):
        read.append(line)
        if recognition := recogniser.take(line.content):
            return recognition
    return recogniser.finish()


def _not_recognised(name: str, read: Sequence[Line]) -> str:
    if not read:
        return _no_lines(name)
    if len(read) < FEWEST_LINES:
        return f"{name}: {len(read)} lines; it takes {FEWEST_LINES} to recognise what they mean"
    values = len(read[-1].content.split()) - 1
    return (
        f"{name}: not recognised: {values} values a line; give the file from the boiler's SD card "
        "(--descriptor DAQnnnnn.DAQ), or send a recording"
    )


def _say(text: str) -> None:
    print(f"hargassner decode: {text}", file=sys.stderr)


def _decoded(
    read: Source, descriptor: Descriptor, hidden: Hidden
) -> Iterator[tuple[Line, Sequence[Reading]]]:
    """Each line with what changed in it; says it when lines begin or cease to fit."""
    reader = LineReader(hidden)
    remarks = _Remarks(hidden)
    for line in read.lines:
        readings = reader.read(line.content, descriptor)
        remarks.take(readings)
        yield line, readings.changed
    if not remarks.lines:
        raise CannotReadError(_no_lines(read.name))


def _no_lines(name: str) -> str:
    return f"{name}: there are no telemetry lines ('pm ...') in it"


class _Remarks:
    """Says how lines go with the descriptor, each time that this changes.

    Args:
        hidden: where the user says that values are hidden.
    """

    def __init__(self, hidden: Hidden) -> None:
        self.lines = 0
        self._hidden = hidden
        self._mismatch: LengthMismatch | None = None
        self._told = ""

    def take(self, readings: Readings) -> None:
        """The next line has these readings."""
        self.lines += 1
        told = _told_of_places(readings.fit, self._hidden)
        if told not in ("", self._told):
            self._told = told
            self._say(told)
        if readings.mismatch != self._mismatch:
            self._mismatch = readings.mismatch
            self._say(_told_of_length(readings.mismatch))

    def _say(self, told: str) -> None:
        _say(f"from telemetry line {self.lines} on, {told}")


def _told_of_places(fit: Fit | None, given: Hidden) -> str:
    """What is to be said of hidden values, empty for nothing new to the user."""
    if fit is None:
        return ""
    places = {
        "hidden values at the places {}": sorted({*fit.hidden}.difference(given)),
        "hidden values assumed at the places {}: please compare with the display": fit.assumed,
        "--hidden {}: not used, the lines go with other places or with none": fit.unused,
        "--hidden {}: not used, behind the analog values": fit.beyond,
    }
    told = (text.format(",".join(map(str, each))) for text, each in places.items() if each)
    return "; ".join(told)


def _told_of_length(mismatch: LengthMismatch | None) -> str:
    if mismatch is None:
        return "the values fit the descriptor again"
    return (
        f"{mismatch.got} values where {mismatch.expected} are described: "
        "not every channel can be told (see --hidden)"
    )
