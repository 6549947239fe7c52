"""What has been said already; apart from the observers, as it is needed without Twisted, too."""

from collections.abc import Hashable


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
