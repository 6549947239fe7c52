"""The parts of the bridge, composed in memory: who is notified of what, and in which order."""

from dataclasses import fields
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.config import BoilerConfig, Config, GatewayConfig, RecordingConfig, StateConfig
from hargassner.discovery.gateways import SILENT_AFTER
from hargassner.monitor.recorded import Recorded
from hargassner.parts import Parts, build
from hargassner.proxy.observers import IExchangeObserver, ISessionObserver
from hargassner.proxy.session import Session
from hargassner.storage.file import SAVE_AFTER
from tests.discovery.packets import ANNOUNCEMENT, SERVICES, SERVICES_WANTED
from tests.doubles.clocks import TwoClockReactor
from tests.doubles.documents import SMALL
from tests.doubles.login import KEY, TOKEN

GATEWAY, ELSEWHERE, BOILER = "192.0.2.7", "192.0.2.9", "198.51.100.2"
LOGIN = (
    ("gateway", b"$login token\r\n"),
    ("boiler", TOKEN),
    ("gateway", KEY),
    ("boiler", b"zclient login (7)\r\n$ack\r\n"),
)
DESCRIBED = (("gateway", b"$daq desc\r\n"), ("boiler", b"$<<" + SMALL + b">>\r\n"))


class ImmediatePool:
    """A thread pool that does at once what it is given."""

    def callInThreadWithCallback(self, done: Any, work: Any, *arguments: Any) -> None:
        done(True, work(*arguments))


class BridgeReactor(TwoClockReactor):
    """A reactor in memory, with threads that are done at once."""

    def getThreadPool(self) -> ImmediatePool:
        return ImmediatePool()

    def callFromThread(self, call: Any, *arguments: Any) -> None:
        call(*arguments)


class PartsCase(SynchronousTestCase):
    """A bridge's parts, of which nothing is open: what they hear, the test says."""

    recordings = ""

    def setUp(self) -> None:
        self.reactor: Any = BridgeReactor()
        self.state = Path(self.mktemp())
        self.config = Config(
            state=StateConfig(str(self.state)), recording=RecordingConfig(self.recordings)
        )
        self.parts: Parts = build(self.config, self.reactor)

    def announce(self, address: str = GATEWAY) -> None:
        """The relay hears a gateway's announcement."""
        ports = self.config.discovery
        source = (address, ports.gateway_port)
        self.parts.gateway.relay.heard_from_gateway(ANNOUNCEMENT, source, ports.boiler_port, True)

    def answer(self) -> None:
        """The relay hears the boiler's answer to the gateway's question."""
        ports = self.config.discovery
        relay = self.parts.gateway.relay
        source = (GATEWAY, ports.gateway_port)
        relay.heard_from_gateway(SERVICES_WANTED, source, ports.boiler_port, True)
        relay.heard_from_boiler(SERVICES, (BOILER, ports.boiler_port), ports.gateway_port, False)

    def session(self, address: str = GATEWAY) -> Session:
        """A session of the gateway's, as the proxy has it before the boiler is connected."""
        proxy = self.parts.gateway.proxy
        self.assertIsNotNone(proxy.buildProtocol(IPv4Address("TCP", address, 51975)))
        return proxy.sessions[proxy.counters.sessions]

    def pass_(self, session: Session, *said: tuple[str, bytes]) -> None:
        """A dialogue passes in a session; whoever observes it sees all of it."""
        observers = self.parts.gateway.proxy.observers(session)
        for sender, data in said:
            for each in observers:
                (each.gateway_sent if sender == "gateway" else each.boiler_sent)(data)

    def saved(self, name: str) -> str:
        """What a file of the state directory has, once it is written."""
        self.reactor.advance(SAVE_AFTER)
        return (self.state / name).read_bytes().decode("latin-1")


