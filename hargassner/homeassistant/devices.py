"""The devices that Home Assistant shows: the bridge, the boiler behind it, and what that has."""

from dataclasses import dataclass

from hargassner import __version__
from hargassner.boiler.model import Boiler
from hargassner.catalogue import BOILER, Text
from hargassner.config import Config
from hargassner.homeassistant.entities import Json, known

BRIDGE = "bridge"
"""The device of the bridge itself; every other one is behind it."""

_BRIDGE_NAME = Text("Hargassner bridge", "Hargassner-Bridge", "Passerelle Hargassner")
_MAKER = "Hargassner"


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices of one boiler, by their keys.

    Args:
        boiler: the model.
        config: the configuration.
        url: the status page, empty where there is none.
    """

    boiler: Boiler
    config: Config
    url: str

    def in_order(self) -> list[str]:
        """The keys of all that there may be, each after the one that it is behind."""
        groups = self.boiler.catalogue.equipment.groups.values()
        return list(dict.fromkeys([BRIDGE, BOILER, *(each.device for each in groups)]))

    def id(self, key: str) -> str:
        """The identifier of a device, which is part of its topic, too."""
        own = f"hargassner_{self.config.mqtt.node}"
        return own if key == BOILER else f"{own}_{key}"

    def name(self, key: str) -> str:
        """What the owner calls a device."""
        language = self.config.homeassistant.language
        match key:
            case "bridge":
                return _BRIDGE_NAME.to(language)
            case "boiler":
                return f"{_MAKER} {self.boiler.identity.model}".strip()
        text = self.boiler.catalogue.equipment.groups[key].text.to(language)
        return text[:1].upper() + text[1:]

    def properties(self, key: str) -> Json:
        """A device; what is not known of it yet is left out."""
        return known({"identifiers": [self.id(key)], "name": self.name(key), **self._of(key)})

    def _of(self, key: str) -> Json:
        match key:
            case "bridge":
                return {"sw_version": __version__, "configuration_url": self.url}
            case "boiler":
                return {**self._identity(), "via_device": self.id(BRIDGE)}
        return {"manufacturer": _MAKER, "via_device": self.id(BOILER)}

    def _identity(self) -> Json:
        who = self.boiler.identity
        return {
            "manufacturer": _MAKER,
            "model": who.model,
            "sw_version": who.firmware,
            "hw_version": who.io_firmware,
            "serial_number": who.controller_serial or who.io_serial,
        }
