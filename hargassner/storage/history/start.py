"""What is read when the history begins, and taken over of an earlier version's file."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from hargassner.storage.directory import StateDirectory
from hargassner.storage.history.consumed import Consumed, of_json
from hargassner.storage.history.facts import Carry
from hargassner.storage.history.reader import kept
from hargassner.storage.history.rows import meta
from hargassner.storage.history.samples import MINUTE, SECONDS, Dated, Recorded, Sample
from hargassner.storage.history.writer import keep_consumed, write

if TYPE_CHECKING:
    import sqlite3

log = Logger()

OLD_FILE = "history.json"
"""What versions before 0.3 kept: the last 24 hours, and what was burnt today."""
MOST_MINUTES = 24 * 60

_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Start:
    """What was burnt on the last day, if that is known, and the latest date that is kept."""

    consumed: Consumed | None
    newest: float


def begin(
    cursor: "sqlite3.Cursor", names: Mapping[str, Recorded], directory: StateDirectory
) -> Start:
    """Read what the history goes on with, after taking over an earlier version's file.

    Args:
        cursor: of the transaction.
        names: the boiler's channels by their identifiers, as far as they are known.
        directory: where the earlier version's file may be.
    """
    _take_over(cursor, names, directory)
    consumed = None
    with suppress(*_DAMAGED):
        consumed = of_json(json.loads(meta(cursor, "consumed", "null")))
    extent = kept(cursor).minutes
    return Start(consumed, 0.0 if extent is None else float(extent.last * MINUTE))


def _take_over(
    cursor: "sqlite3.Cursor", names: Mapping[str, Recorded], directory: StateDirectory
) -> None:
    data = directory.load(OLD_FILE)
    if data is None:
        return
    try:
        known = json.loads(data)
        samples, consumed = old_minutes(known, names), of_json(known["consumed"])
    except _DAMAGED as wrong:
        directory.set_aside(OLD_FILE, f"{type(wrong).__name__}: {wrong}")
        return
    write(cursor, samples, Carry())
    keep_consumed(cursor, consumed)
    # Should the power fail before the transaction ends, there is nothing to take over any more: a
    # day of minutes.
    with suppress(OSError):
        (directory.path / OLD_FILE).replace(directory.path / f"{OLD_FILE}.taken")
    log.info("took {minutes} minutes over from {file}", minutes=len(samples), file=OLD_FILE)


def old_minutes(known: Any, names: Mapping[str, Recorded]) -> list[Dated]:
    """The minutes of an earlier version's file.

    Raises:
        ValueError, KeyError, TypeError, AttributeError, OverflowError: it is damaged.
    """
    if known["newest"] is None:
        return []
    minutes = _old_values(known, names)
    return [Dated(minute, _sample(values)) for minute, values in sorted(minutes.items())]


def _old_values(
    known: Any, names: Mapping[str, Recorded]
) -> Mapping[int, Mapping[Recorded, float]]:
    last = int(known["newest"] // MINUTE)
    minutes: dict[int, dict[Recorded, float]] = {}
    for object_, line in known["lines"].items():
        recorded = names.get(object_, Recorded(object_, object_, ""))
        for age, value in enumerate(reversed(line[-MOST_MINUTES:])):
            if value is not None:
                minutes.setdefault(last - age, {})[recorded] = float(value)
    return minutes


def _sample(values: Mapping[Recorded, float]) -> Sample:
    return Sample(0.0, values, {SECONDS: float(MINUTE)}, None, None, frozenset())
