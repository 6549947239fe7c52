"""What the broker's troubles cost a gateway's session, and what a reconnect costs the reactor.

    python benchmarks/bench_mqtt.py

The bridge is a process of its own, and publishes 25 topics a second, as the lines of a busy boiler
have it do; with ``--pause 0`` it does so for every segment that passes, which no boiler asks for.
Its session asks as fast as it is answered while the broker is up, frozen (SIGSTOP), a black hole
(its port accepts, nobody answers), or not there at all; each reply is compared with what the
boiler sent.  Needs mosquitto.
"""

import argparse
import multiprocessing
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench_proxy import HOST, Contender, boiler
from twisted.internet import reactor
from twisted.internet.task import LoopingCall

from hargassner.config import MqttConfig
from hargassner.mqtt.interfaces import LinkState
from hargassner.mqtt.link import BrokerLink

TOPICS = 500


def free_port() -> int:
    """A port that nobody holds now."""
    with socket.create_server((HOST, 0)) as held:
        port: int = held.getsockname()[1]
        return port


def mosquitto(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """A broker that accepts connections."""
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} {HOST}\nallow_anonymous true\nuser root\n")
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    broker = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection((HOST, port)).close()
            return broker
        except ConnectionRefusedError:
            time.sleep(0.05)


def ask(contender: Contender, seconds: float) -> tuple[str, str]:
    """Round trips for some seconds, and what they cost."""
    times = []
    with contender.connect() as connection:
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            connection.sendall(b"$one\r\n")
            received = b""
            while not received.endswith(b"\r\n"):
                received += connection.recv(64)
            assert received == b"$666151\r\n", received
            times.append((time.perf_counter() - began) * 1e6)
            time.sleep(0.01)  # The gateway asks some ten times a second; the views need time, too.
    times.sort()
    trips = f"{times[len(times) // 2]:9.0f}{times[len(times) * 99 // 100]:9.0f}{times[-1]:9.0f}"
    return trips, f"{contender.resident_mib():9.1f}"


def sessions(seconds: float, pause: str) -> None:
    """Compare a session in all the broker's states."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=boiler, args=(theirs,), daemon=True)
    process.start()
    boiler_port = ours.recv()
    print(f"{'broker':14}{'p50 µs':>9}{'p99 µs':>9}{'max µs':>9}{'MiB':>9}")
    with tempfile.TemporaryDirectory() as name, socket.create_server((HOST, 0)) as hole:
        port = free_port()
        broker = mosquitto(Path(name), port)
        there = f"mqtt://{HOST}:{port}"
        nowhere = f"mqtt://{HOST}:{free_port()}"
        black = f"mqtt://{HOST}:{hole.getsockname()[1]}"
        for state, kind, arguments in [
            ("none", "bridge", []),
            ("up", "published", [there, pause]),
            ("frozen", "published", [there, pause]),
            ("black hole", "published", [black, pause]),
            ("away", "published", [nowhere, pause]),
        ]:
            contender = Contender(kind, boiler_port, *arguments)
            try:
                ask(contender, 1.0)
                if state == "frozen":
                    broker.send_signal(signal.SIGSTOP)
                print(f"{state:14}{''.join(ask(contender, seconds))}")
            finally:
                contender.stop()
                broker.send_signal(signal.SIGCONT)
        broker.kill()
        broker.wait()
    process.terminate()


def say_again() -> None:
    """Connect with many topics to say, and find how long the reactor was away at most."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        broker = mosquitto(Path(name), port)
        link = BrokerLink(MqttConfig(url=f"mqtt://{HOST}:{port}"), reactor)
        for number in range(TOPICS):
            link.publish(f"hargassner/boiler/c{number}", "65.9" * 50)
        times: list[float] = []
        online: list[float] = []

        def look() -> None:
            times.append(time.perf_counter())
            if link.status.state is LinkState.ONLINE:
                online.append(times[-1])
                if not link.waiting:
                    looking.stop()

        def done(_: Any) -> Any:
            gap = max(b - a for a, b in pairwise(times)) * 1e3
            took = (online[-1] - online[0]) * 1e3
            print(f"{TOPICS} topics said again in {took:.1f} ms; the reactor away for {gap:.1f} ms")
            return link.stopService().addCallback(lambda _: reactor.stop())

        looking = LoopingCall(look)
        reactor.callWhenRunning(lambda: looking.start(0).addCallback(done))
        reactor.callWhenRunning(link.startService)
        reactor.run()
        broker.kill()
        broker.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each state")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between publications")
    options = parser.parse_args()
    sessions(options.seconds, str(options.pause))
    say_again()


if __name__ == "__main__":
    main()
