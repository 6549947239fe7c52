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

import random
import re
import socket
import sys
import threading
import time
from pathlib import Path

ANALOG = 182
WORDS = 8
TAIL = 4
GAP = 130e-6
RECORDED = Path(__file__).resolve().parents[2] / "shared/firmware"
RECORDED_LINES, RECORDED_DOCUMENT = (
    RECORDED / f"nano2-25-V14.0k3.{kind}" for kind in ("txt", "xml")
)


def invented_lines() -> list[bytes]:
    """Lines of 190 values, of which four differ from one to the next."""
    chance = random.Random(5)
    values = [b"%.1f" % (chance.random() * 80 + 10) for _ in range(ANALOG)]
    words = [b"%X" % chance.randrange(16**4) for _ in range(WORDS)]
    lines = []
    for _ in range(100):
        for place in chance.sample(range(ANALOG), 4):
            values[place] = b"%.1f" % (chance.random() * 80 + 10)
        lines.append(b"pm " + b" ".join(values + words) + b" \r\n")
    return lines


def invented_document() -> bytes:
    """What those lines mean."""
    analog = "".join(f"<CHANNEL id='{place}' name='A {place}'/>" for place in range(ANALOG))
    digital = "".join(
        f"<CHANNEL id='{word}' bit='{bit}' name='D {word} {bit}'/>"
        for word in range(WORDS)
        for bit in range(10)
    )
    return f"<DAQPRJ><ANALOG>{analog}</ANALOG><DIGITAL>{digital}</DIGITAL></DAQPRJ>".encode()


def telemetry() -> tuple[bytes, list[bytes]]:
    """A descriptor, and telemetry lines that fit it."""
    if not RECORDED_LINES.exists():
        return invented_document(), invented_lines()
    lines = RECORDED_LINES.read_bytes().splitlines()
    document = RECORDED_DOCUMENT.read_bytes().strip()
    return document, [line + b"\r\n" for line in lines if line.startswith(b"pm ")]


DOCUMENT, LINES = telemetry()
REPLIES = {
    b"$login token": b"$3313C1F2\r\n",
    b"$uptime": b"$666151\r\n",
    b"$setkomm": b"$2225410 ack\r\n",
    b"$erract": b"$no errors\r\n",
    b"$rtc get": b"$2023-11-12 18:32:35\r\n",
    b"$daq desc": b"$<<" + DOCUMENT + b"\r\n>>\r\n",
}


CHOICE = b"$%b;6;0;4;0;0;0;0;Mode;Manu;Arr;Ballon;Auto;Arr combustion;0;\r\n"
NUMBER = b"$%b;3;20.000;14.000;26.000;0.500;\xb0C;20.000;0;0;0;Zone;0;\r\n"
ONE_PARAMETER = re.compile(rb"\$par get (\w+)")


def parameter(request: bytes) -> bytes | None:
    """The reply to a request for one parameter; what is not answered is waited for."""
    found = ONE_PARAMETER.fullmatch(request)
    if found is None:
        return None
    return (CHOICE if found[1].startswith(b"PR") else NUMBER) % found[1]


def _spin(seconds: float) -> None:
    """Wait more exactly than a sleep can."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


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
            _spin(GAP)
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
                    connection.say(self._reply(request.strip()), self.segments)
        except OSError:
            pass
        finally:
            if connection in self.connections:
                self.connections.remove(connection)

    def _reply(self, request: bytes) -> bytes:
        if request.startswith(b"$par get changed"):
            return b"$--\r\n"
        return REPLIES.get(request) or parameter(request) or b"$ack\r\n"

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
            _spin(GAP)

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
