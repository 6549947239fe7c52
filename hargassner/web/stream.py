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

from collections import deque
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.http import Request

from hargassner.delayed import Delayed
from hargassner.parts import Parts
from hargassner.services import Service
from hargassner.web.changes import Changes, Picture
from hargassner.web.reader import News, Reader

log = Logger()

PERIOD = 1.0
"""Seconds between two changes."""
GAP = 0.005
"""Seconds between two pages that are sent the same change, so that however many are open, no
burst of writing holds up what passes through the proxy."""
READERS = 50
"""Open streams at most."""
RETRY = 2000
"""Milliseconds after which a page whose stream broke off comes back."""


class Live(Service):
    """Sends every open page what changes.

    Args:
        parts: have the model, the lines of dialogue and log, and the time.
        picture: gives everything else.
    """

    name = "live"

    def __init__(self, parts: Parts, picture: Picture) -> None:
        self._clock = clock = parts.clock
        self._readers: set[Reader] = set()
        self._changes = Changes(parts, picture, lambda: bool(self._readers))
        self._news: dict[str, News] = {}
        self._waiting: deque[Reader] = deque()
        self._next = Delayed(clock, GAP, self._send_next)
        self._sending = LoopingCall(self._send)
        self._sending.clock = clock

    @property
    def readers(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    def startService(self) -> None:
        """Observe the model, and send once a second."""
        super().startService()
        self._changes.start()
        self._sending.start(PERIOD, now=False)

    def stopService(self) -> None:
        """Send nothing more; the streams end with their connections."""
        super().stopService()
        self._sending.stop()
        self._changes.stop()
        self._waiting.clear()
        self._next.cancel()

    def join(self, request: Request, language: str) -> bool:
        """Open a stream on this request, or refuse it because there are too many."""
        if len(self._readers) >= READERS or not self.running:
            return False
        reader = Reader(request, language, self._clock)
        self._readers.add(reader)
        gone: Deferred[Any] = request.notifyFinish()
        gone.addBoth(lambda _: self._readers.discard(reader))
        request.registerProducer(reader, True)
        reader.begin(b"retry: %d\n\n" % RETRY)
        reader.send(self._news_of(b"", language))
        return True

    def _news_of(self, change: bytes, language: str) -> News:
        return News(change, lambda: self._changes.state(language), self._changes.alive)

    def _send(self) -> None:
        """Make the changes, and begin to send them to one page after another."""
        # A reactor that is busy has not come to some: they get everything, in their turn.
        outdated = self._waiting
        if self._changes.follow_wall_clock():
            outdated.extend(self._readers)
        self._collect()
        for reader in outdated:
            reader.outdate()
        self._waiting = deque(self._readers)
        if not self._next.is_waiting:
            self._send_next()

    def _collect(self) -> None:
        changes = self._changes.collected({reader.language for reader in self._readers})
        self._news = {each: self._news_of(change, each) for each, change in changes.items()}

    def _send_next(self) -> None:
        while self._waiting:
            reader = self._waiting.popleft()
            if reader in self._readers and reader.language in self._news:
                with log.failuresHandled("telling an open page of changes"):
                    reader.send(self._news[reader.language])
                break
        if self._waiting:
            self._next.start()
