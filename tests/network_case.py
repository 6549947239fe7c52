"""The base of all tests of the bridge between networks: what passes on their wires was due."""

import socket
import tomllib
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.namespaces import CONFIG, GATEWAY, BridgeProcess, Networks
from tests.processes import wait_until
from tests.wire_law import Law, TelemetryOnlyLaw, told
from tests.wires import Datagram

ANNOUNCEMENT = b"HargaWebApp v6.4.1\r\nSN:0012345"
SERVICES = b"\x00\x02HSV/CL 9-60KW V14.0n3".ljust(318, b"\0")
GET_SERVICES = b"get services\0"
EVERYBODY = "255.255.255.255"


class NetworkCase(SynchronousTestCase):
    """A bridge with its two networks, and the sockets of both devices.

    At the end of each test the law of the wires is applied to all that was seen on them (see
    ``tests.wire_law``), once nothing is sent any more and while the bridge still runs.
    """

    config = CONFIG
    constants: ClassVar[Mapping[str, object]] = {}
    """Constants of the bridge that are others than usual (see ``tests.processes``)."""
    timeout = 120
    due_besides: ClassVar[Mapping[str, str]] = {}
    """What the bridge may send besides, as "udp 53" or "tcp 80", and why."""

    def setUp(self) -> None:
        self.resources = ExitStack()
        # It was added first, so that it comes after all that a test adds.
        self.addCleanup(self._end)
        self._has_networks = False
        self.networks = self.make_networks()
        self.resources.enter_context(self.networks)
        self._has_networks = True
        self.open_gateway()
        self.open_boiler()

    def make_networks(self) -> Networks:
        """The networks, not made yet."""
        return Networks()

    def open_gateway(self) -> None:
        """Open the gateway's ports."""
        self.gateway = {
            port: self.opened(self.networks.udp(self.networks.gateway, port))
            for port in (50000, 50001, 50002)
        }

    def open_boiler(self) -> None:
        """Open the boiler's ports."""
        self.boiler = {
            port: self.opened(self.networks.udp(self.networks.boiler, port))
            for port in (35601, 50001, 50002)
        }
        self.listener = self.opened(self.networks.tcp(self.networks.boiler))
        self.listener.bind(("", 23))
        self.listener.listen()

    def _end(self) -> None:
        """Nobody can forget this one."""
        with self.resources:
            if self._has_networks:
                self.check_law()

    @property
    def law(self) -> Law | TelemetryOnlyLaw:
        """What is due."""
        boiler = tomllib.loads(self.config)["boiler"]
        direct = boiler.get("direct_telemetry", True)
        return Law(self.networks.sides, direct, self.due_besides)

    def check_law(self) -> None:
        """Fail if anything was on the wires that was not due."""
        rest = None
        try:
            self.networks.observation.wait_for_rest()
        except AssertionError as no_rest:
            rest = str(no_rest)
        wrong = self.law.broken_by(self.networks.observation.all())
        if rest or wrong:
            self.fail("\n".join([*([rest] if rest else []), told(wrong)]))

    def check_all_arrived(self) -> None:
        """Fail if a device sent anything that the bridge does not send on."""

        def missing() -> list[Datagram]:
            return self.law.undelivered(self.networks.observation.all())

        with suppress(AssertionError):
            wait_until(lambda: not missing(), 3, "all datagrams")
        self.assertEqual([], [str(one) for one in missing()])

    def sent_by(self, station: str, network: str) -> list[Datagram]:
        """The datagrams that a station sent on a network, once nothing is sent any more."""
        datagrams = self.networks.observation.wait_for_rest()
        return [one for one in datagrams if (one.sender, one.network) == (station, network)]

    def opened(self, sock: socket.socket) -> socket.socket:
        """The same socket; it is closed at the end."""
        self.resources.callback(sock.close)
        return sock

    def launched(self, **options: Any) -> BridgeProcess:
        """A bridge that was started; it is ended at the end."""
        bridge = BridgeProcess(self.networks, self.config, constants=self.constants, **options)
        self.resources.callback(bridge.clean_up)
        return bridge

    def start(self, **options: Any) -> BridgeProcess:
        """A bridge that runs."""
        bridge = self.launched(**options)
        bridge.wait_until_up()
        return bridge

    def announce(self, data: bytes = ANNOUNCEMENT) -> tuple[bytes, tuple[str, int]]:
        """The gateway announces itself, and the boiler hears it."""
        self.gateway[50000].sendto(data, (EVERYBODY, 35601))
        return self.boiler[35601].recvfrom(65536)

    def answer(self, data: bytes = SERVICES) -> tuple[bytes, tuple[str, int]]:
        """The boiler tells its services, and the gateway hears it."""
        self.boiler[35601].sendto(data, (self.networks.bridge_to_boiler, 50000))
        return self.gateway[50000].recvfrom(65536)

    def connect(self, address: str = GATEWAY, port: int = 0) -> tuple[socket.socket, socket.socket]:
        """A connection from the gateway to the boiler: both ends."""
        client = self.opened(self.networks.tcp(self.networks.gateway))
        client.bind((address, port))
        client.connect((self.networks.bridge_to_gateway, 23))
        boiler, _ = self.listener.accept()
        boiler.settimeout(30)
        boiler.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client, self.opened(boiler)
