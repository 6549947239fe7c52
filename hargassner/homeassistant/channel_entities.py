"""The entity of a channel."""

from hargassner.boiler.model import Boiler, Channel
from hargassner.catalogue import AnalogEntry, DigitalEntry
from hargassner.config import Config
from hargassner.homeassistant.entities import DIAGNOSTIC, WITH_TELEMETRY, Entity, Json
from hargassner.homeassistant.naming import channel_called
from hargassner.homeassistant.topics import Topics, channel_object
from hargassner.homeassistant.words import state_words


def channel_entity(boiler: Boiler, config: Config, channel: Channel) -> Entity:
    """A sensor for an analog channel, a binary one for a digital channel."""
    language = config.homeassistant.language
    platform, properties = "binary_sensor", _looks(channel)
    if channel.kind == "analog":
        platform = "sensor"
        words = list(state_words(boiler, channel, language).values())
        properties |= {"options": words} if words else _measured(channel)
    topics = Topics.of(config.mqtt)
    shown = (
        topics.text(channel_object(channel)) if "options" in properties else topics.channel(channel)
    )
    return Entity(
        platform=platform,
        object=channel_object(channel),
        called=channel_called(boiler.catalogue, channel, language),
        available_with=WITH_TELEMETRY,
        properties={"state_topic": shown, **properties},
        category=channel.entry.entity_category if channel.entry else DIAGNOSTIC,
        enabled=config.homeassistant.entities == "all" or is_wanted(channel),
        icon=_icon(channel),
    )


def is_wanted(channel: Channel) -> bool:
    """Whether most owners want the entity."""
    entry = channel.entry
    return entry is not None and entry.enabled and entry.role != "fault"


def _icon(channel: Channel) -> str:
    own = channel.entry.icon if channel.entry is not None else ""
    return channel.place.icon or own


def _looks(channel: Channel) -> Json:
    """What the catalogue says of how a channel is to be shown."""
    entry = channel.entry
    looks: Json = {}
    if isinstance(entry, DigitalEntry) and entry.inverted:
        looks |= {"payload_on": "OFF", "payload_off": "ON"}
    if entry is not None and entry.device_class:
        looks["device_class"] = entry.device_class
    return looks


def _measured(channel: Channel) -> Json:
    """How a channel is to be read whose values are measured."""
    state_class = channel.entry.state_class if isinstance(channel.entry, AnalogEntry) else ""
    measured: Json = {
        "unit_of_measurement": channel.unit or None,
        "state_class": state_class or None,
        "suggested_display_precision": channel.decimals,
    }
    return {key: value for key, value in measured.items() if value is not None}
