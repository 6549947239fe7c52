"""The entity of a channel."""

from collections.abc import Sequence

from hargassner.boiler.model import Boiler, Channel
from hargassner.config import Config
from hargassner.homeassistant.entities import WITH_TELEMETRY, Entity, Json, known
from hargassner.homeassistant.entries import entry_of
from hargassner.homeassistant.naming import channel_called
from hargassner.homeassistant.topics import Topics, channel_object
from hargassner.homeassistant.words import state_words

_PLATFORMS = {"analog": "sensor", "digital": "binary_sensor"}
_INVERTED = {"payload_on": "OFF", "payload_off": "ON"}


def channel_entity(boiler: Boiler, config: Config, channel: Channel) -> Entity:
    """A sensor for an analog channel, a binary one for a digital channel."""
    language = config.homeassistant.language
    words = list(state_words(boiler, channel, language).values())
    topics, entry = Topics.of(config.mqtt), entry_of(channel)
    return Entity(
        platform=_PLATFORMS[channel.kind],
        object=channel_object(channel),
        called=channel_called(boiler.catalogue, channel, language),
        available_with=WITH_TELEMETRY,
        properties={
            **(_in_words(topics, channel, words) if words else _measured(topics, channel)),
            **(_INVERTED if entry.inverted else {}),
            **known({"device_class": entry.device_class}),
        },
        category=entry.entity_category,
        enabled=config.homeassistant.entities == "all" or is_wanted(channel),
        icon=channel.place.icon or entry.icon,
    )


def is_wanted(channel: Channel) -> bool:
    """Whether most owners want the entity."""
    entry = entry_of(channel)
    return entry.enabled and entry.role != "fault"


def _in_words(topics: Topics, channel: Channel, words: Sequence[str]) -> Json:
    """How a channel is to be read that shows one of these words."""
    return {"state_topic": topics.text(channel_object(channel)), "options": words}


def _measured(topics: Topics, channel: Channel) -> Json:
    """How a channel is to be read that shows a value or a bit."""
    return known(
        {
            "state_topic": topics.channel(channel),
            "unit_of_measurement": channel.unit,
            "state_class": entry_of(channel).state_class,
            "suggested_display_precision": channel.decimals,
        }
    )
