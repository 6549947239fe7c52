"""Commands among a gateway's dialogue, at random and over real sockets, with laws on all bytes.

    python benchmarks/soak_commands.py --minutes 60

A boiler, the bridge's proxy and control, and a gateway, on loopback in one process, several times
beside each other, and session after session.  The boiler answers strictly in order: in time, late,
never, refusing by a reply, by a notice or by both, in random segments, with notices and telemetry
anywhere between two lines.  The gateway pipelines, and cuts its lines anywhere.  The program's
times are some twenty times shorter than in life.

Whatever the boiler does:

* the boiler gets every byte of the gateway's, in order, and nothing else but the bridge's requests;
* every line of the boiler's reaches the gateway or is kept, once; telemetry and notices all pass,
  in order;
* nothing of the gateway's waits for longer than the timeout;
* each command has one result, and ``ok`` only if the boiler has been given that very value;
* nothing is logged as a failure.

And the gateway gets exactly the replies to its own requests, where nothing is late or lost.  Where
something is, some cases cannot be known (docs/control.md): they are counted, and shown as parts in
a million of the gateway's replies.
"""

import argparse
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.logger import globalLogPublisher
from zope.interface import implementer

from hargassner.boiler.model import Boiler
from hargassner.catalogue import Catalogue
from hargassner.control import pacing, session_line, turns
from hargassner.control.queue import Control
from hargassner.discovery import Devices
from hargassner.monitor.interpreter import Interpreter
from hargassner.proxy import exchange_states
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.observers import IExchangeObserver

reactor: Any = _reactor

TIMEOUT = 0.25
SHORTER = (
    (pacing, {"APART": 0.05, "BETWEEN": 0.05, "MINUTE": 1.0, "LONGEST_BACK_OFF": 0.5}),
    (session_line, {"QUIET": 0.3, "READ_PAUSE": 0.02, "READ_AGAIN": 1.0}),
    (exchange_states, {"OWED_TIMEOUT": 1.5}),
    (turns, {"GAP_TIMEOUT": 2.0}),
)
SETTLING = 4.0
"""Seconds until nothing is owed for anything."""
SLACK = 0.1
"""Seconds that a call may be late by beside what the machine was seen to be late by."""

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


def fate(random: Random, mode: str, *, ours: bool) -> str:
    """What becomes of a request: prompt, late or lost."""
    rare = random.random()
    if mode == "prompt" or rare > (0.25 if ours else 0.03):
        return "prompt"
    return random.choice(("late", "lost")) if mode == "both" else mode


class BoilerSide(Protocol):
    """A boiler's connection: answers in order, each request after it has thought about it."""

    def __init__(self, house: "House") -> None:
        self.house = house
        self.received = b""
        self.said: list[tuple[bytes, str]] = []
        self.arrivals: list[float] = []
        self.bridges = b""
        self._rest = b""
        self._requests: deque[bytes] = deque()
        self._busy = False
        self._out = b""
        self._sending = False
        self._open = True

    def connectionMade(self) -> None:
        self.house.boiler = self
        self.transport.setTcpNoDelay(True)
        self._notice()

    def connectionLost(self, reason: object = None) -> None:
        self._open = False

    def dataReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            if (b"par get " in line and b"changed" not in line) or b"par set " in line:
                self.bridges += line + b"\r\n"
            else:
                self.received += line + b"\r\n"
                self.arrivals.append(time.monotonic())
            self._requests.append(line)
        self._think()

    def _think(self) -> None:
        if self._requests and not self._busy and self._open:
            self._busy = True
            random, line = self.house.random, self._requests.popleft()
            ours = (b"par get " in line and b"changed" not in line) or b"par set " in line
            what = "prompt" if b"login" in line else fate(random, self.house.mode, ours=ours)
            late = random.uniform(1.02, 3) * TIMEOUT
            delay = late if what == "late" else random.random() * 0.01
            reactor.callLater(delay, self._answer, line, ours, what)

    def _answer(self, line: bytes, ours: bool, what: str) -> None:
        self._busy = False
        owner = "bridge" if ours else "gateway"
        for each in self._reply(line.replace(b"  ", b" "), lost=what == "lost"):
            self._say(each, owner if each.startswith(b"$") else "notice")
        self._think()

    def _reply(self, line: bytes, *, lost: bool) -> Iterator[bytes]:
        random = self.house.random
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
        value = self.house.values[id_]
        return f"${id_};3;{value}00;14.000;26.000;0.500;C;20.000;0;0;0;Zone;".encode()

    def _set(self, line: bytes, *, lost: bool) -> Iterator[bytes]:
        random, chance = self.house.random, self.house.random.random()
        id_, _, value = line.split(b'"')[1].decode().split(";")
        if chance < 0.1:
            yield from ([] if lost else [b"$err limit"])
        elif chance < 0.2:
            yield f"zERR {id_} nicht vorhanden".encode()
            yield from ([b"$err limit"] if random.random() < 0.5 and not lost else [])
        elif not lost or random.random() < 0.5:
            old, self.house.values[id_] = self.house.values[id_], value
            self.house.given.append((id_, value))
            if old != value:
                yield f"zPa A: {id_} (Zone) = {old}".encode()
                yield f"zPa N: {id_} (Zone) = {value}".encode()
            yield from ([] if lost else [b"$ack"])

    def _notice(self) -> None:
        if self._open:
            self._say(self.house.random.choice((b"pm 1 2.0 3 ", b"zPuffer Aus")), "notice")
            reactor.callLater(self.house.random.random() * 0.1, self._notice)

    def _say(self, line: bytes, owner: str) -> None:
        self.said.append((line, owner))
        self._out += line + b"\r\n"
        if not self._sending:
            self._send()

    def _send(self) -> None:
        self._sending = bool(self._out) and self._open
        if self._sending:
            size = self.house.random.randrange(1, 60)
            part, self._out = self._out[:size], self._out[size:]
            self.transport.write(part)
            reactor.callLater(self.house.random.random() * 0.002, self._send)


