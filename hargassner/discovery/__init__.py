"""Discovery: who is there, and "the gateway starts over" (docs/protocol.md, section 1)."""

from hargassner.discovery.devices import BoilerUnknownError, Devices, FoundBoiler
from hargassner.discovery.gateways import FoundGateway, address_of
from hargassner.discovery.packets import (
    Announcement,
    NotDiscoveryError,
    ServiceList,
    parse_announcement,
    parse_service_list,
)
from hargassner.discovery.relay import Relay
from hargassner.discovery.side import Side

__all__ = [
    "Announcement",
    "BoilerUnknownError",
    "Devices",
    "FoundBoiler",
    "FoundGateway",
    "NotDiscoveryError",
    "Relay",
    "ServiceList",
    "Side",
    "address_of",
    "parse_announcement",
    "parse_service_list",
]
