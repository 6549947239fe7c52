"""The bridge on a machine that lacks something: an interface, a right, a boiler, an answer."""

import re
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from shutil import which
from typing import ClassVar
from unittest import SkipTest

from tests.constants import Constant
from tests.namespaces import (
    BOILER,
    BRIDGE_TO_GATEWAY,
    CONFIG,
    OTHER_CLIENT,
    BridgeProcess,
    ip,
    receive,
)
from tests.network_case import ANNOUNCEMENT, SERVICES, NetworkCase


class AbsentBoilerTests(NetworkCase):
    """The boiler is at an address where nobody answers, not even to refuse."""

    config = CONFIG.replace("direct_telemetry = false", 'host = "198.51.100.77"')

    def setUp(self) -> None:
        super().setUp()
        self.bridge = self.start()

    def client(self) -> socket.socket:
        client = self.opened(self.networks.tcp(self.networks.gateway))
        client.bind((OTHER_CLIENT, 0))
        client.connect((BRIDGE_TO_GATEWAY, 23))
        return client

    def test_a_client_is_closed(self) -> None:
        client = self.client()
        client.settimeout(30)
        client.sendall(b"$uptime\r\n")
        self.assertEqual(b"", client.recv(1))
        self.bridge.wait_for("the boiler cannot be reached")

    def test_it_stops_in_time_all_the_same(self) -> None:
        """With a client that waits, and with its own connection under way."""
        client = self.client()
        self.bridge.wait_for("session 1: 192.0.2.8")
        self.assertEqual(0, self.bridge.stop())
        self.assertEqual(b"", client.recv(1))
        self.assertNotIn("Traceback", self.bridge.log() + self.bridge.errors())


class MuteNameServerTests(NetworkCase):
    """The boiler is known by name, and the name server does not answer."""

    config = CONFIG.replace("direct_telemetry = false", 'host = "boiler.example"')
    due_besides: ClassVar[dict[str, str]] = {"udp 53": "the name server is asked for the boiler"}

    def test_it_stops_in_time_all_the_same(self) -> None:
        resolver = Path("/etc/resolv.conf")
        text = resolver.read_text() if resolver.exists() else ""
        found = re.search(r"^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$", text, re.MULTILINE)
        if found is None:
            raise SkipTest("this machine has no name server with an IPv4 address")
        ip("-n", self.networks.boiler, "addr", "add", f"{found[1]}/32", "dev", "eth0")
        ip("-n", self.networks.bridge, "route", "add", found[1], "via", BOILER, "dev", "bo")
        server = self.opened(self.networks.udp(self.networks.boiler, 53))
        bridge = self.start()
        self.assertIn(b"\6boiler\7example", server.recv(1000))
        # It asks before its reactor takes signals; a relayed datagram shows that the reactor runs.
        self.announce()
        bridge.process.send_signal(signal.SIGTERM)
        # The system's resolver waits for half a minute.
        self.assertEqual(0, bridge.process.wait(20))
        self.assertNotIn("Traceback", bridge.log() + bridge.errors())


class InterfaceTests(NetworkCase):
    """Interfaces that are absent, and come and go."""

    constants: ClassVar[Mapping[str, object]] = {Constant.INTERFACE_LOOK: 0.3}

    def test_an_interface_that_is_absent_at_the_start_is_taken_up_when_it_appears(self) -> None:
        for each in (*self.boiler.values(), self.listener):
            each.close()
        self.networks.remove_boiler()
        bridge = self.start()
        bridge.wait_for("there is no interface bo")
        self.assertEqual(1, bridge.log().count("there is no interface bo"))
        self.replug(bridge, 1)
        self.assertEqual(ANNOUNCEMENT, self.announce()[0])

    def test_an_interface_that_goes_and_comes_back_needs_no_restart(self) -> None:
        bridge = self.start()
        self.announce()
        self.answer()
        for turn in (1, 2):
            for each in (*self.boiler.values(), self.listener):
                each.close()
            self.networks.remove_boiler()
            bridge.wait_for("went away or changed", count=turn)
            self.replug(bridge, turn)
            self.assertEqual(ANNOUNCEMENT, self.announce()[0])
            self.assertEqual(SERVICES, self.answer()[0])
            client, boiler = self.connect()
            client.sendall(b"$login token\r\n")
            self.assertEqual(b"$login token\r\n", receive(boiler, 14))
            boiler.close()
            self.assertEqual(b"", client.recv(1))

    def test_the_gateway_s_interface_is_taken_up_whenever_it_appears(self) -> None:
        """Absent at the start, later gone and back; the telnet port comes and goes with it."""
        self.networks.remove_gateway()
        bridge = self.start()
        bridge.wait_for("the telnet port waits: there is no interface gw")
        for turn in (1, 2):
            self.networks.connect_gateway()
            self.open_gateway()
            bridge.wait_for("the gateway's discovery on gw is open", count=turn)
            bridge.wait_for("the telnet port on gw is open", count=turn)
            self.assertEqual(ANNOUNCEMENT, self.announce()[0])
            self.assertEqual(SERVICES, self.answer()[0])
            client, boiler = self.connect()
            client.sendall(b"$login token\r\n")
            self.assertEqual(b"$login token\r\n", receive(boiler, 14))
            if turn == 1:
                for each in (client, boiler, *self.gateway.values()):
                    each.close()
                self.networks.remove_gateway()
                bridge.wait_for("gw went away or changed", count=2)

    def replug(self, bridge: BridgeProcess, count: int) -> None:
        self.networks.connect_boiler()
        self.open_boiler()
        bridge.wait_for("the boiler's discovery on bo is open", count=count)


class RightsTests(NetworkCase):
    """What the bridge may do, and what it says when it may not."""

    def setUp(self) -> None:
        if which("setpriv") is None:
            raise SkipTest("there is no setpriv here")
        super().setUp()

    def test_without_the_right_to_port_23_it_says_so_in_one_line(self) -> None:
        bridge = self.launched(prefix=("setpriv", "--bounding-set=-net_bind_service", "--"))
        self.assertNotEqual(0, bridge.wait())
        [line] = bridge.errors().splitlines()
        self.assertIn("TCP port 23 on gw", line)
        self.assertIn("CAP_NET_BIND_SERVICE", line)

    def test_the_right_to_low_ports_is_all_that_is_needed(self) -> None:
        """An ordinary user with this one capability has a whole session pass."""
        self.start(prefix=("setpriv", "--bounding-set=-all,+net_bind_service", "--"))
        self.assertEqual(ANNOUNCEMENT, self.announce()[0])
        self.assertEqual(SERVICES, self.answer()[0])
        client, boiler = self.connect()
        client.sendall(b"$login token\r\n")
        self.assertEqual(b"$login token\r\n", receive(boiler, 14))

    def test_a_second_bridge_names_the_first(self) -> None:
        first = self.start()
        second = self.launched()
        self.assertNotEqual(0, second.wait())
        [line] = second.errors().splitlines()
        self.assertIn(f"is in use by twist (process {first.process.pid})", line)
