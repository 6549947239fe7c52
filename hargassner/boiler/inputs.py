"""Which inputs have a sensor: some show a value that means "nothing connected"."""

from hargassner.boiler.values import Channel

MISSING_TIMEOUT = 3600.0
"""Seconds for which an input that worked may show a "nothing connected" value before it counts as
not connected. Long enough for a loose contact that is pushed back, or a board that restarts."""

CREEP = 5.0
"""How far a measurement can move between two readings, in its unit. An input that gets to its
"nothing connected" value in a smaller step has measured that value: the coldest night of the
winter is no broken wire."""


class Inputs:
    """Decides which channels are connected.

    An input that shows such a value from the start is not. One that worked and then shows one is in
    doubt for ``MISSING_TIMEOUT``, and not connected after that.
    """

    def __init__(self) -> None:
        self._in_doubt: dict[Channel, float] = {}

    def judge(self, channel: Channel, value: float | None, now: float) -> None:
        """Decide whether a channel that is about to show ``value`` is connected."""
        if value is None:
            return
        if not channel.means_missing(value):
            channel.connected = True
            self._in_doubt.pop(channel, None)
        elif channel.text is None:
            channel.connected = False
        elif channel.connected and _is_leap(channel.value, value):
            self._in_doubt.setdefault(channel, now)

    def disconnect(self, now: float) -> list[Channel]:
        """Call those disconnected that have been in doubt for too long; these are the ones."""
        due = [each for each, since in self._in_doubt.items() if now - since >= MISSING_TIMEOUT]
        for channel in due:
            del self._in_doubt[channel]
            channel.connected = False
        return due

    def forget(self, channel: Channel) -> None:
        """The channel is no more."""
        self._in_doubt.pop(channel, None)


def _is_leap(before: float | None, value: float) -> bool:
    return before is None or abs(value - before) > CREEP
