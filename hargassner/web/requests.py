"""A request to the page, and who answers it.

Twisted has a server of its own for this, with sessions, form data, objects on other machines, and
pages that show a traceback. The page needs none of that, and it would take 2 MB.
"""

from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import INTERNAL_SERVER_ERROR, Request, datetimeToString
from twisted.web.resource import IResource, getChildForRequest

log = Logger()

NOT_DONE_YET = 1
"""What a resource returns whose answer comes later, as Twisted's resources do."""

_BROKEN = b"This page is broken; the log has the reason.\n"


class PageRequest(Request):
    """A request; one that is not about a path has the same rules as all others.

    ``prepath`` and ``postpath`` are the parts of the path that have led to a resource, and those
    that follow.
    """

    site: Any
    prepath: list[bytes]
    postpath: list[bytes]

    def process(self) -> None:
        """Answer it with what the site has at the path."""
        self.site = self.channel.factory
        path = b"/*" if self.path == b"*" else self.path
        self.prepath, self.postpath = [], [*map(unquote_to_bytes, path[1:].split(b"/"))]
        self.setHeader(b"date", datetimeToString())  # type: ignore[no-untyped-call]
        try:
            self.render(getChildForRequest(self.site.root, self))
        except Exception:
            self._failed(Failure())

    def render(self, resource: IResource) -> None:
        """Answer it with what a resource has, if it has it already."""
        body: bytes | int = resource.render(self)
        if isinstance(body, bytes):
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        # To HEAD, Twisted sends the header only.
        self.setHeader(b"content-length", b"%d" % len(body))  # type: ignore[no-untyped-call]
        self.write(body)  # type: ignore[no-untyped-call]
        self.finish()  # type: ignore[no-untyped-call]

    def _failed(self, failure: Failure) -> None:
        log.failure("the page could not answer {path}", failure, path=self.path[:80])
        self.setResponseCode(INTERNAL_SERVER_ERROR)
        self.setHeader(b"content-type", b"text/plain; charset=utf-8")  # type: ignore[no-untyped-call]
        self.setHeader(b"cache-control", b"no-store")  # type: ignore[no-untyped-call]
        self._answer(_BROKEN)
