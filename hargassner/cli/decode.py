"""``hargassner decode``: telemetry lines as people and programs can read them."""

import argparse
import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hargassner.dialogue.descriptor import (
    LARGEST_DOCUMENT,
    MOST_CHANNELS,
    AnalogChannel,
    Descriptor,
    DescriptorError,
    DigitalChannel,
    parse_descriptor,
)
from hargassner.dialogue.dialogue import Dialogue
from hargassner.dialogue.events import BoilerDescribed, Event, TelemetryLine
from hargassner.dialogue.lines import LONGEST_LINE
from hargassner.dialogue.telemetry import Decoder, Misfit, Reading
from hargassner.recording.reader import RecordingError, read_recording
from hargassner.recording.sdcard import SdCardError, is_sdcard_recording, read_sdcard
from hargassner.terminal import printable

SUMMARY = "Decode telemetry lines ('pm ...') to a table, JSON or CSV."

_STANDARD_INPUT = "-"

_DETAILS = """\
FILE is the descriptor: a DAQPRJ document (XML, in UTF-8 or latin-1), a recording of a session in
which the gateway asked for the descriptor, or a recording of the boiler's own from its SD card
(DAQnnnnn.DAQ).

LINES has the telemetry: text with lines that begin with 'pm ' (others are passed over), or a
recording of either kind. Without LINES a recording's own lines are decoded; with an XML
descriptor, those of standard input, each as it comes: nc BOILER 23 | hargassner decode ...

The table shows every channel of the first line, and of each further line only what changed; '?'
stands for what is not known. --json prints one object a line, with every channel: numbers with the
boiler's own decimals, true and false, null for what is not known. --csv prints a row a line, with
every channel, after a header. Both begin with the time where a recording has it: the boiler's
clock on an SD card, seconds since the session's start in a recorded session.
"""

_json_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch


class _CannotDecodeError(Exception):
    """The text is what the user reads."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A telemetry line and when it came; ``time`` is empty where nobody knows."""

    time: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Source:
    """Where lines come from, and whether with a time."""

    name: str
    timed: bool
    lines: Iterable[_Line]


