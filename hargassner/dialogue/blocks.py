"""Blocks: replies of several lines, between ``$<<`` and ``>>``."""

from hargassner.dialogue.descriptor import LARGEST_DOCUMENT
from hargassner.dialogue.lines import BEGINNING


def begins_block(line: bytes) -> bool:
    """Whether more lines belong to this one."""
    return line.startswith(b"$<<") and not line.endswith(b">>")


class Block:
    """Joins the lines of one block after the other; what it holds is bounded."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        # A block that is open has its beginning in it.
        self._text = bytearray()

    @property
    def open(self) -> bool:
        """Whether a block has begun that has not ended."""
        return bool(self._text)

    @property
    def too_long(self) -> bool:
        """Whether it is longer than any reply."""
        return len(self._text) > LARGEST_DOCUMENT

    def begin(self, line: bytes) -> None:
        """A block begins with this line."""
        self._text = bytearray(line)

    def add(self, line: bytes) -> bytes | None:
        """A line of the open block; the whole block if that was the last one."""
        self._text += b"\r\n" + line
        if self.too_long or not line.endswith(b">>"):
            return None
        whole, self._text = bytes(self._text), bytearray()
        return whole

    def drop(self) -> bytes:
        """Forget the block; the result is how it began."""
        beginning = bytes(self._text[:BEGINNING])
        self._text = bytearray()
        return beginning
