"""What Home Assistant is told of the boiler: its device, and an entity for everything known."""

import re
from collections.abc import Iterator, Mapping, Sequence

from hargassner import __version__
from hargassner.boiler.model import Boiler, Channel, Setting
from hargassner.catalogue import AnalogEntry, DigitalEntry, Text, spelled_unit
from hargassner.config import Config
from hargassner.dialogue.identifiers import parameter_object
from hargassner.dialogue.parameters import ChoiceParameter, NumberParameter
from hargassner.homeassistant.climate import awaited_climates, circuit_temperatures, climates
from hargassner.homeassistant.entities import (
    DIAGNOSTIC,
    WITH_BRIDGE,
    WITH_SESSION,
    WITH_TELEMETRY,
    Entity,
    Json,
    lookup,
    object_of,
    payloads,
)
from hargassner.homeassistant.topics import Topics, channel_object

ORIGIN = {"name": "hargassner-bridge", "sw_version": __version__}

NEW_FAULT = "fault"
"""The type of the event that a new fault is."""

SMALLEST_STEP = 0.001
"""Of a number; Home Assistant refuses smaller ones."""

_SESSION = Text("gateway session", "Gateway-Sitzung", "session de la passerelle")
_SESSION_START = Text(
    "gateway session start", "Beginn der Gateway-Sitzung", "début de la session de la passerelle"
)
_GATEWAY_SOFTWARE = Text("gateway software", "Gateway-Software", "logiciel de la passerelle")
_TELEMETRY = Text("telemetry", "Telemetrie", "télémétrie")
_FAULT = Text("fault", "Störung aktiv", "défaut")
_FAULT_TEXT = Text("fault text", "Störungstext", "texte du défaut")
_FAULT_EVENT = Text("new fault", "Neue Störung", "nouveau défaut")
_HEAT = Text("heat produced", "Erzeugte Wärme", "chaleur produite")

_YES_NO = frozenset({("yes", "no"), ("ja", "nein"), ("oui", "non")})

_HERE = re.compile(r"127\.|localhost$|::1$")


def device(boiler: Boiler, config: Config, url: str) -> Json:
    """The boiler as a device; what is not known of it yet is left out.

    Args:
        boiler: the model.
        config: the configuration.
        url: the status page, empty where there is none.
    """
    who = boiler.identity
    told = {
        "manufacturer": "Hargassner",
        "name": f"Hargassner {who.model}".strip(),
        "model": who.model,
        "sw_version": who.firmware,
        "hw_version": who.io_firmware,
        "serial_number": who.controller_serial or who.io_serial,
        "configuration_url": url,
    }
    known = {key: value for key, value in told.items() if value}
    return {"identifiers": [f"hargassner_{config.mqtt.node}"], **known}


def components(boiler: Boiler, config: Config) -> dict[str, Json]:
    """What Home Assistant is told of every entity of the boiler, each by its key."""
    return payloads(_entities(boiler, config), Topics.of(config.mqtt), config.mqtt.node)


def awaited(boiler: Boiler, config: Config, remembered: Mapping[str, Json]) -> dict[str, Json]:
    """Those of an earlier life's components that this boiler may still turn out to have.

    Parameters are told in a session only. Until then what an earlier life knew of them counts,
    or Home Assistant would forget what its owner has made of them.
    """
    told = {each.object for each in boiler.settings.values() if each.parameter is not None}
    settable = {parameter_object(each) for each in config.control.parameters}
    climates_to_come = set(awaited_climates(boiler, config))

    def may_come(payload: Json) -> bool:
        object_ = object_of(payload, config.mqtt.node)
        if payload["platform"] == "climate":
            return object_ in climates_to_come
        return (
            object_.startswith("par_")
            and object_ not in told
            and ("command_topic" in payload) == (object_ in settable)
        )

    return {key: payload for key, payload in remembered.items() if may_come(payload)}


