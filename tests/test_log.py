"""What the owner reads: the whole log of a bridge whose devices come and go."""

import re
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.cases import free_ports, loopback_addresses
from tests.mqtt.brokers import Mosquitto
from tests.processes import ForkedRunning, Running, program

CONFIG = """
[gateway]
address = "{bridge_to_gateway}"
telnet_port = {telnet}
broadcast = "{gateway}"

[boiler]
address = "{bridge_to_boiler}"
telnet_port = {telnet}
broadcast = "{boiler}"

[mqtt]
url = "{broker}"

[web]
listen = "tcp:{web}:interface=127.0.0.1"

[state]
directory = "state"
"""

_AWAY = 4.0
"""Seconds that nobody is there: several attempts to connect, each of which could be logged."""

_OBJECT = re.compile(r"0x[0-9a-f]{4,}|<[\w.]+|\bobject at\b|Traceback")
_CLASS = re.compile(r"\b(?:[A-Z][a-z]+){2,}\b|\b_?[a-z]+(?:\.[a-z_]+)+\.[A-Z]\w+")
_DECIMALS = re.compile(r"(?<![\d.])\d+\.\d{2,}(?![\d.])")


class LogTests(SynchronousTestCase):
    """One day, in a minute."""

    timeout = 180

    def setUp(self) -> None:
        names = ("gateway", "bridge_to_gateway", "bridge_to_boiler", "boiler")
        self.hosts = dict(zip(names, loopback_addresses(4), strict=True))
        self.telnet, web = free_ports(2)
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        self.broker = Mosquitto(folder)
        self.broker.start()
        self.addCleanup(self.broker.kill)
        config = CONFIG.format(telnet=self.telnet, web=web, broker=self.broker.url, **self.hosts)
        command = (program("twist"), "--log-format=text", "hargassner", "--config=h.toml")
        self.bridge = self.started(*command, files={"h.toml": config})
        self.changes: list[int] = []

    def started(self, *command: str, **options: Any) -> Running:
        running = ForkedRunning(command, **options)
        self.addCleanup(running.clean_up)
        return running

    def simulated(self, kind: str, *options: str) -> Running:
        where = ("--address", self.hosts[kind], "--telnet-port", str(self.telnet))
        running = ForkedRunning([program("hargassner"), "simulate", kind, *where, *options])
        self.addCleanup(running.clean_up)
        return running

    def gateway(self) -> Running:
        options = ("--broadcast", self.hosts["bridge_to_gateway"], "--pace", "0.03")
        return self.simulated("gateway", *options)

    def change(self) -> None:
        """Something changes now: what is said from here on may have been said before."""
        self.changes.append(len(self.said()))

    def said(self) -> list[str]:
        """The log's lines, without time and origin."""
        return [each.partition("] ")[2] for each in self.bridge.log().splitlines()]

    def test_each_state_is_said_once_and_in_plain_words(self) -> None:
        bridge = self.bridge
        bridge.wait_for("connected to the MQTT broker")
        boiler, gateway = self.simulated("boiler"), self.gateway()
        self.change()
        bridge.wait_for("logged in")
        bridge.wait_for("telemetry arrives")
        self.change()
        gateway.stop()
        bridge.wait_for("session 1: over after")
        bridge.wait_for("reading telemetry over a connection of our own")
        self.change()
        boiler.stop()
        self.broker.kill()
        bridge.wait_for(
            f"the boiler does not answer at {self.hosts['boiler']}: connection refused; "
            "trying again every 60 seconds"
        )
        bridge.wait_for(f"no link to {self.broker.url}: no broker listens there")
        time.sleep(_AWAY)
        readings = bridge.log().count("reading telemetry")
        self.change()
        self.simulated("boiler")
        self.broker.start()
        bridge.wait_for("reading telemetry over a connection of our own", count=readings + 1)
        bridge.wait_for("connected to the MQTT broker", count=2)
        self.change()
        self.gateway()
        bridge.wait_for("logged in", count=2)
        self.change()
        self.assertEqual(0, bridge.stop())
        self.assert_lawful()

    def assert_lawful(self) -> None:
        lines = self.said()
        for line in lines:
            self.assertTrue(line)
            for law in (_OBJECT, _CLASS, _DECIMALS):
                self.assertIsNone(law.search(line), line)
        for begin, end in zip([0, *self.changes], [*self.changes, None], strict=True):
            # A line that differs in its numbers only is the same line.
            phase = [re.sub(r"[\d.]+", "#", each) for each in lines[begin:end]]
            repeated = {each for each in phase if phase.count(each) > 1}
            self.assertEqual(repeated, set())
