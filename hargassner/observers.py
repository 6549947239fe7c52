"""Who is told of what happens, and what has been said already."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from twisted.logger import Logger

T = TypeVar("T")

log = Logger()


class Observers(Generic[T]):
    """Those who are told, each so that its failure harms nobody else.

    Args:
        what: what they are told of, in a few words, for the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._observers: list[T] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._observers)

    def add(self, observer: T) -> Callable[[], None]:
        """Tell an observer from now on, until the returned function is called."""
        self._observers.append(observer)

        def remove() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return remove

    def notify(self, tell: Callable[[T], object]) -> None:
        """Call ``tell`` with each observer; an exception is logged and goes no further."""
        for observer in tuple(self._observers):
            try:
                tell(observer)
            except Exception:
                log.failure("telling of {what} failed", what=self._what)


class Once:
    """Remembers what was said, so that it is said once.

    Args:
        at_most: how many different things are said; whoever can be flooded falls silent then.
    """

    def __init__(self, at_most: int = 256) -> None:
        self._at_most = at_most
        self._said: set[Hashable] = set()

    def first(self, what: Hashable) -> bool:
        """Whether this is said for the first time, and may be."""
        if what in self._said or len(self._said) >= self._at_most:
            return False
        self._said.add(what)
        return True

    def forget(self, what: Hashable) -> None:
        """Let it be said again: it has changed in between."""
        self._said.discard(what)
