"""Answers that something has to be read for in another thread, as a whole."""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.web.http import BAD_REQUEST, SERVICE_UNAVAILABLE, Request

from hargassner.storage.history.query import QueryError
from hargassner.web.compression import say_gzip, takes_gzip, whole
from hargassner.web.requests import refused

log = Logger()

AT_ONCE = 4
"""Answers that are given at once."""

_UNREADABLE = "This cannot be read; the log has the reason."

Given = dict[str, str]


def parameters(request: Request) -> Given:
    """What was asked for, as text; of a parameter that is given twice the last one counts."""
    arguments: dict[bytes, list[bytes]] = request.args or {}
    return {
        name.decode("latin-1"): values[-1].decode("utf-8", "replace")[:2000]
        for name, values in arguments.items()
    }


class Asked:
    """Something that is read when it is asked for.

    Args:
        read: gives it, for the parameters; raises ``QueryError`` where it does not understand them.
        kind: its type.
        file: what it is called where it is to be saved, empty where it is not.
    """

    def __init__(
        self,
        read: Callable[[Given], Coroutine[Deferred[Any], Any, bytes]],
        kind: bytes,
        file: str = "",
    ) -> None:
        self._read = read
        self._kind = kind
        self._file = file
        self._answering = 0

    def answer(self, request: Request) -> bytes | None:
        """Answer, or say why not."""
        request.setHeader(b"cache-control", b"no-store")
        if self._answering >= AT_ONCE:
            text = "Too many ask for this."
            return refused(request, SERVICE_UNAVAILABLE, text, retry_after="5")
        compress = takes_gzip(request)
        if request.method == b"HEAD":
            return self._headed(b"", request, compress=False)
        reading = Deferred.fromCoroutine(self._answer(request, compress))
        reading.addErrback(lambda why: log.failure("an answer of the page failed", why))
        return None

    async def _answer(self, request: Request, compress: bool) -> None:
        waiting = [request]
        gone: Deferred[Any] = request.notifyFinish()
        gone.addErrback(lambda _: waiting.clear())
        self._answering += 1
        data = await self._data(request, compress)
        self._answering -= 1
        for each in waiting:
            each.write(data)
            each.finish()

    async def _data(self, request: Request, compress: bool) -> bytes:
        """What is read, or why it is not."""
        try:
            return self._headed(await self._read(parameters(request)), request, compress=compress)
        except QueryError as wrong:
            return refused(request, BAD_REQUEST, str(wrong))
        except Exception:
            log.failure("an answer of the page cannot be read")
            return refused(request, SERVICE_UNAVAILABLE, _UNREADABLE)

    def _headed(self, data: bytes, request: Request, *, compress: bool) -> bytes:
        request.setHeader(b"content-type", self._kind)
        if self._file:
            disposition = f'attachment; filename="{self._file}"'
            request.setHeader(b"content-disposition", disposition.encode())
        if compress:
            say_gzip(request)
            return whole(data)
        return data
