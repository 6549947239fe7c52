"""Telemetry only, as an ordinary user on loopback, before a boiler that refuses every request.

What the boiler sends are its own lines, those of recordings, or invented ones; what the page shows
is compared with them.
"""

import json
import random
import urllib.request
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.simulator.boiler.layout import standard_layout
from tests.cases import free_ports, loopback_addresses
from tests.open_ports import open_ports
from tests.processes import ForkedRunning, Running, program, wait_until
from tests.shared import shared_file

LINES = 60
"""Of a recording, which are sent over and over."""


def words_of(line: bytes) -> list[str]:
    """The values of a line."""
    return line.decode("latin-1").split()[1:]


class TelemetryOnlyCase(SynchronousTestCase):
    """Boilers and bridges, each a process of its own."""

    timeout = 120

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()

    def run_(self, *command: str, unprivileged: bool = False, **files: str) -> Running:
        texts = {name.replace("_", "."): text for name, text in files.items()}
        running = ForkedRunning([*command], texts, unprivileged=unprivileged)
        self.addCleanup(running.clean_up)
        return running

    def boiler(self, lines: bytes = b"") -> tuple[str, int]:
        """A boiler that refuses every request, and sends these lines or its own: where it is."""
        [address], [port] = loopback_addresses(1), free_ports(1)
        options = ["--refuse", "--no-discovery", "--period=0.05", "--speed=30"]
        if lines:
            path = self.folder / f"lines-{port}"
            path.write_bytes(lines)
            options.append(f"--lines={path}")
        place = (f"--address={address}", f"--telnet-port={port}")
        boiler = ForkedRunning([program("hargassner"), "simulate", "boiler", *options, *place])
        self.addCleanup(boiler.clean_up)
        boiler.wait_for("simulated boiler on TCP port")
        return address, port

    def bridge(self, boiler: tuple[str, int], more: str = "", **files: str) -> "Bridge":
        """A bridge that reads a boiler, and its page."""
        [page] = free_ports(1)
        config = (
            "[gateway]\nenabled = false\n"
            f'[boiler]\nhost = "{boiler[0]}"\ntelnet_port = {boiler[1]}\n{more}'
            f'[web]\nlisten = "tcp:{page}:interface=127.0.0.1"\n'
            '[state]\ndirectory = "state"\n'
        )
        command = [program("twist"), "--log-format=text", "hargassner", "--config=hargassner.toml"]
        running = self.run_(*command, unprivileged=True, hargassner_toml=config, **files)
        running.wait_for("telemetry arrives")
        running.wait_for("the web page listens")
        return Bridge(running, page)


class Bridge:
    """A bridge that runs, as its page shows it."""

    def __init__(self, running: Running, page: int) -> None:
        self.running = running
        self._page = page

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._page}/{path}") as answer:
            content: bytes = answer.read()
        return content

    @property
    def state(self) -> Any:
        return json.loads(self.get("api/state"))

    def wait_for_state(self, state: str) -> Any:
        """The link to the boiler, as soon as it is in this state."""
        wait_until(lambda: self.state["chain"]["boiler"]["state"] == state, 30, state)
        return self.state["chain"]["boiler"]

    def check_ports(self, case: SynchronousTestCase) -> None:
        """No port is open but the page's."""
        expected = [f"tcp 127.0.0.1:{self._page}"]
        case.assertEqual(expected, open_ports(self.running.process.pid))


class DescriptorFileTests(TelemetryOnlyCase):
    """The owner has the boiler's description."""

    def test_every_value_is_shown_under_its_name(self) -> None:
        document = standard_layout().document()
        bridge = self.bridge(
            self.boiler(),
            'descriptor = "boiler.xml"\n',
            boiler_xml=document.decode("latin-1"),
        )
        link = bridge.wait_for_state("boiler.online")
        self.assertEqual(("ok", ""), (link["level"], link["advice"]))
        names = {each.name for each in parse_descriptor(document).analog}
        channels = bridge.state["channels"].values()
        self.assertEqual({each["name"] for each in channels if each["kind"] == "analog"}, names)
        bridge.check_ports(self)


