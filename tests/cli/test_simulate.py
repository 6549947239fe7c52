"""``hargassner simulate``, as people start it."""

import os
import re
import socket
import sys
from contextlib import redirect_stderr
from io import StringIO
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from hargassner.cli import main
from tests.cases import free_ports, loopback_addresses

LOOPBACK = "127.0.0.1"
PORTS = [
    "--boiler-port=0",
    "--boiler-diagnostics-port=0",
    "--gateway-port=0",
    "--gateway-diagnostics-port=0",
]
FAST = ["--pace=0.01", "--session-length=0.3", "--restart-delay=1", "--keepalive=0.05"]


class Command(ProcessProtocol):
    """A running command."""

    def __init__(self) -> None:
        self.output = b""
        self.errors = b""
        self.ready: Deferred[bytes] = Deferred()
        self.ended: Deferred[int | None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        self.output += data
        found = re.search(rb"^simulated .*\n", self.output, re.MULTILINE)
        if found and not self.ready.called:
            self.ready.callback(found[0])

    def errReceived(self, data: bytes) -> None:
        self.errors += data

    def processEnded(self, reason: Any) -> None:
        self.ended.callback(reason.value.exitCode)


class Listener(Protocol):
    """Waits for the first telemetry line."""

    def __init__(self) -> None:
        self.heard: Deferred[None] = Deferred()
        self._received = b""

    def dataReceived(self, data: bytes) -> None:
        self._received += data
        if re.search(rb"^pm .*\r\n", self._received, re.MULTILINE) and not self.heard.called:
            self.heard.callback(None)


class CommandTests(TestCase):
    """Started as processes of their own."""

    def start(self, *arguments: str) -> Command:
        """Start the command; it is killed if the test leaves it running."""
        command = Command()
        code = "import sys; from hargassner.cli import main; sys.exit(main())"
        process = reactor.spawnProcess(
            command,
            sys.executable,
            [sys.executable, "-c", code, "simulate", *arguments],
            env=os.environ,
        )

        def end() -> Deferred[int | None] | None:
            if process.pid is None:
                return None
            process.signalProcess("KILL")
            return command.ended

        self.addCleanup(end)
        command.process = process
        return command

    @inlineCallbacks
    def test_a_boiler_runs_until_it_is_told_to_stop(self) -> Any:
        """It says when it is ready, sends telemetry, and ends with status 0."""
        for number in ("TERM", "INT"):
            command = self.start(
                "boiler", "--address", LOOPBACK, "--telnet-port=0", "--period=0.05", *PORTS
            )
            ready = yield command.ready
            port = int(re.search(rb"TCP port (\d+)", ready)[1])
            endpoint = TCP4ClientEndpoint(reactor, LOOPBACK, port)
            listener = yield endpoint.connect(Factory.forProtocol(Listener))
            yield listener.heard
            command.process.signalProcess(number)
            status = yield command.ended
            self.assertEqual((0, b""), (status, command.errors))

    def on_its_own(self) -> tuple[list[str], list[str]]:
        """Options for a boiler and a gateway that find each other, and nobody else."""
        boiler, gateway = loopback_addresses(2)
        names = ("telnet", "boiler", "gateway", "boiler-diagnostics", "gateway-diagnostics")
        ports = [f"--{name}-port={port}" for name, port in zip(names, free_ports(5), strict=True)]
        return (
            [f"--address={boiler}", "--period=0.05", *ports],
            [f"--address={gateway}", f"--broadcast={boiler}", *ports, *FAST],
        )

    @inlineCallbacks
    def test_a_gateway_ends_after_so_many_sessions(self) -> Any:
        """Its status is 0 where all was as it should be."""
        boiler_options, gateway_options = self.on_its_own()
        boiler = self.start("boiler", *boiler_options)
        yield boiler.ready
        gateway = self.start("gateway", *gateway_options, "--cycles=2")
        status = yield gateway.ended
        self.assertEqual((0, b""), (status, gateway.errors))
        self.assertTrue(gateway.output.endswith(b"\n2 sessions, 0 problems\n"), gateway.output)

    @inlineCallbacks
    def test_a_gateway_runs_until_it_is_told_to_stop(self) -> Any:
        """It tells its problems then, and its status is 1 where there are any."""
        _, options = self.on_its_own()
        for wrong in (False, True):
            gateway = self.start("gateway", *options)
            yield gateway.ready
            if wrong:
                port = int(re.search(r"gateway-port=(\d+)", " ".join(options))[1])
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                    while b"a boiler answered" not in gateway.output:
                        stranger.sendto(b"\0\2", (options[0].partition("=")[2], port))
                        yield deferLater(reactor, 0.02)
            gateway.process.signalProcess("INT")
            status = yield gateway.ended
            self.assertEqual(status, int(wrong))
            self.assertEqual(gateway.errors.count(b"the service list came from port"), int(wrong))

    @inlineCallbacks
    def test_what_cannot_be_opened_is_one_line(self) -> Any:
        """And status 1."""
        for kind in ("boiler", "gateway"):
            command = self.start(kind, "--interface", "nothere0", "--telnet-port=0")
            status = yield command.ended
            self.assertEqual(1, status)
            self.assertRegex(command.errors, rb"\Ahargassner simulate: [^\n]*nothere0[^\n]*\n\Z")

    @inlineCallbacks
    def test_a_wrong_argument_is_explained(self) -> Any:
        """And status 2."""
        command = self.start("boiler", "--telnet-port=65536")
        status = yield command.ended
        self.assertEqual(2, status)
        self.assertIn(b"--telnet-port", command.errors)
        self.assertNotIn(b"Traceback", command.errors)
        for wrong in (
            ("boiler", "--speed=0"),
            ("boiler", "--period=fast"),
            ("gateway", "--cycles=0"),
            ("gateway", "--session-length=inf"),
        ):
            with redirect_stderr(StringIO()) as errors:
                ended = self.assertRaises(SystemExit, main, ["simulate", *wrong])
            self.assertEqual(2, ended.code)
            self.assertIn(wrong[1].partition("=")[0], errors.getvalue())
