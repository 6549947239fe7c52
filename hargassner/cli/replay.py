"""``hargassner replay``: what the bridge understands of a recorded session."""

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from itertools import chain
from pathlib import Path
from typing import Any

from hargassner.cli.exit_status import exit_status
from hargassner.cli.telemetry_output import shown_text
from hargassner.dialogue.channels import Descriptor, LengthMismatch, Reading
from hargassner.dialogue.dialogue import Dialogue
from hargassner.dialogue.events import (
    ActiveErrors,
    BoilerDescribed,
    Clearing,
    ClockRead,
    Event,
    Identified,
    LoggedIn,
    Notice,
    ParameterChanged,
    ParameterSeen,
    Passthrough,
    Refused,
    TelemetryLine,
    Unreadable,
    UptimeRead,
)
from hargassner.monitor.readings import LineReader
from hargassner.recording.reader import Ended, Entry, RecordingError, read_entries
from hargassner.terminal import printable, replace_unknown_signs

SUMMARY = "Play a recorded session through the bridge's interpreter, and print what happened."

DETAILS = """\
FILE is a recording of a session, as the bridge makes them where [recording] directory is set, or
a capture: a JSON object with "steps". Of a session in several parts give all of them, in order.

A line is printed for each thing that was understood, with its time in seconds since the session's
start. Telemetry is left out, unless --telemetry is given: then a line is printed for each telemetry
line in which a value changed, from where the boiler has described its values.

--json prints an object a line, with "time", "event" and what belongs to the event.
"""

_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclasses.dataclass(frozen=True, slots=True)
class _Telemetry:
    """What changed in a telemetry line."""

    changed: Sequence[Reading]


@dataclasses.dataclass(frozen=True, slots=True)
class _TelemetryFits:
    """Telemetry lines begin, or cease, to have as many values as were described."""

    misfit: LengthMismatch | None