class RecognisedTests(TelemetryOnlyCase):
    """Lines of real boilers, which a published layout goes with."""

    def check(self, name: str, document: str, layout: str) -> None:
        recording = shared_file(f"firmware/{name}").read_bytes()
        lines = [each for each in recording.splitlines() if each.startswith(b"pm ")][:LINES]
        bridge = self.bridge(self.boiler(b"\r\n".join(lines)))
        bridge.running.wait_for(f"recognised as {layout}")
        link = bridge.wait_for_state("boiler.online")
        self.assertIn(f"Recognised as {layout} (as published by ", link["advice"])
        descriptor = parse_descriptor(shared_file(f"firmware/{document}").read_bytes())
        places: dict[str, list[int]] = {}
        for each in descriptor.analog:
            places.setdefault(each.name, []).append(each.place)
        sent = [words_of(line) for line in lines]
        shown = [each for each in bridge.state["channels"].values() if each["kind"] == "analog"]
        wrong = [
            each["name"]
            for each in shown
            if not any(words[at] == each["value"] for words in sent for at in places[each["name"]])
        ]
        self.assertEqual([], wrong)
        self.assertGreater(len(shown), 0.9 * len(descriptor.analog))
        bridge.check_ports(self)

    def test_a_nano_of_2019(self) -> None:
        self.check("nano2-25-V14.0k3.txt", "nano2-25-V14.0k3.xml", "V14.0k3")

    def test_a_wood_boiler(self) -> None:
        self.check("sthv2-V10.2e1.txt", "sthv2-V10.2e1-a.xml", "V10.2e1-a")


class NotRecognisedTests(TelemetryOnlyCase):
    """Lines of 213 values that nobody has published."""

    def lines(self) -> bytes:
        chance = random.Random(7)
        first = [f"{chance.uniform(0, 100):.1f}" for _ in range(205)]
        words = [f"{chance.randrange(1 << 16):04X}" for _ in range(8)]
        rows = []
        for _ in range(LINES):
            place = chance.randrange(len(first))
            first[place] = f"{chance.uniform(0, 100):.1f}"
            rows.append(f"pm {' '.join([*first, *words])} \r\n")
        return "".join(rows).encode()

    def test_no_value_is_shown_and_it_is_said_what_to_do(self) -> None:
        bridge = self.bridge(self.boiler(self.lines()))
        link = bridge.wait_for_state("boiler.not_understood")
        self.assertEqual("not-understood", link["level"])
        self.assertIn("213 values a line", link["advice"])
        self.assertIn("SD card", link["advice"])
        self.assertEqual({}, bridge.state["channels"])
        figures = bridge.get("metrics").decode()
        self.assertIn("hargassner_telemetry_online 1.0", figures)
        self.assertRegex(figures, r"hargassner_telemetry_understood\{.*\} 0.0")
        bridge.running.wait_for("the telemetry is not recognised: 213 values a line")
        bridge.check_ports(self)

    def test_the_check_fails_and_says_what_to_do(self) -> None:
        host, port = self.boiler(self.lines())
        config = (
            f'[gateway]\nenabled = false\n[boiler]\nhost = "{host}"\ntelnet_port = {port}\n'
            '[state]\ndirectory = "state"\n'
        )
        command = (program("hargassner"), "check", "--json", "--config=hargassner.toml")
        check = self.run_(*command, hargassner_toml=config)
        self.assertEqual(1, check.wait())
        steps = {each["step"]: each for each in json.loads(check.log())["steps"]}
        failed = [name for name, each in steps.items() if each["outcome"] == "failed"]
        self.assertEqual(["telnet to the boiler"], failed)
        self.assertIn("213 values a line, not recognised", steps[failed[0]]["what"])
        self.assertIn("boiler.descriptor", steps[failed[0]]["advice"])
        self.assertEqual([], [name for name in steps if "gateway" in name])


class SeveralTests(TelemetryOnlyCase):
    """Two boilers, each with a bridge of its own on one machine."""

    def test_each_page_shows_its_own_boiler(self) -> None:
        document = standard_layout().document().decode("latin-1")
        bridges = []
        for _ in range(2):
            boiler = self.boiler()
            more = 'descriptor = "boiler.xml"\n'
            bridges.append((boiler, self.bridge(boiler, more, boiler_xml=document)))
        for (address, _), bridge in bridges:
            link = bridge.wait_for_state("boiler.online")
            self.assertEqual(link["address"], address)
            self.assertTrue(bridge.state["channels"])
            bridge.check_ports(self)
