"""What the bridge relays between two real networks: datagrams, between the real ports."""

import contextlib

from tests.namespaces import (
    BRIDGE_TO_BOILER,
    BRIDGE_TO_GATEWAY,
)
from tests.network_case import ANNOUNCEMENT, NetworkCase


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
