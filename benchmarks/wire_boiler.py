"""The boiler's end of the wire benchmarks, a process of its own.

    python benchmarks/wire_boiler.py ADDRESS PORT

It answers what a gateway asks, and does what it is told on its standard input:

    segments 1|2    replies in one segment, or in two as the boiler cuts them
    pace SECONDS    a telemetry line to everybody so often; 0: none
    lines NUMBER    so many telemetry lines to whoever connected last, each in two segments
    flood BYTES     telemetry to everybody who is connected, as quickly as it is taken
    forget          the connections so far get nothing any more

The telemetry is that of the real boilers in ../shared/firmware where that is, else invented.
"""

import re
import socket
import sys
import threading
import time
from functools import cache
from pathlib import Path

import invented
from invented import GAP, TAIL, spin

RECORDED = Path(__file__).resolve().parents[2] / "shared/firmware"
RECORDED_LINES, RECORDED_DOCUMENT = (
    RECORDED / f"nano2-25-V14.0k3.{kind}" for kind in ("txt", "xml")
)


def telemetry() -> tuple[bytes, list[bytes]]:
    """A descriptor, and telemetry lines that fit it."""
    if not RECORDED_LINES.exists():
        return invented.document(), invented.lines()
    lines = RECORDED_LINES.read_bytes().splitlines()
    document = RECORDED_DOCUMENT.read_bytes().strip()
    return document, [line + b"\r\n" for line in lines if line.startswith(b"pm ")]


DOCUMENT, LINES = telemetry()
REPLIES = (
    (rb"\$login token", b"$3313C1F2\r\n"),
    (rb"\$login key .*", b"zclient login (7321)\r\n$ack\r\n"),
    (rb"\$apiversion", b"$1.0.1\r\n"),
    (rb"\$setkomm", b"$2225410 ack\r\n"),
    (rb"\$asnr get", b"$\r\n"),
    (rb"\$daq stop", b"$daq stopped\r\n"),
    (rb"\$daq start", b"$daq started\r\n"),
    (rb"\$logging disable", b"$logging disabled\r\n"),
    (rb"\$logging enable", b"$logging enabled\r\n"),
    (rb"\$daq desc", b"$<<" + DOCUMENT + b"\r\n>>\r\n"),
    (rb"\$bootversion", b"$V2.18\r\n"),
    (rb"\$uptime", b"$666151\r\n"),
    (rb"\$rtc get", b"$2023-11-12 18:32:35\r\n"),
    (rb"\$par get changed .*", b"$--\r\n"),
    (rb"\$par get all", b"$<<4;3;19.500;14.000;26.000;0.500;;20.000;0;0;0;Day;\n>>\r\n"),
    (rb"\$par get (PR\w+)", rb"$\1;6;2;3;1;0;0;0;Mode;Off;Auto;Day;Night;0;" + b"\r\n"),
    (rb"\$par get (\w+)", rb"$\1;3;19.500;14.000;26.000;0.500;;20.000;0;0;0;Day;0;" + b"\r\n"),
    (rb"\$erract", b"$no errors\r\n"),
    (rb"\$dhcp renew", b""),
    (rb".*", b"$ack\r\n"),
)
"""Requests and what they are answered; the first that fits counts (docs/protocol.md, section 3)."""


@cache
def answer(request: bytes) -> bytes:
    """What the boiler says to a request."""
    for form, reply in REPLIES:
        match = re.fullmatch(form, request)
        if match:
            return match.expand(reply) if match.groups() else reply
    return b""


class Connection:
    """One connection, whose writers take turns."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._turn = threading.Lock()

    def say(self, message: bytes, segments: int) -> None:
        """Send a message, cut as the boiler cuts it, or whole."""
        with self._turn:
            if segments == 1:
                self._sock.sendall(message)
                return
            self._sock.sendall(message[:-TAIL])
            spin(GAP)
            self._sock.sendall(message[-TAIL:])


class Boiler:
    """Everybody who is connected, and what they get."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.segments = 1
        self._pace = 0.0
        threading.Thread(target=self._speak, daemon=True).start()

    def serve(self, sock: socket.socket) -> None:
        """Answer one connection's requests."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock)
        self.connections.append(connection)
        try:
            with sock, sock.makefile("rb") as requests:
                for request in requests:
                    connection.say(answer(request.strip()), self.segments)
        except OSError:
            pass
        finally:
            if connection in self.connections:
                self.connections.remove(connection)

    def do(self, command: str) -> None:
        """What the benchmark wants."""
        word, _, number = command.strip().partition(" ")
        match word:
            case "segments":
                self.segments = int(number)
            case "pace":
                self._pace = float(number)
            case "lines":
                self._say_lines(int(number))
            case "flood":
                self._flood(int(number))
            case "forget":
                self.connections.clear()

    def _say_lines(self, number: int) -> None:
        connection = self.connections[-1]
        for turn in range(number):
            connection.say(LINES[turn % len(LINES)], 2)
            spin(GAP)

    def _flood(self, size: int) -> None:
        flood = b"".join(LINES)
        flood = (flood * (size // len(flood) + 1))[:size]
        flood = flood[: flood.rindex(b"\n") + 1]
        for each in list(self.connections):
            threading.Thread(target=each.say, args=(flood, 1), daemon=True).start()

    def _speak(self) -> None:
        turn = 0
        while True:
            time.sleep(self._pace or 0.05)
            if self._pace:
                turn += 1
                for each in list(self.connections):
                    try:
                        each.say(LINES[turn % len(LINES)], 2)
                    except OSError:
                        continue


def main() -> None:
    """Serve until standard input ends."""
    boiler = Boiler()
    listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=600)

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=boiler.serve, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("ready", flush=True)
    for command in sys.stdin:
        boiler.do(command)
        print("done", flush=True)


if __name__ == "__main__":
    main()
