"""The bridge between two real networks: real ports, broadcasts and interfaces."""

import contextlib
import json
import random
import re
import signal
import socket
import struct
import time
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.namespaces import (
    BOILER,
    BRIDGE_TO_BOILER,
    BRIDGE_TO_GATEWAY,
    CONFIG,
    GATEWAY,
    OTHER_CLIENT,
    BridgeProcess,
    Networks,
    ip,
    is_silent,
    receive,
)
from tests.shared import shared_file

ANNOUNCEMENT = b"HargaWebApp v6.4.1\r\nSN:0012345"
SERVICES = b"\x00\x02HSV/CL 9-60KW V14.0n3".ljust(318, b"\0")


class NetworkCase(SynchronousTestCase):
    """A bridge with its two networks, and the sockets of both devices."""

    config = CONFIG
    timeout = 120

    def setUp(self) -> None:
        self.networks = Networks()
        self.networks.__enter__()
        self.addCleanup(self.networks.__exit__, None, None, None)
        self.gateway = {
            port: self.opened(self.networks.udp(self.networks.gateway, port))
            for port in (50000, 50001, 50002)
        }
        self.boiler = {
            port: self.opened(self.networks.udp(self.networks.boiler, port))
            for port in (35601, 50001, 50002)
        }
        self.listener = self.opened(self.networks.tcp(self.networks.boiler))
        self.listener.bind(("", 23))
        self.listener.listen()

    def opened(self, sock: socket.socket) -> socket.socket:
        self.addCleanup(sock.close)
        return sock

    def start(self, **options: Any) -> BridgeProcess:
        bridge = BridgeProcess(self.networks, self.config, **options)
        self.addCleanup(bridge.clean_up)
        bridge.wait_until_up()
        return bridge

    def announce(self, data: bytes = ANNOUNCEMENT) -> tuple[bytes, tuple[str, int]]:
        self.gateway[50000].sendto(data, ("255.255.255.255", 35601))
        return self.boiler[35601].recvfrom(65536)

    def answer(self, data: bytes = SERVICES) -> tuple[bytes, tuple[str, int]]:
        self.boiler[35601].sendto(data, (BRIDGE_TO_BOILER, 50000))
        return self.gateway[50000].recvfrom(65536)

    def connect(self, address: str = GATEWAY, port: int = 0) -> tuple[socket.socket, socket.socket]:
        client = self.opened(self.networks.tcp(self.networks.gateway))
        client.bind((address, port))
        client.connect((BRIDGE_TO_GATEWAY, 23))
        boiler, _ = self.listener.accept()
        boiler.settimeout(10)
        boiler.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client, self.opened(boiler)


