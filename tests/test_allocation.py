"""How memory is kept: as little as the C library can be told to, where it can be told."""

import ctypes
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from hargassner.allocation import keep_little


class Library:
    """A C library that can be told."""

    def __init__(self) -> None:
        self.told: dict[int, int] = {}

    def mallopt(self, option: int, value: int) -> int:
        """Take an option."""
        self.told[option] = value
        return 1


class KeepLittleTests(SynchronousTestCase):
    def keep_little(self, library: Any) -> None:
        """Have this library told."""
        self.patch(ctypes, "CDLL", lambda _name: library)
        keep_little()

    def test_threads_share_one_arena(self) -> None:
        library = Library()
        self.keep_little(library)
        self.assertEqual(1, library.told[-8])

    def test_what_is_free_at_the_end_of_the_heap_is_given_back(self) -> None:
        library = Library()
        self.keep_little(library)
        self.assertEqual(131_072, library.told[-1])

    def test_a_library_that_cannot_be_told_is_left_alone(self) -> None:
        self.keep_little(object())
