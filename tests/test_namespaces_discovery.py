"""What the bridge relays between two real networks: datagrams, between the real ports."""

import contextlib

from tests.namespaces import BRIDGE_TO_BOILER, BRIDGE_TO_GATEWAY, ip, receive
from tests.network_case import ANNOUNCEMENT, EVERYBODY, GET_SERVICES, NetworkCase
from tests.talkers import Saying, Talker, answered

STRANGER = "192.0.2.99"
OTHER_SERVICES = b"HSV/CL etc\0\0\0HSV1".ljust(318, b"\0")
RATE = 50
BURST = 250


class DiscoveryTests(NetworkCase):
    """Datagrams of every kind, between the real ports."""

    def setUp(self) -> None:
        super().setUp()
        self.bridge = self.start()

    def test_diagnostics_pass_both_ways(self) -> None:
        self.gateway[50002].sendto(b"hargassner.diagnostics.request", (EVERYBODY, 50001))
        data, origin = self.boiler[50001].recvfrom(65536)
        self.assertEqual(b"hargassner.diagnostics.request", data)
        self.assertEqual((BRIDGE_TO_BOILER, 50002), origin)
        self.boiler[50001].sendto(b"hargassner.diagnostics\ntype:info", origin)
        data, origin = self.gateway[50002].recvfrom(65536)
        self.assertEqual(b"hargassner.diagnostics\ntype:info", data)
        self.assertEqual((BRIDGE_TO_GATEWAY, 50001), origin)

    def test_what_the_boiler_broadcasts_is_broadcast_to_the_gateway(self) -> None:
        self.boiler[35601].sendto(b"anybody there?", (EVERYBODY, 50000))
        data, origin = self.gateway[50000].recvfrom(65536)
        self.assertEqual(b"anybody there?", data)
        self.assertEqual((BRIDGE_TO_GATEWAY, 35601), origin)

    def test_garbage_passes_and_the_next_announcement_too(self) -> None:
        for garbage in (b"", b"\0" * 1400, b"\xff" * 1400, b"HargaWebApp", b"\x00\x02"):
            self.assertEqual(self.announce(garbage)[0], garbage)
        self.gateway[50000].sendto(b"x" * 65507, (BRIDGE_TO_GATEWAY, 35601))
        self.boiler[35601].settimeout(1)
        with contextlib.suppress(TimeoutError):
            # The system may refuse to broadcast so much; then it is dropped.
            self.boiler[35601].recvfrom(65536)
        self.boiler[35601].settimeout(30)
        self.assertEqual(ANNOUNCEMENT, self.announce()[0])
        self.assertNotIn("Traceback", self.bridge.log())
        self.assertNotIn("Traceback", self.bridge.errors())

    def test_a_boiler_with_another_service_list_is_a_boiler(self) -> None:
        """Whoever answers "get services" is, whatever its list begins with."""
        self.announce()
        self.announce(GET_SERVICES)
        self.assertEqual(OTHER_SERVICES, self.answer(OTHER_SERVICES)[0])
        client, boiler = self.connect()
        client.sendall(b"$login token\r\n")
        self.assertEqual(b"$login token\r\n", receive(boiler, 14))
        self.bridge.wait_for("boiler at 198.51.100.2: HSV/CL etc")


class StrangerTests(NetworkCase):
    """A stranger on the gateway's network sends much more than any device does."""

    def setUp(self) -> None:
        super().setUp()
        ip("-n", self.networks.gateway, "addr", "add", f"{STRANGER}/24", "dev", "eth0")
        self.stranger = self.opened(self.networks.udp(self.networks.gateway, 50000, STRANGER))
        self.bridge = self.start()

    def test_the_answer_goes_to_whoever_asked(self) -> None:
        """Not to whoever used the port last."""
        with Talker(self.stranger, [(b"noise", (BRIDGE_TO_GATEWAY, 35601))], 500) as stranger:
            stranger.wait_until_it_has_spoken(50)
            self.assertEqual(10, answered(self.gateway[50000], self.boiler[35601], 10))

    def test_a_stranger_that_asks_too_cannot_have_all_the_answers(self) -> None:
        """The gateway has never logged in, so that nothing tells it from the stranger."""
        with Talker(self.stranger, [(GET_SERVICES, (EVERYBODY, 35601))], 3):
            self.assertGreaterEqual(answered(self.gateway[50000], self.boiler[35601], 4), 2)

    def test_a_flood_is_limited_and_crowds_out_nobody(self) -> None:
        """400 a second for more than six seconds; the gateway speaks four times a second."""
        flood: list[Saying] = [
            (b"flood %d" % each, (BRIDGE_TO_GATEWAY, 35601)) for each in range(4000)
        ]
        said = [b"gateway %d" % each for each in range(24)]
        with Talker(self.stranger, flood, 400) as stranger:
            for words in said:
                self.gateway[50000].sendto(words, (EVERYBODY, 35601))
                stranger.wait_until_it_has_spoken(100)
        self.assertGreater(stranger.said, 1000)
        sent = [one.time for one in self.sent_by("gateway", "gateway")]
        began, lasted = sent[0], sent[-1] - sent[0]
        relayed = self.sent_by("bridge", "boiler")
        self.assertEqual([one.payload for one in relayed if one.payload in said], said)
        times = [one.time - began for one in relayed if one.payload not in said]
        self.assertLessEqual(len(times), BURST + RATE * (lasted + 0.5))
        last = [each for each in times if 5.0 < each <= 6.0]
        self.assertLessEqual(len(last), RATE * 1.2)
        self.assertEqual(1, self.bridge.log().count(f"{STRANGER} sends more datagrams"))
