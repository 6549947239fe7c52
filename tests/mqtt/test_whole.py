"""The whole bridge: a simulated gateway, a simulated boiler, and a real broker, on loopback."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.application.service import MultiService
from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater

from hargassner.config import config_from
from hargassner.service import Bridge
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.gateway.gateway import SimulatedGateway
from tests.cases import DescriptorCase
from tests.constants import Constant, shorten
from tests.doubles.hass import Home, check_announcements
from tests.mqtt.brokers import HOST, Broker, Embedded, Mosquitto, Onlooker
from tests.mqtt.packets import published

# Every address of 127.0.0.0/8 is there on Linux; those of this process are its own.
NETWORK = f"127.{20 + os.getpid() % 200}.{os.getpid() // 200 % 250}"
GATEWAY, TO_GATEWAY, TO_BOILER, BOILER = (f"{NETWORK}.{each}" for each in (2, 1, 3, 4))
TELNET_PORT = 2323
BASE = "hargassner/boiler"
TIMEOUT = 90.0
GATEWAY_PACE = 0.02
"""The simulated gateway's life, so much faster than a real one's."""
TELEMETRY_EVERY = 0.2

SETTABLE = (
    *("par_2", "par_4", "par_5", "par_7", "par_8"),
    *("par_pr001", "par_pr011", "par_pr012", "par_pr040", "par_pr042"),
    *("climate_1", "water_heater_tank_1"),
)
"""Entities that are announced once the bridge has read the boiler's parameters."""

# How long each of these is is tested with a clock.
SHORTER = {
    # Home Assistant is not there to answer in this time.
    Constant.MIGRATION: 0.5,
    Constant.MIGRATION_PAUSE: 0.1,
    Constant.ANNOUNCER_SETTLES: 0.5,
    Constant.READ_PAUSE: 0.1,
    Constant.REQUESTS_APART: 0.1,
    Constant.COMMANDS_BETWEEN: 0.1,
}


class WholeCase(DescriptorCase):
    """Boiler, gateway, bridge and broker, with another client of the broker looking on."""

    timeout = 300
    broker_type: type[Broker]
    broker_lines: tuple[str, ...] = ()

    @inlineCallbacks
    def setUp(self) -> Any:
        if sys.platform != "linux":
            raise SkipTest("only Linux has every address of 127.0.0.0/8")
        for constant, seconds in SHORTER.items():
            shorten(self, constant, seconds)
        # The reactor keeps a descriptor in reserve from the first port on.
        port = yield TCP4ServerEndpoint(reactor, 0, interface=HOST).listen(Factory())
        yield port.stopListening()
        yield super().setUp()
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        self.broker = self.broker_type(self.folder, lines=self.broker_lines)
        self.broker.start()
        self.addCleanup(self.broker.kill)
        endpoint = TCP4ClientEndpoint(reactor, HOST, self.broker.port)
        self.onlooker = yield connectProtocol(endpoint, Onlooker())
        self.addCleanup(self.look_away)

    def look_away(self) -> "Deferred[None]":
        """Close the onlooker's connection."""
        gone: Deferred[None] = Deferred()
        self.onlooker.connectionLost = lambda reason: gone.callback(None)
        self.onlooker.transport.abortConnection()
        return gone

    def live(self, discovery: str) -> MultiService:
        """Start a bridge between both simulators."""
        config = config_from(
            {
                "gateway": {
                    "address": TO_GATEWAY,
                    "telnet_port": TELNET_PORT,
                    "broadcast": GATEWAY,
                },
                "boiler": {
                    "address": TO_BOILER,
                    "telnet_port": TELNET_PORT,
                    "broadcast": BOILER,
                },
                "mqtt": {"url": self.broker.url},
                "homeassistant": {"discovery": discovery},
                "web": {"listen": ""},
                "state": {"directory": str(self.folder / "state")},
            }
        )
        house = MultiService()
        for part in (
            Bridge(config, reactor),
            SimulatedBoiler(
                reactor, address=BOILER, telnet_port=TELNET_PORT, period=TELEMETRY_EVERY
            ),
            SimulatedGateway(
                reactor,
                address=GATEWAY,
                broadcast=TO_GATEWAY,
                telnet_port=TELNET_PORT,
                pace=GATEWAY_PACE,
            ),
        ):
            part.setServiceParent(house)
        house.startService()
        self.addCleanup(lambda: house.stopService() if house.running else None)
        return house

    @inlineCallbacks
    def wait_for(self, what: str, condition: Callable[[], Any]) -> Any:
        """Wait until something is so, and give it.

        Raises:
            AssertionError: it does not come to be so.
        """
        deadline = reactor.seconds() + TIMEOUT
        while not (result := condition()):
            if reactor.seconds() > deadline:
                raise AssertionError(f"waited in vain for {what}")
            yield deferLater(reactor, 0.05, lambda: None)
        return result

    def last(self, object_: str) -> str:
        """What was last said of something."""
        return self.onlooker.last().get(f"{BASE}/{object_}", "")

    def announced(self) -> Home | None:
        """What is announced, checked, if all of the boiler's parameters are among it."""
        found = {
            topic: payload
            for topic, payload in self.onlooker.last().items()
            if topic.startswith("homeassistant/") and payload and "migrate" not in payload
        }
        said = "".join(found.values())
        if not all(f'hargassner_boiler_{each}"' in said for each in SETTABLE):
            return None
        return check_announcements(found)

    def results(self, object_: str) -> list[dict[str, Any]]:
        """What was answered to the commands for a parameter."""
        return [json.loads(each) for each in self.onlooker.heard(f"{BASE}/{object_}/result")]

    @inlineCallbacks
    def check_appearance_and_commands(self) -> Any:
        """Discovery and states fit each other; a command is carried out, another one refused."""
        house = self.live("device")
        home = yield self.wait_for("the boiler's entities", self.announced)
        self.assertGreater(len(home.components), 150)
        retained = self.onlooker.last()
        self.assertTrue(home.available(home.entity("climate", "climate_1"), retained))
        shown = home.show_all(retained)
        self.assertEqual("auto", shown["climate/hargassner_boiler_climate_1"]["mode"])
        self.assertEqual(20.5, shown["number/hargassner_boiler_par_4"])

        number = home.entity("number", "par_4")
        self.onlooker.publish(number["command_topic"], "21.5")
        yield self.wait_for("a result", lambda: self.results("par_4"))
        [result] = self.results("par_4")
        self.assertTrue(result["ok"], result)
        self.assertEqual(21.5, float(self.last("par_4")))

        self.onlooker.publish(number["command_topic"], "99")
        yield self.wait_for("a refusal", lambda: len(self.results("par_4")) == 2)
        self.assertFalse(self.results("par_4")[1]["ok"])
        self.assertEqual(21.5, float(self.last("par_4")))

        yield house.stopService()
        yield self.wait_for("the end", lambda: self.last("status") == "offline")
        self.assertEqual(("offline", "offline"), (self.last("session"), self.last("telemetry")))


