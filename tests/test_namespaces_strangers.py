"""A stranger on the gateway's network says that it is the gateway, and more than that."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tests.constants import Constant
from tests.namespaces import GATEWAY, BridgeProcess, ip, is_silent, receive
from tests.network_case import ANNOUNCEMENT, EVERYBODY, GET_SERVICES, SERVICES, NetworkCase
from tests.talkers import Talker, answered, hear

STRANGER = "192.0.2.99"
NEW_GATEWAY = "192.0.2.9"
OTHER_ANNOUNCEMENT = b"HargaWebApp v6.4.1\r\nSN:0066666"
BRIDGE = ("192.0.2.1", 35601)
FORGED = [
    (ANNOUNCEMENT, (EVERYBODY, 35601)),
    (OTHER_ANNOUNCEMENT, BRIDGE),
    (ANNOUNCEMENT, BRIDGE),
    (OTHER_ANNOUNCEMENT, (EVERYBODY, 35601)),
]
LOGIN = [
    (b"$login token\r\n", b"$3313C1F2\r\n"),
    (b"$login key 1300112233445566778899AABBCCDDEEFF\r\n", b"zclient login (7421)\r\n$ack\r\n"),
    (b"$setkomm\r\n", b"$2225410 ack\r\n"),
]
POLL = [(b"$setkomm\r\n", b"$2225410 ack\r\n"), (b"$erract\r\n", b"$no errors\r\n")]
START_OVER = 1.0
"""Seconds; after an announcement of its own a session has so many to go on asking or to end."""
POLL_PAUSE = 1.3


class StrangerCase(NetworkCase):
    """The gateway with its whole dialogue, the boiler that answers, and a stranger."""

    constants: ClassVar[Mapping[str, object]] = {Constant.START_OVER: START_OVER}

    def setUp(self) -> None:
        super().setUp()
        for address in (STRANGER, NEW_GATEWAY):
            ip("-n", self.networks.gateway, "addr", "add", f"{address}/24", "dev", "eth0")
        self.state = Path(self.mktemp()).absolute()
        self.stranger = self.host(STRANGER)

    def start(self, **options: Any) -> BridgeProcess:
        return super().start(state=str(self.state), **options)

    def host(self, address: str) -> socket.socket:
        """The port that gateways send from, at this address."""
        return self.opened(self.networks.udp(self.networks.gateway, 50000, address))

    def starts(
        self,
        address: str = GATEWAY,
        announcement: bytes = ANNOUNCEMENT,
        meanwhile: dict[str, Talker] | None = None,
    ) -> tuple[socket.socket, socket.socket]:
        """A gateway starts, from its announcement to its login; both ends of its connection.

        Args:
            address: the gateway's.
            announcement: what it says of itself.
            meanwhile: who has to have spoken again after a step.
        """
        talkers = meanwhile or {}
        gateway = self.gateway[50000] if address == GATEWAY else self.host(address)

        def after(step: str) -> None:
            if step in talkers:
                talkers[step].wait_until_it_has_spoken()

        gateway.sendto(announcement, (EVERYBODY, 35601))
        hear(self.boiler[35601], lambda data: data == announcement)
        after("announcement")
        gateway.sendto(GET_SERVICES, (EVERYBODY, 35601))
        _, asker = hear(self.boiler[35601], lambda data: data == GET_SERVICES)
        self.boiler[35601].sendto(SERVICES, asker)
        _, entrance = hear(gateway, lambda data: data == SERVICES)
        self.assertEqual(BRIDGE, entrance)
        after("services")
        both = self.connect(address)
        after("connection")
        self.talk(both, LOGIN)
        return both

    def talk(
        self, ends: tuple[socket.socket, socket.socket], dialogue: list[tuple[bytes, bytes]]
    ) -> None:
        """Requests and replies arrive as they are, and nothing else does."""
        client, boiler = ends
        for request, reply in dialogue:
            client.sendall(request)
            self.assertEqual(receive(boiler, len(request)), request)
            boiler.sendall(reply)
            self.assertEqual(receive(client, len(reply)), reply)
        self.assertFalse(self.is_over(ends))

    def is_over(self, ends: tuple[socket.socket, socket.socket]) -> bool:
        return not all(is_silent(each, 0) for each in ends)

    def ends(self, ends: tuple[socket.socket, socket.socket]) -> None:
        """The gateway ends its session."""
        client, boiler = ends
        self.talk(ends, [(b"$igw clear\r\n", b"$ack\r\n")])
        client.close()
        self.assertEqual(b"", boiler.recv(1))
        boiler.close()

    def polls(self, ends: tuple[socket.socket, socket.socket], count: int = 2) -> None:
        """The session goes on for a while, with long pauses."""
        for _ in range(count):
            self.assertTrue(is_silent(ends[0], POLL_PAUSE), "the session was ended")
            self.talk(ends, POLL)

    def time_passes(self) -> None:
        """Longer than the second within which the same words from elsewhere are a repetition."""
        self.networks.observation.wait_for_rest(silence=1.1)

    def remembered_gateway(self, bridge: BridgeProcess) -> tuple[str, str]:
        """The address and the serial number that the bridge has kept; it is stopped."""
        self.assertEqual(0, bridge.stop())
        kept = json.loads((self.state / "neighbours.json").read_text())["gateway"]
        return kept["address"], kept["serial"]


class ForgedAnnouncementTests(StrangerCase):
    """Announcements from the stranger's address, unicast and broadcast, with either number."""

    def test_three_a_second_from_the_very_beginning_lose_nothing(self) -> None:
        """Five starts, and a session that polls seldom."""
        bridge = self.start()
        with Talker(self.stranger, FORGED, 3) as stranger:
            stranger.wait_until_it_has_spoken(2)
            steps = dict.fromkeys(("announcement", "services", "connection"), stranger)
            for _ in range(4):
                self.ends(self.starts(meanwhile=steps))
            session = self.starts(meanwhile=steps)
            self.polls(session)
        self.assertEqual((GATEWAY, "0012345"), self.remembered_gateway(bridge))

    def test_one_a_second_after_the_first_login_lose_nothing(self) -> None:
        """And the stranger is never taken for another gateway."""
        bridge = self.start()
        self.ends(self.starts())
        with Talker(self.stranger, FORGED, 1) as stranger:
            for step in ("announcement", "services", "connection", "announcement"):
                self.ends(self.starts(meanwhile={step: stranger}))
            session = self.starts()
            self.polls(session, 1)
        self.assertNotIn(f"gateway 0066666 at {STRANGER}", bridge.log())
        self.assertEqual((GATEWAY, "0012345"), self.remembered_gateway(bridge))

    def test_a_stranger_that_connects_ends_nothing(self) -> None:
        self.start()
        session = self.starts()
        self.stranger.sendto(OTHER_ANNOUNCEMENT, (EVERYBODY, 35601))
        hear(self.boiler[35601], lambda data: data == OTHER_ANNOUNCEMENT)
        self.connect(STRANGER)
        self.polls(session, 1)

    def test_the_gateway_that_logged_in_gets_the_answers(self) -> None:
        """And not a stranger that asks for them too."""
        self.start()
        self.ends(self.starts())
        with Talker(self.stranger, [(GET_SERVICES, (EVERYBODY, 35601))], 3):
            self.assertEqual(4, answered(self.gateway[50000], self.boiler[35601], 4))

    def test_announcements_from_another_port_are_no_announcements(self) -> None:
        """Only what comes from the gateway's port is believed; nobody is admitted for the rest."""
        bridge = self.start()
        other = self.opened(self.networks.udp(self.networks.gateway, 50001, STRANGER))
        other.sendto(ANNOUNCEMENT, (EVERYBODY, 35601))
        self.networks.observation.wait_for_rest()
        client = self.opened(self.networks.tcp(self.networks.gateway))
        client.bind((STRANGER, 0))
        client.connect(("192.0.2.1", 23))
        self.assertEqual(b"", client.recv(1))
        bridge.wait_for(f"{STRANGER} may not connect")


