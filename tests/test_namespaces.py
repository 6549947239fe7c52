"""The bridge between two real networks: real ports, connections and interfaces."""

import json
import random
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.constants import Constant
from tests.namespaces import (
    BRIDGE_TO_BOILER,
    BRIDGE_TO_GATEWAY,
    GATEWAY,
    OTHER_CLIENT,
    ip,
    is_silent,
    receive,
)
from tests.network_case import ANNOUNCEMENT, SERVICES, NetworkCase
from tests.processes import TIMEOUT, wait_until
from tests.shared import CAPTURED, INVENTED, shared_file


class InventedDialogueTests(NetworkCase):
    """A session's start, replayed byte for byte."""

    secrets: ClassVar[Sequence[str]] = ("5EED5EED", "0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A")

    def recording(self) -> Path:
        return INVENTED

    def setUp(self) -> None:
        self.steps = json.loads(self.recording().read_text())["steps"]
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
        self.assertEqual(BRIDGE_TO_GATEWAY, self.entrance)
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
            self.assertEqual(b"", boiler.recv(1))
            boiler.close()

    def test_the_log_of_it_holds_no_secret(self) -> None:
        self.test_every_segment_arrives_as_it_was_sent()
        self.bridge.stop()
        said = "".join(step["data"] for step in self.steps)
        for secret in self.secrets:
            self.assertIn(secret[-4:], said)
            self.assertNotIn(secret, self.bridge.log() + self.bridge.errors())


class CapturedDialogueTests(InventedDialogueTests):
    """A real one."""

    secrets: ClassVar[Sequence[str]] = ("0A1B2C3D", "1300112233445566778899AABBCCDDEEFF")

    def recording(self) -> Path:
        return shared_file(CAPTURED)


class SessionCase(NetworkCase):
    """A bridge that knows both devices."""

    def setUp(self) -> None:
        super().setUp()
        self.bridge = self.start()
        self.announce()
        self.answer()


class VanishedGatewayTests(SessionCase):
    """A minute takes five seconds here; ``tests.network.test_sockets`` has the real times."""

    constants: ClassVar[Mapping[str, object]] = {
        Constant.LOSS_OPTIONS: {
            "TCP_KEEPIDLE": 2,
            "TCP_KEEPINTVL": 1,
            "TCP_KEEPCNT": 2,
            "TCP_USER_TIMEOUT": 4_000,
        }
    }

    def test_a_gateway_whose_cable_is_pulled_is_noticed(self) -> None:
        client, boiler = self.connect()
        client.sendall(b"$uptime\r\n")
        receive(boiler, 9)
        self.networks.cut_gateway()
        began = time.monotonic()
        boiler.settimeout(20)
        boiler.sendall(b"pm 1 2 3 \r\n")
        self.assertEqual(b"", boiler.recv(1))
        self.assertGreater(time.monotonic() - began, 2)

    def test_one_whose_cable_is_pulled_while_nobody_speaks_is_noticed_too(self) -> None:
        _, boiler = self.connect()
        self.networks.cut_gateway()
        boiler.settimeout(20)
        self.assertEqual(b"", boiler.recv(1))


class SessionLifeTests(SessionCase):
    """How sessions end on a real network."""

    def test_a_half_closed_connection_still_delivers_the_answer(self) -> None:
        client, boiler = self.connect()
        client.sendall(b"$uptime\r\n")
        client.shutdown(socket.SHUT_WR)
        self.assertEqual(b"$uptime\r\n", receive(boiler, 100))
        boiler.sendall(b"$666151\r\n")
        boiler.close()
        self.assertEqual(b"$666151\r\n", receive(client, 100))

    def test_a_stranger_is_closed_at_once(self) -> None:
        ip("-n", self.networks.gateway, "addr", "add", "192.0.2.99/24", "dev", "eth0")
        stranger = self.opened(self.networks.tcp(self.networks.gateway))
        stranger.bind(("192.0.2.99", 0))
        stranger.connect((BRIDGE_TO_GATEWAY, 23))
        self.assertEqual(b"", stranger.recv(1))
        self.bridge.wait_for("192.0.2.99 may not connect")

    def test_the_gateway_starts_over_two_hundred_times(self) -> None:
        """FIN and RST from either side; each time a fresh session, and no descriptor left."""
        descriptors = Path(f"/proc/{self.bridge.process.pid}/fd")
        # The history is opened a while after the ports are.
        history = self.bridge.directory / "state" / "history.sqlite-shm"
        wait_until(history.exists, TIMEOUT, "the history")
        counted = []
        for turn in range(200):
            # The very same words, so often within a second, are taken for what goes round.
            self.announce(ANNOUNCEMENT + b"\r\n%d" % turn)
            self.answer(SERVICES + b"%d" % turn)
            client, boiler = self.connect()
            client.sendall(b"$dhcp renew\r\n$igw clear\r\n")
            self.assertEqual(b"$dhcp renew\r\n$igw clear\r\n", receive(boiler, 25))
            boiler.sendall(b"$ack\r\n")
            self.assertEqual(b"$ack\r\n", receive(client, 6))
            first, second = (client, boiler) if turn % 2 else (boiler, client)
            if turn % 4 < 2:
                first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            first.close()
            self.assertEqual(b"", second.recv(1))
            second.close()
            if turn in (20, 199):
                self.bridge.wait_for(": over after", count=turn + 1)
                counted.append(len(list(descriptors.iterdir())))
        self.assertEqual(counted[0], counted[1])

    def test_an_announcement_ends_the_session_that_still_stands(self) -> None:
        client, boiler = self.connect()
        began = time.monotonic()
        self.announce()
        self.assertEqual(b"", client.recv(1))
        self.assertEqual(b"", boiler.recv(1))
        self.assertGreater(time.monotonic() - began, 2.5)

    def test_sigterm_ends_sessions_and_exits_with_status_0(self) -> None:
        client, boiler = self.connect()
        self.assertEqual(0, self.bridge.stop())
        self.assertEqual((b"", b""), (client.recv(1), boiler.recv(1)))
