"""The boiler's values on a terminal: a table that follows them, or a line for each change."""

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import filterfalse
from textwrap import wrap
from typing import Protocol

from hargassner.boiler.model import Boiler, BoilerObserver, Channel
from hargassner.cli.watch_texts import say
from hargassner.terminal import coloured, printable
from hargassner.web.document import label

MARKED = 3.0
"""Seconds for which a value that changed is marked."""

_NAME, _VALUE, _MEANING = 25, 9, 16
_CELL = _NAME + _VALUE + _MEANING + 2
_BETWEEN = 3
_CLEAR, _HOME, _REST = "\x1b[2J", "\x1b[H", "\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR, _LINE_REST = "\x1b[?25l", "\x1b[?25h", "\x1b[K"


class View(Protocol):
    """Shows the boiler."""

    def draw(self, heading: Sequence[str], now: float) -> None:
        """Show it as it is now, below lines that say what it is; once a second."""

    def end(self) -> None:
        """Leave the terminal as it was."""


def meaning(boiler: Boiler, channel: Channel, language: str) -> str:
    """A channel's unit, or what the code of a state means."""
    return channel.unit or boiler.state_text(channel, language) or ""


def shown_name(channel: Channel, language: str) -> str:
    """What a channel is called, with a capital."""
    name = label(channel, language)
    return name[:1].upper() + name[1:]


def _value(channel: Channel) -> str:
    return "?" if channel.value is None else channel.text or ""


def _is_shown(channel: Channel) -> bool:
    return channel.connected and channel.text is not None


def _importance(channel: Channel) -> int:
    """0 for what an owner wants to see first."""
    if channel.entry is None:
        return 2
    return 0 if channel.entry.enabled else 1


def _cut(text: str, width: int) -> str:
    text = printable(text)
    return text if len(text) <= width else f"{text[: width - 1]}…"


class LiveTable:
    """The values in columns, drawn over again; what changed is marked.

    Args:
        boiler: the model.
        language: of the names.
        colours: whether marks are colours; else they are signs.
    """

    def __init__(self, boiler: Boiler, language: str, *, colours: bool) -> None:
        self._boiler = boiler
        self._language = language
        self._mark: Callable[[str], str] = _bright if colours else _starred
        print(_HIDE_CURSOR + _CLEAR, end="")

    def draw(self, heading: Sequence[str], now: float) -> None:
        """Draw all that has room, what matters first."""
        width, height = shutil.get_terminal_size()
        columns = max(1, (width - 2 + _BETWEEN) // (_CELL + _BETWEEN))
        above = [part for each in heading for part in wrap(printable(each), width)]
        room = columns * max(1, height - len(above) - 2)
        channels = sorted(filter(_is_shown, self._boiler.channels.values()), key=_importance)
        rows = self._rows(channels[:room], columns, now)
        lines = [*above, "", *rows, *self._more(len(channels) - room)]
        drawn = _HOME + "\n".join(f"{line}{_LINE_REST}" for line in lines) + _REST
        print(drawn, end="", flush=True)

    def end(self) -> None:
        """Show the cursor again, below the table."""
        print(_SHOW_CURSOR, flush=True)

    def _more(self, count: int) -> Sequence[str]:
        """A line that says how many channels have no room, where there are any."""
        return [say("more", self._language, count=count)] if count > 0 else []

    def _rows(self, channels: Sequence[Channel], columns: int, now: float) -> Iterator[str]:
        length = -(-len(channels) // columns)
        for place in range(length):
            yield (" " * _BETWEEN).join(self._cell(each, now) for each in channels[place::length])

    def _cell(self, channel: Channel, now: float) -> str:
        name = _cut(shown_name(channel, self._language), _NAME)
        value = f"{_cut(_value(channel), _VALUE):>{_VALUE}}"
        words = _cut(meaning(self._boiler, channel, self._language), _MEANING)
        changed = channel.since is not None and now - channel.since < MARKED
        mark = self._mark if changed else _unmarked
        return f"{name:{_NAME}}{mark(value)} {words:{_MEANING}}"


def _bright(value: str) -> str:
    return coloured(f" {value}", "1;33")


def _starred(value: str) -> str:
    return f"*{value}"


def _unmarked(value: str) -> str:
    return f" {value}"


class Lines(BoilerObserver):
    """A line for each change, for whatever is no terminal.

    Args:
        boiler: the model.
        language: of the names.
        time: the time of day of a moment.
    """

    def __init__(self, boiler: Boiler, language: str, time: Callable[[float], str]) -> None:
        self._boiler = boiler
        self._language = language
        self._time = time
        self._heading: tuple[str, ...] = ()
        self._changed: dict[str, Channel] = {}
        boiler.observe(self)

    def channels_changed(self, channels: Sequence[Channel]) -> None:
        """They are printed with the next second's."""
        self._changed |= {channel.object: channel for channel in channels}

    def draw(self, heading: Sequence[str], now: float) -> None:
        """Print what is said otherwise than before, and what changed."""
        self._print(filterfalse(self._heading.__contains__, heading))
        self._heading = tuple(heading)
        changed, self._changed = self._changed, {}
        self._print(self._line(each, now) for each in changed.values() if each.connected)

    def end(self) -> None:
        """There is nothing to leave as it was."""

    def _line(self, channel: Channel, now: float) -> str:
        words = meaning(self._boiler, channel, self._language)
        shown = f"{shown_name(channel, self._language)}: {_value(channel)} {words}".rstrip()
        return f"{self._time(now)} {shown}"

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            print(printable(line))
        sys.stdout.flush()
