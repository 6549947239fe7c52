"""A Home Assistant to test with: stricter than the real one, and knowing nothing of the bridge.

It is written from what the real core accepts. What the real one drops with a warning, ignores
without a word or accepts for now only is an error here.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

COMMON = {
    "platform",
    "unique_id",
    "default_entity_id",
    "name",
    "availability",
    "availability_mode",
    "entity_category",
    "enabled_by_default",
    "icon",
}
REQUIRED = COMMON - {"entity_category", "enabled_by_default", "icon"}

KEYS: dict[str, set[str]] = {
    "sensor": {
        "state_topic",
        "value_template",
        "unit_of_measurement",
        "device_class",
        "state_class",
        "options",
        "suggested_display_precision",
        "json_attributes_topic",
    },
    "binary_sensor": {
        "state_topic",
        "payload_on",
        "payload_off",
        "device_class",
        "json_attributes_topic",
    },
    "button": {"command_topic", "payload_press", "device_class"},
    "event": {"state_topic", "event_types"},
    "select": {
        "state_topic",
        "command_topic",
        "options",
        "value_template",
        "command_template",
    },
    "switch": {
        "state_topic",
        "command_topic",
        "payload_on",
        "payload_off",
        "state_on",
        "state_off",
    },
    "number": {
        "state_topic",
        "command_topic",
        "min",
        "max",
        "step",
        "mode",
        "unit_of_measurement",
        "device_class",
    },
    "climate": {
        "modes",
        "mode_state_topic",
        "mode_state_template",
        "mode_command_topic",
        "mode_command_template",
        "power_command_topic",
        "payload_on",
        "payload_off",
        "preset_modes",
        "preset_mode_state_topic",
        "preset_mode_value_template",
        "preset_mode_command_topic",
        "preset_mode_command_template",
        "temperature_state_topic",
        "temperature_command_topic",
        "temperature_unit",
        "min_temp",
        "max_temp",
        "temp_step",
        "precision",
        "current_temperature_topic",
        "action_topic",
        "action_template",
    },
    "water_heater": {
        "modes",
        "mode_state_topic",
        "mode_command_topic",
        "temperature_state_topic",
        "temperature_command_topic",
        "temperature_unit",
        "min_temp",
        "max_temp",
        "precision",
        "current_temperature_topic",
    },
}
OPTIONAL = {
    "sensor": KEYS["sensor"] - {"state_topic"},
    "binary_sensor": KEYS["binary_sensor"] - {"state_topic"},
    "button": {"device_class"},
    "select": {"value_template", "command_template"},
    "number": {"unit_of_measurement", "device_class"},
    "climate": {
        "action_topic",
        "action_template",
        "mode_state_template",
        "mode_command_template",
        "preset_mode_value_template",
        "preset_mode_command_template",
    },
}

SENSOR_CLASSES: dict[str, tuple[set[str], set[str]]] = {
    "current": ({"A", "mA"}, {"measurement"}),
    "distance": ({"mm", "cm", "m", "km"}, {"measurement", "total", "total_increasing"}),
    "duration": ({"d", "h", "min", "s", "ms"}, {"measurement", "total", "total_increasing"}),
    "energy": ({"Wh", "kWh", "MWh"}, {"total", "total_increasing"}),
    "power": ({"W", "kW"}, {"measurement"}),
    "pressure": ({"Pa", "hPa", "kPa", "bar", "mbar"}, {"measurement"}),
    "temperature": ({"°C"}, {"measurement"}),
    "voltage": ({"V", "mV", "kV"}, {"measurement"}),
    "volume_flow_rate": ({"L/h", "L/min", "m³/h"}, {"measurement"}),
    "weight": ({"g", "kg", "t"}, {"measurement", "total", "total_increasing"}),
}
"""The units and the state classes that go with each class."""

BINARY_CLASSES = {"connectivity", "door", "problem", "running"}
HVAC_MODES = {"off", "auto", "heat", "cool", "heat_cool", "dry", "fan_only"}
HVAC_ACTIONS = {"off", "heating", "cooling", "drying", "idle", "fan"}
PRESETS = {"eco", "away", "boost", "comfort", "home", "sleep", "activity"}
WATER_MODES = {"off", "eco", "electric", "gas", "heat_pump", "high_demand", "performance"}
DEVICE_KEYS = {
    "via_device",
    "identifiers",
    "manufacturer",
    "name",
    "model",
    "sw_version",
    "hw_version",
    "serial_number",
    "configuration_url",
}

ID = re.compile(r"[a-zA-Z0-9_-]+")
ENTITY_ID = re.compile(r"([a-z_]+)\.[a-z0-9]+(_[a-z0-9]+)*")

ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined)


@lru_cache(maxsize=4096)
def compiled(template: str) -> Template:
    """A template that can be rendered; the same ones come again and again.

    Raises:
        TemplateSyntaxError: it is none.
    """
    return ENVIRONMENT.from_string(template)


class RuleBrokenError(AssertionError):
    """Home Assistant would not take this, or not as it is meant."""


def rule(holds: object, broken: str) -> None:
    """Insist on a rule."""
    if not holds:
        raise RuleBrokenError(broken)


def rendered(template: str, value: str, with_json: bool = False) -> str:
    """What a template makes of a value."""
    variables: dict[str, Any] = {"value": value}
    if with_json:
        variables["value_json"] = json.loads(value)
    return compiled(template).render(variables)


def check_announcements(messages: Mapping[str, str], prefix: str = "homeassistant") -> "Home":
    """Check every retained discovery message, and give the home that they make."""
    components: list[dict[str, Any]] = []
    of_component: list[str] = []
    devices = []
    for topic, payload in messages.items():
        parts = topic.removeprefix(f"{prefix}/").split("/")
        rule(topic.startswith(f"{prefix}/") and parts[-1] == "config", f"topic {topic}")
        message = json.loads(payload)
        rule(message.get("origin", {}).get("name"), f"{topic}: an origin needs a name")
        rule(message["origin"].get("support_url", "").startswith("https://"), "support_url")
        rule(set(message["origin"]) <= {"name", "sw_version", "support_url"}, "unknown in origin")
        devices.append(message["device"])
        [device] = message["device"]["identifiers"]
        if parts[0] == "device":
            rule(len(parts) == 3 and ID.fullmatch(parts[1]), f"topic {topic}")
            rule(set(message) == {"device", "origin", "components"}, "unknown at the root")
            for key, component in message["components"].items():
                rule(ID.fullmatch(key), f"key {key}")
                rule("platform" in component, f"{key} has no platform")
                if set(component) != {"platform"}:
                    components.append(component)
                    of_component.append(device)
        else:
            rule(len(parts) == 4 and all(map(ID.fullmatch, parts[:3])), f"topic {topic}")
            del message["device"], message["origin"]
            rule("platform" not in message, f"{topic}: the platform is in the topic")
            components.append({"platform": parts[0], **message})
            of_component.append(device)
    by_id = check_devices(devices)
    for component, device in zip(components, of_component, strict=True):
        check_component(component, by_id[device]["name"])
    names = [
        {"name": (device, each["name"])}
        for device, each in zip(of_component, components, strict=True)
    ]
    rule_distinct("name", names, lambda each: each["name"])
    for what in ("unique_id", "default_entity_id"):
        rule_distinct(what, components, lambda each, what=what: each[what])
    return Home(components, dict(zip(map(id, components), of_component, strict=True)))


def check_devices(devices: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Check the devices, and give them by their identifiers."""
    by_id: dict[str, dict[str, Any]] = {}
    for device in devices:
        check_device(device)
        [identifier] = device["identifiers"]
        rule(by_id.setdefault(identifier, device) == device, f"there are two of {identifier}")
    for device in by_id.values():
        behind = device.get("via_device")
        rule(behind is None or behind in by_id, f"{behind} would be a nameless device")
    rule_distinct("name", list(by_id.values()), lambda each: each["name"])
    return by_id


