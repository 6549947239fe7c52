"""How a boiler's network stack cuts what it sends (docs/protocol.md, section 2)."""

LARGEST_SEGMENT = 1456
"""Bytes in a long message's first and every further long segment."""

TAIL = 4
"""Bytes in the short segment after each long one."""


def segments(message: bytes) -> list[bytes]:
    """Cut one message as a boiler does.

    The last four bytes come in a segment of their own; a message of four bytes or fewer comes
    whole; a long one comes as 1456 and 4 bytes, again and again.
    """
    pieces: list[bytes] = []
    step = LARGEST_SEGMENT + TAIL
    for start in range(0, len(message), step):
        part = message[start : start + step]
        pieces += (part[:-TAIL], part[-TAIL:])
    return [*filter(None, pieces)]