class CapturedDialogueTests(NetworkCase):
    """A real session, replayed byte for byte."""

    def setUp(self) -> None:
        self.steps = json.loads(shared_file("captures/nano-pk-v14.0n3.json").read_text())["steps"]
        super().setUp()
        self.bridge = self.start()
        self.connections: dict[str, tuple[socket.socket, socket.socket]] = {}
        self.entrance = ""

    def pass_datagram(self, step: dict[str, Any], data: bytes) -> None:
        source, target = step["source_port"], step["destination_port"]
        if step["from"] == "gateway":
            self.gateway[source].sendto(data, ("255.255.255.255", target))
            received, origin = self.boiler[target].recvfrom(65536)
            self.assertEqual(origin, (BRIDGE_TO_BOILER, source))
        else:
            self.boiler[source].sendto(data, (BRIDGE_TO_BOILER, target))
            received, origin = self.gateway[target].recvfrom(65536)
            self.assertEqual(origin, (BRIDGE_TO_GATEWAY, source))
            self.entrance = origin[0]
        self.assertEqual(received, data)

    def connection(self, name: str) -> tuple[socket.socket, socket.socket]:
        if name not in self.connections:
            address = GATEWAY if name == "gateway" else OTHER_CLIENT
            # The other client reads the boiler before the gateway's first session.
            self.answer()
            self.connections[name] = self.connect(address)
        return self.connections[name]

    def test_every_segment_arrives_as_it_was_sent(self) -> None:
        """Both directions, UDP and TCP, in the captured order; nothing more comes."""
        for step in self.steps:
            data = step["data"].encode("latin-1")
            if step["proto"] == "udp":
                self.pass_datagram(step, data)
                continue
            client, boiler = self.connection(step["connection"])
            sender, receiver = (client, boiler) if step["from"] == "gateway" else (boiler, client)
            sender.sendall(data)
            self.assertEqual(receive(receiver, len(data)), data)
        self.assertEqual(self.entrance, BRIDGE_TO_GATEWAY)
        for client, boiler in self.connections.values():
            self.assertTrue(is_silent(client) and is_silent(boiler))

    def test_the_session_is_the_same_however_it_is_cut(self) -> None:
        """Everything pipelined, in pieces that have nothing to do with lines."""
        self.announce()
        self.answer()
        chance = random.Random(23)
        for _ in range(5):
            said = {
                side: b"".join(
                    step["data"].encode("latin-1")
                    for step in self.steps
                    if step["proto"] == "tcp"
                    and step["connection"] == "gateway"
                    and step["from"] == side
                )
                for side in ("gateway", "boiler")
            }
            client, boiler = self.connect()
            left = {client: said["gateway"], boiler: said["boiler"]}
            while any(left.values()):
                sender = chance.choice([each for each in left if left[each]])
                size = chance.choice((1, 3, 4, 100, 1456))
                sender.sendall(left[sender][:size])
                left[sender] = left[sender][size:]
            self.assertEqual(receive(boiler, len(said["gateway"])), said["gateway"])
            self.assertEqual(receive(client, len(said["boiler"])), said["boiler"])
            client.close()
            self.assertEqual(boiler.recv(1), b"")
            boiler.close()

    def test_the_log_of_it_holds_no_secret(self) -> None:
        self.test_every_segment_arrives_as_it_was_sent()
        self.bridge.stop()
        for secret in ("0A1B2C3D", "1300112233445566778899AABBCCDDEEFF"):
            self.assertNotIn(secret, self.bridge.log() + self.bridge.errors())


class DiscoveryTests(NetworkCase):
    """Datagrams of every kind, between the real ports."""

    def setUp(self) -> None:
        super().setUp()
        self.bridge = self.start()

    def test_diagnostics_pass_both_ways(self) -> None:
        self.gateway[50002].sendto(b"hargassner.diagnostics.request", ("255.255.255.255", 50001))
        data, origin = self.boiler[50001].recvfrom(65536)
        self.assertEqual(data, b"hargassner.diagnostics.request")
        self.assertEqual(origin, (BRIDGE_TO_BOILER, 50002))
        self.boiler[50001].sendto(b"hargassner.diagnostics\ntype:info", origin)
        data, origin = self.gateway[50002].recvfrom(65536)
        self.assertEqual(data, b"hargassner.diagnostics\ntype:info")
        self.assertEqual(origin, (BRIDGE_TO_GATEWAY, 50001))

    def test_what_the_boiler_broadcasts_is_broadcast_to_the_gateway(self) -> None:
        self.boiler[35601].sendto(b"anybody there?", ("255.255.255.255", 50000))
        data, origin = self.gateway[50000].recvfrom(65536)
        self.assertEqual(data, b"anybody there?")
        self.assertEqual(origin, (BRIDGE_TO_GATEWAY, 35601))

    def test_garbage_passes_and_the_next_announcement_too(self) -> None:
        for garbage in (b"", b"\0" * 1400, b"\xff" * 1400, b"HargaWebApp", b"\x00\x02"):
            self.assertEqual(self.announce(garbage)[0], garbage)
        self.gateway[50000].sendto(b"x" * 65507, (BRIDGE_TO_GATEWAY, 35601))
        self.boiler[35601].settimeout(1)
        with contextlib.suppress(TimeoutError):
            # The system may refuse to broadcast so much; then it is dropped.
            self.boiler[35601].recvfrom(65536)
        self.boiler[35601].settimeout(10)
        self.assertEqual(self.announce()[0], ANNOUNCEMENT)
        self.assertNotIn("Traceback", self.bridge.log())
        self.assertNotIn("Traceback", self.bridge.errors())


