"""The entities that are not the boiler's own: the bridge's, and what the model concludes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hargassner.catalogue import BOILER, Text
from hargassner.config import Config
from hargassner.homeassistant.devices import BRIDGE
from hargassner.homeassistant.entities import (
    CONFIG,
    DIAGNOSTIC,
    WITH_BRIDGE,
    WITH_TELEMETRY,
    Called,
    Entity,
    Json,
)
from hargassner.homeassistant.topics import Topics

NEW_FAULT = "fault"
"""The type of the event that a new fault is."""

RESTART = "restart"
"""The command by which the bridge starts anew."""

_ONLINE: Json = {
    "device_class": "connectivity",
    "payload_on": "online",
    "payload_off": "offline",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """An entity that every boiler has; ``topics`` are where its topics are, below the boiler's."""

    platform: str
    object: str
    text: Text
    topics: Mapping[str, str]
    properties: Json = field(default_factory=dict)
    enabled: bool = True
    icon: str = ""


_AT_BRIDGE = {"state_topic": "bridge"}

_OF_BRIDGE = (
    _Row(
        "sensor",
        "bridge_version",
        Text("version", "Version", "version"),
        _AT_BRIDGE,
        {"value_template": "{{ value_json.version }}"},
        enabled=False,
        icon="mdi:tag",
    ),
    _Row(
        "sensor",
        "bridge_start",
        Text("running since", "Läuft seit", "en marche depuis"),
        _AT_BRIDGE,
        {"value_template": "{{ value_json.since }}", "device_class": "timestamp"},
        enabled=False,
    ),
    _Row(
        "sensor",
        "last_error",
        Text("last error", "Letzter Fehler", "dernière erreur"),
        {**_AT_BRIDGE, "json_attributes_topic": "bridge"},
        {"value_template": "{{ value_json.last_error }}"},
        enabled=False,
        icon="mdi:alert-circle-outline",
    ),
)

_OF_GATEWAY = (
    _Row(
        "binary_sensor",
        "session",
        Text("gateway session", "Gateway-Sitzung", "session de la passerelle"),
        {"state_topic": "session"},
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
        {"state_topic": "info"},
        {"value_template": "{{ value_json.session_start }}", "device_class": "timestamp"},
        enabled=False,
    ),
    _Row(
        "sensor",
        "gateway_software",
        Text("gateway software", "Gateway-Software", "logiciel de la passerelle"),
        {"state_topic": "info"},
        {"value_template": "{{ value_json.gateway_software }}"},
        enabled=False,
        icon="mdi:router-wireless",
    ),
    _Row(
        "sensor",
        "last_command",
        Text("last command", "Letzter Befehl", "dernière commande"),
        {"state_topic": "last_command", "json_attributes_topic": "last_command"},
        {"value_template": "{{ value_json.text }}"},
        icon="mdi:console-line",
    ),
)

_RESTART = _Row(
    "button",
    "restart",
    Text("restart", "Neu starten", "redémarrer"),
    {"command_topic": "restart/set"},
    {"payload_press": RESTART, "device_class": "restart"},
)

_TELEMETRY = _Row(
    "binary_sensor",
    "telemetry",
    Text("telemetry", "Telemetrie", "télémétrie"),
    {"state_topic": "telemetry"},
    _ONLINE,
)

_CONCLUDED = (
    _Row(
        "binary_sensor",
        "fault",
        Text("fault", "Störung aktiv", "défaut"),
        {"state_topic": "fault", "json_attributes_topic": "faults"},
        {"device_class": "problem"},
    ),
    _Row(
        "sensor",
        "fault_text",
        Text("fault text", "Störungstext", "texte du défaut"),
        {"state_topic": "fault_text"},
        icon="mdi:message-alert-outline",
    ),
    _Row(
        "event",
        "fault_event",
        Text("new fault", "Neue Störung", "nouveau défaut"),
        {"state_topic": "fault_event"},
        {"event_types": [NEW_FAULT]},
        icon="mdi:alert-octagon-outline",
    ),
)

_ENERGY: Json = {
    "device_class": "energy",
    "state_class": "total_increasing",
    "unit_of_measurement": "kWh",
    "suggested_display_precision": 0,
}

_COUNTED = (
    _Row(
        "sensor",
        "heat",
        Text("heat produced", "Erzeugte Wärme", "chaleur produite"),
        {"state_topic": "heat"},
        _ENERGY,
    ),
    _Row(
        "sensor",
        "fuel_energy",
        Text("fuel energy", "Brennstoffenergie", "énergie du combustible"),
        {"state_topic": "fuel_energy"},
        _ENERGY,
    ),
)


@dataclass(frozen=True, slots=True)
class OwnEntities:
    """Makes them.

    Args:
        topics: where their states are.
        config: the configuration.
        can_restart: whether somebody starts the bridge again when it stops.
    """

    topics: Topics
    config: Config
    can_restart: bool

    def of_bridge(self) -> Iterator[Entity]:
        """The bridge's own entities, those of the gateway where there is one, and telemetry."""
        of_gateway = _OF_GATEWAY if self.config.gateway.enabled else ()
        restart = (_RESTART,) if self.can_restart else ()
        for row in (*of_gateway, *_OF_BRIDGE, *restart):
            yield self._entity(row, BRIDGE, WITH_BRIDGE, _CATEGORIES.get(row.platform, DIAGNOSTIC))
        yield self._entity(_TELEMETRY, BOILER, WITH_BRIDGE, DIAGNOSTIC)

    def concluded(self, *, has_consumption: bool) -> Iterator[Entity]:
        """What the model concludes from several channels.

        Args:
            has_consumption: whether the boiler counts its fuel.
        """
        is_counted = has_consumption and self.config.energy.enabled
        for row in (*_CONCLUDED, *(_COUNTED if is_counted else [])):
            yield self._entity(row, BOILER, WITH_TELEMETRY, "")

    def _entity(
        self, row: _Row, device: str, available_with: Sequence[str], category: str
    ) -> Entity:
        home = self.config.homeassistant
        topics = {name: self.topics.state(where) for name, where in row.topics.items()}
        return Entity(
            row.platform,
            row.object,
            Called(device, row.text.to(home.language), _id(device, row), row.object),
            available_with,
            {**topics, **row.properties},
            category=category,
            enabled=row.enabled or home.entities == "all",
            icon=row.icon,
        )


_CATEGORIES = {"button": CONFIG}


def _id(device: str, row: _Row) -> str:
    is_of_bridge = device == BRIDGE and not row.object.startswith(f"{BRIDGE}_")
    return f"{BRIDGE}_{row.object}" if is_of_bridge else row.object
