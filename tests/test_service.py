"""The whole bridge, composed, between a simulated boiler and a simulated gateway on loopback."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from hargassner.boiler.model import Availability, BoilerObserver
from hargassner.config import (
    BoilerConfig,
    Config,
    DiscoveryConfig,
    GatewayConfig,
    MqttConfig,
    RecordingConfig,
    StateConfig,
    WebConfig,
)
from hargassner.service import Bridge
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.gateway import dialogue
from hargassner.simulator.gateway.gateway import SimulatedGateway
from hargassner.simulator.login import key_for
from tests.cases import DescriptorCase, free_ports, loopback_addresses

SERIAL = "0012345"


class TelemetryWatch(BoilerObserver):
    """Keeps what it is told of telemetry."""

    def __init__(self) -> None:
        self.seen: list[bool] = []

    def availability_changed(self, availability: Availability) -> None:
        self.seen.append(availability.telemetry)


class BridgeCase(DescriptorCase):
    """Three services, which share this machine and its reactor."""

    timeout = 120

    @inlineCallbacks
    def setUp(self) -> Any:
        yield super().setUp()
        self.hosts = loopback_addresses(4)
        telnet, *discovery = free_ports(5)
        self.telnet = telnet
        self.discovery = DiscoveryConfig(*discovery)
        self.state = Path(self.mktemp())
        real: Any = reactor
        ports: dict[str, Any] = {
            name: getattr(self.discovery, name) for name in DiscoveryConfig.__dataclass_fields__
        }
        to_gateway, _, boiler, gateway = self.hosts
        self.simulated = SimulatedBoiler(
            real, address=boiler, telnet_port=telnet, period=0.05, reply_delay=0.001, **ports
        )
        self.gateway = SimulatedGateway(
            real,
            address=gateway,
            broadcast=to_gateway,
            telnet_port=telnet,
            serial=SERIAL,
            keepalive=0.05,
            session_length=0.5,
            restart_delay=1.0,
            pace=0.01,
            **ports,
        )

    def bridge(self, host: str = "", recordings: str = "", direct: bool = True) -> Bridge:
        """A bridge that runs until the test is over."""
        to_gateway, to_boiler, boiler, gateway = self.hosts
        real: Any = reactor
        service = Bridge(
            Config(
                gateway=GatewayConfig(
                    address=to_gateway, telnet_port=self.telnet, broadcast=gateway
                ),
                boiler=BoilerConfig(
                    address=to_boiler,
                    host=host,
                    telnet_port=self.telnet,
                    broadcast=boiler,
                    direct_telemetry=direct,
                ),
                discovery=self.discovery,
                web=WebConfig(listen=""),
                state=StateConfig(directory=str(self.state)),
                recording=RecordingConfig(directory=recordings),
            ),
            real,
        )
        self.run_(service)
        return service

    def run_(self, service: Any) -> None:
        service.startService()
        self.addCleanup(lambda: service.stopService() if service.running else None)

    def both(self) -> Deferred[str]:
        """Start both devices; the result is how the gateway's first session ended."""
        self.run_(self.simulated)
        self.run_(self.gateway)
        return self.gateway.when_session_over()

    @inlineCallbacks
    def until(self, condition: Callable[[], object]) -> Any:
        """Wait for something; the test's time-out ends it."""
        while not condition():
            yield deferLater(reactor, 0.02)


