"""``hargassner check``: the walk through the chain, between real networks."""

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from shutil import which
from typing import Any, ClassVar
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli import COMMANDS, main
from tests.constants import Constant
from tests.namespaces import (
    BOILER,
    BRIDGE_TO_GATEWAY,
    CONFIG,
    GATEWAY,
    BridgeProcess,
    Networks,
    ip,
)
from tests.processes import TIMEOUT, ForkedRunning, Running, environment

_PR_SET_DUMPABLE = 4
ANNOUNCEMENT = b"HargaWebApp v6.4.1\r\nSN:0012345"
PROGRAM = str(Path(sys.executable).with_name("hargassner"))
STEPS = [
    "configuration",
    "the gateway's network",
    "the boiler's network",
    "ports and privileges",
    "another bridge",
    "the boiler",
    "the gateway",
    "telnet to the boiler",
    "the broker",
    "Home Assistant",
]


class WithoutConfigurationTests(SynchronousTestCase):
    """Before there is anything to check."""

    def checked(self, *arguments: str) -> tuple[int, str]:
        shown = StringIO()
        with redirect_stdout(shown):
            status = main(["check", *arguments])
        return status, shown.getvalue()

    def test_a_configuration_is_proposed_where_there_is_none(self) -> None:
        absent = self.mktemp()
        status, shown = self.checked("--config", absent)
        self.assertEqual(1, status)
        self.assertIn(f"✗ configuration           {absent}: cannot be read", shown)
        self.assertIn(f"# A proposal for {absent}", shown)
        self.assertIn("\n[boiler]\n", shown)

    def test_a_mistake_in_the_configuration_is_told_and_nothing_proposed(self) -> None:
        path = Path(self.mktemp())
        path.write_text("[gateway]\ntelnet_port = 0\n")
        status, shown = self.checked("--config", str(path))
        self.assertEqual(1, status)
        self.assertIn("gateway.telnet_port = 0: must be a port number", shown)
        self.assertNotIn("proposal", shown)

    def test_a_file_that_is_missing_is_told(self) -> None:
        path = Path(self.mktemp())
        path.write_text('[mqtt]\nurl = "mqtt://192.0.2.1"\npassword_file = "/absent"\n')
        status, shown = self.checked("--config", str(path))
        self.assertEqual(1, status)
        self.assertIn("✗ configuration           mqtt.password_file: /absent cannot be", shown)

    def test_a_mistake_where_the_bridge_looks_by_itself_is_no_reason_to_propose(self) -> None:
        path = Path(self.mktemp())
        path.write_text("[gateway]\ntelnet_port = 0\n")
        self.patch(os, "environ", {**os.environ, "HARGASSNER_CONFIG": str(path)})
        status, shown = self.checked()
        self.assertEqual(1, status)
        self.assertIn("gateway.telnet_port = 0: must be a port number", shown)
        self.assertIn("Correct the file", shown)
        self.assertNotIn("proposal", shown)

    def test_what_is_no_file_is_told_and_nothing_proposed(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        status, shown = self.checked("--config", str(folder))
        self.assertEqual(1, status)
        self.assertIn("Is a directory", shown)
        self.assertNotIn("proposal", shown)

    def test_a_configuration_of_somebody_else_is_told_and_nothing_proposed(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        path = folder / "hargassner.toml"
        path.write_text("")
        # Another user may not be allowed to read what is still to be imported.
        import_module(COMMANDS["check"])
        if os.geteuid() == 0:
            folder.chmod(0)
            self.addCleanup(folder.chmod, 0o700)
            # Who was another user is not to be looked at by others; later tests have it looked at.
            self.addCleanup(ctypes.CDLL(None).prctl, _PR_SET_DUMPABLE, 1, 0, 0, 0)
            self.addCleanup(os.seteuid, 0)
            try:
                os.seteuid(65534)
            except PermissionError:
                raise SkipTest("this root may not become another user") from None
        else:
            path.chmod(0)
        status, shown = self.checked("--config", str(path.absolute()))
        self.assertEqual(1, status)
        self.assertIn("Permission denied", shown)
        self.assertIn("Run this check with sudo", shown)
        self.assertNotIn("proposal", shown)

    def test_json_has_the_proposal_too(self) -> None:
        status, shown = self.checked("--json", "--config", self.mktemp())
        result = json.loads(shown)
        self.assertEqual((1, False), (status, result["ok"]))
        self.assertEqual(["configuration"], [each["step"] for each in result["steps"]])
        self.assertIn("[gateway]", result["proposal"])


class CheckCase(SynchronousTestCase):
    """Two networks, with what a test puts into them."""

    timeout = 120
    config = CONFIG
    constants: ClassVar[Mapping[str, object]] = {
        Constant.CHECK_ASKS: 0.5,
        Constant.CHECK_LOOKS: 0.02,
        Constant.CHECK_HOME: 0.6,
    }

    def setUp(self) -> None:
        self.networks = Networks()
        self.networks.__enter__()
        self.addCleanup(self.networks.__exit__, None, None, None)
        self.addCleanup(self.stop_all)
        self.processes: list[subprocess.Popen[str]] = []
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def stop_all(self) -> None:
        for each in self.processes:
            each.kill()
            each.communicate()

    def started(self, namespace: str, *words: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            ["ip", "netns", "exec", namespace, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env=environment(self.directory, self.constants),
        )
        self.processes.append(process)
        return process

    def run_program(self, namespace: str, *words: str) -> ForkedRunning:
        """The command ``hargassner``, somewhere."""
        running = ForkedRunning([PROGRAM, *words], None, self.constants, namespace)
        self.addCleanup(running.clean_up)
        return running

    def start_boiler(self) -> None:
        boiler = self.run_program(self.networks.boiler, "simulate", "boiler", "--period=0.1")
        boiler.wait_for("simulated boiler on")

    def start_broker(
        self, may: str = "topic write homeassistant/#\ntopic read homeassistant/status\n"
    ) -> str:
        """A broker that lets one user in who may not write everywhere; the configuration for it."""
        broker, passwords = which("mosquitto"), which("mosquitto_passwd")
        if broker is None or passwords is None or which("mosquitto_pub") is None:
            raise SkipTest("there is no mosquitto here")
        users = self.directory / "users"
        subprocess.run([passwords, "-b", "-c", users, "boiler", "right"], check=True)
        subprocess.run([passwords, "-b", users, "home", "right"], check=True)
        rights = self.directory / "rights"
        rights.write_text(
            f"user boiler\n{may}"
            "topic write hargassner/boiler/#\ntopic read hargassner/boiler/+/set\n"
            "topic read hargassner/boiler/+/+/set\n"
            "topic read mute/#\nuser home\ntopic write homeassistant/status\n"
        )
        for each in (users, rights, self.directory):
            each.chmod(0o755)
        (self.directory / "mosquitto.conf").write_text(
            f"listener 1883 127.0.0.1\npassword_file {users}\nacl_file {rights}\nuser root\n"
        )
        running = self.started(self.networks.bridge, broker, "-c", "mosquitto.conf")
        assert running.stdout is not None
        for line in running.stdout:
            if " running" in line:
                break
        return '\n[mqtt]\nurl = "mqtt://127.0.0.1:1883"\nusername = "boiler"\npassword = "right"\n'

    def check(
        self,
        *options: str,
        more: str = "",
        prefix: tuple[str, ...] = (),
        announce: bool = True,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> dict[str, Any]:
        """What the check finds, by step; the gateway announces itself until it is done.

        Args:
            options: the command's.
            more: added to the configuration.
            prefix: words before the command.
            announce: whether the gateway announces itself.
            meanwhile: is called again and again until the check is done.
        """
        path = self.directory / "hargassner.toml"
        path.write_text(self.config.format(state=self.directory / "state") + more)
        command = ("check", "--json", "--config", str(path), *options)
        checking = self.checking(prefix, *command)
        with self.networks.udp(self.networks.gateway, 50000) as gateway:
            deadline = time.monotonic() + 60
            while checking.process.poll() is None and time.monotonic() < deadline:
                if announce:
                    gateway.sendto(ANNOUNCEMENT, ("255.255.255.255", 35601))
                meanwhile()
                time.sleep(0.02)
        status = checking.wait()
        result = json.loads(checking.log() + checking.errors())
        self.assertEqual(STEPS, [each["step"] for each in result["steps"]])
        failed = [each["step"] for each in result["steps"] if each["outcome"] == "failed"]
        self.assertEqual((status, result["ok"]), (bool(failed), not failed))
        self.failed = failed
        return {each["step"]: each for each in result["steps"]}

    def checking(self, prefix: tuple[str, ...], *words: str) -> Running:
        """A check that runs, with words before the command or without."""
        there = self.networks.bridge
        if not prefix:
            return self.run_program(there, *words)
        command = ["ip", "netns", "exec", there, *prefix, PROGRAM, *words]
        running = Running(command, constants=self.constants)
        self.addCleanup(running.clean_up)
        return running


class ChainTests(CheckCase):
    """What is found, link by link."""

    def test_all_well(self) -> None:
        self.start_boiler()
        steps = self.check(more=self.start_broker())
        self.assertEqual([], self.failed)
        self.assertEqual(f"gw ({BRIDGE_TO_GATEWAY}/24)", steps["the gateway's network"]["what"])
        self.assertIn(f"answers from {BOILER}", steps["the boiler"]["what"])
        self.assertIn(f"0012345 announced itself from {GATEWAY}", steps["the gateway"]["what"])
        self.assertIn(f"telemetry flows from {BOILER}", steps["telnet to the boiler"]["what"])
        self.assertIn("lets the bridge in, publish", steps["the broker"]["what"])
        self.assertEqual("skipped", steps["Home Assistant"]["outcome"])

    def test_a_manhole_that_others_can_reach_is_warned_of(self) -> None:
        self.start_boiler()
        for interface, warned in (("127.0.0.1", False), (BRIDGE_TO_GATEWAY, True)):
            manhole = f'\n[manhole]\nlisten = "tcp:8007:interface={interface}"\npassword = "x"\n'
            steps = self.check(more=manhole)
            self.assertEqual([], self.failed)
            advice = steps["configuration"]["advice"]
            self.assertEqual("Other machines can reach the manhole" in advice, warned)

    def test_home_assistant_starts_meanwhile(self) -> None:
        more = self.start_broker()
        home = self.started(
            self.networks.bridge,
            *("mosquitto_pub", "-h", "127.0.0.1", "-u", "home", "-P", "right"),
            *("-t", "homeassistant/status", "-l"),
        )
        assert home.stdin is not None

        def start() -> None:
            print("online", file=home.stdin, flush=True)

        steps = self.check(more=more, meanwhile=start)
        self.assertEqual("ok", steps["Home Assistant"]["outcome"])
        self.assertIn("online on homeassistant/status", steps["Home Assistant"]["what"])

    def test_no_boiler(self) -> None:
        steps = self.check()
        self.assertEqual(["the boiler"], self.failed)
        self.assertEqual("nothing answers on bo", steps["the boiler"]["what"])
        self.assertEqual("its address is not known", steps["telnet to the boiler"]["what"])

    def test_a_boiler_with_an_address_of_another_network(self) -> None:
        boiler = self.networks.boiler
        ip("-n", boiler, "addr", "flush", "dev", "eth0")
        ip("-n", boiler, "link", "set", "eth0", "down")
        ip("-n", boiler, "link", "set", "eth0", "address", "00:24:bd:01:02:03")
        ip("-n", boiler, "link", "set", "eth0", "up")
        ip("-n", boiler, "addr", "add", "192.168.1.30/24", "dev", "eth0")
        ip("-n", boiler, "route", "add", "default", "via", "192.168.1.1")
        self.start_boiler()
        steps = self.check()
        self.assertEqual(["the boiler"], self.failed)
        self.assertIn(
            "its address 192.168.1.30 is not in this port's network", steps["the boiler"]["what"]
        )
        self.assertIn("Set the panel's network to DHCP", steps["the boiler"]["advice"])

    def test_no_gateway(self) -> None:
        self.start_boiler()
        steps = self.check("--wait", "1", announce=False)
        self.assertEqual(["the gateway"], self.failed)
        self.assertEqual("no announcement within 1 s", steps["the gateway"]["what"])
        self.assertIn("unplug it for a moment", steps["the gateway"]["advice"])

    def test_no_broker(self) -> None:
        self.start_boiler()
        steps = self.check(more='\n[mqtt]\nurl = "mqtt://127.0.0.1:1883"\n')
        self.assertEqual(["the broker"], self.failed)
        self.assertIn("no broker listens there", steps["the broker"]["what"])

    def test_a_wrong_password(self) -> None:
        self.start_boiler()
        steps = self.check(more=self.start_broker().replace("right", "wrong"))
        self.assertEqual(["the broker"], self.failed)
        self.assertIn("the broker refuses us", steps["the broker"]["what"])
        self.assertIn("user and password", steps["the broker"]["advice"])

    def test_a_user_who_may_not_publish(self) -> None:
        self.start_boiler()
        steps = self.check(more=self.start_broker() + 'topic_prefix = "mute"\n')
        self.assertEqual(["the broker"], self.failed)
        self.assertIn("not publish mute/boiler/check", steps["the broker"]["what"])

    def test_a_user_who_may_not_publish_what_home_assistant_looks_for(self) -> None:
        self.start_boiler()
        more = self.start_broker(may="topic read homeassistant/#\n")
        steps = self.check(more=more)
        self.assertEqual(["Home Assistant"], self.failed)
        self.assertIn(
            "may not publish homeassistant/device/hargassner_boiler/check: Not authorized",
            steps["Home Assistant"]["what"],
        )
        self.assertIn("write homeassistant/#", steps["Home Assistant"]["advice"])

    def test_a_missing_capability(self) -> None:
        self.start_boiler()
        prefix = ("setpriv", "--bounding-set=-net_bind_service", "--")
        steps = self.check(prefix=prefix)
        self.assertEqual(["ports and privileges"], self.failed)
        self.assertIn("CAP_NET_BIND_SERVICE", steps["ports and privileges"]["what"])
        self.assertIn("sudo", steps["ports and privileges"]["advice"])

    def test_interfaces_that_are_absent_bare_or_switched_off(self) -> None:
        bridge = self.networks.bridge
        ip("-n", bridge, "addr", "flush", "dev", "gw")
        ip("-n", bridge, "link", "set", "bo", "down")
        steps = self.check("--wait", "0")
        self.assertEqual("gw has no IPv4 address", steps["the gateway's network"]["what"])
        self.assertEqual("bo is switched off", steps["the boiler's network"]["what"])
        self.networks.remove_boiler()
        steps = self.check("--wait", "0")
        self.assertEqual("there is no interface bo", steps["the boiler's network"]["what"])
        self.assertIn("This machine has gw", steps["the boiler's network"]["advice"])

    def test_a_bridge_that_runs_already(self) -> None:
        # It is known by its command line, which one that is forked has not.
        bridge = BridgeProcess(self.networks, self.config, prefix=("env",))
        self.addCleanup(bridge.clean_up)
        bridge.wait_until_up()
        self.start_boiler()
        self.config = self.config.replace("[boiler]\n", f'[boiler]\nhost = "{BOILER}"\n')
        steps = self.check()
        self.assertEqual([], self.failed)
        self.assertIn(f"telemetry flows from {BOILER}", steps["telnet to the boiler"]["what"])
        self.assertIn("the bridge itself runs", steps["another bridge"]["what"])
        self.assertIn("its web page is switched off", steps["another bridge"]["what"])

    def test_a_bridge_that_runs_already_tells_what_it_sees(self) -> None:
        page = 'listen = "tcp:8080:interface=127.0.0.1"'
        self.config = self.config.replace('listen = ""', page)
        bridge = BridgeProcess(self.networks, self.config)
        self.addCleanup(bridge.clean_up)
        bridge.wait_until_up()
        bridge.wait_for("the web page listens")
        steps = self.check()
        self.assertEqual([], self.failed)
        self.assertIn("and tells what it sees", steps["another bridge"]["what"])
        for step in ("the boiler", "the gateway"):
            self.assertEqual("skipped", steps[step]["outcome"])
            self.assertIn("the bridge says: ", steps[step]["what"])

    def test_somebody_else_at_the_port(self) -> None:
        program = (
            "import socket, sys; each = socket.socket(type=socket.SOCK_DGRAM); "
            "each.bind(('', 35601)); print('bound', flush=True); sys.stdin.read()"
        )
        holder = self.started(self.networks.bridge, sys.executable, "-c", program)
        assert holder.stdout is not None
        self.assertEqual("bound\n", holder.stdout.readline())
        steps = self.check("--wait", "0")
        self.assertIn("another bridge", self.failed)
        self.assertIn("UDP port 35601 on gw is in use by", steps["another bridge"]["what"])


class InterruptionTests(CheckCase):
    """What people see."""

    def test_findings_come_as_they_are_made_and_a_check_can_be_interrupted(self) -> None:
        path = self.directory / "hargassner.toml"
        path.write_text(self.config.format(state=self.directory / "state"))
        checking = self.started(
            self.networks.bridge, PROGRAM, "check", "--config", str(path), "--wait", "3600"
        )
        assert checking.stdout is not None
        lines = []
        for line in checking.stdout:
            lines.append(line)
            if "waiting for the gateway's announcement" in line:
                break
        self.assertTrue(lines[0].startswith("✓ configuration"))
        self.assertTrue(any(line.startswith("✗ the boiler ") for line in lines))
        os.kill(checking.pid, 2)
        self.assertEqual(130, checking.wait(TIMEOUT))
