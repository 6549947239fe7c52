"""Text of JSON, put together of pieces."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain, repeat

from hargassner.storage.history.csv_text import Piece
from hargassner.storage.history.number_text import repeated
from hargassner.web.document import Json


def json_text(value: Json) -> bytes:
    """A value, without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def fixed(text: bytes) -> Piece:
    """A piece that needs no reading."""
    return lambda _: text


def commas() -> Iterator[bytes]:
    """What is before each of the things in a list."""
    return chain([b""], repeat(b","))


def json_numbers(form: str, numbers: Sequence[float]) -> bytes:
    """Numbers in a ``%`` format that ends with a comma, as JSON; null for what is not known."""
    written = repeated(form, numbers).replace("nan", "null").replace(".00,", ",")
    return f"[{written[:-1]}]".encode()