class GatewaySide(Protocol):
    """A gateway's connection: asks several things at once, in any segments."""

    def __init__(self, house: "House") -> None:
        self.house = house
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

    def ask(self, data: bytes) -> None:
        """Send whole lines, a part at a time."""
        self._out += data
        self._send()

    def _send(self) -> None:
        if self._out and self.transport.connected:
            size = self.house.random.choice((3, 10, 400))
            part, self._out = self._out[:size], self._out[size:]
            self.sent += part
            self.sent_at += [time.monotonic()] * part.count(b"\n")
            self.transport.write(part)
            if self._out:
                reactor.callLater(self.house.random.random() * 0.002, self._send)


@implementer(IExchangeObserver)
class Kept:
    """Gathers what is kept from the gateway."""

    def __init__(self) -> None:
        self.data = b""

    def bridge_received(self, data: bytes) -> None:
        self.data += data

    def bridge_sent(self, data: bytes) -> None:
        """The boiler tells."""

    gateway_sent = boiler_sent = over = bridge_sent

    def bridge_refused(self) -> None:
        """The result tells."""


class Lateness:
    """How late the machine was, and when: a busy one makes everybody wait."""

    STEP = 0.02

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=10_000)
        self._look(time.monotonic())

    def between(self, begin: float, end: float) -> float:
        """Seconds in all."""
        return sum(late for at, late in self._late if begin - 1 <= at <= end + 1)

    def _look(self, due: float) -> None:
        now = time.monotonic()
        if now - due > self.STEP / 2:
            self._late.append((now, now - due))
        reactor.callLater(self.STEP, self._look, now + self.STEP)


