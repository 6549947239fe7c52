"""Answers that are compressed for browsers that take them so."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from twisted.web.http import Request

T = TypeVar("T")

LEVEL = 5
"""Of 9; beyond it, a small machine works twice as long for a twentieth."""
_GZIP = 16 + zlib.MAX_WBITS


def takes_gzip(request: Request) -> bool:
    """Whether the answer may be compressed; says so in the answer's headers too."""
    request.responseHeaders.addRawHeader(b"vary", b"accept-encoding")
    header = request.getHeader(b"accept-encoding") or b""
    accepted = (each.replace(b" ", b"").partition(b";") for each in header.lower().split(b",")[:20])
    return any(name == b"gzip" and not _is_zero(how) for name, _, how in accepted)


def _is_zero(how: bytes) -> bool:
    name, _, weight = how.partition(b"=")
    return name == b"q" and weight.strip(b"0") in (b"", b".")


def say_gzip(request: Request) -> None:
    """The answer is compressed."""
    request.setHeader(b"content-encoding", b"gzip")


def whole(data: bytes, level: int = LEVEL) -> bytes:
    """Something compressed, always to the same bytes."""
    return gzip.compress(data, level, mtime=0)


def in_pieces(pieces: Iterator[Callable[[T], bytes]]) -> Iterator[Callable[[T], bytes]]:
    """Pieces of an answer as pieces of the compressed one; they are made in their order."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)

    def compressed(piece: Callable[[T], bytes], source: T) -> bytes:
        return compressor.compress(piece(source))

    for each in pieces:
        yield partial(compressed, each)
    yield lambda _: compressor.flush()