def messages(
    config: Config,
    told_device: Json,
    told: Mapping[str, Json],
    before: Mapping[str, str],
) -> dict[str, Json]:
    """The discovery messages by their topics, as the configuration wants them.

    Args:
        config: the configuration; ``homeassistant.discovery`` is not ``off``.
        told_device: the device.
        told: the components by their keys.
        before: the platforms of components that were told before, by their keys; those that are
            not told any more are removed.
    """
    prefix = config.homeassistant.prefix
    id_ = f"hargassner_{config.mqtt.node}"
    if config.homeassistant.discovery == "device":
        # To be left out removes nothing: a component goes when only its platform is said.
        last_words = {key: {"platform": platform} for key, platform in before.items()}
        message = {"device": told_device, "origin": ORIGIN, "components": {**last_words, **told}}
        return {f"{prefix}/device/{id_}/config": message}
    alone = {}
    for component in told.values():
        object_ = object_of(component, config.mqtt.node)
        topic = f"{prefix}/{component['platform']}/{id_}/{object_}/config"
        payload = {key: value for key, value in component.items() if key != "platform"}
        alone[topic] = {**payload, "device": told_device, "origin": ORIGIN}
    return alone


def status_page(listen: str, hostname: str) -> str:
    """The address of the status page, or an empty string if only this machine can see it.

    Args:
        listen: the endpoint on which it listens.
        hostname: this machine's name in the home network, for a page that listens on any address.
    """
    kind, *given = re.split(r"(?<!\\):", listen)
    if kind not in ("tcp", "tcp6", "ssl"):
        return ""
    named = dict(part.partition("=")[::2] for part in given if "=" in part)
    placed = [part for part in given if "=" not in part]
    port = named.get("port") or (placed[0] if placed else "")
    host = named.get("interface", "").replace("\\", "")
    if _HERE.match(host):
        return ""
    if host in ("", "0.0.0.0", "::"):  # noqa: S104 - how "any address" is written
        host = hostname
    elif ":" in host:
        host = f"[{host}]"
    return f"{'https' if kind == 'ssl' else 'http'}://{host}:{port}"


def _entities(boiler: Boiler, config: Config) -> Iterator[Entity]:
    language = config.homeassistant.language
    yield from _bridge(Topics.of(config.mqtt), language)
    if boiler.channels:
        yield from _conclusions(Topics.of(config.mqtt), language)
    for channel in boiler.channels.values():
        yield _channel(boiler, config, channel)
    temperatures = circuit_temperatures(boiler)
    for setting in boiler.settings.values():
        entity = _setting(config, setting, setting.object in temperatures)
        if entity is not None:
            yield entity
    yield from climates(boiler, config)


def _bridge(topics: Topics, language: str) -> Iterator[Entity]:
    """The bridge's own entities."""
    online = {
        "device_class": "connectivity",
        "payload_on": "online",
        "payload_off": "offline",
    }
    for object_, text, topic in (
        ("session", _SESSION, topics.session),
        ("telemetry", _TELEMETRY, topics.telemetry),
    ):
        yield Entity(
            "binary_sensor",
            object_,
            text.to(language),
            object_,
            WITH_BRIDGE,
            {"state_topic": topic, **online},
            category=DIAGNOSTIC,
        )
    yield Entity(
        "sensor",
        "session_start",
        _SESSION_START.to(language),
        "session_start",
        WITH_BRIDGE,
        {
            "state_topic": topics.info,
            "value_template": "{{ value_json.session_start }}",
            "device_class": "timestamp",
        },
        category=DIAGNOSTIC,
    )
    yield Entity(
        "sensor",
        "gateway_software",
        _GATEWAY_SOFTWARE.to(language),
        "gateway_software",
        WITH_BRIDGE,
        {
            "state_topic": topics.info,
            "value_template": "{{ value_json.gateway_software }}",
        },
        category=DIAGNOSTIC,
    )


def _conclusions(topics: Topics, language: str) -> Iterator[Entity]:
    """What the model concludes from several channels."""
    for platform, object_, text, properties in (
        ("binary_sensor", "fault", _FAULT, {"device_class": "problem"}),
        ("sensor", "fault_text", _FAULT_TEXT, {}),
        ("event", "fault_event", _FAULT_EVENT, {"event_types": [NEW_FAULT]}),
        (
            "sensor",
            "heat",
            _HEAT,
            {
                "device_class": "energy",
                "state_class": "total_increasing",
                "unit_of_measurement": "kWh",
                "suggested_display_precision": 0,
            },
        ),
    ):
        yield Entity(
            platform,
            object_,
            text.to(language),
            object_,
            WITH_TELEMETRY,
            {"state_topic": topics.state(object_), **properties},
        )


