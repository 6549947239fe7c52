"""What floods of commands over MQTT cost the gateway's session, and whether each has its result.

    python benchmarks/bench_commands.py

The simulated boiler, the bridge, mosquitto, the gateway, whoever sends the commands and whoever
counts the results are processes of their own, on loopback.  The gateway asks ``$uptime`` some 25
times a second; the boiler takes 20 ms for an answer.  Commands are sent in QoS 0, evenly, for four
parameters, one that is none, and with a payload that is no text; the broker is told to drop
nothing, so that all of them come to the bridge in the end.  A row is printed when as many results
have come, or when none came for ``--timeout`` seconds.  Needs mosquitto.
"""

import argparse
import multiprocessing
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from bench_mqtt import free_port

BROKER, GATEWAY_SIDE, BOILER_SIDE, BOILER = "127.0.0.1", "127.0.41.1", "127.0.42.1", "127.0.42.2"
BASE = "hargassner/boiler"
COMMANDS = [
    ("par_4", [b"20.0", b"20.5", b"21.0"]),
    ("par_pr011", [b"Auto", b"Aus"]),
    ("par_4", [b"21.5", b"99"]),
    ("par_a6d", [b"0.5", b"1.0"]),
    ("par_pr001", [b"Auto", b"Aus"]),
    ("nonsense", [b"1"]),
    ("par_4", [b"\xff\xfe"]),
]
TICK = 0.005
"""Seconds between two handfuls of commands."""
PAUSE = 0.02
"""Seconds between an answer and the gateway's next question."""


def packet(kind: int, body: bytes) -> bytes:
    """An MQTT packet."""
    size, digits = len(body), bytearray()
    while True:
        size, digit = divmod(size, 128)
        digits.append(digit | 128 if size else digit)
        if not size:
            return bytes([kind]) + digits + body


def text(what: str) -> bytes:
    """A string in MQTT."""
    return len(what.encode()).to_bytes(2) + what.encode()


def client(port: int, name: str) -> socket.socket:
    """A connection to the broker, which has let it in."""
    connection = socket.create_connection((BROKER, port))
    connection.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text(name)))
    assert connection.recv(4) == b"\x20\x02\x00\x00"
    return connection


def topics(connection: socket.socket) -> Iterator[bytes]:
    """The topics of the messages that come."""
    buffer, at = bytearray(), 0
    while data := connection.recv(262_144):
        del buffer[:at]
        buffer += data
        at = 0
        while len(buffer) - at >= 6:
            size, place, shift = 0, at + 1, 0
            while True:
                size |= (buffer[place] & 127) << shift
                place, shift = place + 1, shift + 7
                if buffer[place - 1] < 128:
                    break
            if len(buffer) < place + size:
                break
            if buffer[at] >> 4 == 3:
                end = place + 2 + int.from_bytes(buffer[place : place + 2])
                yield bytes(buffer[place + 2 : end])
            at = place + size


def boiler(pipe: Connection, port: int) -> None:
    """The simulated boiler; sends, when asked, when which parameter was set."""
    from twisted.internet import reactor

    from hargassner.simulator.boiler.server import SimulatedBoiler

    begun = time.monotonic()
    sets: list[tuple[float, str]] = []

    def note(request: bytes) -> float:
        found = re.match(rb'\$par set "(\w+);', request)
        if found:
            sets.append((time.monotonic() - begun, found[1].decode()))
        return 0.0

    def serve() -> None:
        while pipe.recv() == "sets":
            pipe.send(sets[:])
            sets.clear()

    threading.Thread(target=serve, daemon=True).start()
    SimulatedBoiler(
        reactor, address=BOILER, telnet_port=port, discovery=False, hesitation=note
    ).startService()
    pipe.send("ready")
    reactor.run()


