"""Text for a terminal."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.terminal import columns, preferred_language, printable


class TerminalTests(SynchronousTestCase):
    def test_printable_text_stays_as_it_is(self) -> None:
        self.assertEqual("Störung 65.9 °C – ✓", printable("Störung 65.9 °C – ✓"))

    def test_control_characters_are_replaced(self) -> None:
        self.assertEqual("a\ufffd[2J\ufffd\ufffd\ufffdb", printable("a\x1b[2J\r\n\x9bb"))

    def test_cells_stand_one_below_the_other(self) -> None:
        rows = [("name", "value", "unit"), ("TK", 65.9, "°C"), ("a\tb", 7, "")]
        self.assertEqual("name  value  unit\nTK    65.9   °C\na\ufffdb   7", columns(rows))

    def test_no_rows_are_no_lines(self) -> None:
        self.assertEqual("", columns([]))

    def test_the_environments_language_is_the_first_that_is_set(self) -> None:
        for environ, language in (
            ({}, "en"),
            ({"LANG": "C"}, "en"),
            ({"LANG": "de_AT.UTF-8"}, "de"),
            ({"LANG": "de_AT.UTF-8", "LC_MESSAGES": "fr_FR"}, "fr"),
            ({"LANG": "de_AT.UTF-8", "LC_ALL": "it_IT"}, "en"),
            ({"LANG": "de", "LC_ALL": ""}, "de"),
        ):
            self.assertEqual(preferred_language(environ, ("en", "de", "fr")), language)