def rule_distinct(
    what: str, components: Iterable[dict[str, Any]], key: Callable[[dict[str, Any]], object]
) -> None:
    """Insist that no two components have the same of something."""
    several = [each for each, count in Counter(map(key, components)).items() if count > 1]
    rule(not several, f"several components have the same {what}: {several}")


def check_device(device: dict[str, Any]) -> None:
    """Check the device."""
    rule(set(device) <= DEVICE_KEYS, f"unknown in the device: {set(device) - DEVICE_KEYS}")
    rule(device.get("identifiers"), "a device needs identifiers")
    rule(device.get("name"), "a device needs a name")
    url = device.get("configuration_url", "http://x")
    rule(re.match(r"(https?|homeassistant)://[^/]", url), f"configuration_url {url}")
    texts = [value for key, value in device.items() if key != "identifiers"]
    rule(all(isinstance(text, str) and text for text in texts), "empty texts in the device")


def check_component(component: dict[str, Any], device_name: str) -> None:
    """Check one component."""
    platform, who = component["platform"], component.get("unique_id")
    rule(platform in KEYS, f"{who}: platform {platform}")
    known = COMMON | KEYS[platform]
    rule(set(component) <= known, f"{who}: unknown keys {set(component) - known}")
    required = REQUIRED | (KEYS[platform] - OPTIONAL.get(platform, set()))
    rule(required <= set(component), f"{who}: lacks {required - set(component)}")
    rule(isinstance(who, str) and ID.fullmatch(who), f"unique_id {who}")
    entity_id = ENTITY_ID.fullmatch(component["default_entity_id"])
    rule(entity_id and entity_id[1] == platform, f"{who}: {component['default_entity_id']}")
    name = component["name"]
    if name is not None:
        rule(isinstance(name, str) and name.strip() == name and name, f"{who}: name {name!r}")
        rule(len(name) <= 140, f"{who}: a very long name: {name}")
        rule(device_name.lower() not in name.lower(), f"{who}: {name} repeats {device_name}")
    rule(component.get("icon", "mdi:x").startswith("mdi:"), f"{who}: icon {component.get('icon')}")
    # A sensor with "config" passes the schema, and then breaks its topic.
    categories = {"diagnostic", "config"} if platform == "button" else {"diagnostic"}
    rule(component.get("entity_category", "diagnostic") in categories, f"{who}: category")
    rule(component.get("enabled_by_default", False) is False, f"{who}: enabled is the default")
    rule(component["availability_mode"] == "all", f"{who}: availability_mode")
    rule(component["availability"], f"{who}: never unavailable")
    # Domoticz takes the last one only: it must be the one that the last will sets.
    rule(component["availability"][-1]["topic"].endswith("/status"), f"{who}: status is not last")
    for each in component["availability"]:
        rule(set(each) == {"topic"}, f"{who}: availability {each}")
    for key, value in component.items():
        if key.endswith("topic"):
            rule(isinstance(value, str) and not re.search(r"[+#\s]", value), f"{who}: {value}")
        if key.endswith("template"):
            compiled(value)
    CHECKS[platform](component)


