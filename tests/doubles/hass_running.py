"""A Home Assistant that runs: it takes messages in their order and time, and complains.

It knows what the real one knows of MQTT discovery, and is stricter: what the real one logs as a
warning or an error, or quietly does otherwise than was meant, is a complaint here.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.doubles.hass import Home, RuleBrokenError

RELEASE = 2.0
"""Seconds that it takes to let the entities of an announcement go."""

SUBSCRIBE = 0.1
"""Seconds until a new entity hears of its states."""

PLATFORMS = {
    "device",
    "sensor",
    "binary_sensor",
    "event",
    "select",
    "switch",
    "number",
    "climate",
    "water_heater",
    "button",
}
NOT_READ = ("command_topic", "availability")


@dataclass
class RunningEntity:
    """An entity; ``shown`` is the word that it shows, of those that must be options."""

    component: dict[str, Any]
    topic: str
    device: str
    since: float
    shown: Any = None
    available: bool = False

    def reads(self, topic: str) -> bool:
        """Whether its state or its attributes are on this topic."""
        return any(
            value == topic
            for key, value in self.component.items()
            if key.endswith("_topic") and not key.endswith("command_topic")
        )


@dataclass
class RunningHome:
    """Listens to everything that is published.

    ``enabled`` is what its registry has: every unique id that it has seen, and whether it was
    enabled at first sight. ``ineffective`` are the unique ids whose announcement says otherwise
    now, which changes nothing. ``orphans`` are listed for ever: they were disabled when they went.
    """

    seconds: Callable[[], float]
    complaints: list[str] = field(default_factory=list)
    enabled: dict[str, bool] = field(default_factory=dict)
    ineffective: set[str] = field(default_factory=set)
    orphans: set[str] = field(default_factory=set)
    entities: dict[str, RunningEntity] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    retained: dict[str, str] = field(default_factory=dict)
    _released: dict[str, float] = field(default_factory=dict)

    def received(self, topic: str, payload: str, retain: bool) -> None:
        """Take a message."""
        if is_discovery(topic):
            self._announced(topic, payload)
            return
        if retain and payload:
            self.retained[topic] = payload
        elif retain:
            self.retained.pop(topic, None)
        for unique_id, entity in self.entities.items():
            if entity.reads(topic):
                self._state(unique_id, entity, topic, payload, retain)
            if any(each["topic"] == topic for each in entity.component["availability"]):
                self._available(unique_id, entity)

    def shown(self, unique_id: str) -> Any:
        """What an entity shows: None for unknown and unavailable."""
        entity = self.entities[unique_id]
        return entity.shown if entity.available else None

    def of_device(self, name: str) -> set[str]:
        """The unique ids of the entities on the device that is called so."""
        return {key for key, each in self.entities.items() if self.devices[each.device] == name}

    # Discovery.

    def _announced(self, topic: str, payload: str) -> None:
        if not payload:
            self._cleared(topic)
            return
        message = json.loads(payload)
        if message == {"migrate_discovery": True}:
            for unique_id in self._on(topic):
                del self.entities[unique_id]
                self._released[unique_id] = self.seconds()
            return
        self._device(message["device"])
        [device] = message["device"]["identifiers"]
        for component in components_of(topic, message):
            if "unique_id" in component:
                self._entity(topic, device, component)
        kept = {each.get("unique_id") for each in components_of(topic, message)}
        for unique_id in self._on(topic):
            if unique_id not in kept:
                self._removed(unique_id)

    def _device(self, device: dict[str, Any]) -> None:
        [identifier] = device["identifiers"]
        behind = device.get("via_device")
        if behind is not None and behind not in self.devices:
            self._complain(f"{behind} is not known yet, and a nameless device now")
        self.devices[identifier] = device["name"]

    def _entity(self, topic: str, device: str, component: dict[str, Any]) -> None:
        unique_id = component["unique_id"]
        known = self.entities.get(unique_id)
        if known is not None and known.component["platform"] != component["platform"]:
            self._removed(unique_id)
            known = None
        if known is not None and known.topic != topic:
            self._complain(f"{unique_id} is announced twice: on {known.topic} and {topic}")
            return
        if self.seconds() - self._released.pop(unique_id, -RELEASE) < RELEASE:
            self._complain(f"{unique_id} is not let go yet")
        wanted = component.get("enabled_by_default", True)
        if self.enabled.setdefault(unique_id, wanted) is not wanted:
            self.ineffective.add(unique_id)
        self.orphans.discard(unique_id)
        if known is None:
            known = RunningEntity(component, topic, device, self.seconds())
            self.entities[unique_id] = known
            self._read(unique_id, known)
        known.component = component
        self._available(unique_id, known)
        self._look_at_options(unique_id, known)

    def _cleared(self, topic: str) -> None:
        gone = self._on(topic)
        devices = {self.entities[each].device for each in gone}
        for unique_id in gone:
            self._removed(unique_id)
        left = {each.device for each in self.entities.values()}
        for device in devices - left:
            # With its device, all of its entities leave the registry.
            self.devices.pop(device)
            self.orphans -= gone

    def _removed(self, unique_id: str) -> None:
        del self.entities[unique_id]
        if not self.enabled.pop(unique_id):
            self.orphans.add(unique_id)

    def _on(self, topic: str) -> set[str]:
        return {key for key, each in self.entities.items() if each.topic == topic}

    # States.

    def _read(self, unique_id: str, entity: RunningEntity) -> None:
        """Read the states that are retained."""
        try:
            entity.shown = Home([entity.component]).state(entity.component, self.retained)
        except (RuleBrokenError, ValueError, KeyError) as wrong:
            self._complain(f"{unique_id}: {wrong!r}")

    def _state(
        self, unique_id: str, entity: RunningEntity, topic: str, payload: str, retain: bool
    ) -> None:
        if not payload:
            self._complain(f"{topic} is cleared while {unique_id} reads it")
        elif not retain and self.seconds() - entity.since < SUBSCRIBE:
            self._complain(f"{unique_id} does not hear {topic} yet")
        else:
            self._read(unique_id, entity)

    def _available(self, unique_id: str, entity: RunningEntity) -> None:
        home = Home([entity.component])
        entity.available = home.available(entity.component, self.retained)
        self._look_at_options(unique_id, entity)

    def _look_at_options(self, unique_id: str, entity: RunningEntity) -> None:
        """An entity that shows a word writes its state anew with each change."""
        options = entity.component.get("options")
        is_shown = entity.available and entity.shown is not None
        if options is not None and is_shown and entity.shown not in options:
            self._complain(f"{unique_id} shows {entity.shown}, which is none of {options}")

    def _complain(self, what: str) -> None:
        self.complaints.append(f"{self.seconds():.1f}: {what}")


def is_discovery(topic: str) -> bool:
    """Whether a message on this topic announces something, under whatever prefix."""
    levels = topic.split("/")
    return levels[-1] == "config" and bool(PLATFORMS & set(levels[-4:-1]))


def components_of(topic: str, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The components of a message."""
    if "components" in message:
        yield from message["components"].values()
    else:
        platform = topic.split("/")[-4]
        yield {"platform": platform, **message}