class SessionLifeTests(NetworkCase):
    """How sessions end on a real network."""

    def setUp(self) -> None:
        super().setUp()
        self.bridge = self.start()
        self.announce()
        self.answer()

    def test_a_half_closed_connection_still_delivers_the_answer(self) -> None:
        client, boiler = self.connect()
        client.sendall(b"$uptime\r\n")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(receive(boiler, 100), b"$uptime\r\n")
        boiler.sendall(b"$666151\r\n")
        boiler.close()
        self.assertEqual(receive(client, 100), b"$666151\r\n")

    def test_a_stranger_is_closed_at_once(self) -> None:
        ip("-n", self.networks.gateway, "addr", "add", "192.0.2.99/24", "dev", "eth0")
        stranger = self.opened(self.networks.tcp(self.networks.gateway))
        stranger.bind(("192.0.2.99", 0))
        stranger.connect((BRIDGE_TO_GATEWAY, 23))
        self.assertEqual(stranger.recv(1), b"")
        self.bridge.wait_for("192.0.2.99 may not connect")

    def test_the_gateway_starts_over_two_hundred_times(self) -> None:
        """FIN and RST from either side; each time a fresh session, and no descriptor left."""
        descriptors = Path(f"/proc/{self.bridge.process.pid}/fd")
        counted = []
        for turn in range(200):
            self.announce()
            self.answer()
            client, boiler = self.connect()
            client.sendall(b"$dhcp renew\r\n$igw clear\r\n")
            self.assertEqual(receive(boiler, 25), b"$dhcp renew\r\n$igw clear\r\n")
            boiler.sendall(b"$ack\r\n")
            self.assertEqual(receive(client, 6), b"$ack\r\n")
            first, second = (client, boiler) if turn % 2 else (boiler, client)
            if turn % 4 < 2:
                first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            first.close()
            self.assertEqual(second.recv(1), b"")
            second.close()
            if turn in (20, 199):
                self.bridge.wait_for(": over after", count=turn + 1)
                counted.append(len(list(descriptors.iterdir())))
        self.assertEqual(counted[0], counted[1])

    def test_an_announcement_ends_the_session_that_still_stands(self) -> None:
        client, boiler = self.connect()
        began = time.monotonic()
        self.announce()
        self.assertEqual(client.recv(1), b"")
        self.assertEqual(boiler.recv(1), b"")
        self.assertGreater(time.monotonic() - began, 2.5)

    def test_a_gateway_whose_cable_is_pulled_is_noticed_within_a_minute(self) -> None:
        client, boiler = self.connect()
        client.sendall(b"$uptime\r\n")
        receive(boiler, 9)
        self.networks.cut_gateway()
        began = time.monotonic()
        boiler.settimeout(65)
        boiler.sendall(b"pm 1 2 3 \r\n")
        self.assertEqual(boiler.recv(1), b"")
        self.assertLess(time.monotonic() - began, 60)

    def test_sigterm_ends_sessions_and_exits_with_status_0(self) -> None:
        client, boiler = self.connect()
        began = time.monotonic()
        status = self.bridge.stop()
        self.assertEqual(status, 0)
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual((client.recv(1), boiler.recv(1)), (b"", b""))


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
        self.assertEqual(client.recv(1), b"")
        self.bridge.wait_for("the boiler cannot be reached")

    def test_it_stops_in_time_all_the_same(self) -> None:
        """With a client that waits, and with its own connection under way."""
        client = self.client()
        self.bridge.wait_for("session 1: 192.0.2.8")
        self.bridge.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.bridge.process.wait(5), 0)
        self.assertEqual(client.recv(1), b"")
        self.assertNotIn("Traceback", self.bridge.log() + self.bridge.errors())


class MuteNameServerTests(NetworkCase):
    """The boiler is known by name, and the name server does not answer."""

    config = CONFIG.replace("direct_telemetry = false", 'host = "boiler.example"')

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
        bridge.process.send_signal(signal.SIGTERM)
        self.assertEqual(bridge.process.wait(5), 0)
        self.assertNotIn("Traceback", bridge.log() + bridge.errors())


