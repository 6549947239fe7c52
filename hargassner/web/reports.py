"""Gathers what the diagnostics have in them, of the running bridge."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hargassner.clock import dates
from hargassner.config import MqttConfig
from hargassner.mqtt.files import UnusableFileError, password
from hargassner.network.reopening import InterfaceOpening
from hargassner.parts import Parts
from hargassner.storage.history.query import QueryError
from hargassner.storage.snapshots import DescriptorSnapshot
from hargassner.web.diagnostics import Facts, diagnostics

REPORT = "hargassner-diagnostics.txt"
LAST_SESSIONS_LINES = 400
"""Lines of the dialogue: a whole start of a session, and then some."""


async def report(
    parts: Parts,
    started: float,
    state: Callable[[str], dict[str, Any]],
    given: Mapping[str, str],
) -> bytes:
    """The diagnostics, as a file.

    Args:
        parts: what they are of.
        started: the moment when the bridge did.
        state: what the page shows, in a language.
        given: what was asked for, which has to be nothing.

    Raises:
        QueryError: something is asked for that there is not.
    """
    if given:
        raise QueryError("there are no parameters")
    descriptor = await parts.in_thread(DescriptorSnapshot(parts.state).load)
    secrets = await parts.in_thread(_secrets_of_files, parts.config.mqtt)
    date, now = dates(parts.clock), parts.clock.seconds()
    facts = Facts(
        now=date(now),
        uptime=now - started,
        config=parts.config,
        identity=parts.boiler.identity,
        state=state("en"),
        closed=closed((*to_gateway(parts), *parts.openings)),
        log=parts.journal.lines,
        dialogue=parts.journal.dialogue[-LAST_SESSIONS_LINES:],
        descriptor=descriptor.document.decode("latin-1") if descriptor else "",
    )
    return diagnostics(facts, date, secrets).encode("utf-8", "replace")


def _secrets_of_files(config: MqttConfig) -> Iterable[str]:
    """The password that is in a file, if it is in one."""
    try:
        return [password(config)]
    except UnusableFileError:
        return []


def to_gateway(parts: Parts) -> Sequence[InterfaceOpening]:
    """What is open towards the gateway; nothing where there is none."""
    return parts.gateway.openings if parts.gateway else ()


def closed(openings: Sequence[InterfaceOpening]) -> tuple[str, ...]:
    """The names of what should be open and is not."""
    return tuple(str(each.name) for each in openings if not each.is_open)