_Write = Callable[[Iterable[tuple[_Line, Sequence[Reading]]], Descriptor, bool], None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _DETAILS
    parser.add_argument(
        "--descriptor", required=True, metavar="FILE", help="what the values mean, see below"
    )
    parser.add_argument(
        "lines", nargs="?", metavar="LINES", help="the telemetry, see below; '-' is standard input"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        dest="write",
        action="store_const",
        const=_write_json,
        default=_write_table,
        help="print an object a line",
    )
    form.add_argument(
        "--csv",
        dest="write",
        action="store_const",
        const=_write_csv,
        default=_write_table,
        help="print a row a line",
    )
    parser.add_argument(
        "--hidden",
        type=_places,
        default=(),
        metavar="PLACES",
        help="places, counted from 0, of values that the descriptor leaves out, such as 59,94",
    )


def run(arguments: argparse.Namespace) -> int:
    """Decode; the result is the exit status, 1 if there was something that cannot be read."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that has no degree sign is no reason to end.
        sys.stdout.reconfigure(errors="replace")
    write: _Write = arguments.write
    try:
        descriptor, own = _read_descriptor(arguments.descriptor)
        if descriptor.truncated:
            note = f"only the first {MOST_CHANNELS} channels are taken"
            print(f"hargassner decode: {arguments.descriptor}: {note}", file=sys.stderr)
        source = own if arguments.lines is None and own is not None else _source(arguments.lines)
        write(_decoded(source, Decoder(descriptor, arguments.hidden)), descriptor, source.timed)
    except (_CannotDecodeError, RecordingError) as wrong:
        print(f"hargassner decode: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _places(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6})*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of places such as 59,94")
    return tuple(int(place) for place in text.split(","))


# Reading


def _read_descriptor(name: str) -> tuple[Descriptor, _Source | None]:
    """The descriptor in a file, and the lines that the file has besides."""
    beginning = _beginning(name)
    try:
        if is_sdcard_recording(beginning):
            document = read_sdcard(_content(name)).document
            return parse_descriptor(document), _source(name)
        if beginning.startswith(b"{"):
            for _, event in _events(name):
                if isinstance(event, BoilerDescribed):
                    return event.descriptor, _source(name)
            raise _CannotDecodeError(f"{name}: the gateway didn't ask for the descriptor in it")
        return parse_descriptor(_content(name, LARGEST_DOCUMENT + 1)), None
    except (DescriptorError, SdCardError) as wrong:
        raise _CannotDecodeError(f"{name}: {wrong}") from wrong


def _source(name: str | None) -> _Source:
    if name is None or name == _STANDARD_INPUT:
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


def _file_lines(name: str) -> Iterator[_Line]:
    try:
        with Path(name).open("rb") as file:
            yield from _text_lines(file)
    except OSError as wrong:
        raise _unreadable(name, wrong) from wrong


def _text_lines(file: BinaryIO) -> Iterator[_Line]:
    while line := file.readline(LONGEST_LINE):
        if line.startswith(b"pm "):
            yield _Line("", line.rstrip(b"\r\n"))


def _sdcard_lines(name: str) -> Iterator[_Line]:
    try:
        for record in read_sdcard(_content(name)).records:
            if record.payload.startswith(b"pm "):
                yield _Line(record.time, record.payload)
    except SdCardError as wrong:
        raise _CannotDecodeError(f"{name}: {wrong}") from wrong


def _session_lines(name: str) -> Iterator[_Line]:
    for time, event in _events(name):
        if isinstance(event, TelemetryLine):
            yield _Line(f"{time:.3f}", event.line)


def _events(name: str) -> Iterator[tuple[float, Event]]:
    dialogue = Dialogue()
    for segment in read_recording(Path(name)):
        for event in dialogue.sent(segment.direction, segment.data):
            yield segment.time, event


def _decoded(source: _Source, decoder: Decoder) -> Iterator[tuple[_Line, Sequence[Reading]]]:
    """Each line with what changed in it; says it when lines begin or cease to fit."""
    number = 0
    misfit: Misfit | None = None
    for number, line in enumerate(source.lines, start=1):
        readings = decoder.decode(line.content)
        if decoder.misfit != misfit:
            misfit = decoder.misfit
            _say_misfit(number, misfit)
        yield line, readings
    if number == 0:
        raise _CannotDecodeError(f"{source.name}: there are no telemetry lines ('pm ...') in it")


def _say_misfit(number: int, misfit: Misfit | None) -> None:
    text = "the values fit the descriptor again"
    if misfit is not None:
        text = (
            f"{misfit.got} values where {misfit.expected} are described: "
            "not every channel can be told (see --hidden)"
        )
    print(f"hargassner decode: from telemetry line {number} on, {text}", file=sys.stderr)


# Writing


def _write_table(
    lines: Iterable[tuple[_Line, Sequence[Reading]]], descriptor: Descriptor, timed: bool
) -> None:
    channels = _channels(descriptor)
    objects = max(len("channel"), *(len(channel.object) for channel in channels))
    names = max(len("name"), *(len(channel.name) for channel in channels))
    heading = f"  {'channel':{objects}}  {'name':{names}}  {'value':>8}  unit"
    for number, (line, readings) in enumerate(lines, start=1):
        if not readings:
            continue
        rows = [f"line {number}, {line.time}" if timed else f"line {number}"]
        if number == 1:
            rows.append(heading)
        for reading in readings:
            channel = reading.channel
            unit = channel.unit if isinstance(channel, AnalogChannel) else ""
            text = f"? {reading.text}".strip() if reading.value is None else reading.text
            row = f"  {channel.object:{objects}}  {channel.name:{names}}  {text:>8}  {unit}"
            rows.append(printable(row.rstrip()))
        print("\n".join(rows), flush=True)


def _write_json(
    lines: Iterable[tuple[_Line, Sequence[Reading]]], descriptor: Descriptor, timed: bool
) -> None:
    known = {channel.object: "null" for channel in _channels(descriptor)}
    for line, readings in lines:
        known.update((reading.channel.object, _json_value(reading)) for reading in readings)
        members = [f'"time": {json.dumps(line.time)}'] if timed else []
        # Written by hand, since 65.70 would lose its last place on the way through a float.
        members += [f'"{name}": {value}' for name, value in known.items()]
        print("{" + ", ".join(members) + "}", flush=True)


def _json_value(reading: Reading) -> str:
    if isinstance(reading.channel, AnalogChannel) and _json_number(reading.text):
        return reading.text
    return json.dumps(reading.value)


def _write_csv(
    lines: Iterable[tuple[_Line, Sequence[Reading]]], descriptor: Descriptor, timed: bool
) -> None:
    known = dict.fromkeys((channel.object for channel in _channels(descriptor)), "")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    header = ["time", *known] if timed else [*known]
    for number, (line, readings) in enumerate(lines, start=1):
        if number == 1:
            writer.writerow(header)
        for reading in readings:
            known[reading.channel.object] = "" if reading.value is None else reading.text
        writer.writerow([line.time, *known.values()] if timed else known.values())
        sys.stdout.flush()


def _channels(descriptor: Descriptor) -> Sequence[AnalogChannel | DigitalChannel]:
    return [*descriptor.analog, *descriptor.digital]
