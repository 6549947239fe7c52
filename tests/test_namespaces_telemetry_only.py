"""A bridge without a gateway, as an ordinary user: what it sends, what it opens, what it reads."""

import re
import signal
import socket
import subprocess
import time
from unittest import SkipTest

from tests.constants import Constant
from tests.namespaces import BOILER, BRIDGE_TO_BOILER, BRIDGE_TO_GATEWAY, receive
from tests.network_case import GET_SERVICES, SERVICES, NetworkCase
from tests.processes import ForkedRunning, Running, program, wait_until
from tests.wire_law import TelemetryOnlyLaw

EVERY = 0.5
"""Seconds between two questions here, where it is a minute."""
TELEMETRY_ONLY = """
[gateway]
enabled = false

[boiler]
interface = "bo"

[web]
listen = "tcp:8080:interface=127.0.0.1"

[state]
directory = "{state}"
"""


class TelemetryOnlyCase(NetworkCase):
    """A bridge that finds the boiler by itself; nobody is in the gateway's network."""

    config = TELEMETRY_ONLY
    constants = {  # noqa: RUF012
        Constant.FINDER_ASKS: EVERY,
        Constant.FINDER_LOOKS: 0.1,
        Constant.DIRECT_RETRY: 0.5,
    }

    @property
    def law(self) -> TelemetryOnlyLaw:
        return TelemetryOnlyLaw({"boiler": BRIDGE_TO_BOILER}, EVERY * 0.9)

    def open_gateway(self) -> None:
        """There is none."""

    def accepted(self) -> socket.socket:
        """The bridge's connection, at the boiler's end."""
        self.listener.settimeout(30)
        boiler, _ = self.listener.accept()
        boiler.settimeout(30)
        return self.opened(boiler)

    def open_ports(self) -> list[str]:
        """The ports that are open in the bridge's namespace: TCP that listens, and UDP."""
        command = ("ip", "netns", "exec", self.networks.bridge, "ss", "-Hltun")
        try:
            shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        except (OSError, subprocess.CalledProcessError) as wrong:
            raise SkipTest(f"there is no ss here: {wrong}") from None
        rows = [line.split() for line in shown.splitlines()]
        return sorted(f"{row[0]} {re.sub('%.*:', ':', row[4])}" for row in rows)


class FindingTests(TelemetryOnlyCase):
    def test_the_boiler_is_asked_for_until_it_answers_and_then_read(self) -> None:
        bridge = self.start(unprivileged=True)
        asked = []
        for _ in range(3):
            data, source = self.boiler[35601].recvfrom(65536)
            asked.append((data, source, time.monotonic()))
        self.assertEqual(
            {(GET_SERVICES, (BRIDGE_TO_BOILER, 50000))},
            {(data, source) for data, source, _ in asked},
        )
        self.boiler[35601].sendto(SERVICES, (BRIDGE_TO_BOILER, 50000))
        boiler = self.accepted()
        bridge.wait_for(f"boiler at {BOILER}: HSV/CL 9-60KW, firmware V14.0n3")
        self.assertEqual(b"$daq desc\r\n", receive(boiler, 11))
        boiler.sendall(b"$permission denied\r\npm 7 65.9 1 \r\n")
        bridge.wait_for("telemetry arrives")
        # Three more would be due.
        time.sleep(EVERY * 3)

    def test_only_the_page_and_the_question_have_a_port(self) -> None:
        self.start(unprivileged=True)
        wait_until(
            lambda: self.open_ports() == ["tcp 127.0.0.1:8080", "udp 0.0.0.0:50000"], 30, "ports"
        )

    def test_a_boiler_that_refuses_everything_is_asked_for_its_description_once(self) -> None:
        self.start(unprivileged=True)
        self.boiler[35601].recvfrom(65536)
        self.boiler[35601].sendto(SERVICES, (BRIDGE_TO_BOILER, 50000))
        boiler = self.accepted()
        self.assertEqual(b"$daq desc\r\n", receive(boiler, 11))
        boiler.sendall(b"$permission denied\r\n")
        boiler.close()
        again = self.accepted()
        again.sendall(b"pm 7 65.9 1 \r\n")
        again.settimeout(1)
        self.assertRaises(TimeoutError, again.recv, 100)


class NamedTests(TelemetryOnlyCase):
    """The configuration names the boiler."""

    config = TELEMETRY_ONLY.replace('interface = "bo"', f'host = "{BOILER}"')

    def test_nothing_is_asked_and_only_the_page_has_a_port(self) -> None:
        bridge = self.start(unprivileged=True)
        boiler = self.accepted()
        boiler.sendall(b"pm 7 65.9 1 \r\n")
        bridge.wait_for("telemetry arrives")
        bridge.wait_for("the web page listens")
        self.assertEqual(["tcp 127.0.0.1:8080"], self.open_ports())
        self.assertEqual([], self.networks.observation.datagrams())


class WatchTests(TelemetryOnlyCase):
    """``hargassner watch``, which knows nothing of the boiler."""

    @property
    def law(self) -> TelemetryOnlyLaw:
        addresses = {"boiler": BRIDGE_TO_BOILER, "gateway": BRIDGE_TO_GATEWAY}
        return TelemetryOnlyLaw(addresses, EVERY * 0.9)

    def watch(self) -> Running:
        watch = ForkedRunning(
            [program("hargassner"), "watch"],
            constants=self.constants,
            namespace=self.networks.bridge,
            unprivileged=True,
        )
        self.resources.callback(watch.clean_up)
        return watch

    def test_it_may_be_interrupted_while_it_looks(self) -> None:
        watch = self.watch()
        self.boiler[35601].recvfrom(65536)
        self.assertEqual(0, watch.stop(signal.SIGINT))
        self.assertEqual("", watch.errors())

    def test_it_finds_the_boiler_in_whichever_network_it_is(self) -> None:
        watch = self.watch()
        self.assertEqual(GET_SERVICES, self.boiler[35601].recvfrom(65536)[0])
        self.boiler[35601].sendto(SERVICES, (BRIDGE_TO_BOILER, 50000))
        self.accepted().sendall(b"$permission denied\r\npm 7 65.9 1 \r\n")
        watch.wait_for(f"Hargassner HSV/CL 9-60KW V14.0n3, {BOILER}: Sends values")
        wait_until(lambda: self.open_ports() == ["tcp 127.0.0.1:8080"], 30, "the page's port alone")
        self.assertEqual(0, watch.stop(signal.SIGINT))
