"""The HTTP side: what is where, for whom, and with which headers.

Only GET and HEAD, nothing from elsewhere, and nothing that the browser may take for something
else; and only for those who ask for this machine by a name or an address of its own
(``hosts`` tells why).
"""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import cast

from twisted.web.http import NOT_ALLOWED, NOT_FOUND, OK, SERVICE_UNAVAILABLE, Request
from twisted.web.resource import IResource, Resource

from hargassner.web.assets import Asset, assets
from hargassner.web.connections import Fault, PageSite
from hargassner.web.document import Json
from hargassner.web.hosts import OwnHosts
from hargassner.web.manifest import manifest
from hargassner.web.requests import NOT_DONE_YET
from hargassner.web.stream import Live
from hargassner.web.texts import LANGUAGES, preferred_language

SAFE_HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        b"connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"server": b"hargassner",
}

PROMETHEUS_TEXT = b"text/plain; version=0.0.4; charset=utf-8"
"""The type of the figures."""

_MISDIRECTED = 421
_REASONS = {_MISDIRECTED: b"Misdirected Request"}  # Twisted does not know it.
_MISDIRECTED_TEXT = (
    "This is not the name of the machine that the bridge runs on. Ask for the page by the "
    "machine's address, or put the name into hosts in [web] of the bridge's configuration."
)


class Answer(Resource):
    """A short answer in plain text."""

    isLeaf = True

    def __init__(self, code: int, text: str, **headers: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._code = code
        self._text = text
        self._headers = headers

    def render(self, request: Request) -> bytes:
        """Answer, whatever the method."""
        request.setResponseCode(self._code, _REASONS.get(self._code))
        for name, value in self._headers.items():
            request.setHeader(name, value)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        return f"{self._text}\n".encode()


class InLanguages(Resource):
    """The page, in the language that the browser asks for."""

    isLeaf = True

    @cached_property
    def _pages(self) -> dict[str, Asset]:
        # Templates are loaded where somebody looks at the page.
        from hargassner.web.page import page

        kind = b"text/html; charset=utf-8"
        return {each: Asset(page(each), kind) for each in LANGUAGES}

    def render_GET(self, request: Request) -> bytes:
        """The page."""
        language = requested_language(request)
        request.setHeader(b"content-language", language)
        request.responseHeaders.addRawHeader(b"vary", b"accept-language")
        return self._pages[language].render_GET(request)


class Manifests(Resource):
    """What a device needs to know to install the page, in the language that is asked for."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._manifests = {
            each: Asset(manifest(each), b"application/manifest+json") for each in LANGUAGES
        }

    def render_GET(self, request: Request) -> bytes:
        """The manifest."""
        request.responseHeaders.addRawHeader(b"vary", b"accept-language")
        return self._manifests[requested_language(request)].render_GET(request)


class Data(Resource):
    """Values as JSON.

    Args:
        values: gives them in a language, and the HTTP status that goes with them.
    """

    isLeaf = True

    def __init__(self, values: Callable[[str], tuple[int, Json]]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._values = values

    def render_GET(self, request: Request) -> bytes:
        """The values now."""
        code, values = self._values(requested_language(request))
        request.setResponseCode(code)
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"vary", b"accept-language")
        return json.dumps(values, ensure_ascii=False).encode()


class Metrics(Resource):
    """The figures for Prometheus."""

    isLeaf = True

    def __init__(self, figures: Callable[[], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._figures = figures

    def render_GET(self, request: Request) -> bytes:
        """The figures now."""
        request.setHeader(b"content-type", PROMETHEUS_TEXT)
        request.setHeader(b"cache-control", b"no-store")
        return self._figures()


class Events(Resource):
    """The stream of changes."""

    isLeaf = True

    def __init__(self, live: Live) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._live = live

    def render_GET(self, request: Request) -> bytes | int:
        """Open a stream."""
        request.setHeader(b"content-type", b"text/event-stream; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-accel-buffering", b"no")
        if request.method == b"HEAD":
            return b""
        if not self._live.join(request, requested_language(request)):
            answer = Answer(
                SERVICE_UNAVAILABLE, "Too many pages are open.", **{"retry-after": "30"}
            )
            return answer.render(request)
        return NOT_DONE_YET


class Root(Resource):
    """Everything there is, behind the rules that hold for all of it.

    Args:
        state: the model as JSON, for ``/api/state``.
        history: the history, for ``/api/history``.
        health: whether the bridge serves, for ``/healthz``.
        live: the stream.
        figures: the figures for Prometheus, as text.
        hosts: tells who asks for this machine.
    """

    def __init__(
        self,
        state: Callable[[str], Json],
        asked: Mapping[bytes, IResource],
        health: Callable[[], tuple[int, Json]],
        live: Live,
        figures: Callable[[], bytes],
        hosts: OwnHosts,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._hosts = hosts
        for name, asset in assets().items():
            self.putChild(name, asset)
        self.putChild(b"manifest.webmanifest", Manifests())
        interface = Folder()
        interface.putChild(b"state", Data(lambda language: (OK, state(language))))
        for name, answers in asked.items():
            interface.putChild(name, answers)
        interface.putChild(b"events", Events(live))
        self.putChild(b"", InLanguages())  # type: ignore[no-untyped-call]
        self.putChild(b"api", interface)
        self.putChild(b"metrics", Metrics(figures))
        self.putChild(b"healthz", Data(lambda _language: health()))

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """What is at ``path``, or why not."""
        for name, value in SAFE_HEADERS.items():
            request.setHeader(name, value)
        if request.method not in (b"GET", b"HEAD"):
            return Answer(NOT_ALLOWED, "Nothing can be changed here.", allow="GET, HEAD")
        wrong = self._wrong_host(request)
        if wrong is not None:
            site: PageSite = request.site  # type: ignore[attr-defined]
            site.refused(Fault.HOST, getattr(request.getClientAddress(), "host", ""), wrong)
            return Answer(_MISDIRECTED, _MISDIRECTED_TEXT)
        known = cast("IResource | None", self.children.get(path))
        return known or NotFound()

    def _wrong_host(self, request: Request) -> str | None:
        """What the request takes this machine for where it is not that, else None."""
        reached = _reached(request)
        # A client that names no host (HTTP/1.0) is no browser, and has this address from somewhere.
        for each in request.requestHeaders.getRawHeaders(b"host", []):
            header = each.decode("latin-1")
            if not self._hosts.has(header, reached):
                return header
        return None


class NotFound(Answer):
    """There is nothing."""

    def __init__(self) -> None:
        super().__init__(NOT_FOUND, "There is nothing here.")


class Folder(NotFound):
    """Nothing by itself; there is something in it."""

    isLeaf = False

    def getChild(self, path: bytes, request: Request) -> IResource:
        """Whatever was not put there is not there."""
        return NotFound()


def requested_language(request: Request) -> str:
    """The language that the browser asks for, of those that the page has."""
    # As bytes: as text, Twisted would insist on UTF-8.
    accepted = request.getHeader(b"accept-language") or b""
    return preferred_language(accepted.decode("latin-1"))


def _reached(request: Request) -> str:
    """The address that the client has connected to."""
    # A connection over a UNIX socket has none, and is as local as can be.
    return getattr(request.getHost(), "host", "127.0.0.1")
