"""Finding the boiler without a gateway: what is asked, how often, and who is believed."""

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from hargassner.config import DiscoveryConfig
from hargassner.discovery import Devices
from hargassner.discovery.finder import ASK_EVERY, CONNECT_WITHIN, LOOK_EVERY, Finder
from hargassner.network.interface import NetworkInterface
from tests.cases import ClockCase, Log
from tests.discovery.packets import ANNOUNCEMENT, SERVICES, SERVICES_WANTED

BOILER, OTHER, OURS = "192.0.2.30", "192.0.2.31", "192.0.2.1"
EVERYBODY = "255.255.255.255"


class Network:
    """The boiler's network: what was sent on it, and whether the port is open."""

    def __init__(self) -> None:
        self.interface = NetworkInterface("eth0")
        self.broadcast = EVERYBODY
        self.open_ports: tuple[int, ...] = (50000,)
        self.sent: list[tuple[bytes, int, tuple[str, int]]] = []
        self.problem: OSError | None = None

    def send(self, data: bytes, source_port: int, target: tuple[str, int]) -> bool:
        if self.problem is not None:
            raise self.problem
        self.sent.append((data, source_port, target))
        return True

    def is_ours(self, source: tuple[str, int]) -> bool:
        return source[0] == OURS


class FinderCase(ClockCase):
    """A finder that runs."""

    def setUp(self) -> None:
        super().setUp()
        self.log = Log(cast("SynchronousTestCase", self))
        self.network = Network()
        self.devices = Devices(self.clock)
        self.problem = "no boiler has answered yet"
        self.finder = Finder(
            self.devices,
            DiscoveryConfig(),
            cast(Any, self.network),
            self.clock,
            lambda: self.problem,
        )
        self.finder.startService()
        self.addCleanup(self.finder.stopService)

    def hear(self, data: bytes = SERVICES, address: str = BOILER, port: int = 35601) -> None:
        self.finder.heard(data, (address, port), 50000, False)

    def pass_(self, seconds: float) -> None:
        for _ in range(int(seconds / LOOK_EVERY)):
            self.clock.advance(LOOK_EVERY)


class AskingTests(FinderCase):
    def test_what_a_gateway_would_ask_is_broadcast_from_its_port_at_once(self) -> None:
        self.assertEqual([(SERVICES_WANTED, 50000, (EVERYBODY, 35601))], self.network.sent)

    def test_it_is_asked_once_a_minute_for_as_long_as_nobody_answers(self) -> None:
        self.pass_(3600)
        self.assertEqual(61, len(self.network.sent))

    def test_nothing_is_asked_once_the_boiler_has_answered_and_is_read(self) -> None:
        self.hear()
        self.problem = ""
        self.pass_(86_400)
        self.assertEqual(1, len(self.network.sent))

    def test_a_port_that_opens_later_is_asked_from_as_soon_as_it_is_open(self) -> None:
        self.network.sent.clear()
        self.network.open_ports = ()
        self.pass_(ASK_EVERY * 3)
        self.assertEqual([], self.network.sent)
        self.network.open_ports = (50000,)
        self.clock.advance(LOOK_EVERY)
        self.assertEqual(1, len(self.network.sent))

    def test_a_boiler_that_answers_gets_its_time_to_be_connected_to(self) -> None:
        self.hear()
        self.pass_(CONNECT_WITHIN - LOOK_EVERY)
        self.assertEqual(1, len(self.network.sent))
        self.pass_(LOOK_EVERY)
        self.assertEqual(2, len(self.network.sent))

    def test_a_boiler_that_got_another_address_is_found_there(self) -> None:
        self.hear()
        self.problem = ""
        self.pass_(86_400)
        self.problem = "no route to host"
        self.pass_(LOOK_EVERY)
        self.assertEqual(2, len(self.network.sent))
        self.hear(address=OTHER)
        self.assertEqual(OTHER, self.devices.boiler.address)

    def test_a_network_that_cannot_be_reached_is_said_once(self) -> None:
        self.network.problem = OSError(101, "Network is unreachable")
        self.pass_(ASK_EVERY * 5)
        said = [line for line in self.log.lines if "cannot be asked" in line]
        self.assertEqual(["the boiler cannot be asked for on eth0: Network is unreachable"], said)


class AnswerTests(FinderCase):
    def test_whoever_answers_from_the_boilers_port_is_the_boiler(self) -> None:
        self.hear()
        self.assertEqual(BOILER, self.devices.boiler.address)
        self.assertEqual("V14.0n3", self.devices.boiler.services.firmware)

    def test_what_is_no_answer_of_a_boilers_finds_nobody(self) -> None:
        for data, address, port in (
            (SERVICES, BOILER, 35602),
            (SERVICES, OURS, 35601),
            (b"", BOILER, 35601),
            (b"\0" * 1400, BOILER, 35601),
        ):
            self.hear(data, address, port)
        self.finder.heard(ANNOUNCEMENT, (BOILER, 50000), 50000, True)
        self.assertIsNone(self.devices.boiler)

    def test_of_two_boilers_the_first_is_read_and_the_other_said_once(self) -> None:
        for _ in range(3):
            self.hear()
            self.hear(address=OTHER)
        self.assertEqual(BOILER, self.devices.boiler.address)
        said = [line for line in self.log.lines if OTHER in line]
        self.assertEqual(
            [
                f"another boiler answers at {OTHER}: it is not read; boiler.host in the "
                "configuration names the one that is"
            ],
            said,
        )
