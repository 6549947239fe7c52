"""The boiler's log lines, which say among other things how parameters are set."""

import re
from collections.abc import Iterator

from hargassner.dialogue.events import Notice, ParameterChanged

MOST_OLD_VALUES = 16
"""Parameters whose new value may be outstanding."""

# The name is missing on older boilers; name and value can have anything in them.
_CHANGE = re.compile(
    r"zPa (?P<which>[AN]): (?P<id>[^\s=]+)(?: \((?P<name>.*?)\))? = ?(?P<value>.*)", re.DOTALL
)


def changed_value(text: str) -> tuple[str, str] | None:
    """The id and the new value of a parameter, if a notice names them."""
    change = _CHANGE.fullmatch(text)
    if change is None or change["which"] != "N":
        return None
    return change["id"], change["value"]


class NoticeReader:
    """Reads the notices of one session.

    A change of a parameter takes two, the old value and the new one: both together are one change.
    """

    __slots__ = ("_old_values",)

    def __init__(self) -> None:
        self._old_values: dict[str, tuple[str, str]] = {}

    def read(self, text: str) -> Iterator[ParameterChanged | Notice]:
        """What a notice says; nothing for the first half of a change."""
        change = _CHANGE.fullmatch(text)
        if change is None:
            yield Notice(text)
            return
        which, number, name, value = change.groups("")
        if which == "A":
            self._remember(number, name, value)
        else:
            old_name, old = self._old_values.pop(number, ("", None))
            yield ParameterChanged(number, name or old_name, old, value)

    def _remember(self, number: str, name: str, value: str) -> None:
        self._old_values.pop(number, None)
        self._old_values[number] = (name, value)
        if len(self._old_values) > MOST_OLD_VALUES:
            del self._old_values[next(iter(self._old_values))]