_Happened = Event | Ended | _Telemetry | _TelemetryFits


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="see below")
    parser.add_argument("--json", action="store_true", help="print an object a line")
    parser.add_argument(
        "--telemetry", action="store_true", help="print what changed in the telemetry too"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replay; the result is the exit status, 1 if there was something that cannot be read."""
    replace_unknown_signs(sys.stdout)
    return exit_status("replay", lambda: _replay(arguments), RecordingError)


def _replay(arguments: argparse.Namespace) -> None:
    form = _as_json if arguments.json else _as_text
    replayed = _Replay(arguments.telemetry)
    for time, happened in replayed.play(arguments.files):
        print(form(time, happened), flush=True)
    if not arguments.json:
        print(f"{replayed.segments} segments, {replayed.telemetry_lines} telemetry lines")


class _Replay:
    """One session, played through a dialogue of its own."""

    def __init__(self, telemetry: bool) -> None:
        self.segments = 0
        self.telemetry_lines = 0
        self._telemetry = telemetry
        self._dialogue = Dialogue()
        self._lines = LineReader()
        self._descriptor: Descriptor | None = None
        self._mismatch: LengthMismatch | None = None

    def play(self, files: Sequence[Path]) -> Iterator[tuple[float, _Happened]]:
        """What happened, and when, in seconds since the session's start."""
        for entry in chain.from_iterable(map(read_entries, files)):
            for happened in self._played(entry):
                yield entry.time, happened

    def _played(self, entry: Entry) -> Iterator[_Happened]:
        if isinstance(entry, Ended):
            yield entry
            return
        self.segments += 1
        for event in self._dialogue.sent(entry.direction, entry.data, kept=entry.kept):
            yield from self._happened(event)

    def _happened(self, event: Event) -> Iterator[_Happened]:
        if isinstance(event, TelemetryLine):
            self.telemetry_lines += 1
            yield from self._decoded(event.line)
            return
        if self._telemetry and isinstance(event, BoilerDescribed):
            self._descriptor = event.descriptor
            self._mismatch = None
        yield event

    def _decoded(self, line: bytes) -> Iterator[_Happened]:
        readings = self._lines.read(line, self._descriptor)
        if readings.mismatch != self._mismatch:
            self._mismatch = readings.mismatch
            yield _TelemetryFits(readings.mismatch)
        if readings.changed:
            yield _Telemetry(readings.changed)


# Text


def _as_text(time: float, happened: _Happened) -> str:
    # Names and notices come from the wire.
    return f"{time:10.3f}  {printable(_described(happened))}"


_SENTENCES: dict[type, str] = {
    LoggedIn: "the gateway logged in",
    Clearing: "the gateway is about to start over",
    Identified: "{0.name}: {0.value}",
    ClockRead: "the boiler's clock shows {0.time}",
    UptimeRead: "the boiler's controller has been running for {0.seconds} s",
    Notice: "notice: {0.text}",
    Refused: "refused: {0.request}: {0.reply}",
    Passthrough: "a request that is not known: {0.request}",
    Unreadable: "not understood, from the {0.direction}: {0.text} ({0.reason})",
    Ended: "over: {0.reason}",
}
"""What is printed of an event that fits a sentence as it is."""


@singledispatch
def _described(happened: object) -> str:
    # Events that are not of the dialogue's making have no sentence.
    return _SENTENCES.get(type(happened), "{!r}").format(happened)


@_described.register
def _(happened: BoilerDescribed) -> str:
    analog, digital = len(happened.descriptor.analog), len(happened.descriptor.digital)
    return f"the boiler described {analog} analog and {digital} digital channels"


@_described.register
def _(happened: ParameterSeen) -> str:
    parameter = happened.parameter
    return f"parameter {parameter.id}{_in_brackets(parameter.name)} is {parameter.text}"


@_described.register
def _(happened: ParameterChanged) -> str:
    old = "" if happened.old is None else f" from {happened.old}"
    name = _in_brackets(happened.name)
    return f"parameter {happened.id}{name} was set{old} to {happened.new}"


@_described.register
def _(happened: ActiveErrors) -> str:
    return f"active errors: {'; '.join(happened.errors) or 'none'}"


@_described.register
def _(happened: _Telemetry) -> str:
    return f"telemetry: {', '.join(map(_reading, happened.changed))}"


@_described.register
def _(happened: _TelemetryFits) -> str:
    misfit = happened.misfit
    if misfit is None:
        return "the telemetry's values fit the descriptor again"
    return f"the telemetry has {misfit.got} values where {misfit.expected} are described"


def _reading(reading: Reading) -> str:
    return f"{reading.channel.name} {shown_text(reading)} {reading.channel.unit}".rstrip()


def _in_brackets(name: str) -> str:
    return f" ({name})" if name else ""


# JSON


def _as_json(time: float, happened: _Happened) -> str:
    name = _CAPITAL.sub("_", type(happened).__name__.removeprefix("_")).lower()
    return json.dumps({"time": time, "event": name, **_facts(happened)}, default=_plain)


def _facts(happened: _Happened) -> dict[str, object]:
    match happened:
        case _Telemetry(changed=changed):
            texts = {each.channel.object: _known_text(each) for each in changed}
            return {"changed": texts}
        case ParameterSeen(parameter=parameter):
            return {"parameter": {**dataclasses.asdict(parameter), "text": parameter.text}}
        case ClockRead(time=clock):
            return {"clock": clock}
    return dataclasses.asdict(happened)


def _known_text(reading: Reading) -> str | None:
    return None if reading.value is None else reading.text


_PLAIN: dict[type, Callable[[Any], str]] = {
    bytes: lambda value: value.decode("latin-1"),
    datetime: datetime.isoformat,
    Decimal: str,
}


def _plain(value: object) -> str:
    """What JSON has no word for, as text."""
    text = _PLAIN.get(type(value))
    if text is None:
        raise TypeError(f"no text for {value!r}")
    return text(value)
