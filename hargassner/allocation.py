"""How the C library keeps memory, where it is glibc: for a small machine, not for many threads."""

import ctypes
from contextlib import suppress

_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8
"""Of <malloc.h>; other C libraries take no such options, or have no function for them."""
_KEPT = 128 * 1024
"""Bytes at the end of the heap that are kept for later. It is glibc's own default, which it raises
whenever something larger is freed, up to 64 MB, unless it is set."""


def keep_little() -> None:
    """Have threads share one arena, and give back what is free at the heap's end.

    Each thread has an arena of its own else, and each of these holds the most that its thread ever
    needed at once: 0.3 MB for each that has written a recording. Since only one thread at a time
    runs Python, there is nothing to be gained by it.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT)
