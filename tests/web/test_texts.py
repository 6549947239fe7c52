"""What the page says, in three languages."""

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import hargassner.web
from hargassner.boiler.roles import CHARTS
from hargassner.web.dashboard import TILES
from hargassner.web.page import page
from hargassner.web.texts import LANGUAGES, keys, page_texts, preferred_language, text

SOURCES = Path(hargassner.web.__file__).parent


class TextTests(SynchronousTestCase):
    def test_the_fields_of_a_text_are_filled_in(self) -> None:
        self.assertEqual(text("circuit", "de", name="A"), "Heizkreis A")

    def test_an_unknown_key_is_an_error(self) -> None:
        self.assertRaises(KeyError, text, "nonsense", "en")

    def test_every_text_has_the_same_fields_in_every_language(self) -> None:
        for key in keys():
            fields = [set(re.findall(r"{(\w+)}", text(key, each))) for each in LANGUAGES]
            self.assertEqual(fields, [fields[0]] * 3, key)
            self.assertTrue(all(text(key, each).strip() for each in LANGUAGES), key)

    def test_every_text_that_is_asked_for_exists(self) -> None:
        asked = set()
        for source in SOURCES.glob("static/page.*"):
            asked |= set(re.findall(r"""[">](page\.[a-z.]*[a-z])["<]""", source.read_text()))
        asked |= {f"page.chart.{each}" for each in CHARTS} | {f"tile.{each}" for each in TILES}
        asked.discard("page.js")
        self.assertGreater(len(asked), 30)
        self.assertEqual(asked - set(keys()), set())

    def test_the_page_is_in_the_language_that_it_says(self) -> None:
        for language, heading in (("en", "Last 24 hours"), ("de", "Letzte 24 Stunden")):
            html = page(language).decode()
            self.assertIn(f'<html lang="{language}"', html)
            self.assertIn(f"<h2>{heading}</h2>", html)
            self.assertNotIn("t:render", html)

    def test_the_page_has_its_own_texts_only(self) -> None:
        self.assertEqual({each.partition(".")[0] for each in page_texts("fr")}, {"page"})


class LanguageTests(SynchronousTestCase):
    def test_the_best_language_that_there_is_wins(self) -> None:
        for accepted, expected in {
            "de": "de",
            "de-AT,de;q=0.9,en;q=0.8": "de",
            "it,fr;q=0.4,en;q=0.3": "fr",
            "en;q=0.1, fr;q=0.2": "fr",
            "it": "en",
            "": "en",
            "*": "en",
            "de;q=0": "en",
            "fr;q=nonsense": "en",
            "FR-ch": "fr",
        }.items():
            self.assertEqual(preferred_language(accepted), expected, accepted)

    def test_no_header_means_english(self) -> None:
        self.assertEqual(preferred_language(None), "en")
