"""What a visit to the broker found: what the bridge may do there, and what it may not."""

from hargassner.cli.check.broker import Visit
from hargassner.cli.check.report import Finding, Outcome
from hargassner.config import HomeAssistantConfig

LARGEST_MESSAGE = 131_072
"""Bytes of a packet that has all entities of a large boiler, with something to spare."""

_BROKER = "the broker"
_HOME = "Home Assistant"


def broker_finding(visit: Visit, url: str, home: HomeAssistantConfig) -> Finding:
    """Whether the broker admits the bridge, and lets it publish states and receive commands."""
    if not visit.was_admitted:
        return _not_admitted(visit, url)
    may_not, why = _may_not(visit)
    if may_not:
        base = visit.topic.rpartition("/")[0]
        advice = f"Let this user write {base}/#, and read {' and '.join(visit.command_topics)}."
        what = ": ".join(filter(None, (f"{url} lets the bridge in, but not {may_not}", why)))
        return Finding(_BROKER, Outcome.FAILED, what, advice)
    what = f"{url} lets the bridge in, publish and subscribe"
    # Where entities are announced singly, no message is large.
    largest = visit.largest if home.discovery == "device" else 0
    if 0 < largest < LARGEST_MESSAGE:
        return _limited(what, largest)
    return Finding(_BROKER, Outcome.OK, what)


def _not_admitted(visit: Visit, url: str) -> Finding:
    why = visit.problem or "it does not answer"
    advice = "Is the broker running, and are mqtt.url, user and password right?"
    return Finding(_BROKER, Outcome.FAILED, f"{url}: {why}", advice)


def _limited(what: str, largest: int) -> Finding:
    advice = (
        "Home Assistant will be told of each entity in a message of its own, since the one "
        f"that has all may be larger. Let the broker take {LARGEST_MESSAGE} bytes (mosquitto: "
        'max_packet_size), or set homeassistant.discovery = "entity".'
    )
    return Finding(_BROKER, Outcome.OK, f"{what}, {largest} bytes at most at once", advice)


def _may_not(visit: Visit) -> tuple[str, str]:
    """What the bridge may not do with its own topics, and why; empty where it may do all."""
    refused = next(filter(visit.refused_filters.__contains__, visit.command_topics), None)
    if refused:
        return f"subscribe to {refused}", ""
    refusal = visit.refusal(visit.topic)
    if refusal is None:
        return _nothing_comes_back(visit)
    return (f"publish {visit.topic}", refusal) if refusal else ("", "")


def _nothing_comes_back(visit: Visit) -> tuple[str, str]:
    """What the bridge may not do where nobody tells whether it may publish."""
    if visit.topic in visit.refused_filters:
        return f"subscribe to {visit.topic}", ""
    return f"publish {visit.topic}", visit.problem if visit.over else ""


def discovery_finding(visit: Visit, home: HomeAssistantConfig) -> Finding | None:
    """What keeps Home Assistant and the bridge from hearing of each other, if anything does."""
    refusal = visit.refusal(visit.discovery_topic)
    if refusal != "":
        return _not_announced(visit, home, refusal)
    if visit.home_topic in visit.refused_filters:
        return _not_heard(visit)
    return None


def _not_announced(visit: Visit, home: HomeAssistantConfig, refusal: str | None) -> Finding:
    what = f"the bridge may not publish {visit.discovery_topic}: {refusal}"
    if refusal is None:
        what = (
            f"what is published to {visit.discovery_topic} does not come back: the bridge may "
            "not publish there, or not read it"
        )
    advice = f"Let this user write {home.prefix}/#, or Home Assistant hears of no boiler."
    return Finding(_HOME, Outcome.FAILED, what, advice)


def _not_heard(visit: Visit) -> Finding:
    advice = (
        f"Let this user read {visit.home_topic}, or what Home Assistant forgets when it starts "
        "is not told it again."
    )
    what = f"the bridge may not subscribe to {visit.home_topic}"
    return Finding(_HOME, Outcome.FAILED, what, advice)
