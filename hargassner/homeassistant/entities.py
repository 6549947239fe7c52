"""Home Assistant's entities as values: what one is, and what it is called."""

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
WITH_TELEMETRY = ("telemetry", "status")
WITH_SESSION = ("session", "status")
"""What must be online for an entity to be available, by the names of topics.

Domoticz takes the last of them only: it is the one that the last will sets.
"""

DIAGNOSTIC = "diagnostic"


@dataclass(frozen=True, slots=True)
class Called:
    """What an entity is called.

    ``device`` is the key of the device that shows it, ``name`` what the owner calls it there (empty
    for what is the device itself), and ``id`` the end of its entity id, the same in every language.
    ``source`` is what the boiler calls it, to distinguish it from another of that name.
    """

    device: str
    name: str
    id: str
    source: str


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity of Home Assistant's.

    ``object`` is its identifier. ``available_with`` names the topics that must be online, and
    ``properties`` is everything that only this platform has. ``icon`` is empty where its class says
    how it is drawn.
    """

    platform: str
    object: str
    called: Called
    available_with: Sequence[str]
    properties: Mapping[str, Any]
    category: str = ""
    enabled: bool = True
    icon: str = ""

    @property
    def key(self) -> str:
        """What distinguishes it from all others: its device, and what it is there."""
        return f"{self.called.device}/{self.platform}_{self.object}"


def device_of(key: str) -> str:
    """The device of the entity with this key."""
    return key.partition("/")[0]


def compact(value: Mapping[str, Any]) -> str:
    """An object as JSON, without blanks and with every letter as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def known(properties: Mapping[str, Any]) -> Json:
    """The properties without those that are empty."""
    return {key: value for key, value in properties.items() if value not in ("", None)}


def unique_id(node: str, object_: str) -> str:
    """The id under which Home Assistant knows an entity."""
    return f"hargassner_{node}_{object_}"


def object_of(payload: Json, node: str) -> str:
    """The identifier of the entity that a payload announces."""
    object_: str = payload["unique_id"].removeprefix(unique_id(node, ""))
    return object_


def payloads(entities: Iterable[Entity], topics: Topics, node: str) -> dict[str, Json]:
    """The discovery payload of each entity, by its key."""
    all_ = list(entities)
    names, ids = _names(all_), _entity_ids(all_, node)
    return {
        entity.key: {
            "platform": entity.platform,
            "unique_id": unique_id(node, entity.object),
            "default_entity_id": id_,
            # What has none is called as its device.
            "name": name or None,
            **entity.properties,
            "availability": [{"topic": topics.state(each)} for each in entity.available_with],
            "availability_mode": "all",
            **_optional(entity),
        }
        for entity, name, id_ in zip(all_, names, ids, strict=True)
    }


def _optional(entity: Entity) -> Json:
    disabled = {} if entity.enabled else {"enabled_by_default": False}
    return known({"entity_category": entity.category, "icon": entity.icon, **disabled})


def _names(entities: Sequence[Entity]) -> list[str]:
    """The entities' names, no two alike on one device.

    Where several have the same, the boiler's own name is added, or else the identifier.
    """
    devices = [each.called.device for each in entities]
    # A boiler's name may be anything, and nothing but blanks.
    plain = [_with_capital(" ".join(each.called.name.split())) for each in entities]
    sourced = [
        f"{name} ({entity.called.source})" for name, entity in zip(plain, entities, strict=True)
    ]
    by_name = Counter(zip(devices, plain, strict=True))
    by_source = Counter(zip([*devices, *devices], [*plain, *sourced], strict=True))

    def unique(entity: Entity, name: str, with_source: str) -> str:
        device = entity.called.device
        if by_name[device, name] == 1:
            return name
        is_told_apart = by_source[device, with_source] == 1
        return with_source if is_told_apart else f"{name} ({entity.object})".strip()

    return list(map(unique, entities, plain, sourced))


def _entity_ids(entities: Sequence[Entity], node: str) -> list[str]:
    """The entities' ids, no two alike: where several would have the same, the identifier counts."""
    ids = [f"{each.platform}.{_joined('hargassner', node, each.called.id)}" for each in entities]
    count = Counter(ids)
    return [
        id_ if count[id_] == 1 else f"{id_}_{entity.object}"
        for id_, entity in zip(ids, entities, strict=True)
    ]


def _joined(*parts: str) -> str:
    return object_id(" ".join(parts))


def _with_capital(name: str) -> str:
    """The name as it stands in a list: a word in small letters at its beginning gets a capital."""
    return name[:1].upper() + name[1:] if name.partition(" ")[0].islower() else name
