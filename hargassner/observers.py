"""Lists of observers, and what has been logged already."""

from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.logger import Logger

from hargassner.once import Once

__all__ = ["Listeners", "Observers", "Once"]

T = TypeVar("T")

log = Logger()


class Observers(Generic[T]):
    """Observers, each notified so that its failure reaches no other.

    Args:
        what: what they observe, in a few words, for the log.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        # Replaced when somebody comes or goes, so that whoever is told need not be copied.
        self._observers: tuple[T, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._observers)

    def add(self, observer: T) -> Callable[[], None]:
        """Notify an observer from now on, until the returned function is called."""
        self._observers += (observer,)

        def remove() -> None:
            if observer in self._observers:
                place = self._observers.index(observer)
                self._observers = self._observers[:place] + self._observers[place + 1 :]

        return remove

    def notify(self, call: Callable[[T], object]) -> None:
        """Call ``call`` with each observer; an exception is logged and goes no further."""
        for observer in self._observers:
            try:
                call(observer)
            except Exception:
                log.failure("telling of {what} failed", what=self._what)


class Listeners(Observers[Callable[[T], object]]):
    """Functions, each called so that its failure reaches no other."""

    def tell(self, value: T) -> None:
        """Call each with this; an exception is logged and goes no further."""
        for listener in self._observers:
            try:
                listener(value)
            except Exception:
                log.failure("telling of {what} failed", what=self._what)
