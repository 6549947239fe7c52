"""What the page says, in its languages."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from operator import itemgetter

from hargassner.catalogue import Text
from hargassner.tables import rows

LANGUAGES = ("en", "de", "fr")

PAGE = "page."
"""How the keys of those texts begin that the page itself needs."""

_BEFORE = re.compile("[ \N{NO-BREAK SPACE}]([;!?])")
_BEFORE_COLON = re.compile(" :")


@cache
def _texts() -> Mapping[str, Text]:
    return {
        row["key"]: Text(row["en"], row["de"], french(row["fr"]))
        for row in rows(__package__, "texts.tsv")
    }


def french(text: str) -> str:
    """A French text with the spaces of its punctuation, at which no line is broken."""
    return _BEFORE_COLON.sub(
        "\N{NO-BREAK SPACE}:", _BEFORE.sub("\N{NARROW NO-BREAK SPACE}\\1", text)
    )


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


@cache
def _problems() -> Mapping[str, Text]:
    return {
        row["en"]: Text(row["en"], row["de"], row["fr"])
        for row in rows(__package__, "problems.tsv")
    }


def problem_text(problem: str, language: str) -> str:
    """Why a connection failed, in ``language`` where the words are known, else as it was said."""
    known = _problems().get(problem)
    return problem if known is None else known.to(language)


def page_texts(language: str) -> dict[str, str]:
    """The texts that the page itself fills in, by their keys."""
    return {key: text(key, language) for key in keys() if key.startswith(PAGE)}


def preferred_language(accepted: str | None) -> str:
    """The language to answer in, by an Accept-Language header; English where none fits."""
    weights = _weights(accepted or "")
    best, weight = max(weights, key=itemgetter(1), default=("en", 0.0))
    return best if weight > 0 else "en"


def _weights(accepted: str) -> Iterator[tuple[str, float]]:
    """The languages of the page that are accepted, each with its weight."""
    for part in accepted.split(",")[:20]:
        tag, _, parameter = part.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            yield language, _weight(parameter)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
