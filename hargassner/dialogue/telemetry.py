"""Telemetry lines as readings, given when they change (docs/protocol.md, section 4)."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, compress
from operator import ne
from typing import NamedTuple

from hargassner.dialogue.channels import (
    AnalogChannel,
    Descriptor,
    LengthMismatch,
    Placement,
    Reading,
)

_PREFIX = "pm"

_UNKNOWN = "\r\n"
"""Stands for a token where it isn't known which is meant. It ends lines, so none contains it."""

_LONGEST_TOKEN = 40
"""Characters. Numbers are shorter; of a longer token only the beginning is kept."""

_REMEMBERED = 4096
"""Readings kept for reuse: values come back, and a reading is dear to make."""

_ALL_BITS = 0xFFFFFFFF

_is_number = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?").fullmatch
_is_word = re.compile(r"[0-9A-Fa-f]{1,8}").fullmatch


_AnalogChange = tuple[int, str]
"""A place whose token is another one than in the last line, and the token."""

_DigitalChange = tuple[int, str, str]
"""A place whose word is another one, with the last line's and this one's."""

_Bit = tuple[int, Reading, Reading]
"""A digital channel: its mask, and its two readings, on and off."""


class News(NamedTuple):
    """Where a line differs from the last one that was decoded.

    ``tokens`` are those of the whole line, ``pm`` before them and an empty one behind them.
    """

    analog: Sequence[_AnalogChange]
    digital: Sequence[_DigitalChange]
    tokens: Sequence[str]


class _Known(dict[_AnalogChange, Sequence[Reading]]):
    """The readings of a token at a place, kept for reuse: values come back."""

    def __init__(self, channels: Sequence[Sequence[AnalogChannel]]) -> None:
        super().__init__()
        self._channels = channels

    def __missing__(self, change: _AnalogChange) -> Sequence[Reading]:
        place, token = change
        readings = _analog_readings(self._channels[place], _cut(token))
        if len(token) <= _LONGEST_TOKEN:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[change] = readings
        return readings


