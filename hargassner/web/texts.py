"""What the page says, in its languages."""

from collections.abc import Iterable, Mapping
from functools import cache

from hargassner.catalogue import Text
from hargassner.tables import rows

LANGUAGES = ("en", "de", "fr")

PAGE = "page."
"""How the keys of those texts begin that the page itself needs."""


@cache
def _texts() -> Mapping[str, Text]:
    return {
        row["key"]: Text(row["en"], row["de"], row["fr"]) for row in rows(__package__, "texts.tsv")
    }


def keys() -> Iterable[str]:
    """Every key there is."""
    return _texts().keys()


def text(key: str, language: str, **fields: object) -> str:
    """The text with this key in ``language``, with its ``{…}`` filled in.

    Raises:
        KeyError: there is no such text, or a field is missing.
    """
    words = _texts()[key].to(language)
    return words.format(**fields) if fields else words


def page_texts(language: str) -> dict[str, str]:
    """The texts that the page itself fills in, by their keys."""
    return {key: text(key, language) for key in keys() if key.startswith(PAGE)}


def preferred_language(accepted: str | None) -> str:
    """The language to answer in, by an Accept-Language header; English where none fits."""
    best, best_weight = "en", 0.0
    for part in (accepted or "").split(",")[:20]:
        tag, _, parameter = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            weight = _weight(parameter)
            if weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
