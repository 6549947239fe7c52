"""``hargassner decode``: telemetry lines as people and programs can read them."""

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from hargassner.cli.telemetry_output import Csv, JsonLines, Line, Table, Writer
from hargassner.dialogue.channels import (
    Descriptor,
    Fit,
    LengthMismatch,
    Reading,
)
from hargassner.dialogue.descriptor import (
    LARGEST_DOCUMENT,
    MOST_CHANNELS,
    DescriptorError,
    parse_descriptor,
)
from hargassner.dialogue.dialogue import Dialogue
from hargassner.dialogue.events import BoilerDescribed, Event, TelemetryLine
from hargassner.dialogue.lines import LONGEST_LINE
from hargassner.monitor.hidden import Hidden
from hargassner.monitor.readings import LineReader
from hargassner.monitor.recognition import FEWEST_LINES, Recogniser, Recognition
from hargassner.recording.reader import RecordingError, read_recording
from hargassner.recording.sdcard import SdCardError, is_sdcard_recording, read_sdcard
from hargassner.terminal import replace_unknown_signs

SUMMARY = "Decode telemetry lines ('pm ...') to a table, JSON or CSV."

_STANDARD_INPUT = "-"

_MOST_LINES = 2000
"""Lines that are read to recognise what they mean."""

_DETAILS = """\
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


class _CannotDecodeError(Exception):
    """The text is what the user reads."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Where lines come from, and whether with a time."""

    name: str
    timed: bool
    lines: Iterable[Line]


_MakeWriter = Callable[[Descriptor, bool], Writer]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _DETAILS
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
        default=Table,
        help="print an object a line",
    )
    form.add_argument(
        "--csv",
        dest="writer",
        action="store_const",
        const=Csv,
        default=Table,
        help="print a row a line",
    )
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
    make_writer: _MakeWriter = arguments.writer
    try:
        descriptor, source = _described_lines(arguments.descriptor, arguments.lines)
        writer = make_writer(descriptor, source.timed)
        for line, readings in _decoded(source, descriptor, arguments.hidden):
            writer.write(line, readings)
    except (_CannotDecodeError, RecordingError) as wrong:
        print(f"hargassner decode: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _places(text: str) -> Hidden:
    if text == "auto":
        return "auto"
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6})*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of places such as 57,92")
    return tuple(int(place) for place in text.split(","))


# Reading


def _described_lines(name: str | None, lines: str | None) -> tuple[Descriptor, _Source]:
    """What the values mean and the lines, as the files on the command line tell it."""
    if name is None:
        return _own_or_recognised(lines or _STANDARD_INPUT)
    descriptor, own = _read_descriptor(name)
    if descriptor.truncated:
        _say(f"{name}: only the first {MOST_CHANNELS} channels are taken")
    return descriptor, own if lines is None else _source(lines)


def _own_or_recognised(lines: str) -> tuple[Descriptor, _Source]:
    """The meaning that a recording of the boiler's has itself, or what its layout is recognised as.

    Lines are read until that is known, and then decoded from the first on.
    """
    if lines != _STANDARD_INPUT and is_sdcard_recording(_beginning(lines)):
        descriptor, _ = _read_descriptor(lines)
        return descriptor, _source(lines)
    source = _source(lines)
    rest = iter(source.lines)
    read: list[Line] = []
    recognition = _recognised(rest, read)
    if recognition is None:
        raise _CannotDecodeError(_not_recognised(source.name, read))
    origin = recognition.origin
    _say(
        f"recognised as {origin.layout} (as published by {origin.published}): "
        "please compare with the display"
    )
    return recognition.descriptor, _Source(source.name, source.timed, chain(read, rest))


def _recognised(lines: Iterator[Line], read: list[Line]) -> Recognition | None:
    """What lines are recognised as; those that were read for it are added to ``read``."""
    recogniser = Recogniser()
    for line in islice(lines, _MOST_LINES):
        read.append(line)
        recognition = recogniser.take(line.content)
        if recognition is not None:
            return recognition
    return recogniser.finish()


def _not_recognised(name: str, read: Sequence[Line]) -> str:
    if not read:
        return f"{name}: there are no telemetry lines ('pm ...') in it"
    if len(read) < FEWEST_LINES:
        return f"{name}: {len(read)} lines; it takes {FEWEST_LINES} to recognise what they mean"
    values = len(read[-1].content.split()) - 1
    return (
        f"{name}: not recognised: {values} values a line; give the file from the boiler's SD card "
        "(--descriptor DAQnnnnn.DAQ), or send a recording"
    )


