"""States in words: in the owner's language, and never one that Home Assistant does not know."""

from hargassner.dialogue.events import Identified, ParameterChanged, TelemetryLine
from hargassner.homeassistant.announcements import REREAD
from tests.mqtt.cases import BASE, HOME, HomeCase, described, with_options


class TextTests(HomeCase):
    """The topics ``P/<object>/text``."""

    def test_a_state_channel_has_its_code_and_its_words(self) -> None:
        self.everything()
        self.line(zk="7")
        states = self.states()
        self.assertEqual(("7", "full combustion"), (states["zk"], states["zk/text"]))

    def test_no_other_channel_has_any(self) -> None:
        self.everything()
        words = [each for each in self.states() if each.endswith("/text")]
        self.assertIn("zk/text", words)
        self.assertNotIn("tk/text", words)
        self.assertNotIn("stoerungs_nr/text", words)

    def test_a_parameter_has_its_option_in_the_owners_words(self) -> None:
        """Its own topic has the panel's, here French."""
        self.everything()
        states = self.states()
        self.assertEqual(("Auto", "auto"), (states["par_pr011"], states["par_pr011/text"]))
        self.apply(ParameterChanged("PR011", "Zone 1 Mode", "Auto", "Réduire"))
        states = self.states()
        self.assertEqual(("Réduire", "setback"), (states["par_pr011"], states["par_pr011/text"]))
        self.assertEqual("setback", self.home_assistant.shown("hargassner_boiler_par_pr011"))
        self.apply(ParameterChanged("PR011", "Zone 1 Mode", "Réduire", "?"))
        self.assertEqual("None", self.states()["par_pr011/text"])

    def test_a_parameter_whose_options_nobody_knows_has_none(self) -> None:
        self.everything()
        self.assertNotIn("par_21/text", self.states())
        self.assertNotIn("par_4/text", self.states())

    def test_a_code_that_nobody_knows_is_unknown(self) -> None:
        self.everything()
        for code in ("99", "-1", "x", "7.5e3"):
            self.line(zk=code)
            self.assertEqual("None", self.states()["zk/text"])

    def test_home_assistant_shows_the_words(self) -> None:
        self.everything()
        self.line(zk="8")
        self.assertEqual("ember keeping", self.home_assistant.shown("hargassner_boiler_zk"))

    def test_without_home_assistant_they_are_published_too(self) -> None:
        self.config = with_options(HOME, discovery="off", language="de")
        self.live_again()
        self.everything()
        self.line(zk="8")
        self.assertEqual("Gluterhaltung", self.states()["zk/text"])

    def test_another_language_is_told_before_its_words_are(self) -> None:
        """Home Assistant has no complaint, and shows the new words at the end."""
        self.everything()
        self.line(zk="8")
        self.config = with_options(HOME, language="fr")
        self.live_again()
        self.everything()
        self.clock.pump([REREAD] * 4)
        self.line(zk="8")
        self.assertEqual("maintien de braises", self.states()["zk/text"])
        self.assertEqual("maintien de braises", self.home_assistant.shown("hargassner_boiler_zk"))

    def test_another_family_is_told_before_its_words_are(self) -> None:
        """A model that becomes known changes what the codes mean."""
        self.apply(described())
        self.line(zk="7")
        self.settle()
        self.apply(Identified("model", "HV 20"))
        self.assertEqual("None", self.states()["zk/text"])
        self.settle()
        self.clock.pump([REREAD] * 4)
        self.assertEqual("from full to part load", self.states()["zk/text"])

    def test_a_channel_that_is_gone_takes_its_words_with_it(self) -> None:
        self.everything()
        self.apply(described((("TK", "°C", "1"),)))
        self.apply(TelemetryLine(b"pm 1 0 "))
        self.settle()
        self.clock.pump([REREAD] * 4)
        self.assertNotIn(f"{BASE}/zk/text", self.broker.retained)
