"""The boiler and the gateway of soak_commands.py: what they say, when, and in which segments."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol

reactor: Any = _reactor

TIMEOUT = 0.25
"""Seconds for an answer; whatever is late comes later than that."""

IDS = ("4", "5", "7")
VALUES = ("20.0", "20.5", "21.0")
ASKED = (
    b"$setkomm",
    b"$erract",
    b"$rtc get",
    b"$uptime",
    b'$par get changed "2023-11-12 18:21:37"',
    b"$dhcp renew",
    b"$frobnicate",
    # Two blanks tell the gateway's requests from the bridge's.
    *(f"$par  get {each}".encode() for each in IDS),
    *(f'$par  set "{each};3;{value}"'.encode() for each in IDS for value in VALUES[:2]),
)
REPLIES = {
    b"$setkomm": b"$2225410 ack",
    b"$erract": b"$no errors",
    b"$rtc get": b"$2023-11-12 18:32:35",
    b"$uptime": b"$666151",
    b"$login token": b"$3313C1F2",
    b"$login key 00": b"$ack",
}
MODES = ("prompt", "late", "lost", "both")


def is_bridges(line: bytes) -> bool:
    """Whether the bridge has asked this."""
    return (b"par get " in line and b"changed" not in line) or b"par set " in line


def fate(random: Random, mode: str, *, ours: bool) -> str:
    """What becomes of a request: prompt, late or lost."""
    rare = random.random()
    if mode == "prompt" or rare > (0.25 if ours else 0.03):
        return "prompt"
    return random.choice(("late", "lost")) if mode == "both" else mode


@dataclass(slots=True)
class Plant:
    """What outlives a boiler's connections.

    ``mode`` says whether it is late, loses replies, both, or neither; ``given`` are the values that
    were set, in order.
    """

    random: Random
    mode: str = MODES[0]
    values: dict[str, str] = field(default_factory=lambda: dict.fromkeys(IDS, VALUES[0]))
    given: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line that the boiler has said, to whom, and for which of the requests it got."""

    line: bytes
    owner: str
    request: int


class BoilerSide(Protocol):
    """A boiler's connection: answers in order, each request after it has thought about it."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.received = b""
        self.said: list[Spoken] = []
        self.arrivals: list[float] = []
        self._rest = b""
        self._requests: deque[tuple[int, bytes]] = deque()
        self._count = 0
        self._busy = False
        self._out = b""
        self._sending = False
        self._open = True
        self._notices = True
        self.sent_count = 0

    @property
    def is_idle(self) -> bool:
        """Whether each request has been dealt with, and all is sent that there was to be said."""
        return not (self._requests or self._busy or self._out)

    def stop_notices(self) -> None:
        """Say nothing any more that nobody asked for."""
        self._notices = False

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self._notice()

    def connectionLost(self, reason: object = None) -> None:
        self._open = False

    def dataReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            if not is_bridges(line):
                self.received += line + b"\r\n"
                self.arrivals.append(time.monotonic())
            self._requests.append((self._count, line))
            self._count += 1
        self._think()

    def _think(self) -> None:
        if self._requests and not self._busy and self._open:
            self._busy = True
            random, (number, line) = self._plant.random, self._requests.popleft()
            ours = is_bridges(line)
            what = "prompt" if b"login" in line else fate(random, self._plant.mode, ours=ours)
            late = random.uniform(1.02, 3) * TIMEOUT
            delay = late if what == "late" else random.random() * 0.01
            reactor.callLater(delay, self._answer, number, line, what)

    def _answer(self, number: int, line: bytes, what: str) -> None:
        self._busy = False
        owner = "bridge" if is_bridges(line) else "gateway"
        for each in self._reply(line.replace(b"  ", b" "), lost=what == "lost"):
            self._say(Spoken(each, owner if each.startswith(b"$") else "notice", number))
        self._think()

    def _reply(self, line: bytes, *, lost: bool) -> Iterator[bytes]:
        random = self._plant.random
        if b"login" in line or line in REPLIES:
            reply = [REPLIES[line]]
        elif b"changed" in line:
            reply = [self._record(each) for each in IDS if random.random() < 0.2] + [b"$--"]
        elif line.startswith(b"$par set"):
            yield from self._set(line, lost=lost)
            return
        elif line.startswith(b"$par get"):
            reply = [self._record(line.split()[-1].decode()) + b"0;"]
        elif line == b"$frobnicate":
            reply = [b"$frobnicated"] * random.randrange(3)
        else:
            reply = []
        if reply and b"login" not in line and random.random() < 0.05:
            reply = [b"$permission denied"]
        if not lost:
            yield from reply

    def _record(self, id_: str) -> bytes:
        value = self._plant.values[id_]
        return f"${id_};3;{value}00;14.000;26.000;0.500;C;20.000;0;0;0;Zone;".encode()

    def _set(self, line: bytes, *, lost: bool) -> Iterator[bytes]:
        random, chance = self._plant.random, self._plant.random.random()
        id_, _, value = line.split(b'"')[1].decode().split(";")
        if chance < 0.1:
            yield from ([] if lost else [b"$err limit"])
        elif chance < 0.2:
            yield f"zERR {id_} nicht vorhanden".encode()
            yield from ([b"$err limit"] if random.random() < 0.5 and not lost else [])
        elif not lost or random.random() < 0.5:
            old, self._plant.values[id_] = self._plant.values[id_], value
            self._plant.given.append((id_, value))
            if old != value:
                yield f"zPa A: {id_} (Zone) = {old}".encode()
                yield f"zPa N: {id_} (Zone) = {value}".encode()
            yield from ([] if lost else [b"$ack"])

    def _notice(self) -> None:
        if self._open and self._notices:
            line = self._plant.random.choice((b"pm 1 2.0 3 ", b"zPuffer Aus"))
            self._say(Spoken(line, "notice", -1))
            reactor.callLater(self._plant.random.random() * 0.1, self._notice)

    def _say(self, spoken: Spoken) -> None:
        self.said.append(spoken)
        self._out += spoken.line + b"\r\n"
        if not self._sending:
            self._send()

    def _send(self) -> None:
        self._sending = bool(self._out) and self._open
        if self._sending:
            size = self._plant.random.randrange(1, 60)
            part, self._out = self._out[:size], self._out[size:]
            self.sent_count += len(part)
            self.transport.write(part)
            reactor.callLater(self._plant.random.random() * 0.002, self._send)


class GatewaySide(Protocol):
    """A gateway's connection: asks several things at once, in any segments."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.sent = self.received = b""
        self.sent_at: list[float] = []
        self.over: Deferred[None] = Deferred()
        self._out = b""

    def connectionMade(self) -> None:
        self.transport.setTcpNoDelay(True)
        self.ask(b"$login token\r\n$login key 00\r\n")

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: object = None) -> None:
        self.over.callback(None)

    @property
    def is_idle(self) -> bool:
        """Whether all is sent."""
        return not self._out

    def ask(self, data: bytes) -> None:
        """Send whole lines, a part at a time."""
        self._out += data
        self._send()

    def _send(self) -> None:
        if self._out and self.transport.connected:
            size = self._random.choice((3, 10, 400))
            part, self._out = self._out[:size], self._out[size:]
            self.sent += part
            self.sent_at += [time.monotonic()] * part.count(b"\n")
            self.transport.write(part)
            if self._out:
                reactor.callLater(self._random.random() * 0.002, self._send)
