"""Telemetry lines as readings, given when they change (docs/protocol.md, section 4)."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress
from operator import ne

from hargassner.catalogue import Catalogue
from hargassner.dialogue.channels import (
    AnalogChannel,
    Descriptor,
    LengthMismatch,
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

_EXTRAS = {"external_circuit_setpoint": 0, "tank_1_state": 1}
"""Roles of channels beside which boilers have been met that send values which they don't
describe, and how far behind the channel's place these begin."""

_ALL_BITS = 0xFFFFFFFF

_is_number = re.compile(rb"-?[0-9]{1,15}(?:\.[0-9]{1,15})?").fullmatch
_is_word = re.compile(rb"[0-9A-Fa-f]{1,8}").fullmatch


_Piece = tuple[int, bytes, list[bytes]]
"""A stretch of a line: the length of its text, the text, and the tokens in it."""

_Bit = tuple[int, Reading, Reading]
"""A digital channel: its mask, and its two readings, on and off."""


class Decoder:
    """Decodes the telemetry lines of one boiler, one after the other, and gives what changed.

    ``hidden`` names the places (from 0, in the line) of values that the boiler sends and its
    descriptor leaves out. A place behind the last analog value can be none of them, since digital
    words are counted from the right end; it is passed over.

    A line that has too many values all the same is decoded as far as it can be trusted: the
    digital words, and the analog values in front of the first place where extra values have been
    met, unless one of them has other decimals than its channel promises. In a line with too few
    values only the digital words are trusted. All other channels are unknown until a line fits.
    """

    def __init__(self, descriptor: Descriptor, hidden: Iterable[int] = ()) -> None:
        self.mismatch: LengthMismatch | None = None
        """Why the last line could not be decoded in full, or None."""

        hidden_places = _believed(hidden, descriptor.analog_values)
        self._analog_values = descriptor.analog_values + len(hidden_places)
        self._expected = self._analog_values + descriptor.words

        self._analog: list[list[AnalogChannel]] = [[] for _ in range(self._analog_values)]
        places = [place for place in range(self._analog_values) if place not in hidden_places]
        for channel in descriptor.analog:
            self._analog[places[channel.place]].append(channel)
        self._first_extra = _first_extra(descriptor.analog, places)
        self._digital = _bits(descriptor)

        self._analog_readings = lru_cache(maxsize=_REMEMBERED)(self._read_analog)
        self._digital_readings = lru_cache(maxsize=_REMEMBERED)(self._read_digital)
        self._line = b""
        self._pieces: list[_Piece] = []
        self._forget()

    def decode(self, line: bytes) -> Sequence[Reading]:
        """The readings that differ from the last line's, in the order of places in the line.

        The first line gives every channel's, and so does the first that fits after a length
        mismatch.

        Args:
            line: a whole telemetry line, which begins ``pm``, without its line end.
        """
        if line == self._line:
            return ()
        self._line = line
        readings: list[Reading] = []
        for index, piece in self._news(line):
            tokens, last_tokens = piece[2], self._pieces[index][2]
            self._pieces[index] = piece
            first_place = index * len(_OFFSETS)
            for offset in compress(_OFFSETS, map(ne, tokens, last_tokens)):
                readings += self._readings(
                    first_place + offset, last_tokens[offset], tokens[offset]
                )
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

    def _news(self, line: bytes) -> list[tuple[int, _Piece]]:
        """The pieces in which what a line is worth differs from the last one."""
        new_pieces = None if self.mismatch else self._new_pieces(line)
        if new_pieces is None:
            new_pieces = self._new_pieces(self._regular(line)) or []
        return new_pieces

    def _new_pieces(self, line: bytes) -> list[tuple[int, _Piece]] | None:
        """The pieces in which a line differs from the last one, with their numbers.

        Of 190 values some four change from line to line. So the texts of whole pieces are
        compared, and only where the line doesn't go on with the same text is it split. None if
        the line has another number of tokens than expected, or not one blank behind each.
        """
        new_pieces: list[tuple[int, _Piece]] = []
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

    def _regular(self, line: bytes) -> bytes:
        """What a line is worth: a line with just the tokens expected, a blank behind each."""
        tokens = [*filter(None, line[len(_PREFIX) :].split(b" "))]
        if len(tokens) != self._expected:
            self.mismatch = LengthMismatch(expected=self._expected, got=len(tokens))
            tokens = self._trusted(tokens)
        elif self.mismatch:
            self.mismatch = None
            self._forget()
        return _PREFIX + b" ".join([*tokens, b""])

    def _trusted(self, tokens: list[bytes]) -> list[bytes]:
        """The tokens of a line of another length at the places where they are expected."""
        words = len(self._digital)
        digital = tokens[len(tokens) - words :] if len(tokens) >= words else [_UNKNOWN] * words
        analog = tokens[: self._first_extra] if len(tokens) > self._expected else []
        if not self._decimals_agree(analog):
            analog = []
        return [*analog, *[_UNKNOWN] * (self._analog_values - len(analog)), *digital]

    def _decimals_agree(self, analog: list[bytes]) -> bool:
        """A shifted value shows by its decimals, and makes those before it doubtful too."""
        for token, channels in zip(analog, self._analog, strict=False):
            if _is_number(token):
                decimals = len(token.partition(b".")[2])
                if any(channel.decimals not in (None, decimals) for channel in channels):
                    return False
        return True

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


def _believed(hidden: Iterable[int], analog_values: int) -> list[int]:
    """The hidden places that are not behind the last analog value, in their order."""
    believed: list[int] = []
    for place in sorted(set(hidden)):
        if 0 <= place <= analog_values + len(believed):
            believed.append(place)
    return believed


def _bits(descriptor: Descriptor) -> list[list[_Bit]]:
    """The digital channels of each word."""
    words: list[list[_Bit]] = [[] for _ in range(descriptor.words)]
    for bit in descriptor.digital:
        on, off = Reading(bit, "ON", True), Reading(bit, "OFF", False)
        words[bit.word].append((1 << bit.bit, on, off))
    return words


def _first_extra(analog: Iterable[AnalogChannel], places: Sequence[int]) -> int:
    """The first place in a line in front of which extra values have been met; 0 if there is none.

    ``places`` has the place in the line of each described one.
    """
    roles = Catalogue.load().roles
    extras = {name: behind for role, behind in _EXTRAS.items() for name in roles[role]}
    return min(
        (places[each.place] + extras[each.name] for each in analog if each.name in extras),
        default=0,
    )


def _text(token: bytes) -> str:
    return "" if token == _UNKNOWN else token.decode("latin-1")