def _channel(boiler: Boiler, config: Config, channel: Channel) -> Entity:
    entry = channel.entry
    language = config.homeassistant.language
    wanted = entry is not None and entry.enabled and entry.role != "fault"
    properties: Json = {"state_topic": Topics.of(config.mqtt).channel(channel)}
    if isinstance(entry, DigitalEntry) and entry.inverted:
        properties |= {"payload_on": "OFF", "payload_off": "ON"}
    if entry is not None and entry.device_class:
        properties["device_class"] = entry.device_class
    if channel.kind == "analog":
        properties |= _measured(boiler, channel, language)
    return Entity(
        platform="sensor" if channel.kind == "analog" else "binary_sensor",
        object=channel_object(channel),
        name=entry.text.to(language) if entry else channel.name,
        source=channel.name,
        available_with=WITH_TELEMETRY,
        properties=properties,
        category=entry.entity_category if entry else DIAGNOSTIC,
        enabled=channel.connected and (wanted or config.homeassistant.entities == "all"),
    )


def _measured(boiler: Boiler, channel: Channel, language: str) -> Json:
    """How the value of an analog channel is to be read."""
    states = boiler.catalogue.states(channel.name, boiler.family)
    if states:
        meanings = {code: text.to(language) for code, text in states.items()}
        return {
            "options": list(meanings.values()),
            # The topic has the code as the boiler sends it.
            "value_template": lookup(meanings, "value | int(-1)"),
        }
    told: Json = {}
    if channel.unit:
        told["unit_of_measurement"] = channel.unit
    if isinstance(channel.entry, AnalogEntry) and channel.entry.state_class:
        told["state_class"] = channel.entry.state_class
    if channel.decimals is not None:
        told["suggested_display_precision"] = channel.decimals
    return told


def _setting(config: Config, setting: Setting, is_temperature: bool) -> Entity | None:
    """The entity of a parameter; None for one that can be set and is not known in full yet."""
    settable = setting.id in config.control.parameters
    if settable and setting.parameter is None:
        return None
    topics = Topics.of(config.mqtt)
    properties: Json = {"state_topic": topics.state(setting.object)}
    platform, only_here = _control(setting, is_temperature) if settable else ("sensor", {})
    if platform == "sensor":
        if isinstance(setting.parameter, NumberParameter) and setting.parameter.unit:
            properties["unit_of_measurement"] = spelled_unit(setting.parameter.unit)
    else:
        properties["command_topic"] = topics.command(setting.object)
    text = setting.entry.text.to(config.homeassistant.language) if setting.entry else ""
    return Entity(
        platform=platform,
        object=setting.object,
        name=text or setting.name or setting.id,
        source=setting.id,
        available_with=WITH_SESSION,
        properties={**properties, **only_here},
        category=DIAGNOSTIC if platform == "sensor" else "",
        enabled=settable or config.homeassistant.entities == "all",
    )


def _control(setting: Setting, is_temperature: bool) -> tuple[str, Json]:
    """The platform on which a parameter can be set, and what only that platform has.

    A sensor for one that has no sound limits or options.
    """
    match setting.parameter:
        case ChoiceParameter(options=options):
            return _choice(options)
        case NumberParameter() as number if number.minimum < number.maximum:
            told: Json = {
                "min": float(number.minimum),
                "max": float(number.maximum),
                "step": max(float(number.step), SMALLEST_STEP) if number.step > 0 else 1.0,
                "mode": "box",
            }
            unit = spelled_unit(number.unit)
            if unit:
                told["unit_of_measurement"] = unit
            # Not every parameter in °C is a temperature; it may be a difference of two.
            if is_temperature and unit == "°C":
                told["device_class"] = "temperature"
            return "number", told
        case _:
            return "sensor", {}


def _choice(options: Sequence[str]) -> tuple[str, Json]:
    if len(options) == 2:
        for off, on in (options, options[::-1]):
            if (on.casefold(), off.casefold()) in _YES_NO:
                states = {"state_on": on, "state_off": off}
                return "switch", {"payload_on": on, "payload_off": off, **states}
    if all(options) and len(set(options)) == len(options):
        return "select", {"options": list(options)}
    return "sensor", {}