class GatewayChangedTests(StrangerCase):
    """The trusted gateway is replaced, moves, or is remembered."""

    def test_a_new_gateway_is_accepted_when_it_has_logged_in(self) -> None:
        bridge = self.start()
        self.ends(self.starts())
        self.time_passes()
        with Talker(self.stranger, FORGED, 3):
            session = self.starts(NEW_GATEWAY, OTHER_ANNOUNCEMENT)
            self.talk(session, POLL)
        bridge.wait_for(f"gateway 0066666 at {NEW_GATEWAY} has logged in")
        self.assertEqual((NEW_GATEWAY, "0066666"), self.remembered_gateway(bridge))

    def test_the_gateway_may_get_another_address(self) -> None:
        bridge = self.start()
        self.ends(self.starts())
        self.time_passes()
        self.ends(self.starts(NEW_GATEWAY))
        self.assertEqual((NEW_GATEWAY, "0012345"), self.remembered_gateway(bridge))

    def test_who_logged_in_is_remembered_across_a_restart(self) -> None:
        """A stranger is the first to announce itself; the gateway connects without a word."""
        first = self.start()
        self.ends(self.starts())
        self.assertEqual((GATEWAY, "0012345"), self.remembered_gateway(first))
        second = self.start()
        for saying in FORGED:
            self.stranger.sendto(*saying)
        self.networks.observation.wait_for_rest()
        session = self.connect()
        self.talk(session, LOGIN)
        self.assertEqual((GATEWAY, "0012345"), self.remembered_gateway(second))
