"""Whether the check knows what the values mean."""

from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import ensureDeferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.check.meaning import Lines, Meaning, meaning_of
from hargassner.cli.check.report import Outcome
from hargassner.config import BoilerConfig, Config, GatewayConfig, StateConfig
from hargassner.monitor.layouts import known_layouts
from tests.doubles.lines import lines_of

DOCUMENT = "<DAQPRJ><ANALOG><CHANNEL id='0' name='ZK'/></ANALOG></DAQPRJ>"


class MeaningTests(SynchronousTestCase):
    """Each way in which it can be known."""

    def setUp(self) -> None:
        self.state = Path(self.mktemp())
        self.state.mkdir()
        self.lines = Lines()

    def meaning(self, descriptor: str = "", gateway: bool = False) -> Meaning:
        """What is found."""
        config = Config(
            gateway=GatewayConfig(enabled=gateway),
            boiler=BoilerConfig(descriptor=descriptor),
            state=StateConfig(directory=str(self.state)),
        )
        context: Any = SimpleNamespace(
            config=config, until=lambda met, seconds, what: succeed(met())
        )
        return self.successResultOf(ensureDeferred(meaning_of(context, self.lines)))

    def test_the_boiler_has_described_them(self) -> None:
        (self.state / "descriptor.xml").write_text(DOCUMENT)
        self.assertEqual(Meaning(Outcome.OK, "which the boiler has described"), self.meaning())

    def test_the_owner_has_described_them(self) -> None:
        said = Meaning(Outcome.OK, "which boiler.descriptor describes")
        self.assertEqual(said, self.meaning(descriptor="boiler.xml"))

    def test_the_gateway_will_have_them_described(self) -> None:
        self.assertEqual(Meaning(Outcome.OK, ""), self.meaning(gateway=True))

    def test_they_are_recognised(self) -> None:
        known = next(each for each in known_layouts() if each.name == "V14.0n")
        for line in islice(lines_of(known.descriptor, seed=1), 40):
            self.lines.take(line)
        meaning = self.meaning()
        said = "recognised as V14.0n (as published by TheRealKillaruna/nano_pk)"
        self.assertEqual((Outcome.OK, said), (meaning.outcome, meaning.what))
        self.assertIn("compare", meaning.advice)

    def test_they_are_not_recognised(self) -> None:
        for _ in range(40):
            self.lines.take(b"pm " + b"7 " * 205 + b"0 " * 8)
        meaning = self.meaning()
        self.assertEqual((Outcome.FAILED, "not recognised"), (meaning.outcome, meaning.what))
        self.assertIn("SD card", meaning.advice)
        self.assertEqual(213, self.lines.values)
