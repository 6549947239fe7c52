"""The words of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in the languages that the bridge speaks."""

    en: str
    de: str
    fr: str

    def to(self, language: str) -> str:
        """The words in ``language``: "de", "fr", anything else is English."""
        return {"de": self.de, "fr": self.fr}.get(language, self.en)

    @staticmethod
    def of(row: Mapping[str, str]) -> "Text":
        """The words of a table's row."""
        return Text(en=row["en"], de=row["de"], fr=row["fr"])

    def about(self, number: str) -> "Text":
        """The words with a number in place of ``{n}``."""
        return Text(*(each.replace("{n}", number) for each in (self.en, self.de, self.fr)))


NO_WORDS = Text("", "", "")
