"""Home Assistant's entities as values: what one is, what it is called, and templates for it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hargassner.dialogue.identifiers import object_id
from hargassner.homeassistant.topics import Topics

Json = dict[str, Any]
"""A JSON object."""

WITH_BRIDGE = ("status",)
WITH_TELEMETRY = ("status", "telemetry")
WITH_SESSION = ("status", "session")
"""What must be online for an entity to be available, by the names of topics."""

DIAGNOSTIC = "diagnostic"


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of Home Assistant's.

    ``object`` is its identifier, ``name`` what the owner calls it, and ``source`` what the boiler
    calls it, to distinguish it from another of that name. ``available_with`` names the topics that
    must be online, and ``properties`` is everything that only this platform has.
    """

    platform: str
    object: str
    name: str
    source: str
    available_with: Sequence[str]
    properties: Mapping[str, Any]
    category: str = ""
    enabled: bool = True

    @property
    def key(self) -> str:
        """What distinguishes it from the device's other entities."""
        return f"{self.platform}_{self.object}"


def compact(value: Mapping[str, Any]) -> str:
    """An object as JSON, without blanks and with every letter as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unique_id(node: str, object_: str) -> str:
    """The id under which Home Assistant knows an entity."""
    return f"hargassner_{node}_{object_}"


def object_of(payload: Json, node: str) -> str:
    """The identifier of the entity that a payload announces."""
    object_: str = payload["unique_id"].removeprefix(unique_id(node, ""))
    return object_


def payloads(entities: Iterable[Entity], topics: Topics, node: str) -> dict[str, Json]:
    """The discovery payload of each entity, by its key."""
    by_key = {}
    for entity, name in _named(list(entities)):
        payload: Json = {
            "platform": entity.platform,
            "unique_id": unique_id(node, entity.object),
            "default_entity_id": f"{entity.platform}.hargassner_{object_id(node)}_{entity.object}",
            "name": name,
            **entity.properties,
            "availability": [{"topic": topics.state(each)} for each in entity.available_with],
            "availability_mode": "all",
        }
        if entity.category:
            payload["entity_category"] = entity.category
        if not entity.enabled:
            payload["enabled_by_default"] = False
        by_key[entity.key] = payload
    return by_key


def _named(entities: Sequence[Entity]) -> list[tuple[Entity, str]]:
    """The entities with their names, no two alike.

    Where several have the same, the boiler's own name is added, or else the identifier.
    """
    # A boiler's name may be anything, and nothing but blanks.
    plain = [_with_capital(" ".join(each.name.split()) or each.object) for each in entities]
    sourced = [f"{name} ({entity.source})" for name, entity in zip(plain, entities, strict=True)]
    by_name, by_source = Counter(plain), Counter([*plain, *sourced])

    def unique(entity: Entity, name: str, with_source: str) -> str:
        if by_name[name] == 1:
            return name
        return with_source if by_source[with_source] == 1 else f"{name} ({entity.object})"

    return list(zip(entities, map(unique, entities, plain, sourced), strict=True))


def _with_capital(name: str) -> str:
    """The name as it stands in a list: a word in small letters at its beginning gets a capital."""
    return name[:1].upper() + name[1:] if name.partition(" ")[0].islower() else name


def lookup(meanings: Mapping[Any, str], value: str = "value") -> str:
    """A template that shows what a value means, or unknown if it means nothing known.

    Args:
        meanings: text by value; values are texts or whole numbers.
        value: the template's expression for the value.
    """
    # JSON's texts and numbers are those of templates, too.
    pairs = ", ".join(
        f"{json.dumps(each, ensure_ascii=False)}: {json.dumps(text, ensure_ascii=False)}"
        for each, text in meanings.items()
    )
    return f"{{{{ {{{pairs}}}.get({value}) }}}}"
