"""The discovery of the boiler: its device, and an entity for everything known."""

from collections.abc import Iterator, Mapping

from hargassner import __version__
from hargassner.boiler.model import Boiler
from hargassner.config import Config
from hargassner.dialogue.identifiers import parameter_object
from hargassner.homeassistant.channel_entities import channel_entity
from hargassner.homeassistant.climate import awaited_climates, circuit_temperatures, climates
from hargassner.homeassistant.entities import Entity, Json, object_of, payloads
from hargassner.homeassistant.own_entities import bridge_entities, concluded_entities
from hargassner.homeassistant.setting_entities import setting_entity
from hargassner.homeassistant.topics import Topics

ORIGIN = {"name": "hargassner-bridge", "sw_version": __version__}


def device(boiler: Boiler, config: Config, url: str) -> Json:
    """The boiler as a device; what is not known of it yet is left out.

    Args:
        boiler: the model.
        config: the configuration.
        url: the status page, empty where there is none.
    """
    who = boiler.identity
    properties = {
        "manufacturer": "Hargassner",
        "name": f"Hargassner {who.model}".strip(),
        "model": who.model,
        "sw_version": who.firmware,
        "hw_version": who.io_firmware,
        "serial_number": who.controller_serial or who.io_serial,
        "configuration_url": url,
    }
    known = {key: value for key, value in properties.items() if value}
    return {"identifiers": [_device_id(config)], **known}


def components(boiler: Boiler, config: Config) -> dict[str, Json]:
    """The discovery payload of every entity of the boiler, each by its key."""
    return payloads(_entities(boiler, config), Topics.of(config.mqtt), config.mqtt.node)


def awaited(boiler: Boiler, config: Config, retained: Mapping[str, Json]) -> dict[str, Json]:
    """Those of an earlier life's components that this boiler may still turn out to have.

    Parameters come in a session only. Until then what an earlier life knew of them counts, or
    Home Assistant would forget what its owner has made of them.
    """
    if not config.gateway.enabled:
        return {}
    known = {each.object for each in boiler.settings.values() if each.parameter is not None}
    settable = {parameter_object(each) for each in config.control.parameters}
    climates_to_come = set(awaited_climates(boiler, config))

    def may_come(payload: Json) -> bool:
        object_ = object_of(payload, config.mqtt.node)
        if payload["platform"] == "climate":
            return object_ in climates_to_come
        return (
            object_.startswith("par_")
            and object_ not in known
            and ("command_topic" in payload) == (object_ in settable)
        )

    return {key: payload for key, payload in retained.items() if may_come(payload)}


def messages(
    config: Config,
    device: Json,
    components: Mapping[str, Json],
    before: Mapping[str, str],
) -> dict[str, Json]:
    """The discovery messages by their topics, as configured.

    Args:
        config: the configuration; ``homeassistant.discovery`` is not ``off``.
        device: the device.
        components: the components by their keys.
        before: the platforms of components that were announced before, by their keys; those that
            are not announced any more are removed.
    """
    if config.homeassistant.discovery == "device":
        return _one_message(config, device, components, before)
    return dict(_single_messages(config, device, components))


def _device_id(config: Config) -> str:
    return f"hargassner_{config.mqtt.node}"


def _one_message(
    config: Config, device: Json, components: Mapping[str, Json], before: Mapping[str, str]
) -> dict[str, Json]:
    """One message for the device with all its components."""
    # To be left out removes nothing: a component goes when only its platform is announced.
    removed = {key: {"platform": platform} for key, platform in before.items()}
    message = {"device": device, "origin": ORIGIN, "components": {**removed, **components}}
    return {f"{config.homeassistant.prefix}/device/{_device_id(config)}/config": message}


def _single_messages(
    config: Config, device: Json, components: Mapping[str, Json]
) -> Iterator[tuple[str, Json]]:
    """A message for each component."""
    for component in components.values():
        platform, object_ = component["platform"], object_of(component, config.mqtt.node)
        topic = f"{config.homeassistant.prefix}/{platform}/{_device_id(config)}/{object_}/config"
        payload = {key: value for key, value in component.items() if key != "platform"}
        yield topic, {**payload, "device": device, "origin": ORIGIN}


def _entities(boiler: Boiler, config: Config) -> Iterator[Entity]:
    topics, language = Topics.of(config.mqtt), config.homeassistant.language
    yield from bridge_entities(topics, language, with_gateway=config.gateway.enabled)
    if boiler.channels:
        yield from concluded_entities(topics, language)
    for channel in boiler.channels.values():
        yield channel_entity(boiler, config, channel)
    if config.gateway.enabled:
        yield from _settable(boiler, config)


def _settable(boiler: Boiler, config: Config) -> Iterator[Entity]:
    """What is known of parameters, which only a gateway's session can set."""
    temperatures = circuit_temperatures(boiler)
    for setting in boiler.settings.values():
        entity = setting_entity(config, setting, setting.object in temperatures)
        if entity is not None:
            yield entity
    yield from climates(boiler, config)
