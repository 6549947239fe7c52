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
something is, nobody can know some (docs/control.md).  Each line that went the wrong way is traced
to its class there (soak_classes.py), or is a mistake.  They are counted, and shown as parts in a
million of the gateway's replies.
"""

import argparse
import sys
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, ensureDeferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import globalLogPublisher

from hargassner.boiler.model import Boiler
from hargassner.catalogue import Catalogue
from hargassner.control import pacing, session_line, turns
from hargassner.control.queue import Control
from hargassner.discovery import Devices
from hargassner.monitor.interpreter import Interpreter
from hargassner.proxy import exchange_states
from hargassner.proxy.access import Access
from hargassner.proxy.factory import ProxyFactory
from hargassner.proxy.session import Session

sys.path.insert(0, str(Path(__file__).parents[1]))

from soak_classes import Classification
from soak_log import SessionLog
from soak_sides import ASKED, IDS, MODES, TIMEOUT, VALUES, BoilerSide, GatewaySide, Plant

reactor: Any = _reactor

OWED_TIMEOUT = 1.5
SHORTER = (
    (pacing, {"APART": 0.05, "BETWEEN": 0.05, "MINUTE": 1.0, "LONGEST_BACK_OFF": 0.5}),
    (session_line, {"QUIET": 0.3, "READ_PAUSE": 0.02, "READ_AGAIN": 1.0}),
    (exchange_states, {"OWED_TIMEOUT": OWED_TIMEOUT, "REFUSAL_PAUSE": 0.1}),
    (turns, {"GAP_TIMEOUT": 2.0}),
)
MOST_SETTLING = 30.0
"""Seconds for which it is waited that nothing is under way any more."""
STEP = 0.02
"""Seconds between two beats of the reactor."""
MOST_BEATS = 5
"""Beats that something may wait for beyond the timeout."""


class Beats:
    """When the reactor had a turn, 50 times a second at most.

    A busy machine makes everybody wait.  So what goes beyond the timeout is not told in seconds but
    in turns of the reactor in which it could have gone on: where timers fire and the bridge does
    not act, it is the bridge that is late.
    """

    def __init__(self) -> None:
        self._beats: list[float] = []
        self._beat()

    def between(self, begin: float, end: float) -> int:
        """How many."""
        return bisect_right(self._beats, end) - bisect_left(self._beats, begin)

    def _beat(self) -> None:
        self._beats.append(time.monotonic())
        reactor.callLater(STEP, self._beat)


class House:
    """One boiler, one bridge and one gateway, session after session."""

    def __init__(self, seed: int, counts: Counter[str], beats: Beats, logs: Path | None) -> None:
        self.random = Random(seed)
        self.plant = Plant(self.random)
        self.counts = counts
        self.boiler: BoilerSide
        self.log: SessionLog
        self.session: Session
        self.longest = 0.0
        self._beats = beats
        self._logs = logs
        model = Boiler(catalogue=Catalogue.load())
        self._interpreter = Interpreter(model, reactor, lambda _: None)
        self._control = Control(model, reactor, IDS, TIMEOUT)
        self._commands: list[Deferred[None]] = []

    async def open(self) -> None:
        """Listen."""
        listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(
            Factory.forProtocol(self._boiler_connects)
        )
        self._to_boiler = TCP4ClientEndpoint(reactor, "127.0.0.1", listening.getHost().port)
        proxy = ProxyFactory(reactor, self._connect, Access(["any"], Devices(reactor)), self._watch)
        proxying = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(proxy)
        self._gateways = TCP4ClientEndpoint(reactor, "127.0.0.1", proxying.getHost().port)

    def _boiler_connects(self) -> BoilerSide:
        self.boiler = BoilerSide(self.plant)
        return self.boiler

    def _connect(self, factory: Any) -> Any:
        """Connect a session to the boiler."""
        return self._to_boiler.connect(factory).addCallback(self.log.watch)

    def _watch(self, session: Session) -> list[object]:
        self.session = session
        self.log = SessionLog(session)
        interpreter = self._interpreter.observe(session)
        return [self.log, interpreter, self._control.observe(session, interpreter)]

    async def live(self, until: float) -> None:
        """Sessions until some moment."""
        while time.monotonic() < until:
            self.plant.mode = self.random.choice(MODES)
            await self._session()

    async def _session(self) -> None:
        gateway = await connectProtocol(self._gateways, GatewaySide(self.random))
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
            await self._settle(gateway)
            self._check_and_log(gateway)
            gateway.transport.loseConnection()
            await gateway.over
        await gatherResults(self._commands)
        self._commands.clear()

    async def _settle(self, gateway: GatewaySide) -> None:
        """Wait until nothing is under way, or something must have been lost."""
        until = time.monotonic() + MOST_SETTLING
        self.boiler.stop_notices()
        while not self._is_drained(gateway) and time.monotonic() < until:
            await deferLater(reactor, STEP)

    def _is_drained(self, gateway: GatewaySide) -> bool:
        """Whether all that was said has been heard, and nothing is owed for anything."""
        boiler = self.boiler
        return (
            all(each.called for each in self._commands)
            and boiler.is_idle
            and self.session.can_ask
            and gateway.is_idle
            and len(boiler.received) == len(gateway.sent)
            and boiler.sent_count == len(gateway.received) + len(self.log.kept)
        )

    def _command(self, id_: str, value: str) -> None:
        self.counts["commands"] += 1
        before = len(self.plant.given)
        was = self.plant.values[id_]

        def done(_result: object) -> None:
            given = [each for each in self.plant.given[before:] if each == (id_, value)]
            self._law(bool(given) or was == value, f"ok for {id_}={value} that was not given")
            self.counts["ok"] += 1

        def failed(_why: object) -> None:
            self.counts["not ok"] += 1

        result = self._control.set_parameter(id_, value)
        self._commands.append(result.addCallbacks(done, failed))

    def _law(self, holds: bool, what: str) -> None:
        self.counts["laws held" if holds else f"BROKEN: {what}"] += 1

    def _broken(self) -> int:
        return sum(n for what, n in self.counts.items() if what.startswith("BROKEN"))

    def _check_and_log(self, gateway: GatewaySide) -> None:
        before = self._broken()
        self._check(gateway)
        if self._logs is not None and self._broken() > before:
            self.log.write(self._logs / f"{self.counts['sessions']:05}.log")

    def _check(self, gateway: GatewaySide) -> None:
        boiler = self.boiler
        self._law(boiler.received == gateway.sent, "the boiler did not get the gateway's bytes")
        self._check_waits(gateway, boiler)
        got = gateway.received.split(b"\r\n")[:-1]
        kept = self.log.kept.split(b"\r\n")[:-1]
        said = Counter(each.line for each in boiler.said)
        self._law(Counter(got + kept) == said, "a line was lost, made up or doubled")
        others = [each.line for each in boiler.said if not each.line.startswith(b"$")]
        passed = [line for line in got if not line.startswith(b"$")]
        self._law(others == passed, "telemetry or notices out of order")
        own = [each.line for each in boiler.said if each.owner == "gateway"]
        replies = [line for line in got if line.startswith(b"$")]
        self.counts["replies"] += len(own)
        self.counts[f"replies, {self.plant.mode}"] += len(own)
        if replies != own:
            self._difference(replies, own)

    def _check_waits(self, gateway: GatewaySide, boiler: BoilerSide) -> None:
        for sent, came in zip(gateway.sent_at, boiler.arrivals, strict=False):
            beyond = self._beats.between(sent + TIMEOUT, came)
            self.counts["waits beyond the timeout, in a turn or two"] += beyond > 1
            self._law(beyond <= MOST_BEATS, f"the gateway waited too long, {beyond} beats")
            self.longest = max(self.longest, came - sent)

    def _difference(self, replies: list[bytes], own: list[bytes]) -> None:
        mode = self.plant.mode
        kind = {0: "exchanged", 1: "one too many", -1: "one missing"}
        more = len(replies) - len(own)
        self.counts[f"{kind[(more > 0) - (more < 0)]}, {mode}"] += max(abs(more), 1)
        traced = Classification(self.log.entries, self.boiler.said, OWED_TIMEOUT)
        self._law(bool(traced.found), "another's reply, and no line went the wrong way")
        for whose, request in traced.found:
            self.counts[f"nobody can know: {whose}, {request}"] += 1
        for each in traced.mistakes:
            print("MISTAKE", each, file=sys.stderr)
            self._law(False, "a line went the wrong way that could have been known")


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


async def run(minutes: float, beside: int, seed: int, logs: Path | None) -> bool:
    """Let it happen; whether all laws held."""
    counts: Counter[str] = Counter()
    watch_failures(counts)
    beats = Beats()
    houses = [House(seed + number, counts, beats, logs) for number in range(beside)]
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
    parser.add_argument("--logs", type=Path, help="a directory for the logs of sessions that fail")
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
        run(options.minutes, options.houses, options.seed, options.logs)
    )
    reactor.callWhenRunning(
        lambda: finished().addCallbacks(ended, failed).addBoth(lambda _: reactor.stop())
    )
    reactor.run()
    sys.exit(status[0])


if __name__ == "__main__":
    main()
