"""A request to the page, and what every answer to one needs.

Twisted has resources and a server of its own for this, with sessions, form data, objects on other
machines, and pages that show a traceback. The page needs none of that, and it would take 2 MB.
"""

from collections.abc import Callable

from twisted.logger import Logger
from twisted.web.http import INTERNAL_SERVER_ERROR, Request, datetimeToString

log = Logger()

Answer = Callable[[Request], bytes | None]
"""Answers a request with a body, or with None where that comes later."""

MISDIRECTED = 421
_REASONS = {MISDIRECTED: b"Misdirected Request"}  # Twisted does not know it.


class PageRequest(Request):
    """A request; one that is not about a path has the same rules as all others."""

    def process(self) -> None:
        """Answer it with what the site says, if that is known already."""
        self.setHeader(b"date", datetimeToString())  # type: ignore[no-untyped-call]
        try:
            body = self.channel.factory.answer(self)
            if body is not None:
                self._answer(body)
        except Exception:
            log.failure("the page could not answer {path}", path=self.path[:80])
            broken = "This page is broken; the log has the reason."
            self._answer(refused(self, INTERNAL_SERVER_ERROR, broken))

    def _answer(self, body: bytes) -> None:
        # To HEAD, Twisted sends the header only.
        self.setHeader(b"content-length", b"%d" % len(body))  # type: ignore[no-untyped-call]
        self.write(body)  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]


def refused(request: Request, code: int, text: str, **headers: str) -> bytes:
    """A refusal in one line."""
    request.setResponseCode(code, _REASONS.get(code))
    for name, value in headers.items():
        request.setHeader(name.replace("_", "-"), value)
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    request.setHeader(b"cache-control", b"no-store")
    return f"{text}\n".encode()
