"""A bridge between two networks, whose address on the gateway's changes while it runs."""

import socket

from twisted.trial.unittest import SynchronousTestCase

from tests.constants import Constant
from tests.namespaces import (
    BRIDGE_TO_BOILER,
    BRIDGE_TO_GATEWAY,
    CONFIG,
    GATEWAY,
    BridgeProcess,
    Networks,
    ip,
)

ANNOUNCEMENT = b"HargaWebApp v6.4.1\r\nSN:0012345"
SERVICES = b"\x00\x02HSV/CL 9-60KW V14.0n3".ljust(318, b"\0")
NEW = "192.0.2.99"
BY_ADDRESS = CONFIG.replace('interface = "gw"\n', "")


class AddressChangeTests(SynchronousTestCase):
    """As DHCP does it."""

    timeout = 120

    def setUp(self) -> None:
        self.networks = Networks()
        self.networks.__enter__()
        self.addCleanup(self.networks.__exit__, None, None, None)
        self.gateway = self.opened(self.networks.udp(self.networks.gateway, 50000))
        self.boiler = self.opened(self.networks.udp(self.networks.boiler, 35601))
        self.listener = self.opened(self.networks.tcp(self.networks.boiler))
        self.listener.bind(("", 23))
        self.listener.listen()

    def opened(self, sock: socket.socket) -> socket.socket:
        self.addCleanup(sock.close)
        return sock

    def change(self, before: str, after: str) -> None:
        ip("-n", self.networks.bridge, "addr", "del", f"{before}/24", "dev", "gw")
        ip("-n", self.networks.bridge, "addr", "add", f"{after}/24", "dev", "gw")

    def start(self, config: str) -> BridgeProcess:
        bridge = BridgeProcess(self.networks, config, constants={Constant.INTERFACE_LOOK: 0.3})
        self.addCleanup(bridge.clean_up)
        bridge.wait_until_up()
        return bridge

    def assert_reached_at(self, address: str) -> None:
        """The gateway finds the boiler there, and talks to it."""
        self.gateway.sendto(ANNOUNCEMENT, ("255.255.255.255", 35601))
        self.assertEqual((ANNOUNCEMENT, (BRIDGE_TO_BOILER, 50000)), self.boiler.recvfrom(65536))
        self.boiler.sendto(SERVICES, (BRIDGE_TO_BOILER, 50000))
        self.assertEqual(self.gateway.recvfrom(65536), (SERVICES, (address, 35601)))
        client = self.opened(self.networks.tcp(self.networks.gateway))
        client.bind((GATEWAY, 0))
        client.connect((address, 23))
        boiler, _ = self.listener.accept()
        self.opened(boiler).settimeout(30)
        client.sendall(b"$uptime\r\n")
        self.assertEqual(b"$uptime\r\n", boiler.recv(100))

    def test_a_side_by_address_goes_on_with_the_new_one_until_its_own_is_back(self) -> None:
        bridge = self.start(BY_ADDRESS)
        self.assert_reached_at(BRIDGE_TO_GATEWAY)
        self.change(BRIDGE_TO_GATEWAY, NEW)
        bridge.wait_for("opening the gateway's discovery again")
        bridge.wait_for("opening the telnet port again")
        self.assert_reached_at(NEW)
        self.change(NEW, BRIDGE_TO_GATEWAY)
        bridge.wait_for("opening the gateway's discovery again", count=2)
        bridge.wait_for("opening the telnet port again", count=2)
        self.assert_reached_at(BRIDGE_TO_GATEWAY)
        self.assertEqual(0, bridge.stop())
        self.assertEqual(1, bridge.log().count(f"is gone from gw, which has {NEW} now"))
        self.assertEqual(1, bridge.log().count("again: it is used"))

    def test_a_side_by_interface_goes_on_whatever_its_address(self) -> None:
        """Nothing has to be opened again."""
        bridge = self.start(CONFIG.replace('address = "192.0.2.1"\n', ""))
        self.assert_reached_at(BRIDGE_TO_GATEWAY)
        self.change(BRIDGE_TO_GATEWAY, NEW)
        self.assert_reached_at(NEW)
        self.assertEqual(0, bridge.stop())
        self.assertNotIn("opening", bridge.log())
