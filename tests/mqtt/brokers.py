"""Real brokers: mosquitto, and the demo's embedded one, each a process of its own."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import SkipTest

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol

from tests.cases import free_ports
from tests.mqtt.packets import length, published

HOST = "127.0.0.1"
TIMEOUT = 20.0
"""Seconds that a broker has to start."""


class Broker:
    """A broker's process, which can be killed, frozen and started again on the same port.

    Args:
        folder: an empty one.
        certificate: a certificate's file and its key's, to serve TLS.
        authority: the file of the authority that must have signed a client's certificate.
        password: the password of the only user, ``boiler``; anybody may come where none is given.
        lines: more of the configuration, in the broker's own words.
    """

    name = ""

    def __init__(
        self,
        folder: Path,
        certificate: tuple[Path, Path] | None = None,
        authority: Path | None = None,
        password: str = "",
        lines: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.certificate = certificate
        self.authority = authority
        self.password = password
        self.lines = lines
        self.port = free_ports(1)[0]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'mqtts' if self.certificate else 'mqtt'}://{HOST}:{self.port}"

    def spawn(self) -> "subprocess.Popen[bytes]":
        """Start the process."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        self.process = self.spawn()
        timeout = time.monotonic() + TIMEOUT
        while True:
            try:
                socket.create_connection((HOST, self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > timeout:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """End it without giving it time for anything."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
            self.process = None

    def freeze(self) -> None:
        """Stop it in the midst of whatever it does; the kernel goes on accepting for it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


class Mosquitto(Broker):
    """Debian's mosquitto."""

    name = "mosquitto"

    def spawn(self) -> "subprocess.Popen[bytes]":
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
        program = shutil.which("mosquitto", path=path)
        maker = shutil.which("mosquitto_passwd", path=path)
        if program is None or maker is None:
            raise SkipTest("mosquitto is not installed")
        lines = [
            f"listener {self.port} {HOST}",
            f"allow_anonymous {str(not self.password).lower()}",
        ]
        lines += self.lines
        if os.getuid() == 0:
            lines.append("user root")  # Else it could not read the folder.
        if self.password:
            users = self.folder / "users"
            subprocess.run(
                [maker, "-c", "-b", str(users), "boiler", self.password],
                check=True,
                capture_output=True,
            )
            lines.append(f"password_file {users}")
        if self.certificate:
            lines += [f"certfile {self.certificate[0]}", f"keyfile {self.certificate[1]}"]
        if self.authority:
            lines += [f"cafile {self.authority}", "require_certificate true"]
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        return subprocess.Popen(
            [program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


class Embedded(Broker):
    """The demo's broker."""

    name = "the embedded broker"

    def spawn(self) -> "subprocess.Popen[bytes]":
        if importlib.util.find_spec("amqtt") is None:
            raise SkipTest("amqtt is not installed")
        with socket.create_server((HOST, self.port)) as listening:
            command = [
                sys.executable,
                "-m",
                "hargassner.simulator.broker.embedded",
                str(listening.fileno()),
            ]
            if self.certificate:
                certificate, key = self.certificate
                command += ["--certificate", str(certificate), "--key", str(key)]
            if self.password:
                from pwdlib.hashers.argon2 import Argon2Hasher

                # The cheapest there is: a good one takes a quarter of a second of a core.
                hasher = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
                users = self.folder / "users"
                users.write_text(f"boiler:{hasher.hash(self.password)}\n")
                command += ["--users", str(users)]
            return subprocess.Popen(
                command,
                pass_fds=[listening.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )


class Onlooker(Protocol):
    """Another client of the broker: hears everything, and may say something."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, bool]] = []
        """Topic, payload, and whether it was retained before we came."""
        self._last: dict[str, str] = {}
        self.is_lost = False
        self._buffer = b""

    def connectionMade(self) -> None:
        name = f"onlooker{id(self)}".encode()
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2) + name
        self.transport.write(b"\x10" + length(len(body)) + body)
        self.transport.write(b"\x82\x06\x00\x01\x00\x01#\x00")

    def dataReceived(self, data: bytes) -> None:
        self._buffer += data
        with contextlib.suppress(IndexError):
            while True:
                size = place = 0
                while True:
                    place += 1
                    size += (self._buffer[place] & 127) << 7 * (place - 1)
                    if self._buffer[place] < 128:
                        break
                end = place + 1 + size
                if len(self._buffer) < end:
                    return
                self._take(self._buffer[0], self._buffer[place + 1 : end])
                self._buffer = self._buffer[end:]

    def connectionLost(self, reason: Any) -> None:
        self.is_lost = True

    def _take(self, kind: int, body: bytes) -> None:
        if kind >> 4 == 3:
            end = 2 + int.from_bytes(body[:2])
            topic, payload = body[2:end].decode(), body[end:].decode(errors="replace")
            self.messages.append((topic, payload, bool(kind & 1)))
            self._last[topic] = payload

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Say something."""
        self.transport.write(published(topic, payload.encode(), retain=retain))

    def heard(self, topic: str) -> list[str]:
        """The payloads of a topic, in order."""
        return [payload for name, payload, _ in self.messages if name == topic]

    def retained(self) -> set[tuple[str, str]]:
        """What was retained before we came; amqtt may say it more than once."""
        return {(topic, payload) for topic, payload, retained in self.messages if retained}

    def last(self) -> dict[str, str]:
        """The last payload of each topic."""
        return dict(self._last)


class _End(Protocol):
    """One end of a cable, or of one of its wires."""

    def __init__(self, cable: "Cable") -> None:
        self._cable = cable
        self.other: _End | None = None

    def connectionMade(self) -> None:
        self._cable.ends.add(self)
        if self.other is None:
            self.transport.pauseProducing()
            self.other = _End(self._cable)
            self.other.other = self
            connecting = connectProtocol(self._cable.broker, self.other)
            connecting.addErrback(lambda _: self.transport.abortConnection())
        else:
            self.other.transport.resumeProducing()

    def dataReceived(self, data: bytes) -> None:
        self.other.transport.write(data)

    def connectionLost(self, reason: Any) -> None:
        self._cable.ends.discard(self)
        if self.other in self._cable.ends:
            self.other.transport.loseConnection()


class Cable:
    """A cable to the broker that can be cut: forwards a port to the broker's.

    Args:
        reactor: forwards.
        port: the broker's.
    """

    def __init__(self, reactor: Any, port: int) -> None:
        self.ends: set[_End] = set()
        self.broker = TCP4ClientEndpoint(reactor, HOST, port)
        factory = Factory.forProtocol(lambda: _End(self))
        factory.noisy = False
        self._port = reactor.listenTCP(0, factory, interface=HOST)
        self.port: int = self._port.getHost().port

    def cut(self) -> None:
        """Lose every connection, as the broker sees it, without a word."""
        for end in list(self.ends):
            end.transport.abortConnection()

    def remove(self) -> Any:
        """Take the cable away."""
        self.cut()
        return self._port.stopListening()
