"""What showing a boiler over MQTT costs: ``python benchmarks/bench_discovery.py [RECORDING ...]``.

First, how long it takes to make the discovery of 320 entities and to hand it to the link to
the broker, which keeps it until the broker takes it. It is the simulated boiler with all its
parameters and 50 channels that nobody knows, in each way to announce. The time is processor time.

Then, how many messages a minute go out in steady state, for each RECORDING: a file of telemetry
lines, one a second, with its descriptor beside it (``x.txt`` with ``x.xml``). Without one, the
lines are the simulated boiler's own.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import process_time
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock

from hargassner.boiler.model import Boiler
from hargassner.clock import ReactorClock
from hargassner.config import Config, HomeAssistantConfig
from hargassner.dialogue.descriptor import parse_descriptor
from hargassner.dialogue.events import Described, ParameterSeen
from hargassner.dialogue.parameters import parse_parameter
from hargassner.homeassistant.announcer import SETTLE
from hargassner.homeassistant.view import BIRTH_DELAY, HomeView
from hargassner.monitor.readings import LineReader
from hargassner.mqtt.testing import AskedControl, MemoryBroker
from hargassner.simulator.boiler.layout import AnalogChannel, Layout, standard_layout
from hargassner.simulator.boiler.parameters import standard_parameters
from hargassner.simulator.boiler.plant import Plant
from hargassner.storage.directory import StateDirectory

UNKNOWN = 50
ROUNDS = 5
MINUTES = 60


def at_once(work: Any, *arguments: Any) -> "Deferred[Any]":
    """Do what would block in a thread at once."""
    return maybeDeferred(work, *arguments)


class Home:
    """A boiler that is shown to a broker in memory."""

    def __init__(self, state: Path, config: Config, document: bytes) -> None:
        self.clock = Clock()
        clock = ReactorClock(self.clock)
        self.broker = MemoryBroker()
        self.boiler = Boiler()
        directory = StateDirectory(state)
        self.view = HomeView(
            self.boiler, config, self.broker, AskedControl(), clock, directory, at_once, "pi"
        )
        self.view.startService()
        self.boiler.apply(Described(parse_descriptor(document)), 0)
        self.lines = LineReader()

    def line(self, line: bytes) -> None:
        """A telemetry line arrives."""
        readings = self.lines.read(line.rstrip(b"\r\n"), self.boiler.descriptor)
        self.boiler.apply(readings, self.clock.seconds())


def large_layout() -> Layout:
    """The simulated boiler's channels, and more that nobody knows."""
    standard = standard_layout()
    more = tuple(AnalogChannel(f"Kanal {each}", "°C", 1, False, "1.0") for each in range(UNKNOWN))
    return Layout(standard.analog + more, standard.digital)


def measure_discovery(discovery: str) -> None:
    """Print how long one announcement takes."""
    layout = large_layout()
    quickest = float("inf")
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as state:
            config = Config(homeassistant=HomeAssistantConfig(discovery=discovery))
            home = Home(Path(state), config, layout.document())
            home.line(layout.line({}, {}))
            for parameter in standard_parameters():
                home.boiler.apply(ParameterSeen(parse_parameter(parameter.record())), 0)
            home.clock.advance(SETTLE)
            home.broker.published.clear()
            begin = process_time()
            home.broker.deliver("homeassistant/status", "online")
            home.clock.advance(BIRTH_DELAY)
            quickest = min(quickest, process_time() - begin)
            home.view.stopService()
            sizes = [
                len(payload.encode())
                for topic, payload, _ in home.broker.published
                if topic.startswith("homeassistant/")
            ]
    states = sum(topic.startswith("hargassner/") for topic in home.broker.retained)
    entities = sum(payload.count('"unique_id"') for payload in home.broker.retained.values())
    print(
        f"{discovery:7} {entities} entities in {len(sizes)} messages of {sum(sizes):,} bytes,"
        f" and {states} states: {quickest * 1e3:.1f} ms"
    )


def lines_of_simulator() -> list[bytes]:
    """An hour of the simulated boiler."""
    plant, layout = Plant(), standard_layout()
    lines = []
    for _ in range(MINUTES * 60):
        plant.advance(1.0)
        lines.append(layout.line(plant.values(), plant.bits()))
    return lines


def measure_steady(name: str, document: bytes, lines: list[bytes]) -> None:
    """Print how many messages a minute these lines make, and which most."""
    with tempfile.TemporaryDirectory() as state:
        home = Home(Path(state), Config(), document)
        home.line(lines[0])
        home.clock.advance(60)
        home.broker.published.clear()
        begin = process_time()
        for line in lines[1:]:
            home.line(line)
            home.clock.advance(1)
        spent = process_time() - begin
        home.view.stopService()
    minutes = len(lines) / 60
    told = Counter(topic.rpartition("/")[2] for topic, _, _ in home.broker.published)
    busiest = ", ".join(f"{topic} {count / minutes:.1f}" for topic, count in told.most_common(4))
    print(
        f"{name}: {len(lines)} lines, {told.total() / minutes:.1f} messages a minute"
        f" ({busiest}), {spent / len(lines) * 1e6:.0f} µs a line"
    )


def main() -> None:
    """Print the figures."""
    for discovery in ("device", "entity"):
        measure_discovery(discovery)
    recordings = [Path(each) for each in sys.argv[1:]]
    for recording in recordings:
        lines = [each for each in recording.read_bytes().splitlines() if each.startswith(b"pm ")]
        document = next(recording.parent.glob(f"{recording.stem}*.xml")).read_bytes()
        measure_steady(recording.stem, document, lines)
    if not recordings:
        measure_steady("simulated boiler", standard_layout().document(), lines_of_simulator())


if __name__ == "__main__":
    main()
