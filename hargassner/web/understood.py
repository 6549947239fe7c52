"""How the link to the boiler is, as far as its telemetry is understood.

Each of these gives the link to a boiler whose telemetry comes, None where it does not apply.
"""

from hargassner.boiler.understanding import Understanding
from hargassner.dialogue.channels import Fit
from hargassner.dialogue.origin import Source
from hargassner.web.link import Facts, Level, Link, advised

_NAMED = 3
"""Channels that are named at most."""


def fit_of(known: Understanding) -> Fit:
    """How the lines go with what they mean; before the first one there is nothing to say of it."""
    return known.fit or Fit(0, 0)


def contradicted(facts: Facts) -> Link | None:
    """Lines show what their descriptor rules out."""
    names = fit_of(facts.understanding).contradicted
    if not names:
        return None
    advice, told = "boiler.contradicted.advice", ", ".join(names[:_NAMED])
    return _link(facts, "not_understood", Level.NOT_UNDERSTOOD, advice, names=told)


def not_understood(facts: Facts) -> Link | None:
    """It is not known, or not yet, what the values of the lines mean."""
    known = facts.understanding
    if known.not_recognised:
        return _link(facts, "not_understood", Level.NOT_UNDERSTOOD, values=known.values)
    if known.understood:
        return None
    return Link("boiler.recognising", Level.WAIT, facts.telemetry_since, facts.boiler_address)


def recognised(facts: Facts) -> Link | None:
    """Lines are understood by a layout that somebody published."""
    origin = facts.understanding.origin
    if origin.source is not Source.RECOGNISED:
        return None
    advice, layout = "boiler.recognised.advice", origin.layout
    return _link(facts, "online", Level.OK, advice, layout=layout, published=origin.published)


def assumed(facts: Facts) -> Link | None:
    """Some values of the lines are assumed to be hidden."""
    places = fit_of(facts.understanding).assumed
    if not places:
        return None
    told = ", ".join(map(str, places))
    return _link(facts, "online", Level.OK, "boiler.assumed.advice", places=told)


def _link(facts: Facts, state: str, level: Level, advice: str = "", **fields: object) -> Link:
    since, address = facts.telemetry_since, facts.boiler_address
    return advised(f"boiler.{state}", level, since, address, advice, **fields)
