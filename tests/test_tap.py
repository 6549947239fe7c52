"""Starting and stopping the bridge: ``twist``, ``twistd`` and the ``.tac`` file."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from hargassner.mqtt.connection_life import GRACE
from hargassner.proxy.session_states import CLOSE_TIMEOUT
from hargassner.service import Bridge
from hargassner.tap import Options, makeService
from tests.process_case import STARTS, ProcessCase
from tests.processes import wait_until

WRONG = '[gateway]\ntelnet_port = "23"\n'
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--")
DAEMON = ("twistd", "--pidfile=daemon.pid", "--logfile=daemon.log", *STARTS[1][3:])


@contextmanager
def surroundings(directory: Path, **variables: str) -> Iterator[None]:
    """Another working directory and environment for a while."""
    before, environment = Path.cwd(), dict(os.environ)
    os.chdir(directory)
    os.environ.pop("HARGASSNER_CONFIG", None)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)


class OptionsTests(SynchronousTestCase):
    """The command line."""

    def test_everything_is_optional(self) -> None:
        options = Options()
        options.parseOptions([])
        self.assertEqual({"config": None}, dict(options))

    def test_the_configuration_can_be_named(self) -> None:
        for words in (["--config", "a.toml"], ["--config=a.toml"], ["-c", "a.toml"]):
            options = Options()
            options.parseOptions(words)
            self.assertEqual("a.toml", options["config"])

    def test_anything_else_is_refused(self) -> None:
        for words in (["--port=23"], ["a.toml"], ["--config"]):
            self.assertRaises(UsageError, Options().parseOptions, words)


class MakeServiceTests(SynchronousTestCase):
    """From the command line to the service."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def make(self, *words: str) -> Any:
        options = Options()
        options.parseOptions(words)
        reactor: Any = MemoryReactorClock()
        return makeService(options, reactor)

    def config(self, name: str, port: int) -> str:
        path = self.directory / name
        path.write_text(f"[gateway]\ntelnet_port = {port}\n")
        return str(path.resolve())

    def test_it_is_the_bridge_with_the_named_configuration(self) -> None:
        service = self.make("--config", self.config("named.toml", 2301))
        verifyObject(IService, service)
        self.assertIsInstance(service, Bridge)
        self.assertEqual(2301, service.parts.config.gateway.telnet_port)

    def test_the_environment_names_it_otherwise_and_else_it_lies_here(self) -> None:
        self.config("hargassner.toml", 2302)
        elsewhere = self.config("elsewhere.toml", 2303)
        with surroundings(self.directory):
            self.assertEqual(2302, self.make().parts.config.gateway.telnet_port)
        with surroundings(self.directory, HARGASSNER_CONFIG=elsewhere):
            self.assertEqual(2303, self.make().parts.config.gateway.telnet_port)

    def test_a_configuration_that_cannot_be_used_ends_the_start_with_its_line(self) -> None:
        absent = str(self.directory / "absent.toml")
        ended = self.assertRaises(SystemExit, self.make, "--config", absent)
        self.assertEqual(
            f"hargassner: {absent}: cannot be read: No such file or directory", ended.code
        )


class WrongConfigurationTests(ProcessCase):
    """One line says what is wrong and what is allowed, however the bridge is started."""

    def test_it_is_one_line_and_a_status(self) -> None:
        for command in STARTS:
            bridge = self.run_(*command, config=WRONG)
            status = bridge.wait()
            self.assertNotIn(status, (0, None), command)
            self.assertNotIn("Traceback", bridge.log() + bridge.errors(), command)
            [line] = bridge.errors().splitlines()
            for word in ("hargassner.toml", "gateway.telnet_port", '"23"', "1 to 65535"):
                self.assertIn(word, line, command)

    def test_a_file_that_is_missing_is_one_line_and_a_status(self) -> None:
        missing = '[mqtt]\nurl = "mqtt://192.0.2.1"\npassword_file = "absent"\n'
        for command in STARTS:
            bridge = self.run_(*command, config=missing)
            self.assertNotIn(bridge.wait(), (0, None), command)
            self.assertNotIn("Traceback", bridge.log() + bridge.errors(), command)
            [line] = bridge.errors().splitlines()
            self.assertTrue(line.startswith("hargassner: "), line)
            self.assertTrue(
                line.endswith(
                    "hargassner.toml: mqtt.password_file: absent cannot be read: "
                    "No such file or directory"
                ),
                line,
            )

    def test_a_wrong_option_is_explained(self) -> None:
        for command in STARTS[:2]:
            bridge = self.run_(*command[:-1], "--port=23")
            self.assertNotEqual(0, bridge.wait())
            said = bridge.log() + bridge.errors()
            self.assertNotIn("Traceback", said)
            self.assertIn("port", said)

    def test_a_port_in_use_is_one_line_and_a_status(self) -> None:
        holder = socket.create_server((self.gateway, self.ports[0]))
        self.addCleanup(holder.close)
        for command in STARTS:
            bridge = self.run_(*command)
            self.assertNotEqual(0, bridge.wait(), command)
            said = bridge.log() + bridge.errors()
            self.assertNotIn("Traceback", said, command)
            self.assertEqual(1, said.count(self.in_use()), command)
            self.assertEqual(1, said.count("hargassner: "), command)

    def test_twistd_does_not_wait_for_a_daemon_that_cannot_start(self) -> None:
        holder = socket.create_server((self.gateway, self.ports[0]))
        self.addCleanup(holder.close)
        start = self.run_(*DAEMON)
        self.assertEqual(1, start.wait())
        self.assertIn("TCP port", start.log() + start.errors())
        log = start.directory / "daemon.log"
        # The daemon tells twistd before it logs why.
        wait_until(lambda: self.in_use() in log.read_text(), 30, "the cause in the log")
        self.assertFalse((start.directory / "daemon.pid").exists())

    def in_use(self) -> str:
        port = f"TCP port {self.ports[0]} on {self.gateway}"
        name = Path("/proc/self/comm").read_text().strip()
        return f"{port} is in use by {name} (process {os.getpid()})"


