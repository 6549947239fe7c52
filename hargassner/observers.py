"""Lists of observers, and what has been logged already."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from twisted.logger import Logger

T = TypeVar("T")

log = Logger()


class Observers(Generic[T]):
    """Observers, each notified so that its failure reaches no other.

    Args:
        what: what they observe, in a few words, for the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._observers: list[T] = []

    def __len__(self) -> int:
        """How many there are."""
        return len(self._observers)

    def add(self, observer: T) -> Callable[[], None]:
        """Notify an observer from now on, until the returned function is called."""
        self._observers.append(observer)

        def remove() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return remove

    def notify(self, call: Callable[[T], object]) -> None:
        """Call ``call`` with each observer; an exception is logged and goes no further."""
        for observer in tuple(self._observers):
            try:
                call(observer)
            except Exception:
                log.failure("telling of {what} failed", what=self._what)


class Once:
    """Remembers what was logged, so that it is logged once.

    Args:
        at_most: how many different things are logged; nothing more is then.
    """

    def __init__(self, at_most: int = 256) -> None:
        self._at_most = at_most
        self._logged: set[Hashable] = set()

    def first(self, what: Hashable) -> bool:
        """Whether this is logged for the first time, and may be."""
        if what in self._logged or len(self._logged) >= self._at_most:
            return False
        self._logged.add(what)
        return True

    def forget(self, what: Hashable) -> None:
        """Let it be logged again: it has changed in between."""
        self._logged.discard(what)
