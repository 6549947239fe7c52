"""Nothing is imported that nobody asked for: each of these is a process of its own."""

import json
import subprocess
import sys
from collections.abc import Set
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from hargassner.without_tls import wants_tls

MANHOLE = {"twisted.conch", "hargassner.admin.manhole", "hargassner.admin.console"}
PAGE = {"twisted.web.http", "hargassner.web.service"}
FIGURES = {"prometheus_client", "hargassner.web.metrics"}
LOOKED_AT = {"twisted.web.template", "hargassner.web.page"}
"""Both are imported when somebody asks for them."""
SERVER = {"twisted.web.server", "twisted.spread.pb"}
"""Twisted's own, which the page has no use for."""
HOME = {"paho", "hargassner.mqtt.link", "hargassner.homeassistant.view"}
HISTORY = {"sqlite3", "hargassner.storage.history.service"}
TLS = {"hargassner.mqtt.tls"}
RECORDING = {"hargassner.recording.writer"}
TOOLS = {"hargassner.simulator", "hargassner.cli", "hargassner.recording.reader"}

_BRIDGE = """
import json, sys
from hargassner.clock import run_evenly
from hargassner.config import config_from
from hargassner.service import Bridge
from hargassner.startup import check_machine
from twisted.internet import reactor

run_evenly(reactor)
config = config_from(json.loads(sys.argv[1]))
check_machine(config, {})
bridge = Bridge(config, reactor)
at_start = sorted(sys.modules)
views = list(bridge)[-1]
views.startService()
while len(list(views)) < int(sys.argv[2]):
    reactor.runUntilCurrent()
print(json.dumps([at_start, sorted(sys.modules)]))
"""

_START = """
import json, sys
from hargassner.tap import Options, makeService

options = Options()
options.parseOptions(["--config", sys.argv[1]])
bridge = makeService(options)
views = list(bridge)[-1]
views.startService()
from twisted.internet import reactor
while len(list(views)) < int(sys.argv[2]):
    reactor.runUntilCurrent()
print(json.dumps(sorted(sys.modules)))
"""

_TOOL = """
import json, sys
from hargassner.cli import main

try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("\\n" + json.dumps(sorted(sys.modules)))
"""


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.splitlines()[-1]


class BridgeTests(SynchronousTestCase):
    """The bridge, built by a configuration."""

    def imported(self, views: int, **config: object) -> tuple[set[str], set[str]]:
        """The modules when the bridge is built, and when so many views of its own run."""
        state = {"directory": self.mktemp()}
        at_start, later = json.loads(
            _run(_BRIDGE, json.dumps({"state": state, **config}), str(views))
        )
        return set(at_start), set(later)

    def assert_none(self, of: Set[str], modules: Set[str]) -> None:
        self.assertEqual(set(), of & modules)

    def test_a_bridge_without_views_imports_none(self) -> None:
        _, modules = self.imported(0, web={"listen": ""}, history={"enabled": False})
        self.assert_none(MANHOLE | PAGE | HOME | HISTORY | TLS | RECORDING | TOOLS, modules)

    def test_views_are_imported_when_the_bridge_listens(self) -> None:
        """A slow machine takes seconds for them."""
        at_start, later = self.imported(
            4,
            web={"listen": "tcp:0:interface=127.0.0.1"},
            mqtt={"url": "mqtt://127.0.0.1:1"},
        )
        self.assert_none(PAGE | HOME | HISTORY, at_start)
        self.assertLessEqual(PAGE | HOME | HISTORY, later)

    def test_the_usual_bridge_imports_neither_tls_nor_a_console_nor_tools_nor_figures(self) -> None:
        _, modules = self.imported(
            4,
            web={"listen": "tcp:0:interface=127.0.0.1"},
            mqtt={"url": "mqtt://127.0.0.1:1"},
            recording={"directory": self.mktemp()},
        )
        self.assertEqual(RECORDING, modules & RECORDING)
        self.assert_none(MANHOLE | TLS | TOOLS | FIGURES | LOOKED_AT | SERVER, modules)

    def test_tls_is_imported_for_a_broker_that_wants_it(self) -> None:
        at_start, _ = self.imported(0, web={"listen": ""}, mqtt={"url": "mqtts://127.0.0.1:1"})
        self.assertEqual(TLS, at_start & TLS)