class House:
    """One boiler, one bridge and one gateway, session after session."""

    def __init__(self, seed: int, counts: Counter[str], lateness: Lateness) -> None:
        self.random = Random(seed)
        self.counts = counts
        self._lateness = lateness
        self.mode = MODES[0]
        self.values = dict.fromkeys(IDS, VALUES[0])
        self.given: list[tuple[str, str]] = []
        self.boiler: BoilerSide
        self.longest = 0.0
        model = Boiler(catalogue=Catalogue.load())
        self._interpreter = Interpreter(model, reactor, lambda _: None)
        self._control = Control(model, reactor, IDS, TIMEOUT)
        self._commands: list[Deferred[None]] = []

    async def open(self) -> None:
        """Listen."""
        boiler = Factory.forProtocol(lambda: BoilerSide(self))
        listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(boiler)
        to_boiler = TCP4ClientEndpoint(reactor, "127.0.0.1", listening.getHost().port)
        proxy = ProxyFactory(
            reactor, to_boiler.connect, Access(["any"], Devices(reactor)), self._watch
        )
        proxying = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(proxy)
        self._gateways = TCP4ClientEndpoint(reactor, "127.0.0.1", proxying.getHost().port)

    def _watch(self, session: Any) -> list[object]:
        self.kept = Kept()
        interpreter = self._interpreter.observe(session)
        return [self.kept, interpreter, self._control.observe(session, interpreter)]

    async def live(self, until: float) -> None:
        """Sessions until some moment."""
        while time.monotonic() < until:
            self.mode = self.random.choice(MODES)
            await self._session()

    async def _session(self) -> None:
        gateway = await connectProtocol(self._gateways, GatewaySide(self))
        await deferLater(reactor, 0.1)
        for _ in range(self.random.randrange(20, 200)):
            chance = self.random.random()
            if chance < 0.4:
                asked = self.random.choices(ASKED, k=self.random.choice((1, 1, 2, 3)))
                gateway.ask(b"".join(each + b"\r\n" for each in asked))
            elif chance < 0.8:
                self._command(self.random.choice(IDS), self.random.choice(VALUES))
            await deferLater(reactor, self.random.random() * 0.1)
        self.counts["sessions"] += 1
        if self.random.random() < 0.2:
            # Cut off at any moment: only the results and the log are looked at.
            gateway.transport.abortConnection()
            await gateway.over
            await deferLater(reactor, 1.5)
        else:
            await deferLater(reactor, SETTLING)
            self._check(gateway)
            gateway.transport.loseConnection()
            await gateway.over
        await gatherResults(self._commands)
        self._commands.clear()

    def _command(self, id_: str, value: str) -> None:
        self.counts["commands"] += 1
        before = len(self.given)
        was = self.values[id_]

        def done(_result: object) -> None:
            given = [each for each in self.given[before:] if each == (id_, value)]
            self._law(bool(given) or was == value, f"ok for {id_}={value} that was not given")
            self.counts["ok"] += 1

        def failed(_why: object) -> None:
            self.counts["not ok"] += 1

        result = self._control.set_parameter(id_, value)
        self._commands.append(result.addCallbacks(done, failed))

    def _law(self, holds: bool, what: str) -> None:
        self.counts["laws held" if holds else f"BROKEN: {what}"] += 1

    def _check(self, gateway: GatewaySide) -> None:
        boiler = self.boiler
        self._law(boiler.received == gateway.sent, "the boiler did not get the gateway's bytes")
        for sent, came in zip(gateway.sent_at, boiler.arrivals, strict=False):
            most = TIMEOUT + SLACK
            if came - sent > most:
                most += self._lateness.between(sent, came)
                self.counts["waits beside a busy machine"] += 1
            self._law(came - sent <= most, "the gateway waited too long")
            self.longest = max(self.longest, came - sent)
        got = gateway.received.split(b"\r\n")[:-1]
        kept = self.kept.data.split(b"\r\n")[:-1]
        said = Counter(line for line, _ in boiler.said)
        late = Counter(got + kept) - said, said - Counter(got + kept)
        # What was said in the last moment is still under way.
        self._law(not late[0] and late[1].total() <= 3, "a line was lost, made up or doubled")
        others = [line for line, _ in boiler.said if not line.startswith(b"$")]
        passed = [line for line in got if not line.startswith(b"$")]
        self._law(others[: len(passed)] == passed, "telemetry or notices out of order")
        own = [line for line, owner in boiler.said if owner == "gateway"]
        replies = [line for line in got if line.startswith(b"$")]
        self.counts["replies"] += len(own)
        self.counts[f"replies, {self.mode}"] += len(own)
        if replies != own:
            self._difference(replies, own)

    def _difference(self, replies: list[bytes], own: list[bytes]) -> None:
        self._law(self.mode != "prompt", "a gateway got another's reply from a prompt boiler")
        kind = {0: "exchanged", 1: "one too many", -1: "one missing"}
        more = len(replies) - len(own)
        self.counts[f"{kind[(more > 0) - (more < 0)]}, {self.mode}"] += max(abs(more), 1)
        for what, lines in (
            ("missing", Counter(own) - Counter(replies)),
            ("too many", Counter(replies) - Counter(own)),
        ):
            for line in lines:
                self.counts[f"line {what}: {line[:12].decode()}"] += 1


def watch_failures(counts: Counter[str]) -> None:
    """Count what is logged as a failure, and show the first."""

    def see(event: dict[str, Any]) -> None:
        if "log_failure" in event:
            counts["BROKEN: failures logged"] += 1
            if counts["BROKEN: failures logged"] < 3:
                print(event["log_failure"].getTraceback(), file=sys.stderr)

    globalLogPublisher.addObserver(see)


def report(counts: Counter[str], houses: list[House]) -> bool:
    """Print the figures; whether all laws held."""
    for what, count in sorted(counts.items()):
        million = count / max(counts["replies, " + what.rpartition(", ")[2]], 1) * 1e6
        share = f"{million:10.0f} in a million replies" if what.startswith(("one ", "exch")) else ""
        print(f"{count:12,}  {what}{share}")
    print(f"{max(each.longest for each in houses):12.3f}  s that the gateway waited at most")
    return not any(each.startswith("BROKEN") for each in counts)


async def run(minutes: float, beside: int, seed: int) -> bool:
    """Let it happen; whether all laws held."""
    counts: Counter[str] = Counter()
    watch_failures(counts)
    lateness = Lateness()
    houses = [House(seed + number, counts, lateness) for number in range(beside)]
    until = time.monotonic() + minutes * 60
    for each in houses:
        await each.open()
    await gatherResults([ensureDeferred(each.live(until)) for each in houses])
    return report(counts, houses)


def main() -> None:
    """Read the arguments, and run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--houses", type=int, default=8, help="beside each other")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for module, constants in SHORTER:
        for name, value in constants.items():
            setattr(module, name, value)
    status: list[int] = [2]

    def ended(held: bool) -> None:
        status[0] = 0 if held else 1

    def failed(why: Any) -> None:
        why.printTraceback()

    finished: Callable[[], Any] = lambda: ensureDeferred(  # noqa: E731
        run(options.minutes, options.houses, options.seed)
    )
    reactor.callWhenRunning(
        lambda: finished().addCallbacks(ended, failed).addBoth(lambda _: reactor.stop())
    )
    reactor.run()
    sys.exit(status[0])


if __name__ == "__main__":
    main()
