"""What has been logged already; apart from the observers, as it is needed without Twisted, too."""

from collections.abc import Hashable


class Once:
    """Remembers what was logged, so that it is logged once.

    Args:
        at_most: how many different things are logged; nothing more is then.
    """

    __slots__ = ("_at_most", "_logged")

    def __init__(self, at_most: int = 256) -> None:
        self._at_most = at_most
        # An empty set takes 216 bytes, and each session has one of these.
        self._logged: dict[Hashable, None] = {}

    def first(self, what: Hashable) -> bool:
        """Whether this is logged for the first time, and may be."""
        if what in self._logged or len(self._logged) >= self._at_most:
            return False
        self._logged[what] = None
        return True

    def forget(self, what: Hashable) -> None:
        """Let it be logged again: it has changed in between."""
        self._logged.pop(what, None)