def gateway(pipe: Connection, port: int) -> None:
    """Log in and ask; sends how long each question waited, in ms, when asked for it."""
    from hargassner.simulator.gateway.dialogue import GatewayDialogue

    problems: list[str] = []
    dialogue = GatewayDialogue("0012345", problems.append)
    connection = socket.create_connection((GATEWAY_SIDE, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(dialogue.begin())
    while not dialogue.opened:
        connection.sendall(dialogue.received(connection.recv(65_536)))
    pipe.send("ready")
    waits: list[float] = []
    rest = b""
    while True:
        asked = time.perf_counter()
        connection.sendall(b"$uptime\r\n")
        answered = False
        while not answered:
            *lines, rest = (rest + connection.recv(65_536)).split(b"\r\n")
            answered = any(line.startswith(b"$") for line in lines)
        waits.append((time.perf_counter() - asked) * 1e3)
        if pipe.poll(PAUSE):
            if pipe.recv() == "end":
                return
            pipe.send(waits)
            waits = []


def flood(pipe: Connection, port: int, rate: int, seconds: float) -> None:
    """Send commands; sends how many when done."""
    connection = client(port, "flood")
    made = [
        packet(0x30, text(f"{BASE}/{object_}/set") + wanted)
        for number in range(6)
        for object_, each in COMMANDS
        for wanted in [each[number % len(each)]]
    ]
    began, sent = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        due = int(passed * rate)
        connection.sendall(b"".join(made[each % len(made)] for each in range(sent, due)))
        sent = due
        time.sleep(TICK)
    connection.sendall(packet(0xC0, b""))
    connection.recv(2)  # The broker has them all.
    pipe.send(sent)


def count(
    pipe: Connection, port: int, counted: "multiprocessing.sharedctypes.Synchronized"
) -> None:
    """Count results."""
    connection = client(port, "count")
    connection.sendall(packet(0x82, b"\x00\x01" + text(f"{BASE}/+/result") + b"\x00"))
    connection.recv(5)
    pipe.send("ready")
    for _ in topics(connection):
        counted.value += 1


def start(target: object, *arguments: object) -> tuple[multiprocessing.Process, Connection]:
    """A process, and a pipe to it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=target, args=(theirs, *arguments), daemon=True)
    process.start()
    return process, ours


def broker(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """A mosquitto that drops nothing."""
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} {BROKER}\nallow_anonymous true\nuser root\n"
        "max_queued_messages 0\nmax_inflight_messages 0\n"
    )
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    while True:
        with suppress(ConnectionRefusedError):
            socket.create_connection((BROKER, port)).close()
            return process
        time.sleep(0.05)


def bridge(folder: Path, broker_port: int, port: int) -> "subprocess.Popen[bytes]":
    """The bridge; its log is in the folder."""
    names = ("boiler", "gateway", "boiler_diagnostics", "gateway_diagnostics")
    lines = [
        *("[gateway]", f'address = "{GATEWAY_SIDE}"', f"telnet_port = {port}", 'allow = ["any"]'),
        *("[boiler]", f'address = "{BOILER_SIDE}"', f'host = "{BOILER}"', f"telnet_port = {port}"),
        *("[mqtt]", f'url = "mqtt://{BROKER}:{broker_port}"'),
        *("[control]", 'parameters = ["PR001", "PR011", "4", "A6d"]'),
        *("[web]", 'listen = ""', "[state]", f'directory = "{folder}/state"', "[discovery]"),
        *(f"{name}_port = {free_port()}" for name in names),
    ]
    config = folder / "hargassner.toml"
    config.write_text("\n".join(lines))
    log = (folder / "log").open("wb")
    return subprocess.Popen(
        [sys.executable, "-m", "twisted", "hargassner", "--config", str(config)],
        stdout=log,
        stderr=log,
        cwd=folder,
    )


def connect_when_open(port: int) -> None:
    """Wait until the bridge admits gateways."""
    while True:
        with suppress(ConnectionRefusedError):
            socket.create_connection((GATEWAY_SIDE, port)).close()
            return
        time.sleep(0.1)


def most_within(times: list[float], seconds: float) -> int:
    """How many of these moments are within any span of so many seconds, at most."""
    return max(
        (sum(began <= each < began + seconds for each in times) for began in times), default=0
    )


def resident_mib(process: "subprocess.Popen[bytes]") -> float:
    """The most memory that the process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(rate: int, seconds: float, timeout: float) -> None:
    """One flood, with everything started anew."""
    with tempfile.TemporaryDirectory() as name:
        folder, port, broker_port = Path(name), free_port(), free_port()
        counted = multiprocessing.Value("L", 0)
        boilers, to_boiler = start(boiler, port)
        to_boiler.recv()
        mosquitto = broker(folder, broker_port)
        bridged = bridge(folder, broker_port, port)
        connect_when_open(port)
        gateways, to_gateway = start(gateway, port)
        to_gateway.recv()
        counting, to_count = start(count, broker_port, counted)
        to_count.recv()
        time.sleep(4)  # The bridge reads what can be set.
        to_gateway.send("waits")
        quiet = sorted(to_gateway.recv())
        sending, to_flood = start(flood, broker_port, rate, seconds)
        began = time.monotonic()
        sent = to_flood.recv()
        seen, seen_at = -1, time.monotonic()
        while counted.value < sent and time.monotonic() - seen_at < timeout:
            if counted.value != seen:
                seen, seen_at = counted.value, time.monotonic()
            time.sleep(0.1)
        took = time.monotonic() - began
        time.sleep(1)
        to_gateway.send("waits")
        waits = sorted(to_gateway.recv())
        to_boiler.send("sets")
        sets = to_boiler.recv()
        by_parameter = defaultdict(list)
        for moment, parameter in sets:
            by_parameter[parameter].append(moment)
        a_second = max((most_within(each, 1.0) for each in by_parameter.values()), default=0)
        a_minute = most_within([moment for moment, _ in sets], 60.0)
        p50 = waits[len(waits) // 2] if waits else 0
        log = (folder / "log").read_bytes()
        print(
            f"{rate:8}{sent:9}{counted.value:9}{took:8.1f}{quiet[-1]:9.0f}{p50:8.0f}"
            f"{waits[-1]:9.0f}{len(sets):7}{a_second:6}{a_minute:6}"
            f"{log.count(10):8}{resident_mib(bridged):7.0f}",
            flush=True,
        )
        for each in (boilers, gateways, counting, sending):
            each.kill()
        for program in (bridged, mosquitto):
            program.kill()
            program.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each flood")
    parser.add_argument("--timeout", type=float, default=45.0, help="seconds without a result")
    parser.add_argument("rates", type=int, nargs="*", default=[1_000, 3_000, 10_000])
    options = parser.parse_args()
    print(
        f"{'per s':>8}{'sent':>9}{'results':>9}{'took s':>8}{'quiet ms':>9}{'p50 ms':>8}"
        f"{'max ms':>9}{'sets':>7}{'/s':>6}{'/min':>6}{'log':>8}{'MiB':>7}"
    )
    for rate in options.rates:
        measure(rate, options.seconds, options.timeout)


if __name__ == "__main__":
    main()
