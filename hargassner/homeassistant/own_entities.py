"""The entities that are not the boiler's own: the bridge's, and what the model concludes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hargassner.catalogue import Text
from hargassner.homeassistant.entities import (
    DIAGNOSTIC,
    WITH_BRIDGE,
    WITH_TELEMETRY,
    Entity,
    Json,
)
from hargassner.homeassistant.topics import Topics

NEW_FAULT = "fault"
"""The type of the event that a new fault is."""

_ONLINE: Json = {
    "device_class": "connectivity",
    "payload_on": "online",
    "payload_off": "offline",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """An entity that every boiler has; ``topic`` is where its state is, its own by default."""

    platform: str
    object: str
    text: Text
    properties: Json = field(default_factory=dict)
    topic: str = ""

    def entity(self, topics: Topics, language: str, with_: Sequence[str], category: str) -> Entity:
        """The entity in a language."""
        return Entity(
            self.platform,
            self.object,
            self.text.to(language),
            self.object,
            with_,
            {"state_topic": topics.state(self.topic or self.object), **self.properties},
            category=category,
        )


_OF_BRIDGE = (
    _Row("binary_sensor", "telemetry", Text("telemetry", "Telemetrie", "télémétrie"), _ONLINE),
)

_OF_GATEWAY = (
    _Row(
        "binary_sensor",
        "session",
        Text("gateway session", "Gateway-Sitzung", "session de la passerelle"),
        _ONLINE,
    ),
    _Row(
        "sensor",
        "session_start",
        Text(
            "gateway session start",
            "Beginn der Gateway-Sitzung",
            "début de la session de la passerelle",
        ),
        {"value_template": "{{ value_json.session_start }}", "device_class": "timestamp"},
        topic="info",
    ),
    _Row(
        "sensor",
        "gateway_software",
        Text("gateway software", "Gateway-Software", "logiciel de la passerelle"),
        {"value_template": "{{ value_json.gateway_software }}"},
        topic="info",
    ),
)

_CONCLUDED = (
    _Row(
        "binary_sensor",
        "fault",
        Text("fault", "Störung aktiv", "défaut"),
        {"device_class": "problem"},
    ),
    _Row("sensor", "fault_text", Text("fault text", "Störungstext", "texte du défaut")),
    _Row(
        "event",
        "fault_event",
        Text("new fault", "Neue Störung", "nouveau défaut"),
        {"event_types": [NEW_FAULT]},
    ),
    _Row(
        "sensor",
        "heat",
        Text("heat produced", "Erzeugte Wärme", "chaleur produite"),
        {
            "device_class": "energy",
            "state_class": "total_increasing",
            "unit_of_measurement": "kWh",
            "suggested_display_precision": 0,
        },
    ),
)


def bridge_entities(topics: Topics, language: str, *, with_gateway: bool) -> Iterator[Entity]:
    """The bridge's own entities; those of the gateway where there is one."""
    for row in (*_OF_BRIDGE, *(_OF_GATEWAY if with_gateway else ())):
        yield row.entity(topics, language, WITH_BRIDGE, DIAGNOSTIC)


def concluded_entities(topics: Topics, language: str) -> Iterator[Entity]:
    """What the model concludes from several channels."""
    for row in _CONCLUDED:
        yield row.entity(topics, language, WITH_TELEMETRY, "")