class StoppingTests(ProcessCase):
    """A clean stop."""

    def test_signals_end_its_sessions_and_it_exits_with_status_0(self) -> None:
        for command in STARTS:
            for number in (signal.SIGTERM, signal.SIGINT):
                bridge = self.run_(*command, anew=number is signal.SIGTERM)
                client, boiler = self.connected()
                client.sendall(b"$uptime\r\n")
                self.assertEqual(b"$uptime\r\n", boiler.recv(100))
                bridge.process.send_signal(number)
                self.assertEqual((b"", b""), (client.recv(1), boiler.recv(1)))
                # The five seconds that are promised are no bound on a machine that has much else
                # to do.
                self.assertEqual(0, bridge.wait(), (command, number))
                self.assertNotIn("Traceback", bridge.log() + bridge.errors())
                self.assertIn(": over after", bridge.log())
                for each in (client, boiler):
                    each.close()
                self.doCleanups()

    def test_all_that_it_waits_for_fits_into_the_five_seconds_that_are_promised(self) -> None:
        """How long it waits for a session and for the broker is tested with a clock."""
        self.assertLess(CLOSE_TIMEOUT + GRACE, 5.0)

    def test_a_session_that_does_not_end_holds_it_up_for_a_second_only(self) -> None:
        """Neither side closes or reads, and both have much to be told."""
        bridge = self.run_(*STARTS[0])
        client, boiler = self.connected()
        for each in (client, boiler):
            each.setblocking(False)
            with self.assertRaises(BlockingIOError):
                for _ in range(100_000):
                    each.send(bytes(65536))
        self.assertEqual(0, bridge.stop())
        self.assertIn("the bridge stops", bridge.log())


class DaemonTests(ProcessCase):
    """In the background."""

    def test_it_runs_in_the_background_until_it_is_told_to_stop(self) -> None:
        start = self.run_(*DAEMON, anew=True)
        log, pidfile = (start.directory / each for each in ("daemon.log", "daemon.pid"))
        self.assertEqual((0, ""), (start.wait(), start.errors()))
        wait_until(lambda: pidfile.exists() and pidfile.read_text(), 30, "the daemon")
        daemon = int(pidfile.read_text())
        try:
            client, boiler = self.connected()
        finally:
            os.kill(daemon, signal.SIGTERM)
        self.assertEqual((b"", b""), (client.recv(1), boiler.recv(1)))
        wait_until(lambda: not pidfile.exists(), 30, "the daemon's end")
        self.assertNotIn("Traceback", log.read_text())


class TwistTests(ProcessCase):
    """What ``twist`` offers."""

    def test_the_bridge_is_listed(self) -> None:
        for name in ("twist", "twistd"):
            said = self.run_(name, "--help")
            self.assertEqual(0, said.wait())
            self.assertRegex(said.log(), r"hargassner +A transparent bridge between")

    def test_its_option_is_explained(self) -> None:
        said = self.run_("twist", "hargassner", "--help")
        self.assertEqual(0, said.wait())
        self.assertIn("--config=", said.log())
        self.assertIn("/etc/hargassner/hargassner.toml", said.log())

    def test_the_log_can_be_json(self) -> None:
        """An event a record, with its fields by name."""
        bridge = self.run_("twist", "--log-format=json", *STARTS[0][2:])
        bridge.wait_for("Starting reactor")
        self.connected()
        bridge.wait_for("the boiler is connected")
        self.assertEqual(0, bridge.stop())
        events = [json.loads(each) for each in bridge.log().split("\x1e") if each.strip()]
        [event] = [each for each in events if "port {port} connected" in each["log_format"]]
        self.assertEqual((1, "127.0.0.1"), (event["session"], event["client"]))
        self.assertEqual("hargassner.proxy.session", event["log_namespace"])

    def test_it_needs_no_privilege_above_port_1023(self) -> None:
        """Whoever runs this test, root without its rights included, can run it."""
        bridge = self.run_(*STARTS[0], prefix=WITHOUT_RIGHTS if os.geteuid() == 0 else ())
        client, boiler = self.connected()
        boiler.sendall(b"pm 1 \r\n")
        self.assertEqual(b"pm 1 \r\n", client.recv(100))
        self.assertEqual(0, bridge.stop())

    def test_it_starts_while_its_address_is_absent(self) -> None:
        """As with a network that comes up later than the bridge; it says so once a part."""
        config = self.config.replace(f'address = "{self.gateway}"', 'address = "192.0.2.77"')
        bridge = self.run_(*STARTS[0], config=config)
        bridge.wait_for("no interface of this machine has the address 192.0.2.77", count=2)
        # Before, SIGTERM would end it as any other process.
        bridge.wait_for("Starting reactor")
        self.assertEqual(0, bridge.stop())
        self.assertEqual(2, bridge.log().count("has the address 192.0.2.77"))
