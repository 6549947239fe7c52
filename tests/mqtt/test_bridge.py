"""The bridge as a whole, with and without a broker."""

import shutil
import signal
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from hargassner.config import config_from
from hargassner.reactor import IBridgeReactor
from hargassner.service import Bridge
from tests.cases import free_ports, until
from tests.forked import Forked
from tests.mqtt.broker_case import STATUS
from tests.mqtt.brokers import HOST, Broker, Mosquitto, Onlooker
from tests.processes import ForkedRunning, program


class CompositionTests(SynchronousTestCase):
    """The bridge has a link where one is wanted."""

    def bridge(self, **mqtt: str) -> Bridge:
        return Bridge(config_from({"mqtt": mqtt}), cast("IBridgeReactor", reactor))

    def test_without_a_url_there_is_none(self) -> None:
        self.assertIsNone(self.bridge().parts.broker)

    def test_with_a_url_there_is_one_under_the_names_configured(self) -> None:
        bridge = self.bridge(url="mqtt://broker.lan:1884", node="cellar")
        assert bridge.parts.broker is not None
        self.assertEqual("mqtt://broker.lan:1884", bridge.parts.broker.status.url)
        self.assertEqual("hargassner/cellar/status", bridge.parts.broker.status_topic)


class ProcessTests(TestCase):
    """The daemon against a real broker."""

    timeout = 120

    def setUp(self) -> None:
        self.folder = Path(mkdtemp(prefix="hargassner-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.broker = Mosquitto(self.folder)
        self.addCleanup(self.broker.kill)
        self.broker.start()

    @inlineCallbacks
    def onlooker(self) -> Any:
        way = TCP4ClientEndpoint(reactor, HOST, self.broker.port)
        onlooker = yield connectProtocol(way, Onlooker())
        self.addCleanup(onlooker.transport.abortConnection)
        return onlooker

    def start(self, broker: Broker) -> "subprocess.Popen[bytes] | Forked":
        """The bridge, on ports that nobody else uses."""
        names = ("boiler", "gateway", "boiler_diagnostics", "gateway_diagnostics")
        telnet, *ports = free_ports(5)
        lines = [
            *("[gateway]", 'address = "127.0.0.1"', f"telnet_port = {telnet}"),
            *("[boiler]", 'address = "127.0.0.2"', 'host = "127.0.0.3"'),
            *("[mqtt]", f'url = "{broker.url}"'),
            *("[web]", 'listen = ""'),
            *("[state]", f'directory = "{self.folder}/state"'),
            "[discovery]",
            *(f"{name}_port = {port}" for name, port in zip(names, ports, strict=True)),
        ]
        config = self.folder / "hargassner.toml"
        config.write_text("\n".join(lines))
        running = ForkedRunning([program("twist"), "hargassner", "--config", str(config)])
        self.addCleanup(running.clean_up)
        return running.process

    @inlineCallbacks
    def test_sigterm_leaves_offline_behind(self) -> Any:
        onlooker = yield self.onlooker()
        bridge = self.start(self.broker)
        yield until(lambda: onlooker.heard(STATUS) == ["online"])
        bridge.send_signal(signal.SIGTERM)
        yield until(lambda: bridge.poll() is not None)
        self.assertEqual(0, bridge.returncode)
        yield until(lambda: onlooker.heard(STATUS) == ["online", "offline"])

    @inlineCallbacks
    def test_a_killed_bridge_is_offline_by_its_last_will(self) -> Any:
        onlooker = yield self.onlooker()
        bridge = self.start(self.broker)
        yield until(lambda: onlooker.heard(STATUS) == ["online"])
        bridge.kill()
        yield until(lambda: onlooker.heard(STATUS) == ["online", "offline"])

    @inlineCallbacks
    def test_a_frozen_broker_does_not_keep_it_from_stopping(self) -> Any:
        onlooker = yield self.onlooker()
        bridge = self.start(self.broker)
        yield until(lambda: onlooker.heard(STATUS) == ["online"])
        self.broker.freeze()
        bridge.send_signal(signal.SIGTERM)
        yield until(lambda: bridge.poll() is not None)
        self.assertEqual(0, bridge.returncode)
