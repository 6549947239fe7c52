"""Who is told of what happens, and what has been said already."""

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.logger import Logger

from hargassner.once import Once

__all__ = ["Observers", "Once"]

T = TypeVar("T")

log = Logger()


class Observers(Generic[T]):
    """Those who are told, each so that its failure harms nobody else.

    Args:
        what: what they are told of, in a few words, for the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        # Replaced when somebody comes or goes, so that whoever is told need not be copied.
        self._observers: tuple[T, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._observers)

    def add(self, observer: T) -> Callable[[], None]:
        """Tell an observer from now on, until the returned function is called."""
        self._observers += (observer,)

        def remove() -> None:
            if observer in self._observers:
                place = self._observers.index(observer)
                self._observers = self._observers[:place] + self._observers[place + 1 :]

        return remove

    def notify(self, tell: Callable[[T], object]) -> None:
        """Call ``tell`` with each observer; an exception is logged and goes no further."""
        for observer in self._observers:
            try:
                tell(observer)
            except Exception:
                log.failure("telling of {what} failed", what=self._what)
