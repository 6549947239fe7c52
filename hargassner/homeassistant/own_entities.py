"""The entities that are not the boiler's own: the bridge's, and what the model concludes.

The table ``own_entities.tsv`` has them.
"""

import json
from collections.abc import Iterator, Mapping

from hargassner.catalogue import Text
from hargassner.config import Config, HomeAssistantConfig
from hargassner.homeassistant.entities import WITH_BRIDGE, WITH_TELEMETRY, Called, Entity
from hargassner.homeassistant.topics import Topics
from hargassner.tables import rows

NEW_FAULT = "fault"
"""The type of the event that a new fault is."""

RESTART = "restart"
"""The command by which the bridge starts anew."""

_ROWS = tuple(rows(__package__, "own_entities.tsv"))
_ONLINE = {"bridge": WITH_BRIDGE, "telemetry": WITH_TELEMETRY}
_TOPICS = ("state_topic", "json_attributes_topic", "command_topic")


def own_entities(
    topics: Topics,
    config: Config,
    *,
    can_restart: bool,
    is_described: bool,
    has_consumption: bool,
) -> Iterator[Entity]:
    """Those that there are.

    Args:
        topics: where their states are.
        config: the configuration.
        can_restart: whether somebody starts the bridge again when it stops.
        is_described: whether it is known what the boiler has.
        has_consumption: whether the boiler counts its fuel.
    """
    of = {
        "bridge": True,
        "gateway": config.gateway.enabled,
        "restart": can_restart,
        "boiler": is_described,
        "energy": has_consumption and config.energy.enabled,
    }
    return (_entity(row, topics, config.homeassistant) for row in _ROWS if of[row["of"]])


def _entity(row: Mapping[str, str], topics: Topics, home: HomeAssistantConfig) -> Entity:
    own_topics = {name: topics.state(row[name]) for name in _TOPICS if row[name]}
    return Entity(
        platform=row["platform"],
        object=row["object"],
        called=Called(row["device"], Text.of(row).to(home.language), row["id"], row["object"]),
        available_with=_ONLINE[row["with"]],
        properties={**own_topics, **json.loads(row["properties"])},
        category=row["category"],
        enabled=row["enabled"] == "1" or home.entities == "all",
        icon=row["icon"],
    )
