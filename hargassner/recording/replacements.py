"""What stands in a recording for secrets: for each a text of the same length and kind."""

import re
import string
from collections.abc import Callable, Sequence

PLACEHOLDER = b"?"
"""Stands for a byte that could not be judged."""

_MOST = 256
"""Secrets that are remembered."""
_LONGEST_SECRET = 64
"""Characters. Whatever stands in a secret's place and is longer becomes placeholders."""
_SHORTEST_REPLACED = 6
"""Characters. A shorter secret is replaced where one is expected, and not wherever it occurs."""
_SHORTEST_BEGINNING = 3
"""Characters. What is shorter gives away too little of a secret, and could be anything."""

# None of these goes over the same stretch of a line again and again, whatever is in it.
_WORD = re.compile(rb"[0-9A-Za-z]+")
_SECRET = re.compile(rb"[^\s']+")

_DIGITS = string.digits
_HEXADECIMAL = string.digits + "ABCDEF"
_ANY = string.digits + string.ascii_uppercase
_ALPHANUMERIC = (string.digits + string.ascii_letters).encode("ascii")


class Replacements:
    """Replaces secrets, the same one always by the same text.

    ``known`` has the secrets so far, and what stands for each.

    Args:
        choose: picks one of the characters that it is given.
    """

    __slots__ = ("_choose", "known")

    def __init__(self, choose: Callable[[Sequence[str]], str]) -> None:
        self.known: dict[bytes, bytes] = {}
        self._choose = choose

    def replaced(self, text: bytes) -> bytes:
        """A text in which every word is a secret."""
        return _SECRET.sub(lambda word: self._replacement(word[0]), text)

    def without_known(self, text: bytes) -> bytes:
        """A text in which words may be secrets that are known."""
        return _WORD.sub(lambda word: self._unless_known(word[0]), text)

    def without_beginning(self, text: bytes) -> bytes:
        """A text that was cut short: it may end with the beginning of a secret that is known."""
        rest = text.rstrip(_ALPHANUMERIC)
        return rest + self._without_beginning(text[len(rest) :])

    def _unless_known(self, word: bytes) -> bytes:
        return self.known.get(word, word) if len(word) >= _SHORTEST_REPLACED else word

    def _without_beginning(self, word: bytes) -> bytes:
        if len(word) >= _SHORTEST_BEGINNING:
            for secret, replacement in self.known.items():
                if secret.startswith(word):
                    return replacement[: len(word)]
        return word

    def _replacement(self, secret: bytes) -> bytes:
        return self.known.get(secret) or self._new(secret)

    def _new(self, secret: bytes) -> bytes:
        if len(secret) > _LONGEST_SECRET:
            return PLACEHOLDER * len(secret)
        replacement = self._made_up(secret.decode("latin-1"))
        if len(self.known) < _MOST:
            self.known[secret] = replacement
        return replacement

    def _made_up(self, text: str) -> bytes:
        alphabet = _alphabet(text)
        made_up = text
        while made_up == text:
            made_up = "".join(map(self._choose, [alphabet] * len(text)))
        return made_up.encode("ascii")


def _alphabet(text: str) -> str:
    """The characters of the kind of which a text is."""
    kinds = (_DIGITS, _HEXADECIMAL)
    alphabet = next(filter(set(text.upper()).issubset, kinds), _ANY)
    return alphabet.lower() if text == text.lower() else alphabet
