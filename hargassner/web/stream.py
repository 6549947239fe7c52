"""The stream of changes to the pages that are open (server-sent events).

Events, each with ``now``, the date at the bridge; dates are in seconds since the epoch:

``state``
    first, again to whoever was too slow for a while, and again to everybody when the wall clock
    was set, so that no date is left that is wrong by now: ``values``, everything by its key, and
    ``lines``, the last lines of dialogue and log; ``version`` is the bridge's.
``change``
    at most once a second: ``values`` that changed, null for those that are no more, and new
    ``lines``.
``alive``
    when nothing else was said for a while, so that a page notices a connection that is dead.

A page that does not read costs one state and one change, and is dropped after a while.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.http import Request
from zope.interface import implementer

from hargassner import __version__
from hargassner.boiler.model import Boiler, BoilerObserver, Channel, Setting
from hargassner.clock import IClock, dates
from hargassner.monitor.traffic_log import DialogueLine, Journal, JournalLine
from hargassner.network.connecting import notice_its_loss
from hargassner.web.charts import Consumed
from hargassner.web.document import (
    Date,
    Json,
    boiler_picture,
    chain_picture,
    channel_picture,
    faults_picture,
    identity_picture,
    setting_picture,
)
from hargassner.web.status import Status

log = Logger()

PERIOD = 1.0
"""Seconds between two changes."""
GAP = 0.005
"""Seconds between two pages that are told of the same change, so that however many are open, no
burst of writing holds up what passes through the proxy."""
KEEP_ALIVE = 15.0
"""Seconds of silence at most."""
STALLED = 30.0
"""Seconds after which a page is dropped that does not read."""
READERS = 50
"""Open streams at most."""
LINES_SENT = 200
"""Lines of dialogue and of log at the beginning, each, and in one change together."""
RETRY = 2000
"""Milliseconds after which a page whose stream broke off comes back."""


@implementer(IPushProducer)
class Reader:
    """One open stream.

    Args:
        request: what it is written to.
        language: what it is told in.
        clock: time.
    """

    def __init__(self, request: Request, language: str, clock: IReactorTime) -> None:
        self.language = language
        self.missed = True
        self._request = request
        self._clock = clock
        self._paused_since: float | None = None
        self._written = clock.seconds()
        notice_its_loss(request.transport)

    @property
    def ready(self) -> bool:
        """Whether it has read what it was told."""
        return self._paused_since is None

    @property
    def stalled(self) -> bool:
        """Whether it has not read for too long."""
        since = self._paused_since
        return since is not None and self._clock.seconds() - since >= STALLED

    @property
    def silent(self) -> bool:
        """Whether it was told nothing for a while."""
        return self._clock.seconds() - self._written >= KEEP_ALIVE

    def write(self, data: bytes) -> None:
        """Tell it something."""
        self._written = self._clock.seconds()
        self._request.write(data)

    def drop(self) -> None:
        """End the stream at once."""
        cast("ITCPTransport", self._request.transport).abortConnection()

    def pauseProducing(self) -> None:
        """Its buffer is full."""
        if self._paused_since is None:
            self._paused_since = self._clock.seconds()

    def resumeProducing(self) -> None:
        """It has read."""
        self._paused_since = None

    def stopProducing(self) -> None:
        """It is gone; the request's end is told elsewhere."""


