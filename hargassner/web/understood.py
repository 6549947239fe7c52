"""How the link to the boiler is, as far as its telemetry is understood."""

from hargassner.boiler.understanding import Understanding
from hargassner.dialogue.channels import Fit
from hargassner.dialogue.origin import Source
from hargassner.web.link import Level, Link

_NAMED = 3
"""Channels that are named at most."""


def fit_of(known: Understanding) -> Fit:
    """How the lines go with what they mean; before the first one there is nothing to say of it."""
    return known.fit or Fit(0, 0)


def understanding_link(known: Understanding, since: float | None, address: str) -> Link | None:
    """The link to a boiler whose lines come; None where there is nothing to say of their meaning.

    Args:
        known: what is understood of them.
        since: the moment since when they come.
        address: the boiler's.
    """
    if known.not_recognised:
        return Link(
            "boiler.not_understood",
            Level.NOT_UNDERSTOOD,
            since,
            address,
            advice="boiler.not_understood.advice",
            fields=(("values", known.values),),
        )
    if not known.understood:
        return Link("boiler.recognising", Level.WAIT, since, address)
    origin = known.origin
    if origin.source is not Source.RECOGNISED:
        return None
    return Link(
        "boiler.online",
        Level.OK,
        since,
        address,
        advice="boiler.recognised.advice",
        fields=(("layout", origin.layout), ("published", origin.published)),
    )


def contradiction_link(known: Understanding, since: float | None, address: str) -> Link | None:
    """The link to a boiler whose lines show what their descriptor rules out, None otherwise."""
    contradicted = fit_of(known).contradicted
    if not contradicted:
        return None
    return Link(
        "boiler.not_understood",
        Level.NOT_UNDERSTOOD,
        since,
        address,
        advice="boiler.contradicted.advice",
        fields=(("names", ", ".join(contradicted[:_NAMED])),),
    )


def assumption_link(known: Understanding, since: float | None, address: str) -> Link | None:
    """The link to a boiler of whose lines some values are assumed to be hidden, None otherwise."""
    assumed = fit_of(known).assumed
    if not assumed:
        return None
    return Link(
        "boiler.online",
        Level.OK,
        since,
        address,
        advice="boiler.assumed.advice",
        fields=(("places", ", ".join(map(str, assumed))),),
    )
