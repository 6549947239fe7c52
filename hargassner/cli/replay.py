"""``hargassner replay``: what the bridge understands of a recorded session."""

import argparse
import dataclasses
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from hargassner.dialogue.descriptor import AnalogChannel
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
from hargassner.dialogue.telemetry import Decoder, Misfit, Reading
from hargassner.recording.reader import Ended, RecordingError, read_entries
from hargassner.terminal import printable

SUMMARY = "Play a recorded session through the bridge's interpreter, and print what happened."

_DETAILS = """\
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

    misfit: Misfit | None


_Happened = Event | Ended | _Telemetry | _TelemetryFits


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _DETAILS
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="see below")
    parser.add_argument("--json", action="store_true", help="print an object a line")
    parser.add_argument(
        "--telemetry", action="store_true", help="print what changed in the telemetry too"
    )


def run(arguments: argparse.Namespace) -> int:
    """Replay; the result is the exit status, 1 if there was something that cannot be read."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that has no degree sign is no reason to end.
        sys.stdout.reconfigure(errors="replace")
    form = _as_json if arguments.json else _as_text
    replayed = _Replay(arguments.telemetry)
    try:
        for time, happened in replayed.play(arguments.files):
            print(form(time, happened), flush=True)
    except RecordingError as wrong:
        print(f"hargassner replay: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if not arguments.json:
        print(f"{replayed.segments} segments, {replayed.telemetry_lines} telemetry lines")
    return 0


class _Replay:
    """One session, played through a dialogue of its own."""

    def __init__(self, telemetry: bool) -> None:
        self.segments = 0
        self.telemetry_lines = 0
        self._telemetry = telemetry
        self._dialogue = Dialogue()
        self._decoder: Decoder | None = None
        self._misfit: Misfit | None = None

    def play(self, files: Sequence[Path]) -> Iterator[tuple[float, _Happened]]:
        """What happened, and when, in seconds since the session's start."""
        for path in files:
            for entry in read_entries(path):
                if isinstance(entry, Ended):
                    yield entry.time, entry
                    continue
                self.segments += 1
                for event in self._dialogue.sent(entry.direction, entry.data):
                    for happened in self._happened(event):
                        yield entry.time, happened

    def _happened(self, event: Event) -> Iterator[_Happened]:
        if isinstance(event, TelemetryLine):
            self.telemetry_lines += 1
            if self._decoder is not None:
                yield from self._decoded(self._decoder, event.line)
            return
        if self._telemetry and isinstance(event, BoilerDescribed):
            self._decoder = Decoder(event.descriptor)
            self._misfit = None
        yield event

    def _decoded(self, decoder: Decoder, line: bytes) -> Iterator[_Happened]:
        changed = decoder.decode(line)
        if decoder.misfit != self._misfit:
            self._misfit = decoder.misfit
            yield _TelemetryFits(decoder.misfit)
        if changed:
            yield _Telemetry(changed)


# Text


def _as_text(time: float, happened: _Happened) -> str:
    # Names and notices come from the wire.
    return f"{time:10.3f}  {printable(_described(happened))}"


def _described(happened: _Happened) -> str:  # noqa: C901 - a table of sentences
    match happened:
        case LoggedIn():
            text = "the gateway logged in"
        case Clearing():
            text = "the gateway is about to start over"
        case BoilerDescribed(descriptor=descriptor):
            analog, digital = len(descriptor.analog), len(descriptor.digital)
            text = f"the boiler described {analog} analog and {digital} digital channels"
        case Identified():
            text = f"{happened.name}: {happened.value}"
        case ClockRead():
            text = f"the boiler's clock shows {happened.time}"
        case UptimeRead():
            text = f"the boiler's controller has been running for {happened.seconds} s"
        case ParameterSeen(parameter=parameter):
            text = f"parameter {parameter.id}{_in_brackets(parameter.name)} is {parameter.text}"
        case ParameterChanged():
            old = "" if happened.old is None else f" from {happened.old}"
            name = _in_brackets(happened.name)
            text = f"parameter {happened.id}{name} was set{old} to {happened.new}"
        case ActiveErrors():
            text = f"active errors: {'; '.join(happened.errors) or 'none'}"
        case Notice():
            text = f"notice: {happened.text}"
        case Refused():
            text = f"refused: {happened.request}: {happened.reply}"
        case Passthrough():
            text = f"a request that is not known: {happened.request}"
        case Unreadable():
            what = f"{happened.text} ({happened.reason})"
            text = f"not understood, from the {happened.direction}: {what}"
        case _Telemetry():
            text = f"telemetry: {', '.join(map(_reading, happened.changed))}"
        case _TelemetryFits(misfit=None):
            text = "the telemetry's values fit the descriptor again"
        case _TelemetryFits(misfit=Misfit(expected=expected, got=got)):
            text = f"the telemetry has {got} values where {expected} are described"
        case Ended():
            text = f"over: {happened.reason}"
        case _:  # Events that are not of the dialogue's making.
            text = repr(happened)
    return text


def _reading(reading: Reading) -> str:
    text = f"? {reading.text}".strip() if reading.value is None else reading.text
    unit = reading.channel.unit if isinstance(reading.channel, AnalogChannel) else ""
    return f"{reading.channel.name} {text} {unit}".rstrip()


def _in_brackets(name: str) -> str:
    return f" ({name})" if name else ""


# JSON


def _as_json(time: float, happened: _Happened) -> str:
    facts: dict[str, object]
    match happened:
        case _Telemetry(changed=changed):
            facts = {
                "changed": {
                    each.channel.object: None if each.value is None else each.text
                    for each in changed
                }
            }
        case ParameterSeen(parameter=parameter):
            facts = {"parameter": {**dataclasses.asdict(parameter), "text": parameter.text}}
        case ClockRead(time=clock):
            facts = {"clock": clock}
        case _:
            facts = dataclasses.asdict(happened)
    name = _CAPITAL.sub("_", type(happened).__name__.removeprefix("_")).lower()
    return json.dumps({"time": time, "event": name, **facts}, default=_plain)


def _plain(value: object) -> str:
    """What JSON has no word for, as text."""
    match value:
        case bytes():
            return value.decode("latin-1")
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
    raise TypeError(f"no text for {value!r}")
