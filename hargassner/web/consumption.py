"""``/api/consumption``: what days, months and heating seasons came to, beside the year before."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from itertools import dropwhile
from typing import TYPE_CHECKING, cast

from hargassner.clock import IClock
from hargassner.storage.history.facts import DayFacts
from hargassner.storage.history.periods import SHOWN, Period, Totals, periods, totals
from hargassner.storage.history.query import QueryError
from hargassner.storage.history.reader import Extent, facts
from hargassner.web.document import Json
from hargassner.web.json_text import json_text

if TYPE_CHECKING:
    from hargassner.storage.history.service import History

_DEFAULT = "day"


async def consumption(history: "History | None", clock: IClock, given: Mapping[str, str]) -> bytes:
    """The answer to what is asked.

    Args:
        history: None where none is kept.
        clock: time.
        given: ``by``, one of day, month, season.

    Raises:
        QueryError: it cannot be understood.
    """
    if set(given) - {"by"}:
        raise QueryError("there is no such parameter; there is by")
    kind = given.get("by", _DEFAULT)
    if kind not in SHOWN:
        raise QueryError(f"by must be one of {', '.join(SHOWN)}")
    if history is None:
        return json_text({"by": kind, "periods": []})
    today = datetime.fromtimestamp(clock.date(clock.seconds())).date()
    return await history.read(lambda cursor: consumption_text(kind, today, partial(facts, cursor)))


def consumption_text(
    kind: str, today: date, read: Callable[[Extent], Mapping[int, DayFacts]]
) -> bytes:
    """The answer.

    Args:
        kind: of period.
        today: the day that it is.
        read: gives what each of some days came to.
    """
    asked = periods(kind, today)
    oldest, newest = asked[0].a_year_before.first, asked[-1].end
    known = read(Extent(oldest.toordinal(), newest.toordinal() - 1))
    pictures = [_picture(known, each, today) for each in asked]
    # What lies before the history is not there.
    return json_text({"by": kind, "periods": [*dropwhile(_is_empty, pictures)]})


def _is_empty(picture: Mapping[str, Json]) -> bool:
    return picture["totals"] is None and picture["before"] is None


def _picture(known: Mapping[int, DayFacts], period: Period, today: date) -> dict[str, Json]:
    before = period.a_year_before
    picture: dict[str, Json] = {
        "from": period.first.isoformat(),
        "to": period.end.isoformat(),
        "running": period.end > today,
        "totals": _json(totals(known, period)),
        "before": _json(totals(known, before)),
    }
    # A period that goes on is compared by its whole days with as many of the year before.
    so_far = period.until(today)
    if period.end > today and so_far.first < so_far.end:
        picture["so_far"] = _json(totals(known, so_far))
        picture["so_far_before"] = _json(totals(known, so_far.a_year_before))
    return picture


def _json(sums: Totals | None) -> Json:
    return None if sums is None else cast("Json", asdict(sums))
