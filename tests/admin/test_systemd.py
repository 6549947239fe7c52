"""Notices for systemd."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from hargassner.admin.systemd import Notices, Supervision, status_line, supervision
from hargassner.boiler.model import Boiler
from hargassner.dialogue.events import LoggedIn, SessionOpened, TelemetryLine
from tests.cases import ClockCase, free_ports, loopback_addresses
from tests.processes import TIMEOUT
from tests.telling import tell


class SupervisionTests(ClockCase):
    """What the environment asks for."""

    def test_without_a_supervisor_nothing_is_wanted(self) -> None:
        self.assertIsNone(supervision({}, 7))
        self.assertIsNone(supervision({"NOTIFY_SOCKET": "vsock:2:1234"}, 7))

    def test_an_address_in_the_file_system_or_abstract(self) -> None:
        self.assertEqual(
            Supervision("/run/notify", None), supervision({"NOTIFY_SOCKET": "/run/notify"}, 7)
        )
        self.assertEqual(Supervision("\0a@b", None), supervision({"NOTIFY_SOCKET": "@a@b"}, 7))

    def test_the_watchdog_is_for_the_process_that_it_names(self) -> None:
        environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "30000000"}
        self.assertEqual(Supervision("/run/notify", 30.0), supervision(environ, 7))
        environ["WATCHDOG_PID"] = "7"
        self.assertEqual(Supervision("/run/notify", 30.0), supervision(environ, 7))
        self.assertEqual(Supervision("/run/notify", None), supervision(environ, 8))

    def test_a_watchdog_without_a_time_does_not_watch(self) -> None:
        for nonsense in ("", "0", "-1", "soon"):
            environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": nonsense}
            self.assertEqual(Supervision("/run/notify", None), supervision(environ, 7))


class NoticesTests(ClockCase):
    """What the supervisor is told, over a real socket."""

    def setUp(self) -> None:
        super().setUp()
        self.when_running: list[Callable[[], None]] = []
        # A socket's path must be short, shorter than trial's.
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.address = str(Path(directory.name, "notify"))
        self.supervisor = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.supervisor.close)
        self.supervisor.setblocking(False)
        self.supervisor.bind(self.address)
        self.status = "all well"

    def notices(self, watchdog: float | None = None) -> Notices:
        return self.started(Supervision(self.address, watchdog), lambda: self.status)

    def started(self, requested: Supervision, status: Callable[[], str]) -> Notices:
        notices = Notices(requested, self.clock, self.when_running.append, status)
        notices.startService()
        return notices

    def run_reactor(self) -> None:
        for each in self.when_running:
            each()

    def heard(self) -> list[str]:
        heard = []
        while True:
            try:
                heard.append(self.supervisor.recv(4096).decode())
            except BlockingIOError:
                return heard

    def test_ready_is_said_when_the_reactor_runs_and_not_before(self) -> None:
        notices = self.notices()
        self.assertEqual([], self.heard())
        self.run_reactor()
        self.assertEqual(["READY=1", "STATUS=all well"], self.heard())
        notices.stopService()

    def test_the_watchdog_is_fed_twice_as_often_as_it_wants(self) -> None:
        notices = self.notices(watchdog=8.0)
        self.run_reactor()
        self.assertEqual(["READY=1", "WATCHDOG=1\nSTATUS=all well"], self.heard())
        self.clock.advance(3.9)
        self.assertEqual([], self.heard())
        self.clock.advance(0.1)
        self.clock.advance(4)
        self.assertEqual(["WATCHDOG=1", "WATCHDOG=1"], self.heard())
        notices.stopService()

    def test_a_status_is_said_when_it_changed(self) -> None:
        notices = self.notices()
        self.run_reactor()
        self.heard()
        self.clock.advance(10)
        self.assertEqual([], self.heard())
        self.status = "no telemetry"
        self.clock.advance(10)
        self.assertEqual(["STATUS=no telemetry"], self.heard())
        notices.stopService()

    def test_a_status_that_cannot_be_found_out_starves_no_watchdog(self) -> None:
        def fail() -> str:
            raise ValueError("no")

        notices = self.started(Supervision(self.address, 8.0), fail)
        self.run_reactor()
        self.clock.advance(4)
        self.assertEqual(["READY=1", "WATCHDOG=1", "WATCHDOG=1"], self.heard())
        self.assertEqual(2, len(self.flushLoggedErrors(ValueError)))
        notices.stopService()

    def test_the_end_is_said_and_nothing_after_it(self) -> None:
        notices = self.notices(watchdog=8.0)
        self.run_reactor()
        self.heard()
        notices.stopService()
        self.clock.advance(100)
        self.assertEqual(["STOPPING=1"], self.heard())

    def test_stopped_before_the_reactor_runs_it_was_never_ready(self) -> None:
        notices = self.notices(watchdog=8.0)
        notices.stopService()
        self.run_reactor()
        self.assertEqual(["STOPPING=1"], self.heard())

    def test_a_supervisor_that_is_gone_is_said_once(self) -> None:
        notices = self.notices(watchdog=8.0)
        Path(self.address).unlink()
        self.run_reactor()
        self.clock.advance(4)
        notices.stopService()
        self.assertEqual(
            ["the supervisor does not take notices: No such file or directory"], self.log.lines
        )


class TwistTests(SynchronousTestCase):
    """The whole bridge, started as the unit of the service starts it."""

    timeout = 120

    def test_it_says_ready_once_it_listens_and_tells_of_its_end(self) -> None:
        gateway, boiler = loopback_addresses(2)
        [port] = free_ports(1)
        with (
            TemporaryDirectory() as name,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor,
        ):
            directory = Path(name)
            supervisor.bind(str(directory / "notify"))
            supervisor.settimeout(30)
            config = directory / "hargassner.toml"
            config.write_text(
                f"[gateway]\naddress = '{gateway}'\ntelnet_port = {port}\n"
                f"broadcast = '{gateway}'\nallow = ['any']\n"
                f"[boiler]\naddress = '{boiler}'\nbroadcast = '{boiler}'\n"
                f"[web]\nlisten = ''\n[state]\ndirectory = '{directory}/state'\n"
            )
            twist = Path(sys.executable).with_name("twist")
            bridge = subprocess.Popen(
                [str(twist), "--log-format=text", "hargassner", "--config", str(config)],
                env={
                    **os.environ,
                    "NOTIFY_SOCKET": str(directory / "notify"),
                    "WATCHDOG_USEC": "400000",
                },
                stdout=subprocess.DEVNULL,
            )
            self.addCleanup(bridge.wait)
            self.addCleanup(bridge.kill)
            self.assertEqual(b"READY=1", supervisor.recv(4096))
            with socket.create_connection((gateway, port), 10):
                """It listens."""
            self.assertIn(b"WATCHDOG=1\nSTATUS=", supervisor.recv(4096))
            self.assertEqual(b"WATCHDOG=1", supervisor.recv(4096))
            bridge.terminate()
            said = b""
            while said != b"STOPPING=1":
                said = supervisor.recv(4096)
            self.assertEqual(0, bridge.wait(TIMEOUT))


class StatusLineTests(ClockCase):
    """How the bridge is, in a line."""

    def test_nothing_yet_and_all_well(self) -> None:
        boiler = Boiler()
        self.assertEqual("no session of the gateway, no telemetry", status_line(boiler))
        for event in (SessionOpened(3, "192.0.2.7"), LoggedIn(), TelemetryLine(b"pm 1 2 ")):
            tell(boiler, event, 1.0, 3)
        self.assertEqual("session 3 of the gateway, telemetry flows", status_line(boiler))
