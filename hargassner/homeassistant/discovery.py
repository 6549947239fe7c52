"""The discovery of the boiler: its devices, and an entity for everything known."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from hargassner import __version__
from hargassner.boiler.model import CONSUMPTION, Boiler, Channel, Setting
from hargassner.boiler.settable import Settable
from hargassner.config import Config
from hargassner.homeassistant.channel_entities import channel_entity
from hargassner.homeassistant.compounds import Compounds
from hargassner.homeassistant.devices import Devices
from hargassner.homeassistant.entities import Entity, Json, device_of, object_of, payloads
from hargassner.homeassistant.entries import known_in_full
from hargassner.homeassistant.own_entities import own_entities
from hargassner.homeassistant.setting_entities import is_known, setting_entity
from hargassner.homeassistant.topics import Topics

ORIGIN = {
    "name": "hargassner-bridge",
    "sw_version": __version__,
    "support_url": "https://pypi.org/project/hargassner-bridge/",
}


@dataclass(frozen=True, slots=True)
class Discovery:
    """What is announced of a boiler.

    Args:
        boiler: the model.
        config: the configuration.
        settable: decides what can be set.
        url: the status page, empty where there is none.
        can_restart: whether somebody starts the bridge again when it stops.
    """

    boiler: Boiler
    config: Config
    settable: Settable
    url: str = ""
    can_restart: bool = False

    def components(self) -> dict[str, Json]:
        """The discovery payload of every entity of the boiler, each by its key."""
        return payloads(self._entities(), self._topics, self.config.mqtt.node)

    def awaited(self, retained: Mapping[str, Json]) -> dict[str, Json]:
        """Those of an earlier life's components that this boiler may still turn out to have.

        Parameters come in a session only. Until then what an earlier life knew of them counts, or
        Home Assistant would forget what its owner has made of them.
        """
        if not self.config.gateway.enabled:
            return {}
        told = known_in_full(self.boiler)
        compounds = self._compounds.awaited(told.keys())
        objects = {each.object for each in told.values()}
        return {
            key: payload
            for key, payload in retained.items()
            if self._may_come(payload, compounds, objects)
        }

    def _may_come(self, payload: Json, compounds: Container[str], told: Container[str]) -> bool:
        """Whether this is one of the compounds, or a parameter that is not told, set as before."""
        object_ = object_of(payload, self.config.mqtt.node)
        if not object_.startswith("par_"):
            return object_ in compounds
        is_settable = bool(self.settable.of_object(object_))
        return object_ not in told and ("command_topic" in payload) == is_settable

    def messages(
        self, components: Mapping[str, Json], before: Mapping[str, str]
    ) -> dict[str, Json]:
        """The discovery messages by their topics, each device after the one that it is behind.

        Args:
            components: the components by their keys.
            before: the platforms of components that were announced before, by their keys; those
                that are not announced any more are removed.
        """
        in_devices = self.config.homeassistant.discovery == "device"
        all_of_them = self._of_devices(components, before)
        return dict(all_of_them if in_devices else self._of_entities(components))

    @property
    def _topics(self) -> Topics:
        return Topics.of(self.config.mqtt)

    @property
    def _compounds(self) -> Compounds:
        return Compounds(self.boiler, self.settable)

    @property
    def _devices(self) -> Devices:
        return Devices(self.boiler, self.config, self.url)

    def _of_devices(
        self, components: Mapping[str, Json], before: Mapping[str, str]
    ) -> Iterator[tuple[str, Json]]:
        """A message for each device that has a component."""
        # To be left out removes nothing: a component goes when only its platform is announced.
        removed = {key: {"platform": platform} for key, platform in before.items()}
        by_device: dict[str, dict[str, Json]] = {}
        for key, component in {**removed, **components}.items():
            device, _, within = key.partition("/")
            by_device.setdefault(device, {})[within] = component
        present = set(map(device_of, components))
        for device in filter(present.__contains__, self._devices.in_order()):
            yield self._of_device(device, by_device[device])

    def _of_device(self, device: str, components: dict[str, Json]) -> tuple[str, Json]:
        """The topic and the message of a device with these components."""
        topic = f"{self.config.homeassistant.prefix}/device/{self._devices.id(device)}/config"
        properties = self._devices.properties(device)
        return topic, {"device": properties, "origin": ORIGIN, "components": components}

    def _of_entities(self, components: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
        """A message for each component."""
        order = self._devices.in_order()
        properties = {device: self._devices.properties(device) for device in order}
        for key in sorted(components, key=lambda each: order.index(device_of(each))):
            component = dict(components[key])
            topic = self._topic(component.pop("platform"), component)
            yield topic, {**component, "device": properties[device_of(key)], "origin": ORIGIN}

    def _topic(self, platform: str, component: Json) -> str:
        """Where a component is announced that has a message of its own."""
        node = self.config.mqtt.node
        object_ = object_of(component, node)
        return f"{self.config.homeassistant.prefix}/{platform}/hargassner_{node}/{object_}/config"

    def _entities(self) -> Iterator[Entity]:
        yield from own_entities(
            self._topics,
            self.config,
            can_restart=self.can_restart,
            is_described=bool(self.boiler.channels),
            has_consumption=self._has_consumption(),
        )
        yield from self._of_channels()
        if self.config.gateway.enabled:
            yield from self._of_gateway()

    def _of_gateway(self) -> Iterator[Entity]:
        """What is known of parameters, which only a gateway's session can set."""
        compounds = self._compounds
        yield from compounds.entities(self._topics)
        replaced = compounds.replaced
        for setting in filter(self._shows, self.boiler.settings.values()):
            yield setting_entity(self.boiler, self.config, self.settable, setting, replaced)

    def _of_channels(self) -> Iterator[Entity]:
        for channel in filter(self._shows_channel, self.boiler.channels.values()):
            yield channel_entity(self.boiler, self.config, channel)

    def _shows_channel(self, channel: Channel) -> bool:
        return self._is_all or self.boiler.equipment.shows(channel)

    def _has_consumption(self) -> bool:
        shown = filter(self.boiler.equipment.shows, self.boiler.channels.values())
        return any(channel.role in CONSUMPTION for channel in shown)

    def _shows(self, setting: Setting) -> bool:
        """Whether a parameter is known of something that exists, or that the owner asked for."""
        exists = self._is_all or self.boiler.equipment.has(setting.place.group)
        return (exists or setting.id in self.settable.named) and is_known(self.settable, setting)

    @property
    def _is_all(self) -> bool:
        return self.config.homeassistant.entities == "all"