def check_sensor(component: dict[str, Any]) -> None:
    """Check what only a sensor has."""
    who, device_class = component["unique_id"], component.get("device_class")
    unit, state_class = component.get("unit_of_measurement"), component.get("state_class")
    rule(unit is None or (unit and unit.strip() == unit), f"{who}: unit {unit!r}")
    if "options" in component or device_class == "enum":
        rule(device_class == "enum", f"{who}: options need the class enum")
        check_options(component)
        not_for_states = {"unit_of_measurement", "state_class", "suggested_display_precision"}
        rule(not not_for_states & set(component), f"{who}: an enum is no number")
    elif device_class == "timestamp":
        rule(unit is None and state_class is None, f"{who}: a timestamp is no number")
    elif device_class is not None:
        rule(device_class in SENSOR_CLASSES, f"{who}: class {device_class}")
        units, state_classes = SENSOR_CLASSES[device_class]
        rule(unit in units, f"{who}: unit {unit} with {device_class}")
        rule(state_class in state_classes, f"{who}: {state_class} with {device_class}")
    rule(
        state_class in (None, "measurement", "total", "total_increasing"),
        f"{who}: state class {state_class}",
    )
    precision = component.get("suggested_display_precision", 0)
    rule(isinstance(precision, int) and 0 <= precision < 10, f"{who}: precision {precision}")


def check_options(component: dict[str, Any]) -> None:
    """Check a list of options."""
    options = component["options"]
    rule(options and all(isinstance(each, str) and each for each in options), f"{options}")
    rule(all(len(each) <= 255 for each in options), "an option is too long for a state")
    rule(len(set(options)) == len(options), f"{component['unique_id']}: options twice: {options}")


def check_binary_sensor(component: dict[str, Any]) -> None:
    """Check what only a binary sensor has."""
    device_class = component.get("device_class")
    rule(device_class is None or device_class in BINARY_CLASSES, f"class {device_class}")
    rule(
        component.get("payload_on", "ON") != component.get("payload_off", "OFF"),
        f"{component['unique_id']}: on is off",
    )


def check_event(component: dict[str, Any]) -> None:
    """Check what only an event has."""
    types = component["event_types"]
    rule(types and all(isinstance(each, str) and each for each in types), f"types {types}")


def check_button(component: dict[str, Any]) -> None:
    """Check what only a button has."""
    who = component["unique_id"]
    rule(component["payload_press"], f"{who}: it presses nothing")
    rule(component.get("device_class") in (None, "identify", "restart", "update"), f"{who}: class")


