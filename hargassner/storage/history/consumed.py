"""What was burnt on the day that it is."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Consumed:
    """What was burnt on one day.

    ``day`` is its date. ``before`` is what the boiler's counter showed when the day began, or when
    it was first read on that day; ``since`` is then the date of that, and None otherwise. ``last``
    is what it showed last. All in kg, dates in seconds since the epoch.
    """

    day: str
    before: float
    last: float
    since: float | None

    @property
    def kilograms(self) -> float:
        """How much that is."""
        return round(self.last - self.before, 3)


def consumed_by(before: Consumed | None, counter: float, now: float, today: date) -> Consumed:
    """What was burnt today, now that the boiler's counter shows ``counter``.

    A counter that was reset begins anew. A clock that was set back over midnight does not end the
    day that had begun.
    """
    day = today.isoformat()
    if before is None or counter < before.last:
        return Consumed(day, counter, counter, now)
    days = today.toordinal() - date.fromisoformat(before.day).toordinal()
    if days in (0, -1):
        return Consumed(before.day, before.before, counter, before.since)
    if days == 1:
        return Consumed(day, before.last, counter, None)
    return Consumed(day, counter, counter, now)


def json_of(consumed: Consumed | None) -> str:
    """As it is kept."""
    return json.dumps(None if consumed is None else asdict(consumed))


def of_json(known: Any) -> Consumed | None:
    """What was kept.

    Raises:
        ValueError, KeyError, TypeError, OverflowError: it is damaged.
    """
    if known is None:
        return None
    date.fromisoformat(known["day"])
    since = known["since"]
    return Consumed(
        known["day"],
        float(known["before"]),
        float(known["last"]),
        None if since is None else float(since),
    )
