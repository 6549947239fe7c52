"""What the page says, in three languages."""

import errno
import os
import re
from pathlib import Path

from twisted.internet import error
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

import hargassner.web
from hargassner.boiler.roles import CHARTS
from hargassner.mqtt.problems import connection_problem
from hargassner.network.reasons import plain_reason
from hargassner.web.dashboard import TILES
from hargassner.web.page import page
from hargassner.web.texts import (
    LANGUAGES,
    keys,
    page_texts,
    preferred_language,
    problem_text,
    text,
)

SOURCES = Path(hargassner.web.__file__).parent


class TextTests(SynchronousTestCase):
    def test_the_fields_of_a_text_are_filled_in(self) -> None:
        self.assertEqual("Heizkreis A", text("circuit", "de", name="A"))

    def test_an_unknown_key_is_an_error(self) -> None:
        self.assertRaises(KeyError, text, "nonsense", "en")

    def test_every_text_has_the_same_fields_in_every_language(self) -> None:
        for key in keys():
            fields = [set(re.findall(r"{(\w+)}", text(key, each))) for each in LANGUAGES]
            self.assertEqual(fields, [fields[0]] * 3, key)
            self.assertTrue(all(text(key, each).strip() for each in LANGUAGES), key)

    def test_every_text_that_is_asked_for_exists(self) -> None:
        asked = set()
        for source in [*SOURCES.glob("static/*.js"), *SOURCES.glob("static/page.xml")]:
            asked |= set(re.findall(r"""[">](page\.[a-z.]*[a-z])["<]""", source.read_text()))
        asked |= {f"page.chart.{each}" for each in CHARTS} | {f"tile.{each}" for each in TILES}
        asked -= {"page.js", "page.node"}
        self.assertGreater(len(asked), 30)
        self.assertEqual(asked - set(keys()), set())

    def test_the_page_is_in_the_language_that_it_says(self) -> None:
        for language, heading in (("en", "All values"), ("de", "Alle Werte")):
            html = page(language).decode()
            self.assertIn(f'<html lang="{language}"', html)
            self.assertIn(f">{heading}</h2>", html)
            self.assertNotIn("t:render", html)

    def test_no_line_is_broken_before_french_punctuation(self) -> None:
        for key in keys():
            self.assertNotRegex(text(key, "fr"), r" [;:!?]", key)

    def test_the_page_has_its_own_texts_only(self) -> None:
        self.assertEqual({"page"}, {each.partition(".")[0] for each in page_texts("fr")})


class ProblemTests(SynchronousTestCase):
    def test_why_a_connection_failed_is_told_in_the_readers_words(self) -> None:
        refused = plain_reason(Failure(error.ConnectionRefusedError()))
        broker = connection_problem(Failure(error.TimeoutError())).why
        unreachable = os.strerror(errno.EHOSTUNREACH)
        for problem, expected in (
            (refused, "Verbindung abgewiesen"),
            (broker, "dort antwortet nichts"),
            (unreachable, "kein Weg zum Gerät"),
        ):
            self.assertEqual(expected, problem_text(problem, "de"))
            self.assertEqual(problem_text(problem, "en"), problem)
            self.assertNotEqual(problem_text(problem, "fr"), problem)

    def test_what_nobody_has_translated_is_told_as_it_was_said(self) -> None:
        self.assertEqual("something else", problem_text("something else", "de"))
        self.assertEqual("", problem_text("", "fr"))


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
            self.assertEqual(expected, preferred_language(accepted), accepted)

    def test_no_header_means_english(self) -> None:
        self.assertEqual("en", preferred_language(None))