class Decoder:
    """Decodes the telemetry lines of one boiler, one after the other, and gives what changed.

    Of a line with more or fewer values than its placement says nothing is told but the digital
    words of one with more, which stand at its right end. Digital words are told only if all of
    them are hexadecimal: where a line is damaged, a fault's bit may be anything. What is not told
    is unknown until a line tells it.

    Args:
        descriptor: what the values mean.
        placement: where they stand, if not as described.
    """

    def __init__(self, descriptor: Descriptor, placement: Placement | None = None) -> None:
        self.mismatch: LengthMismatch | None = None
        """Why the last line could not be decoded, or None."""

        placement = placement or Placement.as_described(descriptor)
        self._described = descriptor.values
        self._analog_values = placement.values
        self._expected = placement.values + descriptor.words
        analog: list[list[AnalogChannel]] = [[] for _ in range(placement.values)]
        self._untold: list[Reading] = []
        for channel in descriptor.analog:
            place = placement.places[channel.place]
            if place is None:
                self._untold.append(Reading(channel, "", None))
            else:
                analog[place].append(channel)
        self._analog_readings = _Known(analog).__getitem__
        self._digital_readings = lru_cache(maxsize=_REMEMBERED)(self._read_digital)
        self._digital = _bits(descriptor)
        self._words: set[str] = set()
        # A line begins with what is no value, and ends with a blank.
        self._places = range(-1, self._expected + 1)
        self._line = b""
        self._tokens: Sequence[str] = ()
        self._forget()

    @property
    def words(self) -> tuple[str, ...]:
        """The digital words of the last line, empty for one that is not known."""
        words = self._tokens[self._analog_values + 1 : -1]
        return tuple(_text(_cut(word)).strip() for word in words)

    def decode(self, line: bytes) -> Sequence[Reading]:
        """The readings that differ from the last line's, in the order of places in the line.

        The first line gives every channel's, and so does the first that fits after one that
        could not be decoded.

        Args:
            line: a whole telemetry line, which begins ``pm``, without its line end.
        """
        if line == self._line:
            return ()
        return self.take(line, self.news(line) or self._news_of(self._regular(line)))

    def news(self, line: bytes) -> News | None:
        """Where a line that is as expected differs from the last one; None for any other line."""
        if self.mismatch or b"  " in line or not line.endswith(b" "):
            return None
        tokens = line.decode("latin-1").split(" ")
        tokens[0] = _PREFIX
        if len(tokens) != len(self._places):
            return None
        news = self._news_of(tokens)
        words_sound = not news.digital or self._are_words(tokens[self._analog_values + 1 : -1])
        return news if words_sound else None

    def _are_words(self, tokens: Sequence[str]) -> bool:
        """Whether all tokens are digital words."""
        words = self._words
        if words.issuperset(tokens):
            return True
        if not all(map(_is_word, tokens)):
            return False
        if len(words) >= _REMEMBERED:
            words.clear()
        words.update(tokens)
        return True

    def take(self, line: bytes, news: News) -> Sequence[Reading]:
        """The readings of a line, by where it differs from the last one."""
        self._line, self._tokens = line, news.tokens
        readings, self._untold = self._untold, []
        readings += chain.from_iterable(map(self._analog_readings, news.analog))
        for change in news.digital:
            readings += self._digital_readings(*change)
        return readings

    def take_back(self) -> Sequence[Reading]:
        """Make every channel unknown; these are the readings that say so, once."""
        return self.take(b"", self._news_of(_whole([_UNKNOWN] * self._expected)))

    def _news_of(self, tokens: Sequence[str]) -> News:
        # Of 190 values some nine change from line to line.
        last = self._tokens
        places = [*compress(self._places, map(ne, tokens, last))]
        analog = bisect_left(places, self._analog_values)
        return News(
            [(place, tokens[place + 1]) for place in places[:analog]],
            [(place, _cut(last[place + 1]), _cut(tokens[place + 1])) for place in places[analog:]],
            tokens,
        )

    def _forget(self) -> None:
        """Make every channel of the next line news."""
        # No token is a blank.
        self._tokens = _whole([" "] * self._expected)

    def _regular(self, line: bytes) -> Sequence[str]:
        """What a line is worth: just the tokens expected."""
        tokens = [*filter(None, line.decode("latin-1").split(" ")[1:])]
        words = len(self._digital)
        analog, digital = tokens[: len(tokens) - words], tokens[len(tokens) - words :]
        if len(tokens) < self._expected:
            digital = [_UNKNOWN] * words
        if len(tokens) != self._expected:
            self.mismatch = LengthMismatch(expected=self._described, got=len(tokens))
            analog = [_UNKNOWN] * self._analog_values
        elif self.mismatch:
            self.mismatch = None
            self._forget()
        return _whole([*analog, *_sound_words(digital)])

    def _read_digital(self, place: int, last_token: str, token: str) -> list[Reading]:
        bits = self._digital[place - self._analog_values]
        if not _is_word(token):
            return [Reading(on.channel, _text(token), None) for _, on, _ in bits]
        word = int(token, 16)
        changed = word ^ int(last_token, 16) if _is_word(last_token) else _ALL_BITS
        return [on if word & mask else off for mask, on, off in bits if changed & mask]


def _analog_readings(channels: Sequence[AnalogChannel], token: str) -> Sequence[Reading]:
    value: float | int | None = None
    if _is_number(token):
        value = float(token) if "." in token else int(token)
    return [Reading(channel, _text(token), value) for channel in channels]


def _bits(descriptor: Descriptor) -> list[list[_Bit]]:
    """The described bits of each digital word."""
    bits: list[list[_Bit]] = [[] for _ in range(descriptor.words)]
    for bit in descriptor.digital:
        on, off = Reading(bit, "ON", True), Reading(bit, "OFF", False)
        bits[bit.word].append((1 << bit.bit, on, off))
    return bits


def _sound_words(digital: list[str]) -> list[str]:
    """Digital words, if all of them are; else only what is none, shown as it came."""
    if all(map(_is_word, digital)):
        return digital
    return [_UNKNOWN if _is_word(token) else token for token in digital]


def _whole(tokens: Sequence[str]) -> Sequence[str]:
    """Tokens with what stands before and behind them in a line."""
    return [_PREFIX, *tokens, ""]


def _cut(token: str) -> str:
    return token[:_LONGEST_TOKEN]


def _text(token: str) -> str:
    return "" if token == _UNKNOWN else token
