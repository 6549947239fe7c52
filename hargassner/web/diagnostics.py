"""What a maintainer needs to know to help: one text file, without secrets.

Secret are passwords, the login token and key, and the serial numbers of the boiler and of the
gateway. What the configuration calls secret is left out where it stands; the dialogue is redacted
as recordings are; in the end, whatever else repeats one of the secrets known here loses it.
"""

import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from secrets import choice
from typing import Any

import twisted
from hargassner import __version__
from hargassner.boiler.sessions import Identity
from hargassner.config import Config
from hargassner.monitor.traffic_log import DialogueLine, LogLine
from hargassner.recording.redaction import Redactor

HIDDEN = "…"
SHORTEST_SECRET = 4
"""Characters: a shorter one would be found in every second line."""
_HIDDEN_SETTINGS = ("mqtt.username", "manhole.username")
_SECRET_FACTS = ("io_serial", "controller_serial", "gateway_serial", "asnr", "system_code")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the file has in it.

    ``state`` is what ``/api/state`` has, in English. ``closed`` names what should be open
    and is not. ``descriptor`` is the boiler's document, empty where none is known.
    ``uptime`` in seconds.
    """

    now: float
    uptime: float
    config: Config
    identity: Identity
    state: dict[str, Any]
    closed: Sequence[str]
    log: Sequence[LogLine]
    dialogue: Sequence[DialogueLine]
    descriptor: str


def diagnostics(facts: Facts, date: Callable[[float], float], further: Iterable[str] = ()) -> str:
    """The file.

    Args:
        facts: what is in it.
        date: makes dates of moments.
        further: secrets beside those of the configuration and of the identity.
    """
    parts = (
        ("Versions", _versions(facts)),
        ("What the bridge sees", _seen(facts.state, facts.closed)),
        ("Configuration", _configuration(facts.config)),
        ("Log", [f"{_at(date(at))} {level:<8} {text}" for at, level, _, text in facts.log]),
        ("Last dialogue", _dialogue(facts.dialogue, date)),
        ("Values", _values(facts.state)),
        ("Descriptor", facts.descriptor.splitlines() or ["none is known"]),
    )
    head = f"hargassner-bridge, diagnostics of {_at(facts.now)}\n"
    told = "".join(f"\n== {name} ==\n\n" + "\n".join(lines) + "\n" for name, lines in parts)
    return _without(head + told, [*_secrets(facts), *further])


def _at(date: float) -> str:
    return datetime.fromtimestamp(date).strftime("%Y-%m-%d %H:%M:%S")


def _versions(facts: Facts) -> Iterator[str]:
    # A bridge that keeps no history does without it.
    from sqlite3 import sqlite_version

    identity = facts.identity
    yield f"bridge     {__version__}, running for {facts.uptime / 3600:.1f} h"
    yield f"Python     {platform.python_version()}, Twisted {twisted.__version__}"
    yield f"SQLite     {sqlite_version}"
    yield f"system     {platform.platform()}"
    yield f"boiler     {_known(identity.model)}, {_known(identity.firmware)}"
    yield f"I/O board  {_known(identity.io_firmware)}"
    yield f"gateway    {_known(identity.gateway_software)}"


def _known(text: str) -> str:
    return text or "unknown"


def _seen(state: dict[str, Any], closed: Sequence[str]) -> Iterator[str]:
    for name, link in state["chain"].items():
        told = [link["level"], link["text"], link["address"], link["problem"], link["advice"]]
        yield f"{name:<9}  {' | '.join(filter(None, told))}"
    yield f"closed     {', '.join(closed) or 'nothing'}"
    for fault in state["faults"]:
        yield f"fault      {fault['number'] or '-'} {fault['text']}, since {_at(fault['since'])}"


def _configuration(config: Config) -> Iterator[str]:
    """What differs from the defaults, as the file has it."""
    for section in fields(config):
        changed = [*_changed(section.name, getattr(config, section.name), section.default)]
        if changed:
            yield f"[{section.name}]"
            yield from changed


def _changed(section: str, given: Any, default: object) -> Iterator[str]:
    for each in fields(given):
        value = getattr(given, each.name)
        if value != getattr(default, each.name):
            is_shown = each.repr and f"{section}.{each.name}" not in _HIDDEN_SETTINGS
            yield f"{each.name} = {repr(value) if is_shown else HIDDEN}"


def _dialogue(lines: Sequence[DialogueLine], date: Callable[[float], float]) -> Iterator[str]:
    """The lines of each session, redacted."""
    redactors: dict[int, Redactor] = {}
    for line in lines:
        redactor = redactors.setdefault(line.session, Redactor(choice))
        text = line.text.encode("utf-8", "replace") + b"\r\n"
        redacted = redactor.passed(line.at, line.direction, text)
        shown = b"".join(each.data for each in redacted).decode("utf-8", "replace").rstrip()
        yield f"{_at(date(line.at))} {line.session} {line.direction:<8} {shown}"


def _values(state: dict[str, Any]) -> Iterator[str]:
    for kind in ("channels", "settings"):
        for key, each in state[kind].items():
            yield f"{key:<16} {each['value']} {each['unit']}  {each['name']}"


def _secrets(facts: Facts) -> Iterator[str]:
    yield facts.config.mqtt.password
    yield facts.config.manhole.password
    for name in _SECRET_FACTS:
        yield getattr(facts.identity, name)


def _without(text: str, secrets: Iterable[str]) -> str:
    # The longest first, so that nothing is left of one that has another in it.
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    return text
