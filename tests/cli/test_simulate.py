"""``hargassner simulate``, as people start it."""

import re
import signal
import socket
from contextlib import redirect_stderr
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli import main
from tests.cases import free_ports, loopback_addresses
from tests.processes import TIMEOUT, ForkedRunning, program, wait_until

LOOPBACK = "127.0.0.1"
PORTS = [
    "--boiler-port=0",
    "--boiler-diagnostics-port=0",
    "--gateway-port=0",
    "--gateway-diagnostics-port=0",
]
FAST = ["--pace=0.01", "--session-length=0.3", "--restart-delay=1", "--keepalive=0.05"]
READY = "\nsimulated "


class CommandTests(SynchronousTestCase):
    """Processes of their own."""

    timeout = 120

    def start(self, *arguments: str) -> ForkedRunning:
        """Start the command; it is killed if the test leaves it running."""
        command = ForkedRunning([program("hargassner"), "simulate", *arguments])
        self.addCleanup(command.clean_up)
        return command

    def started(self, *arguments: str) -> ForkedRunning:
        """A command that says that it is ready."""
        command = self.start(*arguments)
        wait_until(lambda: READY in f"\n{command.log()}", TIMEOUT, "the line that it is ready")
        return command

    def test_a_boiler_runs_until_it_is_told_to_stop(self) -> None:
        """It says when it is ready, sends telemetry, and ends with status 0."""
        for number in (signal.SIGTERM, signal.SIGINT):
            command = self.started(
                "boiler", "--address", LOOPBACK, "--telnet-port=0", "--period=0.05", *PORTS
            )
            found = re.search(r"^simulated .*TCP port (\d+)", command.log(), re.MULTILINE)
            assert found is not None
            with (
                socket.create_connection((LOOPBACK, int(found[1])), TIMEOUT) as client,
                client.makefile("rb") as lines,
            ):
                self.assertTrue(any(each.startswith(b"pm ") for each in lines))
                self.assertEqual(0, command.stop(number))
            self.assertEqual("", command.errors())

    def on_its_own(self) -> tuple[list[str], list[str]]:
        """Options for a boiler and a gateway that find each other, and nobody else."""
        boiler, gateway = loopback_addresses(2)
        names = ("telnet", "boiler", "gateway", "boiler-diagnostics", "gateway-diagnostics")
        ports = [f"--{name}-port={port}" for name, port in zip(names, free_ports(5), strict=True)]
        return (
            [f"--address={boiler}", "--period=0.05", *ports],
            [f"--address={gateway}", f"--broadcast={boiler}", *ports, *FAST],
        )

    def test_a_gateway_ends_after_so_many_sessions(self) -> None:
        """Its status is 0 where all was as it should be."""
        boiler_options, gateway_options = self.on_its_own()
        self.started("boiler", *boiler_options)
        gateway = self.start("gateway", *gateway_options, "--cycles=2")
        self.assertEqual((0, ""), (gateway.wait(), gateway.errors()))
        said = gateway.log()
        self.assertTrue(said.endswith("\n2 sessions, 0 problems\n"), said)

    def test_a_gateway_runs_until_it_is_told_to_stop(self) -> None:
        """It tells its problems then, and its status is 1 where there are any."""
        _, options = self.on_its_own()
        gateway = self.started("gateway", *options)
        self.assertEqual(0, gateway.stop(signal.SIGINT))
        self.assertNotIn("the service list came from port", gateway.errors())
        gateway = self.started("gateway", *options)
        self.answer_from_another_port(gateway, options)
        self.assertEqual(1, gateway.stop(signal.SIGINT))
        self.assertEqual(1, gateway.errors().count("the service list came from port"))

    def answer_from_another_port(self, gateway: ForkedRunning, options: list[str]) -> None:
        """Answer a gateway as its boiler, but for the port, until it looks for none any more."""
        port = int(re.findall(r"gateway-port=(\d+)", " ".join(options))[0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:

            def has_answered() -> bool:
                stranger.sendto(b"\0\2", (options[0].partition("=")[2], port))
                return "a boiler answered" in gateway.log()

            wait_until(has_answered, TIMEOUT, "the gateway's boiler")

    def test_what_cannot_be_opened_is_one_line(self) -> None:
        """And status 1."""
        for kind in ("boiler", "gateway"):
            command = self.start(kind, "--interface", "nothere0", "--telnet-port=0")
            self.assertEqual(1, command.wait())
            self.assertRegex(command.errors(), r"\Ahargassner simulate: [^\n]*nothere0[^\n]*\n\Z")

    def test_a_wrong_argument_is_explained(self) -> None:
        """And status 2."""
        command = self.start("boiler", "--telnet-port=65536")
        self.assertEqual(2, command.wait())
        self.assertIn("--telnet-port", command.errors())
        self.assertNotIn("Traceback", command.errors())
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
