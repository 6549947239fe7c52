"""The entities that are not the boiler's own: the bridge's, and what the model concludes."""

from collections.abc import Iterator, Sequence
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
    """An entity that every boiler has; ``topic`` is where its state is, its own by default, and
    ``attributes`` that of its attributes, empty for none.
    """

    platform: str
    object: str
    text: Text
    properties: Json = field(default_factory=dict)
    topic: str = ""
    enabled: bool = True
    icon: str = ""
    attributes: str = ""

    def entity(
        self,
        topics: Topics,
        called: Called,
        available_with: Sequence[str],
        category: str,
        is_all: bool,
    ) -> Entity:
        """The entity as it is called."""
        state = {"state_topic": topics.state(self.topic or self.object)}
        command = {"command_topic": topics.command(self.object)}
        where = command if self.platform == "button" else state
        attributes = {"json_attributes_topic": topics.state(self.attributes)}
        return Entity(
            self.platform,
            self.object,
            called,
            available_with,
            {**where, **self.properties, **(attributes if self.attributes else {})},
            category=category,
            enabled=self.enabled or is_all,
            icon=self.icon,
        )


_OF_BRIDGE = (
    _Row(
        "sensor",
        "bridge_version",
        Text("version", "Version", "version"),
        {"value_template": "{{ value_json.version }}"},
        topic="bridge",
        enabled=False,
        icon="mdi:tag",
    ),
    _Row(
        "sensor",
        "bridge_start",
        Text("running since", "Läuft seit", "en marche depuis"),
        {"value_template": "{{ value_json.since }}", "device_class": "timestamp"},
        topic="bridge",
        enabled=False,
    ),
    _Row(
        "sensor",
        "last_error",
        Text("last error", "Letzter Fehler", "dernière erreur"),
        {"value_template": "{{ value_json.last_error }}"},
        topic="bridge",
        enabled=False,
        icon="mdi:alert-circle-outline",
        attributes="bridge",
    ),
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
        enabled=False,
    ),
    _Row(
        "sensor",
        "gateway_software",
        Text("gateway software", "Gateway-Software", "logiciel de la passerelle"),
        {"value_template": "{{ value_json.gateway_software }}"},
        topic="info",
        enabled=False,
        icon="mdi:router-wireless",
    ),
    _Row(
        "sensor",
        "last_command",
        Text("last command", "Letzter Befehl", "dernière commande"),
        {"value_template": "{{ value_json.text }}"},
        icon="mdi:console-line",
        attributes="last_command",
    ),
)

_RESTART = _Row(
    "button",
    "restart",
    Text("restart", "Neu starten", "redémarrer"),
    {"payload_press": RESTART, "device_class": "restart"},
)

_TELEMETRY = _Row(
    "binary_sensor", "telemetry", Text("telemetry", "Telemetrie", "télémétrie"), _ONLINE
)

_CONCLUDED = (
    _Row(
        "binary_sensor",
        "fault",
        Text("fault", "Störung aktiv", "défaut"),
        {"device_class": "problem"},
        attributes="faults",
    ),
    _Row(
        "sensor",
        "fault_text",
        Text("fault text", "Störungstext", "texte du défaut"),
        icon="mdi:message-alert-outline",
    ),
    _Row(
        "event",
        "fault_event",
        Text("new fault", "Neue Störung", "nouveau défaut"),
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
    _Row("sensor", "heat", Text("heat produced", "Erzeugte Wärme", "chaleur produite"), _ENERGY),
    _Row(
        "sensor",
        "fuel_energy",
        Text("fuel energy", "Brennstoffenergie", "énergie du combustible"),
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
        for row in (*of_gateway, *_OF_BRIDGE, *([_RESTART] if self.can_restart else [])):
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
        called = Called(device, row.text.to(home.language), _id(device, row), row.object)
        return row.entity(self.topics, called, available_with, category, home.entities == "all")


_CATEGORIES = {"button": CONFIG}


def _id(device: str, row: _Row) -> str:
    is_of_bridge = device == BRIDGE and not row.object.startswith(f"{BRIDGE}_")
    return f"{BRIDGE}_{row.object}" if is_of_bridge else row.object
