"""The HTTP side: what is where, for whom, and with which headers.

Only GET and HEAD, nothing from elsewhere, and nothing that the browser may take for something
else; and only for those who ask for this machine by a name or an address of its own
(``hosts`` tells why).
"""

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from urllib.parse import unquote_to_bytes

from twisted.web.http import NOT_ALLOWED, NOT_FOUND, SERVICE_UNAVAILABLE, Request

from hargassner.web.assets import Asset, assets
from hargassner.web.connections import Fault, PageSite
from hargassner.web.document import Json
from hargassner.web.hosts import OwnHosts
from hargassner.web.manifest import manifest
from hargassner.web.requests import MISDIRECTED, Answer, refused
from hargassner.web.stream import Live
from hargassner.web.texts import preferred_language

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

_MISDIRECTED_TEXT = (
    "This is not the name of the machine that the bridge runs on. Ask for the page by the "
    "machine's address, or put the name into hosts in [web] of the bridge's configuration."
)


def in_languages(asset: Callable[[str], Asset]) -> Answer:
    """Something that there is in each language: the one that the browser asks for."""
    made = cache(asset)

    def answer(request: Request) -> bytes:
        request.responseHeaders.addRawHeader(b"vary", b"accept-language")
        return made(requested_language(request)).answer(request)

    return answer


def _page(language: str) -> Asset:
    # Templates are loaded where somebody looks at the page.
    from hargassner.web.page import page

    return Asset(page(language), b"text/html; charset=utf-8", language)


def _manifest(language: str) -> Asset:
    return Asset(manifest(language), b"application/manifest+json")


def data(values: Callable[[str], tuple[int, Json]], request: Request) -> bytes:
    """Values in the language that is asked for, and the HTTP status with them, as JSON."""
    code, told = values(requested_language(request))
    request.setResponseCode(code)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"vary", b"accept-language")
    return json.dumps(told, ensure_ascii=False).encode()


def events(live: Live, request: Request) -> bytes | None:
    """The stream of changes."""
    request.setHeader(b"content-type", b"text/event-stream; charset=utf-8")
    request.setHeader(b"cache-control", b"no-store")
    request.setHeader(b"x-accel-buffering", b"no")
    if request.method == b"HEAD":
        return b""
    if not live.join(request, requested_language(request)):
        return refused(request, SERVICE_UNAVAILABLE, "Too many pages are open.", retry_after="30")
    return None


def _metrics(figures: Callable[[], bytes], request: Request) -> bytes:
    """The figures for Prometheus."""
    request.setHeader(b"content-type", PROMETHEUS_TEXT)
    request.setHeader(b"cache-control", b"no-store")
    return figures()


def _not_found(request: Request) -> bytes:
    return refused(request, NOT_FOUND, "There is nothing here.")


class Root:
    """Everything there is, behind the rules that hold for all of it.

    Args:
        api: what is below ``/api``, by name.
        health: whether the bridge serves, for ``/healthz``.
        figures: the figures for Prometheus, as text.
        hosts: tells who asks for this machine.
    """

    def __init__(
        self,
        api: Mapping[bytes, Answer],
        health: Callable[[str], tuple[int, Json]],
        figures: Callable[[], bytes],
        hosts: OwnHosts,
    ) -> None:
        self._hosts = hosts
        self._api = api
        self._others: dict[bytes, Answer] = {
            **{name: asset.answer for name, asset in assets().items()},
            b"manifest.webmanifest": in_languages(_manifest),
            b"": in_languages(_page),
            b"metrics": partial(_metrics, figures),
            b"healthz": partial(data, health),
        }

    def answer(self, request: Request) -> bytes | None:
        """What is at the path, or why not."""
        for name, value in SAFE_HEADERS.items():
            request.setHeader(name, value)
        if request.method not in (b"GET", b"HEAD"):
            text = "Nothing can be changed here."
            return refused(request, NOT_ALLOWED, text, allow="GET, HEAD")
        wrong = self._wrong_host(request)
        if wrong is not None:
            site: PageSite = request.channel.factory
            site.refused(Fault.HOST, getattr(request.getClientAddress(), "host", ""), wrong)
            return refused(request, MISDIRECTED, _MISDIRECTED_TEXT)
        return self._at(request.path)(request)

    def _at(self, path: bytes) -> Answer:
        """What answers for a path, and for all that is below it."""
        first, *below = map(unquote_to_bytes, path.removeprefix(b"/").split(b"/"))
        if first == b"api" and below:
            return self._api.get(below[0], _not_found)
        return self._others.get(first, _not_found)

    def _wrong_host(self, request: Request) -> str | None:
        """What the request takes this machine for where it is not that, else None."""
        reached = _reached(request)
        # A client that names no host (HTTP/1.0) is no browser, and has this address from somewhere.
        for each in request.requestHeaders.getRawHeaders(b"host", []):
            header = each.decode("latin-1")
            if not self._hosts.has(header, reached):
                return header
        return None


def requested_language(request: Request) -> str:
    """The language that the browser asks for, of those that the page has."""
    # As bytes: as text, Twisted would insist on UTF-8.
    accepted = request.getHeader(b"accept-language") or b""
    return preferred_language(accepted.decode("latin-1"))


def _reached(request: Request) -> str:
    """The address that the client has connected to."""
    # A connection over a UNIX socket has none, and is as local as can be.
    return getattr(request.getHost(), "host", "127.0.0.1")
