"""Telemetry lines as readings, given when they change (docs/protocol.md, section 4)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, compress, islice
from operator import ne

from hargassner.dialogue.channels import (
    AnalogChannel,
    Descriptor,
    LengthMismatch,
    Placement,
    Reading,
)

_PREFIX = b"pm "

_OFFSETS = range(12)
"""Of the tokens in a piece."""

_UNKNOWN = b"\r\n"
"""Stands for a token where it isn't known which is meant. It ends lines, so none contains it."""

_LONGEST_TOKEN = 40
"""Bytes. Numbers are shorter; of a longer token only the beginning is kept."""

_REMEMBERED = 4096
"""Readings kept for reuse: values come back, and a reading is dear to make."""

_ALL_BITS = 0xFFFFFFFF

_is_number = re.compile(rb"-?[0-9]{1,15}(?:\.[0-9]{1,15})?").fullmatch
_is_word = re.compile(rb"[0-9A-Fa-f]{1,8}").fullmatch


_Piece = tuple[int, bytes, list[bytes]]
"""A stretch of a line: the length of its text, the text, and the tokens in it."""

_NewPiece = tuple[int, _Piece]
"""A piece, and its number in the line."""

_Bit = tuple[int, Reading, Reading]
"""A digital channel: its mask, and its two readings, on and off."""