class Live(Service, BoilerObserver):
    """Tells every open page what changes.

    Args:
        boiler: the model.
        journal: the lines of dialogue and log.
        status: the chain's state now.
        consumed: what was burnt today.
        clock: time.
    """

    name = "live"

    def __init__(
        self,
        boiler: Boiler,
        journal: Journal,
        status: Callable[[], Status],
        consumed: Callable[[], Consumed | None],
        clock: IClock,
    ) -> None:
        self._boiler = boiler
        self._journal = journal
        self._status = status
        self._consumed = consumed
        self._clock = clock
        self._readers: set[Reader] = set()
        self._date = dates(clock)
        self._said: dict[str, dict[str, Json]] = {}
        self._stale: dict[str, Channel | Setting | None] = {}
        self._lines: deque[JournalLine] = deque(maxlen=LINES_SENT)
        self._changes: dict[str, bytes] = {}
        self._waiting: deque[Reader] = deque()
        self._next: IDelayedCall | None = None
        self._stops: list[Callable[[], None]] = []
        self._telling = LoopingCall(self._tell)
        self._telling.clock = clock

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    def startService(self) -> None:
        """Observe the model, and tell once a second."""
        super().startService()  # type: ignore[no-untyped-call]
        self._stops = [self._boiler.observe(self), self._journal.on_line(self._line)]
        self._telling.start(PERIOD, now=False)

    def stopService(self) -> None:
        """Tell nothing more; the streams end with their connections."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._telling.stop()
        for stop in self._stops:
            stop()
        self._waiting.clear()
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def join(self, request: Request, language: str) -> bool:
        """Open a stream on this request, or refuse it because there are too many."""
        if len(self._readers) >= READERS or not self.running:
            return False
        reader = Reader(request, language, self._clock)
        self._readers.add(reader)
        gone: Deferred[None] = request.notifyFinish()
        gone.addBoth(lambda _: self._readers.discard(reader))
        request.registerProducer(reader, True)
        reader.write(b"retry: %d\n\n" % RETRY)
        self._tell_state(reader)
        return True

    # What happens meanwhile.

    def described(self, channels: Sequence[Channel], gone: Sequence[Channel]) -> None:
        """Other channels than before."""
        if self._readers:
            self._stale |= {f"channel/{each.object}": None for each in gone}
            self._stale |= {f"channel/{each.object}": each for each in channels}

    def channel_changed(self, channel: Channel) -> None:
        """A channel shows something else."""
        if self._readers:
            self._stale[f"channel/{channel.object}"] = channel

    def setting_changed(self, setting: Setting) -> None:
        """A parameter is set otherwise."""
        if self._readers:
            self._stale[f"setting/{setting.id}"] = setting

    def _line(self, line: JournalLine) -> None:
        if self._readers:
            self._lines.append(line)

    # What is told.

    def _tell(self) -> None:
        self._follow_the_wall_clock()
        stale, self._stale = self._stale, {}
        lines = [_line_picture(each, self._date) for each in self._lines]
        self._lines.clear()
        languages = {reader.language for reader in self._readers}
        self._said = {each: said for each, said in self._said.items() if each in languages}
        self._changes = {}
        for language in languages:
            with log.failuresHandled("reckoning what changed for the open pages"):
                self._changes[language] = self._change(language, stale, lines)
        for reader in self._waiting:
            # A reactor that is busy has not come to it: it gets everything, in its turn.
            reader.missed = True
        self._waiting = deque(self._readers)
        if self._next is None:
            self._tell_next()

    def _follow_the_wall_clock(self) -> None:
        date = dates(self._clock)
        if date(0.0) != self._date(0.0):
            for reader in self._readers:
                reader.missed = True
        self._date = date

    def _tell_next(self) -> None:
        self._next = None
        while self._waiting:
            reader = self._waiting.popleft()
            if reader in self._readers and reader.language in self._changes:
                with log.failuresHandled("telling an open page of changes"):
                    self._tell_reader(reader, self._changes[reader.language])
                break
        if self._waiting:
            self._next = self._clock.callLater(GAP, self._tell_next)

    def _tell_reader(self, reader: Reader, change: bytes) -> None:
        if reader.stalled:
            log.info("a page that was open does not read any more: dropped")
            reader.drop()
        elif not reader.ready:
            reader.missed = reader.missed or bool(change)
        elif reader.missed:
            self._tell_state(reader)
        elif change:
            reader.write(change)
        elif reader.silent:
            reader.write(self._event("alive"))

    def _tell_state(self, reader: Reader) -> None:
        reader.missed = False
        reader.write(self._state(reader.language))

    def _small(self, language: str) -> dict[str, Json]:
        """What is compared as a whole."""
        return {
            "chain": chain_picture(self._status(), language, self._date),
            "boiler": boiler_picture(self._boiler, self._consumed(), language, self._date),
            "faults": faults_picture(self._boiler, language, self._date),
            "identity": identity_picture(self._boiler),
        }

    def _state(self, language: str) -> bytes:
        values: dict[str, Json] = self._small(language)
        for channel in self._boiler.channels.values():
            values[f"channel/{channel.object}"] = channel_picture(
                self._boiler, channel, language, self._date
            )
        for setting in self._boiler.settings.values():
            values[f"setting/{setting.id}"] = setting_picture(setting, language, self._date)
        newest: list[JournalLine] = [*self._journal.dialogue[-LINES_SENT:]]
        newest += self._journal.lines[-LINES_SENT:]
        # What waits for the next change is told then.
        waiting = {id(each) for each in self._lines}
        lines = [_line_picture(each, self._date) for each in newest if id(each) not in waiting]
        return self._event("state", version=__version__, values=values, lines=lines)

    def _change(
        self,
        language: str,
        stale: Mapping[str, Channel | Setting | None],
        lines: Sequence[Json],
    ) -> bytes:
        """The event that tells of what changed, empty if nothing did."""
        small = self._small(language)
        said = self._said.get(language, {})
        values = {key: value for key, value in small.items() if said.get(key) != value}
        self._said[language] = small
        for key, thing in stale.items():
            match thing:
                case Channel():
                    values[key] = channel_picture(self._boiler, thing, language, self._date)
                case Setting():
                    values[key] = setting_picture(thing, language, self._date)
                case None:
                    values[key] = None
        return self._event("change", values=values, lines=lines) if values or lines else b""

    def _event(self, name: str, **fields: Json) -> bytes:
        now = self._date(self._clock.seconds())
        data = json.dumps({"now": now, **fields}, separators=(",", ":"))
        return f"event: {name}\ndata: {data}\n\n".encode()


def _line_picture(line: JournalLine, date: Date) -> Json:
    """One line; a page shows dialogue and log apart, so that each is in its own order."""
    if isinstance(line, DialogueLine):
        return {
            "kind": "dialogue",
            "at": date(line.at),
            "from": line.direction,
            "session": line.session,
            "text": line.text,
        }
    return {"kind": "log", "at": date(line.at), "level": line.level, "text": line.text}
