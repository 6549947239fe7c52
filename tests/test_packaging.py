"""What is installed beside the program."""

import re
import subprocess
import tomllib
from dataclasses import fields
from pathlib import Path
from shutil import which
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.config import Config, config_from

PACKAGING = Path(__file__).parent.parent / "packaging"


class ExampleTests(SynchronousTestCase):
    """The example configuration."""

    def setUp(self) -> None:
        self.example = (PACKAGING / "hargassner.toml").read_text()

    def test_it_can_be_used_as_it_is(self) -> None:
        config = config_from(tomllib.loads(self.example))
        self.assertEqual(("eth0", "eth1"), (config.gateway.interface, config.boiler.interface))

    def test_it_shows_every_key_with_its_default(self) -> None:
        text = re.sub(r"(?m)^#(?=\w+ = )", "", self.example)
        document = tomllib.loads(text)
        keys = {each.name: {key.name for key in fields(each.type)} for each in fields(Config)}
        self.assertEqual({name: set(section) for name, section in document.items()}, keys)
        for side in ("gateway", "boiler"):
            document[side]["interface"] = ""
        self.assertEqual(Config(), config_from(document))


class UnitTests(SynchronousTestCase):
    """The unit of the service."""

    def verified(self, text: str) -> list[str]:
        """What systemd says against a unit."""
        analyze = which("systemd-analyze")
        if analyze is None:
            raise SkipTest("there is no systemd here")
        directory = Path(self.mktemp())
        directory.mkdir()
        unit = directory / "hargassner-bridge.service"
        # The program is not where it will be installed.
        unit.write_text(text.replace("/opt/hargassner/bin/twist", "/bin/true"))
        checked = subprocess.run(
            [analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
        )
        return [line for line in checked.stderr.splitlines() if unit.name in line]

    def test_systemd_understands_it(self) -> None:
        text = (PACKAGING / "hargassner-bridge.service").read_text()
        self.assertEqual([], self.verified(text))
        self.assertNotEqual(
            [], self.verified(text.replace("KeyringMode=private", "KeyringMode=odd"))
        )