@dataclass(frozen=True, slots=True)
class News:
    """Where a line differs from the last one that was decoded.

    ``changes`` has each place whose token is another one, with the last line's and this one's.
    """

    changes: Sequence[tuple[int, bytes, bytes]]
    pieces: Sequence[_NewPiece]


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
        self._analog: list[list[AnalogChannel]] = [[] for _ in range(placement.values)]
        self._untold: list[Reading] = []
        for channel in descriptor.analog:
            place = placement.places[channel.place]
            if place is None:
                self._untold.append(Reading(channel, "", None))
            else:
                self._analog[place].append(channel)
        self._digital = _bits(descriptor)

        self._analog_readings = lru_cache(maxsize=_REMEMBERED)(self._read_analog)
        self._digital_readings = lru_cache(maxsize=_REMEMBERED)(self._read_digital)
        self._line = b""
        self._pieces: list[_Piece] = []
        self._forget()

    @property
    def words(self) -> tuple[str, ...]:
        """The digital words of the last line, empty for one that is not known."""
        tokens = chain.from_iterable(tokens for _, _, tokens in self._pieces)
        words = islice(tokens, self._analog_values, None)
        return tuple(_text(word[:_LONGEST_TOKEN]).strip() for word in words)

    def decode(self, line: bytes) -> Sequence[Reading]:
        """The readings that differ from the last line's, in the order of places in the line.

        The first line gives every channel's, and so does the first that fits after one that
        could not be decoded.

        Args:
            line: a whole telemetry line, which begins ``pm``, without its line end.
        """
        if line == self._line:
            return ()
        return self.take(line, self._news_of(self._new_pieces_of(line)))

    def news(self, line: bytes) -> News | None:
        """Where a line that is as expected differs from the last one; None for any other line."""
        new_pieces = None if self.mismatch else self._new_pieces(line)
        if new_pieces is None or not self._words_sound(new_pieces):
            return None
        return self._news_of(new_pieces)

    def take(self, line: bytes, news: News) -> Sequence[Reading]:
        """The readings of a line, by where it differs from the last one."""
        self._line = line
        return self._told(news)

    def take_back(self) -> Sequence[Reading]:
        """Make every channel unknown; these are the readings that say so, once."""
        unknown = self._new_pieces(_joined([_UNKNOWN] * self._expected)) or []
        return self.take(b"", self._news_of(unknown))

    def _news_of(self, new_pieces: Sequence[_NewPiece]) -> News:
        changes: list[tuple[int, bytes, bytes]] = []
        for index, (_, _, tokens) in new_pieces:
            last_tokens = self._pieces[index][2]
            first_place = index * len(_OFFSETS)
            changes += [
                (first_place + offset, last_tokens[offset], tokens[offset])
                for offset in compress(_OFFSETS, map(ne, tokens, last_tokens))
            ]
        return News(changes, new_pieces)

    def _told(self, news: News) -> list[Reading]:
        readings, self._untold = self._untold, []
        for index, piece in news.pieces:
            self._pieces[index] = piece
        for change in news.changes:
            readings += self._readings(*change)
        return readings

    def _readings(self, place: int, last_token: bytes, token: bytes) -> list[Reading]:
        token = token[:_LONGEST_TOKEN]
        if place < self._analog_values:
            return self._analog_readings(place, token)
        return self._digital_readings(place, last_token[:_LONGEST_TOKEN], token)

    def _forget(self) -> None:
        """Make every channel of the next line news."""
        size = len(_OFFSETS)
        # No stretch of no length is a blank, and no token is one.
        self._pieces = [
            (0, b" ", [b" "] * min(size, self._expected - first_place))
            for first_place in range(0, self._expected, size)
        ]

    def _new_pieces_of(self, line: bytes) -> list[_NewPiece]:
        """The pieces in which what a line is worth differs from the last one."""
        new_pieces = None if self.mismatch else self._new_pieces(line)
        if new_pieces is None or not self._words_sound(new_pieces):
            new_pieces = self._new_pieces(self._regular(line)) or []
        return new_pieces

    def _new_pieces(self, line: bytes) -> list[_NewPiece] | None:
        """The pieces in which a line differs from the last one, with their numbers.

        Of 190 values some four change from line to line. So the texts of whole pieces are
        compared, and only where the line doesn't go on with the same text is it split. None if
        the line has another number of tokens than expected, or not one blank behind each.
        """
        new_pieces: list[_NewPiece] = []
        start = len(_PREFIX)
        for index, (size, text, last_tokens) in enumerate(self._pieces):
            end = start + size
            if line[start:end] != text:
                tokens = line[start:].split(b" ", len(_OFFSETS))
                end = len(line) - len(tokens.pop())
                if len(tokens) != len(last_tokens) or b"" in tokens:
                    return None
                new_pieces.append((index, (end - start, line[start:end], tokens)))
            start = end
        return new_pieces if start == len(line) else None

    def _words_sound(self, new_pieces: Sequence[_NewPiece]) -> bool:
        """Whether the digital words among new pieces are words."""
        size = len(_OFFSETS)
        return all(
            _is_word(token)
            for index, (_, _, tokens) in new_pieces
            if (index + 1) * size > self._analog_values
            for token in tokens[max(0, self._analog_values - index * size) :]
        )

    def _regular(self, line: bytes) -> bytes:
        """What a line is worth: a line with just the tokens expected, a blank behind each."""
        tokens = [*filter(None, line[len(_PREFIX) :].split(b" "))]
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
        return _joined([*analog, *_sound_words(digital)])

    def _read_analog(self, place: int, token: bytes) -> list[Reading]:
        value: float | int | None = None
        if _is_number(token):
            value = float(token) if b"." in token else int(token)
        return [Reading(channel, _text(token), value) for channel in self._analog[place]]

    def _read_digital(self, place: int, last_token: bytes, token: bytes) -> list[Reading]:
        bits = self._digital[place - self._analog_values]
        if not _is_word(token):
            return [Reading(on.channel, _text(token), None) for _, on, _ in bits]
        word = int(token, 16)
        changed = word ^ int(last_token, 16) if _is_word(last_token) else _ALL_BITS
        return [on if word & mask else off for mask, on, off in bits if changed & mask]


def _bits(descriptor: Descriptor) -> list[list[_Bit]]:
    """The described bits of each digital word."""
    bits: list[list[_Bit]] = [[] for _ in range(descriptor.words)]
    for bit in descriptor.digital:
        on, off = Reading(bit, "ON", True), Reading(bit, "OFF", False)
        bits[bit.word].append((1 << bit.bit, on, off))
    return bits


def _sound_words(digital: list[bytes]) -> list[bytes]:
    """Digital words, if all of them are; else only what is none, shown as it came."""
    if all(map(_is_word, digital)):
        return digital
    return [_UNKNOWN if _is_word(token) else token for token in digital]


def _joined(tokens: Sequence[bytes]) -> bytes:
    return b"".join([_PREFIX, *(token + b" " for token in tokens)])


def _text(token: bytes) -> str:
    return "" if token == _UNKNOWN else token.decode("latin-1")