class StartTests(SynchronousTestCase):
    """The bridge, as twist starts it."""

    def imported(self, views: int, config: str) -> set[str]:
        file = Path(self.mktemp())
        file.write_text(f'[state]\ndirectory = "{file}-state"\n{config}')
        return set(json.loads(_run(_START, str(file), str(views))))

    def test_nothing_of_tls_is_there_where_nothing_speaks_it(self) -> None:
        """It is a quarter of the memory. The manhole, the page and the broker do without."""
        modules = self.imported(
            5,
            """
            [mqtt]
            url = "mqtt://127.0.0.1:1"
            [web]
            listen = "tcp:0:interface=127.0.0.1"
            [manhole]
            listen = "tcp:0:interface=127.0.0.1"
            password = "not a good one"
            """,
        )
        self.assertEqual(
            set(), modules & {"OpenSSL.SSL", "cryptography", "twisted.protocols.tls", *TLS}
        )
        self.assertLessEqual(MANHOLE | PAGE | HOME, modules)

    def test_tls_is_there_for_a_broker_that_wants_it(self) -> None:
        modules = self.imported(3, '[mqtt]\nurl = "mqtts://127.0.0.1:1"\n[web]\nlisten = ""')
        self.assertLessEqual({"OpenSSL.SSL", "twisted.protocols.tls", *TLS}, modules)


class WantsTlsTests(SynchronousTestCase):
    """What has the bridge bring TLS along."""

    def wants(self, config: str) -> bool:
        file = Path(self.mktemp())
        file.write_text(config)
        return wants_tls(file)

    def test_a_broker_over_tls_does_however_it_is_spelled(self) -> None:
        self.assertTrue(self.wants('[mqtt]\nurl = "MQTTS://broker"'))

    def test_so_does_a_listener_that_is_not_known_to_be_plain(self) -> None:
        self.assertTrue(self.wants('[web]\nlisten = "ssl:443:privateKey=key.pem"'))
        self.assertTrue(self.wants('[web]\nlisten = "le:/certificates:tcp:443"'))
        self.assertTrue(self.wants('[manhole]\nlisten = "ssl:2222"'))

    def test_nothing_else_does(self) -> None:
        self.assertFalse(self.wants(""))
        self.assertFalse(self.wants('[mqtt]\nurl = "mqtt://broker"\n[web]\nlisten = "tcp:80"'))
        self.assertFalse(self.wants('[web]\nlisten = "tcp6:80"\n[manhole]\nlisten = ""'))

    def test_what_cannot_be_a_configuration_is_refused(self) -> None:
        for wrong in ("mqtt = 1", "[mqtt]\nurl = 1", "[web]\nlisten = []", "no TOML"):
            self.assertRaises(ValueError, self.wants, wrong)


class ToolTests(SynchronousTestCase):
    """The command line."""

    def imported(self, *arguments: str) -> set[str]:
        return set(json.loads(_run(_TOOL, *arguments)))

    def test_decode_imports_no_reactor_nor_what_other_commands_need(self) -> None:
        modules = self.imported("decode", "--help")
        self.assertEqual(
            set(),
            {each for each in modules if each.partition(".")[0] in ("twisted", "OpenSSL", "paho")},
        )
        self.assertIn("hargassner.cli.decode", modules)

    def test_the_help_names_every_command(self) -> None:
        modules = self.imported("--help")
        self.assertLessEqual({"hargassner.cli.replay", "hargassner.cli.check.command"}, modules)