class MosquittoTests(WholeCase):
    """With Debian's mosquitto."""

    broker_type = Mosquitto

    def test_the_boiler_appears_and_can_be_set(self) -> "Deferred[None]":
        return self.check_appearance_and_commands()

    @inlineCallbacks
    def test_another_way_to_announce(self) -> Any:
        """After a restart the same entities are there, each once."""
        house = self.live("device")
        home = yield self.wait_for("the boiler's entities", self.announced)
        yield house.stopService()
        self.live("entity")
        device = "homeassistant/device/hargassner_boiler/config"
        yield self.wait_for("the old announcement's end", lambda: not self.onlooker.last()[device])
        yield self.wait_for(
            "the same entities",
            lambda: (
                (again := self.announced()) and again.components.keys() == home.components.keys()
            ),
        )


class TooLargeTests(WholeCase):
    """With a broker that takes no message as large as the one that has all entities."""

    broker_type = Mosquitto
    broker_lines = ("max_packet_size 32768",)

    @inlineCallbacks
    def test_each_entity_is_announced_in_a_message_of_its_own(self) -> Any:
        house = self.live("device")
        home = yield self.wait_for("the boiler's entities", self.announced)
        self.assertGreater(len(home.components), 150)
        large = [topic for topic, what, _ in self.onlooker.messages if len(what) > 32_768]
        self.assertEqual([], large)
        [bridge] = [each for each in house if isinstance(each, Bridge)]
        self.assertGreater(bridge.parts.broker.status.limit, 32_768)
        connections = bridge.parts.broker.status.connections
        yield self.wait_for("telemetry", lambda: self.last("telemetry") == "online")
        yield house.stopService()
        self.assertEqual(connections, bridge.parts.broker.status.connections)


class FloodTests(WholeCase):
    """More commands than anybody can carry out."""

    broker_type = Mosquitto
    # Or it would drop what the bridge cannot take yet.
    broker_lines = ("max_queued_messages 0",)

    @inlineCallbacks
    def test_each_command_has_one_result(self) -> Any:
        house = self.live("device")
        yield self.wait_for("a setting", lambda: self.last("par_4") and self.last("par_pr011"))
        commands = [
            ("par_4", b"21.0"),
            ("par_pr011", b"Auto"),
            ("par_4", b"99"),
            ("par_4", b"\xff"),
            ("nonsense", b"1"),
        ]
        sent: Counter[str] = Counter()
        for number in range(3_000):
            object_, payload = commands[number % len(commands)]
            if number in (500, 1_500):
                payload = bytes(70_000)
            self.onlooker.transport.write(published(f"{BASE}/{object_}/set", payload))
            sent[object_] += 1

        def answered() -> Counter[str]:
            topics = (topic.split("/") for topic, _, _ in self.onlooker.messages)
            return Counter(topic[2] for topic in topics if topic[-1] == "result")

        yield self.wait_for("the results", lambda: answered().total() >= 3_000)
        yield house.stopService()
        yield self.wait_for("the end", lambda: self.last("status") == "offline")
        self.assertEqual(sent, answered())
        done = [each for each in self.results("par_4") if each["ok"]]
        self.assertGreaterEqual(len(done), 1)
        self.assertLess(len(done), 30)


class EmbeddedTests(WholeCase):
    """With the demo's own broker."""

    broker_type = Embedded

    def test_the_boiler_appears_and_can_be_set(self) -> "Deferred[None]":
        return self.check_appearance_and_commands()
