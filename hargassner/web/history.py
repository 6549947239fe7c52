"""``/api/history``: what was asked of the history, piece by piece as the client takes it.

The pieces are read, and made text, in the history's thread; the reactor only passes them on.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from twisted.web.http import BAD_REQUEST, SERVICE_UNAVAILABLE, Request
from twisted.web.resource import Resource
from zope.interface import implementer

from hargassner.clock import IClock
from hargassner.storage.history.csv_text import csv_pieces
from hargassner.storage.history.query import Query, QueryError, parse_query, select
from hargassner.storage.history.reader import kept
from hargassner.web.compression import in_pieces, say_gzip, takes_gzip
from hargassner.web.history_forms import Piece, json_pieces, nothing
from hargassner.web.history_labels import Labels
from hargassner.web.requests import NOT_DONE_YET

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


class HistoryResource(Resource):
    """The history, as JSON or CSV.

    Args:
        history: where it is kept, None where none is.
        labels: what things are called, in a language.
        language: the one that a request is to be answered in.
        clock: time.
    """

    isLeaf = True

    def __init__(
        self,
        history: "History | None",
        labels: Callable[[str], Labels],
        language: Callable[[Request], str],
        clock: IClock,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._history = history
        self._labels = labels
        self._language = language
        self._clock = clock
        self._answering = 0

    def render_GET(self, request: Request) -> bytes | int:
        """Answer, or say why not."""
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"vary", b"accept-language")
        try:
            given = _parameters(request)
            query = parse_query(given, self._clock.date(self._clock.seconds()))
            as_csv = _one_of(given, "format", "json", "csv") == "csv"
            comma = _one_of(given, "decimal", "point", "comma") == "comma"
        except QueryError as wrong:
            return _refused(request, BAD_REQUEST, str(wrong))
        if self._answering >= ANSWERS:
            request.setHeader(b"retry-after", b"5")
            return _refused(request, SERVICE_UNAVAILABLE, "Too many ask for the history.")
        request.setHeader(b"content-type", _CSV if as_csv else b"application/json")
        if request.method == b"HEAD":
            return b""
        if self._history is None:
            return nothing(query)
        labels = self._labels(self._language(request))
        form: Form = partial(json_pieces, query, labels)
        if as_csv:
            request.setHeader(b"content-disposition", b'attachment; filename="hargassner.csv"')
            form = partial(_csv_pieces, query, labels.kwh_per_kg, comma)
        if takes_gzip(request):
            say_gzip(request)
            form = partial(_compressed, form)
        answering = Deferred.fromCoroutine(self._answer(self._history, request, form))
        answering.addErrback(lambda why: log.failure("giving the history failed", why))
        return NOT_DONE_YET

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
        self.send(_refused(self._request, SERVICE_UNAVAILABLE, "The history cannot be read."))

    def finish(self) -> None:
        """End the answer."""
        if not self.is_gone:
            self._request.unregisterProducer()
            self._request.finish()


def _parameters(request: Request) -> dict[str, str]:
    """What was asked for; of a parameter that is given twice the last one counts."""
    arguments = cast("dict[bytes, list[bytes]]", request.args)
    given = {name.decode("latin-1"): values[-1] for name, values in arguments.items()}
    unknown = sorted(set(given) - set(PARAMETERS))
    if unknown:
        raise QueryError(f"there is no such parameter; there are {', '.join(PARAMETERS)}")
    return {name: value.decode("utf-8", "replace")[:2000] for name, value in given.items()}


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


def _refused(request: Request, code: int, text: str) -> bytes:
    request.setResponseCode(code)
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    request.responseHeaders.removeHeader(b"content-encoding")
    return f"{text}\n".encode()
