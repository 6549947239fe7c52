"""``/api/history``: what was asked of the history, piece by piece as the client takes it.

The pieces are read, and made text, in the history's thread; the reactor only passes them on.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.web.http import BAD_REQUEST, SERVICE_UNAVAILABLE, Request
from zope.interface import implementer

from hargassner.clock import IClock
from hargassner.storage.history.csv_text import Piece, csv_pieces
from hargassner.storage.history.query import Query, QueryError, parse_query, select
from hargassner.storage.history.reader import kept
from hargassner.web.asked import parameters
from hargassner.web.compression import in_pieces, say_gzip, takes_gzip
from hargassner.web.history_forms import json_pieces, nothing
from hargassner.web.history_labels import Labels
from hargassner.web.requests import refused

if TYPE_CHECKING:
    import sqlite3

    from hargassner.storage.history.service import History

log = Logger()

ANSWERS = 8
"""Answers that are given at once."""
PART = 250_000
"""Bytes from which on a part of an answer is sent."""
_CSV = b"text/csv; charset=utf-8"
Form = Callable[["sqlite3.Cursor"], Iterator[Piece]]
PARAMETERS = ("from", "to", "grain", "channels", "format", "decimal")


class HistoryResource:
    """The history, as JSON or CSV.

    Args:
        history: where it is kept, None where none is.
        labels: what things are called, in a language.
        language: the one that a request is to be answered in.
        clock: time.
    """

    def __init__(
        self,
        history: "History | None",
        labels: Callable[[str], Labels],
        language: Callable[[Request], str],
        clock: IClock,
    ) -> None:
        self._history = history
        self._labels = labels
        self._language = language
        self._clock = clock
        self._answering = 0

    def answer(self, request: Request) -> bytes | None:
        """Answer, or say why not."""
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"vary", b"accept-language")
        try:
            wanted = _wanted(parameters(request), self._clock.date(self._clock.seconds()))
        except QueryError as wrong:
            return refused(request, BAD_REQUEST, str(wrong))
        if self._answering >= ANSWERS:
            text = "Too many ask for the history."
            return refused(request, SERVICE_UNAVAILABLE, text, retry_after="5")
        request.setHeader(b"content-type", wanted.kind)
        if request.method == b"HEAD":
            return b""
        if self._history is None:
            return nothing(wanted.query)
        if wanted.as_csv:
            request.setHeader(b"content-disposition", b'attachment; filename="hargassner.csv"')
        form = wanted.form(self._labels(self._language(request)))
        self._begin(self._history, request, form)
        return None

    def _begin(self, history: "History", request: Request, form: Form) -> None:
        if takes_gzip(request):
            say_gzip(request)
            form = partial(_compressed, form)
        answering = Deferred.fromCoroutine(self._answer(history, request, form))
        answering.addErrback(lambda why: log.failure("giving the history failed", why))

    async def _answer(self, history: "History", request: Request, form: Form) -> None:
        self._answering += 1
        reader = _Reader(request)
        request.registerProducer(reader, True)
        try:
            pieces = await history.read(lambda cursor: deque(form(cursor)))
            while pieces and await reader.takes_more():
                reader.send(await history.read(partial(_next_part, pieces)))
        except Exception:
            log.failure("the history cannot be read")
            reader.fail()
        finally:
            self._answering -= 1
            reader.finish()


def _next_part(pieces: deque[Piece], cursor: "sqlite3.Cursor") -> bytes:
    """As many of the pieces that are left as are worth a transaction."""
    part = bytearray()
    while pieces and len(part) < PART:
        part += pieces.popleft()(cursor)
    return bytes(part)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked, and in which form."""

    query: Query
    as_csv: bool
    comma: bool

    @property
    def kind(self) -> bytes:
        """The type of the answer."""
        return _CSV if self.as_csv else b"application/json"

    def form(self, labels: Labels) -> Form:
        """What makes the pieces of the answer."""
        if self.as_csv:
            return partial(_csv_pieces, self.query, labels.kwh_per_kg, self.comma)
        return partial(json_pieces, self.query, labels)


@implementer(IPushProducer)
class _Reader:
    """Who asked, as fast as he reads."""

    def __init__(self, request: Request) -> None:
        self.is_gone = False
        self._request = request
        self._begun = False
        self._waiting: Deferred[None] | None = None
        self._paused = False
        gone = cast("Deferred[object]", request.notifyFinish())
        gone.addErrback(lambda _: self.stopProducing())

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def stopProducing(self) -> None:
        self.is_gone = True
        self.resumeProducing()

    async def takes_more(self) -> bool:
        """Wait until he does; False once he is gone."""
        if self._paused and not self.is_gone:
            self._waiting = Deferred()
            await self._waiting
        return not self.is_gone

    def send(self, data: bytes) -> None:
        """Send him something."""
        if data and not self.is_gone:
            self._begun = True
            self._request.write(data)

    def fail(self) -> None:
        """Say that there is nothing to be had, or break off what was begun."""
        if self.is_gone:
            return
        if self._begun:
            # An answer that ends early must not look like a whole one.
            self.is_gone = True
            self._request.unregisterProducer()
            self._request.loseConnection()
            return
        self._request.responseHeaders.removeHeader(b"content-encoding")
        self.send(refused(self._request, SERVICE_UNAVAILABLE, "The history cannot be read."))

    def finish(self) -> None:
        """End the answer."""
        if not self.is_gone:
            self._request.unregisterProducer()
            self._request.finish()


def _wanted(given: Mapping[str, str], now: float) -> _Wanted:
    """What was asked for.

    Raises:
        QueryError: it cannot be understood.
    """
    if not given.keys() <= set(PARAMETERS):
        raise QueryError(f"there is no such parameter; there are {', '.join(PARAMETERS)}")
    query = parse_query(given, now)
    as_csv = _one_of(given, "format", "json", "csv") == "csv"
    return _Wanted(query, as_csv, _one_of(given, "decimal", "point", "comma") == "comma")


def _one_of(given: Mapping[str, str], name: str, default: str, other: str) -> str:
    value = given.get(name, default)
    if value not in (default, other):
        raise QueryError(f"{name} must be {default} or {other}")
    return value


def _csv_pieces(
    query: Query, kwh_per_kg: float, comma: bool, cursor: "sqlite3.Cursor"
) -> Iterator[Piece]:
    return csv_pieces(select(query, kept(cursor)), kwh_per_kg, comma)


def _compressed(form: Form, cursor: "sqlite3.Cursor") -> Iterator[Piece]:
    return in_pieces(form(cursor))
