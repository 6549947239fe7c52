"""What of the page does not change while the bridge runs."""

import hashlib
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from twisted.web.http import Request

from hargassner.web.compression import say_gzip, takes_gzip, whole

SMALLEST = 9
"""How hard they are compressed: once."""

_KINDS = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
}
_COMPRESSED = (".png",)
"""What is compressed as it is."""


class Asset:
    """Something that the browser keeps, and asks each time whether it has changed.

    Args:
        content: its bytes.
        kind: its type.
        language: the one that it is in, empty where it is in none.
        compress: whether it may be sent compressed.
    """

    def __init__(
        self, content: bytes, kind: bytes, language: str = "", *, compress: bool = True
    ) -> None:
        self._content = content
        self._compress = compress
        self._kind = kind
        self._language = language
        self._tag = hashlib.sha256(content).hexdigest()[:16].encode()

    @cached_property
    def _small(self) -> bytes:
        # Not before somebody asks: the bridge has other things to do when it starts.
        return whole(self._content, SMALLEST)

    def answer(self, request: Request) -> bytes:
        """The content, or that it is what the browser has."""
        is_small = self._compress and takes_gzip(request)
        request.setHeader(b"content-type", self._kind)
        request.setHeader(b"cache-control", b"no-cache")
        if self._language:
            request.setHeader(b"content-language", self._language)
        # Another form of the same is another thing, to whatever keeps it on the way.
        if request.setETag(b'"%s%s"' % (self._tag, b"-gzip" if is_small else b"")):
            return b""
        if not is_small:
            return self._content
        say_gzip(request)
        return self._small


def assets() -> dict[bytes, Asset]:
    """The page's files, by their names."""
    static = files(__package__).joinpath("static")
    found = static.iterdir()
    return {each.name.encode(): _asset(each) for each in found if _suffix(each) in _KINDS}


def _suffix(file: Traversable) -> str:
    return file.name[file.name.rfind(".") :]


def _asset(file: Traversable) -> Asset:
    suffix = _suffix(file)
    return Asset(file.read_bytes(), _KINDS[suffix], compress=suffix not in _COMPRESSED)
