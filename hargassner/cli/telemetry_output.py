"""Decoded telemetry as a table, as JSON and as CSV."""

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from hargassner.catalogue import Catalogue, family_of
from hargassner.dialogue.channels import AnalogChannel, Descriptor, DigitalChannel, Reading
from hargassner.terminal import coloured, preferred_language, printable, shows_colours
from hargassner.web.texts import LANGUAGES

_json_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch


@dataclass(frozen=True, slots=True)
class Line:
    """A telemetry line and when it came; ``time`` is empty where nobody knows."""

    time: str
    content: bytes


class Writer(Protocol):
    """Prints telemetry, line after line, each at once.

    Args:
        descriptor: the channels.
        timed: whether it is known when lines came.
    """

    def write(self, line: Line, readings: Sequence[Reading]) -> None:
        """Print a line, in which these channels changed."""


class Table:
    """For people: every channel of the first line, and of each further one what changed.

    A state's code stands with its words, in the language of the environment; on a terminal there
    are colours.
    """

    def __init__(self, descriptor: Descriptor, timed: bool) -> None:
        names = [each.name for each in _channels(descriptor)]
        self._objects = _width("channel", _objects(descriptor))
        self._names = _width("name", names)
        self._timed = timed
        self._number = 0
        self._catalogue = Catalogue.load()
        self._family = family_of("", names)
        self._language = preferred_language(os.environ, LANGUAGES)
        self._bold = _bold if shows_colours(sys.stdout, os.environ) else str

    def write(self, line: Line, readings: Sequence[Reading]) -> None:
        """Print what changed, under the line's number."""
        self._number += 1
        if not readings:
            return
        rows = [self._bold(printable(self._heading(line)))]
        if self._number == 1:
            rows.append(self._row("channel", "name", "   value", "unit"))
        rows += map(self._reading, readings)
        print("\n".join(rows), flush=True)

    def _heading(self, line: Line) -> str:
        return f"line {self._number}, {line.time}" if self._timed else f"line {self._number}"

    def _reading(self, reading: Reading) -> str:
        channel, name, value, unit = map(printable, _cells(reading))
        return self._row(channel, name, self._bold(f"{value:>8}"), unit or self._state(reading))

    def _row(self, channel: str, name: str, value: str, unit: str) -> str:
        return f"  {channel:{self._objects}}  {name:{self._names}}  {value}  {unit}".rstrip()

    def _state(self, reading: Reading) -> str:
        """What a state's code means; empty for whatever is none, or a code that is not known."""
        if reading.value is None or not isinstance(reading.channel, AnalogChannel):
            return ""
        name, code = reading.channel.name, int(reading.value)
        return self._catalogue.state_text(name, code, self._family, self._language) or ""


class JsonLines:
    """For programs: an object a line, with every channel."""

    def __init__(self, descriptor: Descriptor, timed: bool) -> None:
        self._known = dict.fromkeys(_objects(descriptor), "null")
        self._timed = timed

    def write(self, line: Line, readings: Sequence[Reading]) -> None:
        """Print every channel."""
        self._known |= _texts(readings, _json_value)
        members = [f'"time": {json.dumps(line.time)}'] if self._timed else []
        # Written by hand, since 65.70 would lose its last place on the way through a float.
        members += [f'"{name}": {value}' for name, value in self._known.items()]
        print("{" + ", ".join(members) + "}", flush=True)


class Csv:
    """For spreadsheets: a row a line, with every channel, after a header."""

    def __init__(self, descriptor: Descriptor, timed: bool) -> None:
        self._known = dict.fromkeys(_objects(descriptor), "")
        self._timed = timed
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._begun = False

    def write(self, line: Line, readings: Sequence[Reading]) -> None:
        """Print every channel, and before the first line the header."""
        if not self._begun:
            self._row("time", self._known)
            self._begun = True
        self._known |= _texts(readings, _csv_value)
        self._row(line.time, self._known.values())
        sys.stdout.flush()

    def _row(self, time: str, cells: Iterable[str]) -> None:
        self._writer.writerow([time, *cells] if self._timed else [*cells])


def _bold(text: str) -> str:
    return coloured(text, "1")


def _channels(descriptor: Descriptor) -> Sequence[AnalogChannel | DigitalChannel]:
    return [*descriptor.analog, *descriptor.digital]


def _objects(descriptor: Descriptor) -> list[str]:
    return [each.object for each in _channels(descriptor)]


def _width(heading: str, cells: Iterable[str]) -> int:
    return max(map(len, [heading, *cells]))


def _cells(reading: Reading) -> tuple[str, str, str, str]:
    channel = reading.channel
    return channel.object, channel.name, shown_text(reading), channel.unit


def shown_text(reading: Reading) -> str:
    """What a channel shows, for people: with a question mark where that is not known."""
    return f"? {reading.text}".strip() if reading.value is None else reading.text


def _texts(readings: Sequence[Reading], shown: Callable[[Reading], str]) -> dict[str, str]:
    return {each.channel.object: shown(each) for each in readings}


def _json_value(reading: Reading) -> str:
    if isinstance(reading.channel, AnalogChannel) and _json_number(reading.text):
        return reading.text
    return json.dumps(reading.value)


def _csv_value(reading: Reading) -> str:
    return "" if reading.value is None else reading.text