def check_select(component: dict[str, Any]) -> None:
    """Check what only a choice has: each option can be chosen, by another command."""
    check_options(component)
    options = component["options"]
    template = component.get("command_template", "{{ value }}")
    commands = [rendered(template, option) for option in options]
    rule("None" not in commands, f"{component['unique_id']}: {options} give {commands}")
    rule(len(set(commands)) == len(options), f"{component['unique_id']}: {commands}")


def check_water_heater(component: dict[str, Any]) -> None:
    """Check what only a water heater has."""
    who = component["unique_id"]
    rule(set(component["modes"]) <= WATER_MODES, f"{who}: modes {component['modes']}")
    rule(component["temperature_unit"] == "C", f"{who}: temperature unit")
    rule(component["min_temp"] < component["max_temp"], f"{who}: limits")
    rule(component["precision"] in (0.1, 0.5, 1.0), f"{who}: precision")


def check_switch(component: dict[str, Any]) -> None:
    """Check what only a switch has."""
    for kind in ("payload", "state"):
        on, off = component[f"{kind}_on"], component[f"{kind}_off"]
        rule(on and off and on != off, f"{component['unique_id']}: on is off")


def check_number(component: dict[str, Any]) -> None:
    """Check what only a number has."""
    who = component["unique_id"]
    low, high, step = component["min"], component["max"], component["step"]
    rule(all(isinstance(each, float | int) for each in (low, high, step)), f"{who}: no number")
    rule(low < high and 0.001 <= step <= high - low, f"{who}: {low} to {high} by {step}")
    rule(component["mode"] in ("auto", "box", "slider"), f"{who}: mode")
    if "device_class" in component:
        units, _ = SENSOR_CLASSES[component["device_class"]]
        rule(component.get("unit_of_measurement") in units, f"{who}: unit")


def check_climate(component: dict[str, Any]) -> None:
    """Check what only a thermostat has."""
    who = component["unique_id"]
    rule(set(component["modes"]) <= HVAC_MODES, f"{who}: modes {component['modes']}")
    rule({"off", "heat"} <= set(component["modes"]), f"{who}: modes {component['modes']}")
    rule(set(component["preset_modes"]) <= PRESETS, f"{who}: {component['preset_modes']}")
    rule(component["temperature_unit"] == "C", f"{who}: temperature unit")
    rule(component["min_temp"] < component["max_temp"], f"{who}: limits")
    rule(component["temp_step"] > 0 and component["precision"] in (0.1, 0.5, 1.0), f"{who}: step")
    rule("none" not in component["preset_modes"], f"{who}: none is no preset, but their absence")
    # Without a topic for it, to turn it on is the first of heat_cool, heat and cool, for ever.
    rule(component["power_command_topic"] == component["mode_command_topic"], f"{who}: power")
    rule(component["payload_on"] in component["modes"], f"{who}: on is {component['payload_on']}")
    rule(component["payload_off"] == "off", f"{who}: off is {component['payload_off']}")
    for kind, values in (
        ("mode", component["modes"]),
        ("preset_mode", ["none", *component["preset_modes"]]),
    ):
        template = component.get(f"{kind}_command_template", "{{ value }}")
        commands = [rendered(template, value) for value in values]
        rule(not {"", "None"} & set(commands), f"{who}: {values} give {commands}")
        rule(len(set(commands)) == len(commands), f"{who}: {values} give {commands}")


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "sensor": check_sensor,
    "binary_sensor": check_binary_sensor,
    "event": check_event,
    "select": check_select,
    "button": check_button,
    "water_heater": check_water_heater,
    "switch": check_switch,
    "number": check_number,
    "climate": check_climate,
}


