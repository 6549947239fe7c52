"""Commands over real sockets: the whole bridge between the simulated gateway and boiler."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from hargassner.boiler.model import BoilerObserver, Setting
from hargassner.config import (
    BoilerConfig,
    Config,
    ControlConfig,
    DiscoveryConfig,
    GatewayConfig,
    RecordingConfig,
    StateConfig,
    WebConfig,
)
from hargassner.control.queue import CommandError
from hargassner.recording.reader import read_recording
from hargassner.service import Bridge
from hargassner.simulator.boiler.engine import Mishap
from hargassner.simulator.boiler.server import SimulatedBoiler
from hargassner.simulator.gateway.gateway import SimulatedGateway
from tests.cases import free_ports, loopback_addresses
from tests.constants import Constant, shorten

GATEWAY, BRIDGE_TO_GATEWAY, BRIDGE_TO_BOILER, BOILER = loopback_addresses(4)
PARAMETERS = ("PR001", "PR011", "4", "A6d")


class Changes(BoilerObserver):
    """What views are notified of."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def setting_changed(self, setting: Setting) -> None:
        self.seen.append((setting.id, setting.text))


class EndToEndTests(TestCase):
    """The gateway asks without a pause; the owner sets one thing after the other."""

    timeout = 120

    def build(self, **boiler: Any) -> None:
        # How far apart requests are is tested with a clock.
        for constant in (Constant.REQUESTS_APART, Constant.COMMANDS_BETWEEN, Constant.READ_PAUSE):
            shorten(self, constant, 0.1)
        telnet, *udp = free_ports(5)
        ports = DiscoveryConfig(*udp)
        self.recordings = self.mktemp()
        config = Config(
            gateway=GatewayConfig(address=BRIDGE_TO_GATEWAY, telnet_port=telnet, broadcast=GATEWAY),
            boiler=BoilerConfig(address=BRIDGE_TO_BOILER, telnet_port=telnet, broadcast=BOILER),
            discovery=ports,
            control=ControlConfig(parameters=PARAMETERS, timeout=1.0),
            web=WebConfig(listen=""),
            state=StateConfig(directory=self.mktemp()),
            recording=RecordingConfig(directory=self.recordings),
        )
        places = {
            "telnet_port": telnet,
            "boiler_port": ports.boiler_port,
            "gateway_port": ports.gateway_port,
            "boiler_diagnostics_port": ports.boiler_diagnostics_port,
            "gateway_diagnostics_port": ports.gateway_diagnostics_port,
        }
        self.bridge = Bridge(config, reactor)
        self.boiler = SimulatedBoiler(
            reactor, address=BOILER, period=0.05, reply_delay=0.005, **places, **boiler
        )
        self.gateway = SimulatedGateway(
            reactor,
            address=GATEWAY,
            broadcast=BRIDGE_TO_GATEWAY,
            keepalive=0.0,
            pace=0.0,
            **places,
        )
        self.changes = Changes()
        self.bridge.parts.boiler.observe(self.changes)

    @inlineCallbacks
    def run_with(self, story: Callable[[], "Deferred[Any]"], **boiler: Any) -> Any:
        self.build(**boiler)
        parts = (self.boiler, self.bridge, self.gateway)
        for each in parts:
            each.startService()
        try:
            yield self.until(lambda: set(self.bridge.parts.boiler.settings) >= set(PARAMETERS))
            yield story()
        finally:
            yield gatherResults([each.stopService() for each in reversed(parts)])
        self.assertEqual([], self.gateway.problems)

    @inlineCallbacks
    def until(self, condition: Callable[[], bool]) -> Any:
        while not condition():
            yield deferLater(reactor, 0.01, lambda: None)

    @inlineCallbacks
    def test_the_owner_sets_and_the_gateway_notices_no_more_than_the_change(self) -> Any:
        yield self.run_with(self.many_commands)
        [recording] = Path(self.recordings).iterdir()
        kept = [each for each in read_recording(recording) if each.kept]
        self.assertEqual(
            sum(each.data.count(b"$ack\r\n") for each in kept),
            self.bridge.parts.gateway.control.counters.ok,
        )

    @inlineCallbacks
    def many_commands(self) -> Any:
        control, parameters = self.bridge.parts.gateway.control, self.boiler.plant.parameters
        for number in range(6):
            temperature = "21.5" if number % 2 else "20.0"
            mode = "Auto" if number % 2 else "Aus"
            values = yield gatherResults(
                [
                    control.set_parameter("PR011", mode),
                    control.set_parameter("4", temperature),
                ]
            )
            self.assertEqual(values, [mode, temperature])
            self.assertEqual(parameters.get("PR011").text(), mode)
            self.assertEqual(parameters.get("4").text(), temperature)
            self.assertIn(("4", temperature), self.changes.seen)
        self.assertEqual(12, control.counters.ok)

    @inlineCallbacks
    def test_what_goes_wrong_is_said_and_harms_nobody(self) -> Any:
        yield self.run_with(
            self.mishaps,
            mishap={
                'par set "4;3;22.0"': Mishap(("$err limit",)),
                'par set "4;3;23.0"': Mishap(()),
                'par set "PR011;6;3"': Mishap(("zERR nicht vorhanden",)),
            }.get,
            hesitation=lambda line: 1.5 if line == b'$par set "4;3;24.0"' else 0.0,
        )

    @inlineCallbacks
    def mishaps(self) -> Any:
        control = self.bridge.parts.gateway.control
        for id_, requested, why in (
            ("4", "22", "refused it: err limit"),
            ("4", "23", "did not answer within 1 seconds"),
            ("PR011", "Heizen", "refused it: zERR nicht vorhanden"),
            ("4", "24", "did not answer within 1 seconds"),
        ):
            failed = yield self.assertFailure(control.set_parameter(id_, requested), CommandError)
            self.assertIn(why, str(failed))
        # The last one was late, and the boiler did it all the same.
        yield self.until(lambda: self.bridge.parts.boiler.settings["4"].text.startswith("24.0"))
        value = yield control.set_parameter("A6d", "-1")
        self.assertEqual("-1.0", value)