class NotificationTests(PartsCase):
    """Who is notified of what."""

    def test_before_an_announcement_nobody_may_connect(self) -> None:
        address = IPv4Address("TCP", GATEWAY, 51975)
        self.assertIsNone(self.parts.gateway.proxy.buildProtocol(address))
        self.announce()
        self.assertIsNotNone(self.parts.gateway.proxy.buildProtocol(address))

    def test_an_announcement_reaches_what_the_gateway_has_still_open(self) -> None:
        self.announce()
        session = self.session()
        announced: list[bool] = []
        self.patch(session, "announced", lambda: announced.append(True))
        self.announce()
        self.assertEqual([True], announced)

    def test_the_gateway_reaches_the_model_and_the_disk(self) -> None:
        self.announce()
        identity = self.parts.boiler.identity
        self.assertEqual((GATEWAY, "0012345"), (identity.gateway_address, identity.gateway_serial))
        self.assertIn(GATEWAY, self.saved("neighbours.json"))

    def test_the_boiler_reaches_the_model_and_the_disk(self) -> None:
        self.answer()
        identity = self.parts.boiler.identity
        self.assertEqual((BOILER, "0BADCAFE"), (identity.boiler_address, identity.system_code))
        self.assertIn(BOILER, self.saved("neighbours.json"))

    def test_a_login_makes_its_gateway_the_trusted_one(self) -> None:
        self.announce()
        self.assertIsNone(self.parts.devices.trusted_gateway)
        self.pass_(self.session(), *LOGIN)
        trusted = self.parts.devices.trusted_gateway
        assert trusted is not None
        self.assertEqual(GATEWAY, trusted.address)
        self.assertIn('"logged_in": true', self.saved("neighbours.json"))

    def test_the_gateway_moves_only_when_its_session_is_silent(self) -> None:
        """The relay asks the proxy for how long."""
        self.announce()
        self.pass_(self.session(), *LOGIN)
        self.announce(ELSEWHERE)
        self.assertEqual(self.parts.devices.gateway, self.parts.devices.trusted_gateway)
        self.reactor.advance(SILENT_AFTER)
        self.announce(ELSEWHERE)
        gateway = self.parts.devices.gateway
        assert gateway is not None
        self.assertEqual(ELSEWHERE, gateway.address)

    def test_a_descriptor_reaches_the_model_and_the_disk(self) -> None:
        self.announce()
        self.pass_(self.session(), *LOGIN, *DESCRIBED)
        self.assertIsNotNone(self.parts.boiler.descriptor)
        self.assertEqual(SMALL, self.saved("descriptor.xml").encode("latin-1"))

    def test_its_address_leads_to_the_boiler(self) -> None:
        self.answer()
        self.parts.boiler_line.connect(self.parts.gateway.proxy).addErrback(lambda _: None)
        [(host, port, *_)] = self.reactor.tcpClients
        self.assertEqual((host, port), (BOILER, self.config.boiler.telnet_port))


class ObserverTests(PartsCase):
    """Who observes a session, and in which order."""

    recordings = "recordings"

    def names(self, address: str) -> list[str]:
        self.announce()
        session = Session(1, (address, 51975), self.parts.gateway.proxy)
        return [type(each).__name__ for each in self.parts.gateway.proxy.observers(session)]

    def test_the_first_is_timed_and_the_last_one_sends(self) -> None:
        names = self.names(GATEWAY)
        self.assertEqual(6, len(names))
        session = Session(2, (GATEWAY, 51976), self.parts.gateway.proxy)
        self.assertEqual(names[0], type(self.parts.timing.observer()).__name__)
        interpreter = self.parts.interpreter.observe(session)
        control = self.parts.gateway.control
        self.assertEqual(names[-1], type(control.observe(session, interpreter)).__name__)
        self.assertIn("Recorded", names)

    def test_direct_telemetry_gives_way_to_the_gateway_and_to_whoever_logs_in(self) -> None:
        """A connection that it gave up is made again when the session is over."""
        self.announce()
        self.answer()
        self.parts.direct.startService()
        self.addCleanup(self.parts.direct.stopService)
        for address, logs_in, gives_way in (
            (ELSEWHERE, False, False),
            (GATEWAY, False, True),
            (ELSEWHERE, True, True),
        ):
            before = len(self.reactor.tcpClients)
            session = Session(1, (address, 51975), self.parts.gateway.proxy)
            observers = list(self.parts.gateway.proxy.observers(session))
            if logs_in:
                self.parts.gateway.proxy.logged_in(session)
            for each in observers:
                each.over("enough")
            self.assertEqual(len(self.reactor.tcpClients) > before, gives_way, (address, logs_in))

    def test_each_is_an_honest_observer(self) -> None:
        self.announce()
        session = Session(1, (GATEWAY, 51975), self.parts.gateway.proxy)
        for each in self.parts.gateway.proxy.observers(session):
            verifyObject(ISessionObserver, each)

    def test_a_recorded_session_is_an_honest_observer(self) -> None:
        recorder: Any = None
        verifyObject(IExchangeObserver, Recorded(recorder, lambda: 0.0))