class SessionTests(BridgeCase):
    """Sessions through the bridge."""

    @inlineCallbacks
    def test_a_gateway_that_looks_for_a_boiler_finds_it_and_has_its_dialogue(self) -> Any:
        """Neither device sees anything that it should not see, and the bridge understands both."""
        bridge = self.bridge()
        how = yield self.both()
        self.assertEqual("completed", how)
        self.assertEqual(([], []), (self.gateway.problems, self.simulated.problems))
        identity = bridge.parts.boiler.identity
        self.assertEqual(
            (identity.gateway_address, identity.gateway_serial, identity.boiler_address),
            (self.hosts[3], SERIAL, self.hosts[2]),
        )
        self.assertEqual("Nano-SIM 20", identity.model)
        self.assertGreater(len(bridge.parts.boiler.channels), 100)
        self.assertTrue(bridge.parts.boiler.availability.telemetry)
        self.assertIsNone(bridge.parts.boiler.availability.mismatch)

    @inlineCallbacks
    def test_the_log_tells_its_story_without_its_key(self) -> Any:
        bridge = self.bridge()
        yield self.both()
        yield self.until(lambda: not bridge.parts.gateway.proxy.sessions)
        story = [each.partition(": ")[2] for each in self.log.lines if "session 1: " in each]
        self.assertEqual(
            [
                "N port N connected",
                "the boiler is connected",
                "logged in",
                "over after N s: the client closed; N bytes from the client, N from the boiler",
            ],
            [re.sub(r"[\d.]+", "N", each) for each in story],
        )
        self.assertNotRegex("\n".join(self.log.lines), r"\b13[0-9A-F]{32}\b")

    @inlineCallbacks
    def test_a_gateway_starts_over_again_and_again(self) -> Any:
        self.bridge()
        self.run_(self.simulated)
        self.run_(self.gateway)
        yield self.until(lambda: self.gateway.sessions_completed >= 3)
        self.assertEqual(self.gateway.sessions_started, self.gateway.sessions_completed)
        self.assertEqual([], self.gateway.problems)

    @inlineCallbacks
    def test_a_setting_that_the_gateway_changes_reaches_boiler_and_model(self) -> Any:
        bridge = self.bridge()
        self.run_(self.simulated)
        self.run_(self.gateway)
        # While the dialogue opens, notices are switched off.
        yield self.until(lambda: self.gateway.dialogue and self.gateway.dialogue.opened)
        reply = yield self.gateway.set_parameter("PR001", 6, "1")
        self.assertEqual("ack", reply)
        shown = self.simulated.plant.parameters.get("PR001").text()
        yield self.until(lambda: "PR001" in bridge.parts.boiler.settings)
        self.assertEqual(bridge.parts.boiler.settings["PR001"].text, shown)
        self.assertEqual("Aus", shown)

    @inlineCallbacks
    def test_while_the_boiler_is_away_the_gateway_is_turned_away_and_served_again(self) -> Any:
        bridge = self.bridge(host=self.hosts[2], direct=False)
        self.run_(self.simulated)
        self.run_(self.gateway)
        yield self.until(lambda: self.gateway.state == "found a boiler")
        yield self.simulated.stopService()
        yield self.until(lambda: bridge.parts.gateway.proxy.counters.unreachable)
        self.run_(self.simulated)
        yield self.until(lambda: self.gateway.sessions_completed)
        self.assertEqual([], self.gateway.problems)

    @inlineCallbacks
    def test_a_session_is_recorded_without_its_key(self) -> Any:
        keys: list[str] = []

        def key_noted(token: str) -> str:
            keys.append(key_for(token))
            return keys[-1]

        self.patch(dialogue, "key_for", key_noted)
        folder = Path(self.mktemp())
        bridge = self.bridge(recordings=str(folder))
        yield self.both()
        yield bridge.stopService()
        [recording] = folder.iterdir()
        content = recording.read_text()
        self.assertIn("$igw clear", content)
        self.assertTrue(keys)
        self.assertRegex(content, r"\$login key [0-9A-F]{34}\b")
        self.assertEqual([], [each for each in keys if each in content])
        self.assertNotIn(SERIAL, content)

    @inlineCallbacks
    def test_stopping_ends_the_sessions(self) -> Any:
        bridge = self.bridge()
        over = self.both()
        yield self.until(lambda: self.gateway.dialogue and self.gateway.dialogue.described)
        yield bridge.stopService()
        self.assertEqual({}, bridge.parts.gateway.proxy.sessions)
        how = yield over
        self.assertNotEqual("completed", how)
        self.assertIn("the bridge stops", "".join(self.log.lines))


class DirectTelemetryTests(BridgeCase):
    """Telemetry over a connection of the bridge's own."""

    @inlineCallbacks
    def test_it_is_there_before_during_and_after_a_session(self) -> Any:
        """It comes over one connection at any time, and is never told to be off in between."""
        bridge = self.bridge(host=self.hosts[2])
        watch = TelemetryWatch()
        bridge.parts.boiler.observe(watch)
        self.run_(self.simulated)
        yield self.until(lambda: bridge.parts.boiler.availability.telemetry)
        over = self.gateway.when_session_over()
        self.run_(self.gateway)
        yield self.until(lambda: bridge.parts.boiler.availability.session is not None)
        yield self.until(lambda: self.simulated.connections == 1)
        yield over
        yield self.gateway.stopService()
        yield self.until(
            lambda: not bridge.parts.gateway.proxy.sessions and self.simulated.connections == 1
        )
        self.assertNotIn(False, watch.seen[watch.seen.index(True) :])

    @inlineCallbacks
    def test_after_a_restart_the_first_line_is_understood(self) -> Any:
        """The descriptor was remembered, and so was where the boiler is."""
        first = self.bridge()
        yield self.both()
        yield self.gateway.stopService()
        yield self.until((self.state / "neighbours.json").exists)
        yield self.until((self.state / "descriptor.xml").exists)
        yield first.stopService()
        second = self.bridge()
        self.assertIsNotNone(second.parts.boiler.descriptor)
        yield self.until(lambda: second.parts.boiler.availability.telemetry)
        self.assertIsNotNone(second.parts.boiler.channels["tk"].text)

    @inlineCallbacks
    def test_an_owner_can_do_without(self) -> Any:
        bridge = self.bridge(host=self.hosts[2], direct=False)
        yield self.both()
        yield self.until(lambda: not bridge.parts.gateway.proxy.sessions)
        self.assertNotIn("connection of our own", "".join(self.log.lines))


class CompositionTests(SynchronousTestCase):
    """What runs, before anything does."""

    def test_nothing_is_opened_before_the_start(self) -> None:
        memory: Any = MemoryReactorClock()
        Bridge(Config(), memory)
        self.assertEqual(([], [], []), (memory.tcpServers, memory.tcpClients, memory.getReaders()))
        self.assertEqual([], memory.getDelayedCalls())

    def test_what_runs_is_in_the_order_in_which_it_starts(self) -> None:
        """And stops in the other: the home is told before the link to it ends."""
        memory: Any = MemoryReactorClock()
        bridge = Bridge(Config(mqtt=MqttConfig(url="mqtt://broker.lan")), memory)
        parts = bridge.parts
        views = list(bridge)[-1]
        views.startService()
        memory.advance(0)
        running = [*bridge, *views]
        self.assertLess(running.index(parts.snapshots), running.index(parts.gateway.openings[0]))
        self.assertEqual(
            [
                "clean exit",
                "journal",
                "names",
                "file descriptors",
                "state directory",
                "snapshots",
                "energy",
                "the gateway's discovery on any interface",
                "the telnet port on any interface",
                "the boiler's discovery on any interface",
                None,
                "sessions",
                "forwards",
                "direct telemetry",
                "views",
                "history",
                "MQTT",
                "home",
                "web",
            ],
            [each.name for each in running],
        )