class InterfaceTests(NetworkCase):
    """Interfaces that are absent, and come and go."""

    def test_an_interface_that_is_absent_at_the_start_is_taken_up_when_it_appears(self) -> None:
        for each in (*self.boiler.values(), self.listener):
            each.close()
        self.networks.remove_boiler()
        bridge = self.start()
        bridge.wait_for("there is no interface bo")
        self.assertEqual(bridge.log().count("there is no interface bo"), 1)
        self.replug(bridge, 1)
        self.assertEqual(self.announce()[0], ANNOUNCEMENT)

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
            self.assertEqual(self.announce()[0], ANNOUNCEMENT)
            self.assertEqual(self.answer()[0], SERVICES)
            client, boiler = self.connect()
            client.sendall(b"$login token\r\n")
            self.assertEqual(receive(boiler, 14), b"$login token\r\n")
            boiler.close()
            self.assertEqual(client.recv(1), b"")

    def replug(self, bridge: BridgeProcess, count: int) -> None:
        self.networks.connect_boiler()
        self.boiler = {
            port: self.opened(self.networks.udp(self.networks.boiler, port))
            for port in (35601, 50001, 50002)
        }
        self.listener = self.opened(self.networks.tcp(self.networks.boiler))
        self.listener.bind((BOILER, 23))
        self.listener.listen()
        bridge.wait_for("the boiler's discovery on bo is open", count=count)


class RightsTests(NetworkCase):
    """What the bridge may do, and what it says when it may not."""

    def test_without_the_right_to_port_23_it_says_so_in_one_line(self) -> None:
        bridge = BridgeProcess(
            self.networks, prefix=("setpriv", "--bounding-set=-net_bind_service", "--")
        )
        self.addCleanup(bridge.clean_up)
        self.assertNotEqual(bridge.wait(), 0)
        [line] = bridge.errors().splitlines()
        self.assertIn("TCP port 23 on gw", line)
        self.assertIn("CAP_NET_BIND_SERVICE", line)

    def test_the_right_to_low_ports_is_all_that_is_needed(self) -> None:
        """An ordinary user with this one capability has a whole session pass."""
        self.start(prefix=("setpriv", "--bounding-set=-all,+net_bind_service", "--"))
        self.assertEqual(self.announce()[0], ANNOUNCEMENT)
        self.assertEqual(self.answer()[0], SERVICES)
        client, boiler = self.connect()
        client.sendall(b"$login token\r\n")
        self.assertEqual(receive(boiler, 14), b"$login token\r\n")

    def test_a_second_bridge_names_the_first(self) -> None:
        first = self.start()
        second = BridgeProcess(self.networks)
        self.addCleanup(second.clean_up)
        self.assertNotEqual(second.wait(), 0)
        [line] = second.errors().splitlines()
        self.assertIn(f"is in use by twist (process {first.process.pid})", line)


class SameAddressesTests(NetworkCase):
    """Both networks use the same addresses, and only the interface tells them apart."""

    config = CONFIG.replace("198.51.100.1", "192.0.2.1")

    def setUp(self) -> None:
        super().setUp()
        # The boiler has the gateway's own address, on the other network.
        ip("-n", self.networks.bridge, "addr", "flush", "dev", "bo")
        ip("-n", self.networks.bridge, "addr", "add", "192.0.2.1/24", "dev", "bo")
        ip("-n", self.networks.boiler, "addr", "flush", "dev", "eth0")
        ip("-n", self.networks.boiler, "addr", "add", f"{GATEWAY}/24", "dev", "eth0")

    def test_a_session_passes_all_the_same(self) -> None:
        self.start()
        self.assertEqual(self.announce()[0], ANNOUNCEMENT)
        self.boiler[35601].sendto(SERVICES, ("192.0.2.1", 50000))
        self.assertEqual(self.gateway[50000].recvfrom(65536)[0], SERVICES)
        client, boiler = self.connect()
        client.sendall(b"$login token\r\n")
        self.assertEqual(receive(boiler, 14), b"$login token\r\n")
