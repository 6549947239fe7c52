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


_STEADY = 50
"""Looks in a row, 20 ms apart, in which a process opens and closes no file descriptor."""


class Exhausted:
    """A process that has no file descriptor left, once it opens and closes none any more.

    What it closes leaves a free one below the limit: after its start a bridge still imports what
    the port did not wait for, each module from a file.
    """

    def __init__(self, process: int) -> None:
        self._process = process
        self._before = resource.prlimit(process, resource.RLIMIT_NOFILE)
        self._limit = self._before[0]
        self._steady = 0
        wait_until(self._is_steady, 30, "a process that opens no file")

    def end(self) -> None:
        """Give it as many as it had."""
        resource.prlimit(self._process, resource.RLIMIT_NOFILE, self._before)

    def _is_steady(self) -> bool:
        held = {int(each.name) for each in Path(f"/proc/{self._process}/fd").iterdir()}
        free = next(number for number in count() if number not in held)
        self._steady = self._steady + 1 if free == self._limit else 0
        self._limit = free
        resource.prlimit(self._process, resource.RLIMIT_NOFILE, (free, self._before[1]))
        return self._steady >= _STEADY


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
        exhausted = Exhausted(process)
        spent = processor_time(process)
        newcomer = self.connect()
        time.sleep(_EXHAUSTED)
        self.assert_passes(client, boiler, b"meanwhile\r\n")
        self.assertLess(processor_time(process) - spent, 0.2 * _EXHAUSTED)
        exhausted.end()
        self.assert_passes(newcomer, self.accept(listener), b"after\r\n")
        self.assert_passes(client, boiler, b"after\r\n")
        self.wait_for_recovery(bridge)
        self.assertEqual(0, bridge.stop())
        self.assertEqual(1, bridge.log().count("has no file descriptor left"))
        self.assertNotIn("closing", bridge.log())
        self.assertNotIn("Traceback", bridge.log() + bridge.errors())

    def wait_for_recovery(self, bridge: Running) -> None:
        wait_until(
            lambda: "file descriptors are free again" in bridge.log(),
            30,
            "the end of it in the log",
        )