def _say(text: str) -> None:
    print(f"hargassner decode: {text}", file=sys.stderr)


def _read_descriptor(name: str) -> tuple[Descriptor, _Source]:
    """The descriptor in a file, and the lines that the file has besides, or standard input."""
    beginning = _beginning(name)
    try:
        if is_sdcard_recording(beginning):
            document = read_sdcard(_content(name)).document
            return parse_descriptor(document), _source(name)
        if beginning.startswith(b"{"):
            return _session_descriptor(name), _source(name)
        return parse_descriptor(_content(name, LARGEST_DOCUMENT + 1)), _source(_STANDARD_INPUT)
    except (DescriptorError, SdCardError) as wrong:
        raise _CannotDecodeError(f"{name}: {wrong}") from wrong


def _session_descriptor(name: str) -> Descriptor:
    """The first descriptor in a recorded session."""
    for _, event in _events(name):
        if isinstance(event, BoilerDescribed):
            return event.descriptor
    raise _CannotDecodeError(f"{name}: the gateway didn't ask for the descriptor in it")


def _source(name: str) -> _Source:
    if name == _STANDARD_INPUT:
        return _Source("standard input", False, _text_lines(sys.stdin.buffer))
    beginning = _beginning(name)
    if is_sdcard_recording(beginning):
        return _Source(name, True, _sdcard_lines(name))
    if beginning.startswith(b"{"):
        return _Source(name, True, _session_lines(name))
    return _Source(name, False, _file_lines(name))


def _beginning(name: str) -> bytes:
    return _content(name, 64)


def _content(name: str, size: int = -1) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as wrong:
        raise _unreadable(name, wrong) from wrong


def _unreadable(name: str, wrong: OSError | ValueError) -> _CannotDecodeError:
    # ValueError: a name with a NUL in it.
    reason = wrong.strerror if isinstance(wrong, OSError) else None
    return _CannotDecodeError(f"{name} cannot be read: {reason or wrong}")


def _file_lines(name: str) -> Iterator[Line]:
    try:
        with Path(name).open("rb") as file:
            yield from _text_lines(file)
    except OSError as wrong:
        raise _unreadable(name, wrong) from wrong


def _text_lines(file: BinaryIO) -> Iterator[Line]:
    while line := file.readline(LONGEST_LINE):
        if line.startswith(b"pm "):
            yield Line("", line.rstrip(b"\r\n"))


def _sdcard_lines(name: str) -> Iterator[Line]:
    try:
        for record in read_sdcard(_content(name)).records:
            if record.payload.startswith(b"pm "):
                yield Line(record.time, record.payload)
    except SdCardError as wrong:
        raise _CannotDecodeError(f"{name}: {wrong}") from wrong


def _session_lines(name: str) -> Iterator[Line]:
    for time, event in _events(name):
        if isinstance(event, TelemetryLine):
            yield Line(f"{time:.3f}", event.line)


def _events(name: str) -> Iterator[tuple[float, Event]]:
    dialogue = Dialogue()
    for segment in read_recording(Path(name)):
        for event in dialogue.sent(segment.direction, segment.data, kept=segment.kept):
            yield segment.time, event


def _decoded(
    source: _Source, descriptor: Descriptor, hidden: Hidden
) -> Iterator[tuple[Line, Sequence[Reading]]]:
    """Each line with what changed in it; says it when lines begin or cease to fit."""
    reader = LineReader(hidden)
    number = 0
    mismatch: LengthMismatch | None = None
    said = ""
    for number, line in enumerate(source.lines, start=1):
        readings = reader.read(line.content, descriptor)
        told = _told_of_places(readings.fit, hidden)
        if told not in ("", said):
            said = told
            _say(f"from telemetry line {number} on, {told}")
        if readings.mismatch != mismatch:
            mismatch = readings.mismatch
            _warn_of_length(number, mismatch)
        yield line, readings.changed
    if number == 0:
        raise _CannotDecodeError(f"{source.name}: there are no telemetry lines ('pm ...') in it")


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


def _warn_of_length(number: int, mismatch: LengthMismatch | None) -> None:
    text = "the values fit the descriptor again"
    if mismatch is not None:
        text = (
            f"{mismatch.got} values where {mismatch.expected} are described: "
            "not every channel can be told (see --hidden)"
        )
    _say(f"from telemetry line {number} on, {text}")
