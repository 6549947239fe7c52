"""The demo, as people start it."""

import re
import signal
import subprocess
import sys
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from hargassner.cli.demo import BOILER, BRIDGE_TO_BOILER, BRIDGE_TO_GATEWAY, GATEWAY
from tests.processes import Running

# The demo has fixed addresses and ports.  In a network of its own nobody else holds them, another
# demo on this machine included.
_APART = ("unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "demo")

# Prints what it hears, and ends with the broker.
_LISTENER = """
from paho.mqtt.client import CallbackAPIVersion, Client
client = Client(CallbackAPIVersion.VERSION2)
client.on_connect = lambda *_: client.subscribe("hargassner/#")
client.on_message = lambda _client, _data, message: print(message.topic, message.payload.decode())
client.connect("127.0.0.1", {port})
while not client.loop():
    pass
"""


def apart() -> tuple[str, ...]:
    """Words before a command that give it a network of its own, where this machine lets us."""
    for words in (_APART, (_APART[0], "--user", "--map-root-user", *_APART[1:])):
        try:
            subprocess.run([*words, "true"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return words
    return ()


class DemoTests(SynchronousTestCase):
    """The bridge between a simulated gateway and a simulated boiler."""

    timeout = 120

    def demo(self, *prefix: str) -> Running:
        running = Running(
            [
                *prefix,
                sys.executable,
                "-m",
                "hargassner.cli.demo",
                "--session-length=1",
                "--speed=60",
            ]
        )
        self.addCleanup(running.clean_up)
        return running

    def first_demo(self) -> tuple[Running, tuple[str, ...]]:
        """A demo that looks for its boiler, and words that run a command beside it."""
        prefix = apart()
        demo = self.demo(*prefix)
        try:
            demo.wait_for("gateway 0012345 at")
        except AssertionError:
            if not prefix and "in use by" in demo.log():
                raise SkipTest("somebody else holds the demo's ports") from None
            raise
        if not prefix:
            return demo, ()
        same = ("--user", "--preserve-credentials") if "--user" in prefix else ()
        return demo, ("nsenter", f"--target={demo.process.pid}", "--net", *same, "--")

    def test_it_shows_sessions_until_it_is_interrupted(self) -> None:
        """It tells where to look; the gateway has no complaint; Ctrl-C ends it with status 0."""
        demo, _ = self.first_demo()
        demo.wait_for("session 1 is over: completed", timeout=60)
        for address in (GATEWAY, BRIDGE_TO_GATEWAY, BRIDGE_TO_BOILER, BOILER):
            self.assertIn(address, demo.log())
        for line in ("the boiler is connected", "logged in", "over after"):
            demo.wait_for(f"session 1: {line}")
        self.assertEqual(0, demo.stop(signal.SIGINT))
        self.assertNotIn("Traceback", demo.log() + demo.errors())
        self.assertNotRegex(demo.log(), r"\[hargassner\.[\w.]*#(warn|error|critical)\]")

    def test_its_last_word_is_that_it_is_offline(self) -> None:
        """Whoever listens to its broker hears all that there is to hear until Ctrl-C ends it."""
        demo, beside = self.first_demo()
        demo.wait_for("logged in")
        [port] = re.findall(r"mqtt://127\.0\.0\.1:(\d+) with", demo.log())
        listener = Running([*beside, sys.executable, "-u", "-c", _LISTENER.format(port=port)])
        self.addCleanup(listener.clean_up)
        listener.wait_for("hargassner/boiler/status online")
        listener.wait_for("hargassner/boiler/telemetry online")
        self.assertEqual(0, demo.stop(signal.SIGINT))
        self.assertEqual(0, listener.wait())
        heard = listener.log().splitlines()
        self.assertEqual("hargassner/boiler/status offline", heard[-1])
        self.assertIn("hargassner/boiler/telemetry offline", heard)

    def test_another_demo_that_runs_already_is_named(self) -> None:
        first, beside = self.first_demo()
        second = self.demo(*beside)
        self.assertEqual(1, second.wait())
        self.assertNotIn("Traceback", second.log() + second.errors())
        self.assertEqual(1, second.log().count(f"(process {first.process.pid})"))
