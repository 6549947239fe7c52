"""Names as identifiers: what a channel or a parameter is called in topics and unique ids."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from itertools import count, filterfalse

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_NOT_IN_AN_IDENTIFIER = re.compile(r"[^a-z0-9]+")


def object_id(name: str) -> str:
    """A name as an identifier: lower case, ASCII, words joined by ``_``.

    German umlauts are written out, other accents dropped, and whatever is left that is neither
    letter nor digit becomes ``_``; so does a character that was damaged on its way. A name without
    any letter or digit gives an empty string.
    """
    # Composed first, so that a `u` followed by a combining diaeresis is an `ü` too.
    written_out = unicodedata.normalize("NFC", name).lower().translate(_GERMAN)
    decomposed = unicodedata.normalize("NFD", written_out)
    plain = "".join(filterfalse(unicodedata.combining, decomposed))
    return _NOT_IN_AN_IDENTIFIER.sub("_", plain).strip("_")


def object_ids(names: Iterable[str]) -> list[str]:
    """One identifier a name, in their order, no two alike.

    The first name with an identifier keeps it plain; the later ones get ``_2``, ``_3`` and so on.
    A number that another name has by itself is passed over: of ``x``, ``x`` and ``x 2`` the last
    one is ``x_2``, and the second ``x_3``. So a name that occurs once is never renamed because of
    others. A name that gives no identifier counts as ``channel``.
    """
    plain = [object_id(name) or "channel" for name in names]
    taken = set(plain)
    variants = {identifier: _variants(identifier, taken) for identifier in taken}
    return [next(variants[identifier]) for identifier in plain]


def _variants(identifier: str, taken: Collection[str]) -> Iterator[str]:
    """An identifier, and then it with each number that does not make another one of it."""
    yield identifier
    numbered = (f"{identifier}_{number}" for number in count(2))
    yield from filterfalse(taken.__contains__, numbered)


def parameter_object(id: str) -> str:  # noqa: A002 - the protocol's own word
    """The identifier of a parameter, made of its id: ``PR001`` gives ``par_pr001``."""
    return object_id(f"par_{id}")