class Home:
    """The entities that were announced, and what they show."""

    def __init__(
        self, components: Iterable[dict[str, Any]], devices: Mapping[int, str] | None = None
    ) -> None:
        components = list(components)
        self.devices = {each["unique_id"]: (devices or {}).get(id(each), "") for each in components}
        """The identifier of each entity's device, by its unique id."""
        self.components = {f"{each['platform']}/{each['unique_id']}": each for each in components}

    def entity(self, platform: str, object_: str, node: str = "boiler") -> dict[str, Any]:
        """An entity's component."""
        return self.components[f"{platform}/hargassner_{node}_{object_}"]

    def available(self, component: dict[str, Any], retained: Mapping[str, str]) -> bool:
        """Whether an entity is available, with what is retained."""
        states = [retained.get(each["topic"], "") for each in component["availability"]]
        rule(set(states) <= {"online", "offline", ""}, f"availability {states}")
        return all(state == "online" for state in states)

    def state(self, component: dict[str, Any], retained: Mapping[str, str]) -> Any:
        """What an entity shows: None for unknown. A thermostat shows a dict.

        Raises:
            RuleBrokenError: Home Assistant would ignore the state, or log an error.
        """
        match component["platform"]:
            case "climate":
                return self._climate(component, retained)
            case "water_heater":
                return self._water_heater(component, retained)
            case "button":
                return None
        payload = retained.get(component["state_topic"])
        if payload is None or component["platform"] == "event":
            return None
        template = component.get("value_template")
        if template is not None:
            payload = rendered(template, payload, with_json="value_json" in template)
        if payload == "None":
            return None
        return getattr(self, f"_{component['platform']}")(component, payload)

    def show_all(self, retained: Mapping[str, str]) -> dict[str, Any]:
        """What every entity shows, by platform and unique id."""
        return {key: self.state(each, retained) for key, each in self.components.items()}

    def _sensor(self, component: dict[str, Any], payload: str) -> Any:
        who = component["unique_id"]
        rule(len(payload) <= 255, f"{who}: longer than a state may be")
        if component.get("device_class") == "timestamp":
            moment = datetime.fromisoformat(payload)
            rule(moment.tzinfo, f"{who}: {payload} has no time zone")
            return moment
        if "options" in component:
            rule(payload in component["options"], f"{who}: {payload} is no option")
            return payload
        numeric = {"unit_of_measurement", "state_class", "suggested_display_precision"}
        if numeric & set(component):
            float(payload)
        return payload

    def _binary_sensor(self, component: dict[str, Any], payload: str) -> bool:
        states = {
            component.get("payload_on", "ON"): True,
            component.get("payload_off", "OFF"): False,
        }
        rule(payload in states, f"{component['unique_id']}: {payload}")
        return states[payload]

    def _select(self, component: dict[str, Any], payload: str) -> str:
        rule(payload in component["options"], f"{component['unique_id']}: {payload}")
        return payload

    def _water_heater(
        self, component: dict[str, Any], retained: Mapping[str, str]
    ) -> dict[str, Any]:
        who = component["unique_id"]
        mode = retained.get(component["mode_state_topic"], "None")
        rule(mode in ["None", *component["modes"]], f"{who}: mode {mode}")
        shown: dict[str, Any] = {"mode": mode}
        for key in ("temperature_state_topic", "current_temperature_topic"):
            payload = retained.get(component[key], "None")
            shown[key.removesuffix("_topic").removesuffix("_state")] = (
                None if payload == "None" else float(payload)
            )
        return shown

    def _switch(self, component: dict[str, Any], payload: str) -> bool:
        states = {component["state_on"]: True, component["state_off"]: False}
        rule(payload in states, f"{component['unique_id']}: {payload}")
        return states[payload]

    def _number(self, component: dict[str, Any], payload: str) -> float:
        number = float(payload)
        rule(component["min"] <= number <= component["max"], f"{component['unique_id']}: {number}")
        return number

    def _read(
        self, component: dict[str, Any], topic: str, template: str, retained: Mapping[str, str]
    ) -> str:
        """What a topic says, by its template if there is one; nothing retained is unknown."""
        if component[topic] not in retained:
            return "None"
        return rendered(component.get(template, "{{ value }}"), retained[component[topic]])

    def _climate(self, component: dict[str, Any], retained: Mapping[str, str]) -> dict[str, Any]:
        who = component["unique_id"]
        mode = self._read(component, "mode_state_topic", "mode_state_template", retained)
        preset = self._read(
            component, "preset_mode_state_topic", "preset_mode_value_template", retained
        )
        rule(mode in ["None", *component["modes"]], f"{who}: mode {mode}")
        rule(preset in ["None", "none", *component["preset_modes"]], f"{who}: preset {preset}")
        shown = {"mode": mode, "preset": preset}
        for key in ("temperature_state_topic", "current_temperature_topic"):
            payload = retained.get(component[key], "None")
            shown[key.removesuffix("_topic").removesuffix("_state")] = (
                None if payload == "None" else float(payload)
            )
        if "action_topic" in component:
            action = self._read(component, "action_topic", "action_template", retained)
            rule(action in ["None", *HVAC_ACTIONS], f"{who}: action {action}")
            shown["action"] = action
        return shown
