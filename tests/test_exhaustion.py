"""A bridge whose file descriptors run out, as a process."""

import os
import resource
import socket
import time
from itertools import count
from pathlib import Path

from tests.constants import Constant
from tests.process_case import STARTS, ProcessCase
from tests.processes import Running, wait_until

_CONSTANTS = {
    Constant.INTERFACE_LOOK: 0.5,
    Constant.DESCRIPTOR_LOOK: 0.5,
}
_EXHAUSTED = 1.6
"""Seconds that it has none: more than two looks at the interfaces take."""


def exhaust(process: int) -> tuple[int, int]:
    """Leave a process no file descriptor; what its limits were."""
    held = {int(each.name) for each in Path(f"/proc/{process}/fd").iterdir()}
    free = next(number for number in count() if number not in held)
    before = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (free, before[1]))
    return before


def processor_time(process: int) -> float:
    """Seconds that a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class ExhaustionTests(ProcessCase):
    """What is open stays open; newcomers wait, and are served when descriptors are free again."""

    def connect(self) -> socket.socket:
        client = socket.create_connection((self.gateway, self.ports[0]), timeout=30)
        self.addCleanup(client.close)
        return client

    def accept(self, listener: socket.socket) -> socket.socket:
        boiler, _ = listener.accept()
        self.addCleanup(boiler.close)
        boiler.settimeout(30)
        return boiler

    def assert_passes(self, client: socket.socket, boiler: socket.socket, what: bytes) -> None:
        client.sendall(what)
        self.assertEqual(boiler.recv(100), what)
        boiler.sendall(what)
        self.assertEqual(client.recv(100), what)

    def test_the_session_goes_on_and_a_new_one_comes_after(self) -> None:
        bridge = self.run_(*STARTS[0], constants=_CONSTANTS)
        listener = socket.create_server((self.boiler, self.ports[1]))
        self.addCleanup(listener.close)
        listener.settimeout(30)
        bridge.wait_for("Starting reactor")
        client, boiler = self.connect(), self.accept(listener)
        self.assert_passes(client, boiler, b"before\r\n")
        process = bridge.process.pid
        limits = exhaust(process)
        spent = processor_time(process)
        newcomer = self.connect()
        time.sleep(_EXHAUSTED)
        self.assert_passes(client, boiler, b"meanwhile\r\n")
        self.assertLess(processor_time(process) - spent, 0.2 * _EXHAUSTED)
        resource.prlimit(process, resource.RLIMIT_NOFILE, limits)
        self.assert_passes(newcomer, self.accept(listener), b"after\r\n")
        self.assert_passes(client, boiler, b"after\r\n")
        self.wait_for_recovery(bridge)
        self.assertEqual(bridge.stop(), 0)
        self.assertEqual(bridge.log().count("has no file descriptor left"), 1)
        self.assertNotIn("closing", bridge.log())
        self.assertNotIn("Traceback", bridge.log() + bridge.errors())

    def wait_for_recovery(self, bridge: Running) -> None:
        wait_until(
            lambda: "file descriptors are free again" in bridge.log(),
            30,
            "the end of it in the log",
        )