class ForwardTests(PartsCase):
    """Ports of the boiler that are forwarded."""

    def setUp(self) -> None:
        self.reactor: Any = BridgeReactor()
        gateway = GatewayConfig(forward=(80, 502))
        config = Config(gateway=gateway, state=StateConfig(self.mktemp()))
        self.parts = build(config, self.reactor)

    def test_each_is_opened_on_the_gateways_side(self) -> None:
        names = [each.name for each in self.parts.gateway.openings]
        expected = [
            "port 80 of the boiler on any interface",
            "port 502 of the boiler on any interface",
        ]
        self.assertEqual(expected, names[2:])

    def test_each_leads_to_the_same_port_of_the_boiler(self) -> None:
        self.assertEqual([80, 502], [each.port for each in self.parts.gateway.forwards])


class ValueTests(PartsCase):
    """What the parts are, before anything runs."""

    def test_nothing_is_opened_scheduled_or_written(self) -> None:
        opened = (self.reactor.tcpServers, self.reactor.tcpClients, self.reactor.getReaders())
        self.assertEqual(([], [], []), opened)
        self.assertEqual([], self.reactor.getDelayedCalls())
        self.assertFalse(self.state.exists())

    def test_without_their_configuration_there_is_no_broker_and_no_recording(self) -> None:
        self.assertEqual((None, None), (self.parts.broker, self.parts.broker_status))
        self.assertIsNone(self.parts.recordings)

    def test_showing_them_shows_no_configuration(self) -> None:
        """It has passwords, and the console shows what its users name."""
        self.assertNotIn("password", repr(self.parts))

    def test_they_stay_what_they_are(self) -> None:
        for each in fields(Parts):
            self.assertRaises(AttributeError, setattr, self.parts, each.name, None)


class TelemetryOnlyTests(SynchronousTestCase):
    """Without a gateway."""

    def built(self, host: str = "") -> Parts:
        config = Config(
            gateway=GatewayConfig(enabled=False),
            boiler=BoilerConfig(host=host),
            state=StateConfig(self.mktemp()),
        )
        return build(config, BridgeReactor())

    def test_nothing_of_the_gateways_side_is_there(self) -> None:
        self.assertIsNone(self.built().gateway)

    def test_a_boiler_that_nobody_named_is_looked_for(self) -> None:
        parts = self.built()
        self.assertIsNotNone(parts.finder)
        self.assertEqual(
            ["the boiler's discovery on any interface"], [each.name for each in parts.openings]
        )

    def test_for_a_boiler_that_is_named_nothing_is_opened(self) -> None:
        parts = self.built(BOILER)
        self.assertEqual((None, ()), (parts.finder, parts.openings))

    def test_a_boiler_that_is_found_is_read_and_remembered(self) -> None:
        parts = self.built()
        parts.finder.heard(SERVICES, (BOILER, 35601), 50000, False)
        self.assertEqual(BOILER, parts.boiler.identity.boiler_address)
