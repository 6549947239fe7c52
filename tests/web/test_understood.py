"""The link to a boiler whose telemetry comes, by what is understood of it."""

from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.understanding import Understanding
from hargassner.dialogue.channels import Fit
from hargassner.dialogue.origin import BOILER, Origin, Source
from hargassner.web.status import Facts, Level, Link, status_of
from hargassner.web.texts import LANGUAGES, text


class UnderstoodTests(SynchronousTestCase):
    def link(self, understanding: Understanding, *, telemetry: bool = True) -> Link:
        facts = Facts(
            now=100.0,
            started=0.0,
            boiler_address="192.0.2.30",
            telemetry=telemetry,
            telemetry_since=50.0,
            understanding=understanding,
        )
        return status_of(facts).boiler

    def words(self, link: Link) -> list[str]:
        """The advice in each language."""
        return [text(link.advice, each, **dict(link.fields)) for each in LANGUAGES]

    def test_values_that_the_boiler_has_described_are_well(self) -> None:
        link = self.link(Understanding(BOILER, Fit(124, 124)))
        self.assertEqual(("boiler.online", Level.OK, ""), (link.state, link.level, link.advice))

    def test_until_enough_lines_came_their_meaning_is_looked_for(self) -> None:
        link = self.link(Understanding())
        self.assertEqual(("boiler.recognising", Level.WAIT), (link.state, link.level))

    def test_lines_that_nobody_understands_have_a_level_of_their_own(self) -> None:
        link = self.link(Understanding(values=213, lines=30))
        self.assertEqual(("boiler.not_understood", Level.NOT_UNDERSTOOD), (link.state, link.level))
        for words in self.words(link):
            self.assertIn("213", words)
            self.assertIn("boiler.descriptor", words)

    def test_a_recognised_layout_is_to_be_compared_with_the_display(self) -> None:
        origin = Origin(Source.RECOGNISED, "V14.0n", "somebody/hargassner")
        link = self.link(Understanding(origin, Fit(135, 135)))
        self.assertEqual(("boiler.online", Level.OK), (link.state, link.level))
        for words in self.words(link):
            self.assertIn("V14.0n", words)
            self.assertIn("somebody/hargassner", words)

    def test_lines_that_contradict_their_description_are_not_understood(self) -> None:
        fit = Fit(124, 124, contradicted=("TK", "TRG", "O2", "ZK"))
        link = self.link(Understanding(BOILER, fit))
        self.assertEqual(Level.NOT_UNDERSTOOD, link.level)
        for words in self.words(link):
            self.assertIn("TK, TRG, O2 ", words)

    def test_without_telemetry_there_is_nothing_to_understand(self) -> None:
        for known in (Understanding(), Understanding(values=213, lines=30)):
            self.assertEqual("boiler.away", self.link(known, telemetry=False).state)

    def test_places_that_were_assumed_to_be_hidden_are_named(self) -> None:
        """Though every channel is shown."""
        link = self.link(Understanding(BOILER, Fit(120, 121, assumed=(59,))))
        self.assertEqual(("boiler.online", Level.OK), (link.state, link.level))
        for words in self.words(link):
            self.assertIn("59", words)
